#pragma once
// Conversations as texts and rows of which only the assistant's turns are learned.
//
//   STRATA_TRY(const auto texts, chatTexts(renderer, conversation));
//   for (const ChatText& text : texts) rows.push_back(chatRow(tokenizer, text));

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/data/conversations.h"
#include "core/text/tokenizer.h"

namespace strata {

/// A span of a text, in bytes.
struct TextSpan {
  std::size_t begin = 0, end = 0;
  bool operator==(const TextSpan&) const = default;
};

/// What writes messages as the text that the model reads: its chat template.
class ChatRenderer {
 public:
  virtual ~ChatRenderer() = default;
  virtual Result<std::string> render(const Json& messages, const Json& tools, bool addGenerationPrompt) const = 0;
  /// The spans that the template itself marks as generated, of the text that render() gives without a generation
  /// prompt; nothing where it marks none.
  virtual Result<std::optional<std::vector<TextSpan>>> generatedSpans(const Json& messages,
                                                                      const Json& tools) const = 0;
};

struct ChatText {
  std::string text;
  std::vector<TextSpan> learned;  // ascending, apart
};

/// The turns to learn but the assistant's that opens the conversation: it answers nothing, and templates have no prompt
/// for it.
std::vector<std::size_t> answeringTurns(const Conversation& conversation);

/// A conversation's text, and in it what the turns to learn wrote, end-of-turn marks included. Where the template marks
/// what is generated, that; else each turn from the end of the generation prompt after the messages before it to the
/// end of the messages up to it. Where the template writes earlier turns otherwise once later ones follow (it drops
/// thinking, say), each turn gets a text of its own that ends with it; where it writes even the messages before a turn
/// otherwise than when it asks for the turn (the system's text only before the last user's turn), that text is what it
/// asks with, then the turn. Tool calls are rendered as transformers has them (the arguments as JSON, null content as
/// null), and where the template then fails or leaves them out, with the arguments as text or the content as "".
/// Error: the template refuses the conversation, or a turn's beginning cannot be told; ErrorCode::unsupported where it
/// leaves a learned tool call out, or no turn answers anything.
Result<std::vector<ChatText>> chatTexts(const ChatRenderer& renderer, const Conversation& conversation);

/// A row before it is cut. turnEnds: for each learned span, how many ids there are up to its end.
struct ChatIds {
  std::vector<TokenId> ids;
  std::vector<bool> trained;
  std::vector<std::size_t> turnEnds;
};

/// The text's own ids (the template writes BOS where the model wants one). A span is trained from its first id to the
/// mark that ends the turn: white space after the last special token of a span is context for the next turn, since a
/// model that generates stops at the mark.
ChatIds chatIds(const Tokenizer& tokenizer, const ChatText& text);

}  // namespace strata
