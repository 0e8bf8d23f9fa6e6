#pragma once
// The body of /v1/chat/completions and /v1/completions. Fields that could change the answer and that this server does
// not have are refused by name, never ignored; fields that only the caller's books need (user, metadata, store) are
// taken and left alone.

#include <string>
#include <string_view>
#include <vector>

#include "core/config/generate_config.h"
#include "core/protocol/messages.h"
#include "core/service/http_errors.h"

namespace strata {

struct CompletionRequest {
  bool chat = true;
  std::string model;
  std::vector<protocol::Turn> turns;  // of a chat
  std::string prompt;                 // of a completion
  GenerateConfig sampling;            // as OpenAI has it, temperature is 1 where none is given
  bool seeded = false;                // whether the request gave the seed
  bool limited = false;               // whether it gave the number of tokens
  bool stream = false;
  bool includeUsage = false;
};

HttpResult<CompletionRequest> parseCompletion(std::string_view body, bool chat);

}  // namespace strata
