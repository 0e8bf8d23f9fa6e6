#pragma once
// Conversations in the shapes that data sets keep them, brought into the one that chat templates read.
//
//   [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…", "tool_calls": [{"type": "function",
//     "function": {"name": "…", "arguments": {…}}}]}, {"role": "tool", "content": "…"}]

#include <cstddef>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

struct Conversation {
  Json messages = Json::array();
  Json tools;                        // a list of {"type": "function", "function": {…}}, or null
  std::vector<std::size_t> trained;  // the messages to learn: of the assistant, ascending
  // What the record said otherwise: some templates write tool calls only so.
  std::vector<std::size_t> nullContents;   // messages whose content was null beside tool calls ("" in `messages`)
  std::vector<std::string> argumentTexts;  // each tool call's arguments as JSON text: the record's own, where it had it
};

/// Each function's reasons are sentences that begin with the place in the record ("messages[3]: …").
///
/// `turns`: {"role", "content"} or {"from", "value"} (also with the roles that those data sets use: human, gpt,
/// function_call, observation …). Content may be text, null beside tool calls, or a list of text parts, which are
/// joined. Arguments and tools that are JSON in a text become JSON. Learned: every turn of the assistant that is not
/// marked {"weight": 0} or {"train": false}, from message `firstTrained` on.
/// Refused: no assistant turn, other content (images), more than 4096 messages.
Result<Conversation> readConversation(const Json& turns, const Json& tools, const Json& system, const std::string& key,
                                      std::size_t firstTrained = 0);

/// Appends the turns of a list, or the single one of an object, to `to`.
Result<void> appendTurns(Json& to, const Json& turns, const std::string& key);

/// A text that is JSON, as tables keep lists: the value; anything else as it is.
Json unquoted(const Json& value);

}  // namespace strata
