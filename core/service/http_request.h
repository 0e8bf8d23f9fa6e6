#pragma once
// The bodies of /v1/chat/completions, /v1/completions, /tokenize and /detokenize. Fields that could change the answer
// and that this server does not have are refused by name, never ignored; fields that only the caller's books need
// (user, metadata, store) are taken and left alone.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/generate_config.h"
#include "core/protocol/messages.h"
#include "core/service/completion.h"
#include "core/service/http_errors.h"

namespace strata {

struct CompletionRequest {
  bool chat = true;
  std::string model;
  std::vector<protocol::Turn> turns;  // of a chat
  std::vector<TextPrompt> prompts;    // of a completion; each is answered by itself
  bool echo = false;                  // the prompt is part of the text
  std::optional<int> logprobs;        // how many of the likeliest tokens to list; none: no log-probabilities
  bool generates = true;              // false where "max_tokens" is 0: the prompts are scored alone
  GenerateConfig sampling;            // as OpenAI has it, temperature is 1 where none is given
  bool seeded = false;                // whether the request gave the seed
  bool limited = false;               // whether it gave the number of tokens
  bool stream = false;
  bool includeUsage = false;
};

HttpResult<CompletionRequest> parseCompletion(std::string_view body, bool chat);

struct TokenizeRequest {
  std::string model;  // empty: the only one
  std::string text;
  bool specials = true;  // with the ids that the tokenizer puts around a text
};
HttpResult<TokenizeRequest> parseTokenize(std::string_view body);

struct DetokenizeRequest {
  std::string model;  // empty: the only one
  std::vector<int> ids;
};
HttpResult<DetokenizeRequest> parseDetokenize(std::string_view body);

}  // namespace strata
