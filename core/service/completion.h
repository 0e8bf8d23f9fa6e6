#pragma once
// What /v1/completions asks for and gets: the answer to one prompt, with log-probabilities of its tokens where they are
// wanted.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/config/generate_config.h"
#include "core/protocol/messages.h"

namespace strata {

/// A text, which the tokenizer puts its own BOS before, or ids, which are taken as they are.
using TextPrompt = std::variant<std::string, std::vector<int>>;

struct CompletionTask {
  protocol::Side side;
  TextPrompt prompt;
  GenerateConfig sampling;
  bool generates = true;        // false: the prompt is scored, and nothing is added to it
  bool echo = false;            // the prompt too
  std::optional<int> logprobs;  // how many of the likeliest tokens are listed for each token
};

struct TokenScore {
  std::string text;                                       // what the token adds to the text before it
  std::int64_t offset = 0;                                // of its text in that of the choice, in code points
  std::optional<double> logprob;                          // natural logarithm; none of a text's first token
  std::vector<std::pair<std::string, double>> likeliest;  // the likeliest, and the token itself; none of the first
};

struct Completion {
  protocol::Answer answer;
  std::string prompt;              // its text, where it is echoed
  std::vector<TokenScore> scores;  // where log-probabilities are wanted
};

}  // namespace strata
