#pragma once
// Generation for one or more prompts over one map.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/generate_config.h"
#include "core/model/session.h"

namespace strata {

enum class Finish { eos, length, stop, cancel };
const char* toString(Finish finish);

struct Generated {
  std::vector<TokenId> ids;  // new ones, the eos included where it ended the answer
  std::string text;          // decoded, cut before a stop string; empty without a tokenizer
  Finish finish = Finish::length;
};

struct GenerateResult {
  std::vector<Generated> answers;  // one per prompt
  std::int64_t kvBytes = 0;        // allocated, all sequences
  double prefillSeconds = 0;
  double decodeSeconds = 0;
};

struct GenerateHooks {
  std::function<void(std::size_t prompt, const std::string& piece)> onText;  // streamed text of one prompt
  const std::atomic<bool>* cancel = nullptr;
  std::int64_t context = 0;  // capacity at most; 0: the model's context
  std::int64_t prefillChunk = 512;
  /// Stops an answer once this returns true for its text so far (evaluation: a newline).
  std::function<bool(const std::string& text)> stopWhen;
};

/// Prompts are token ids, taken as given. Refused: a prompt that leaves no room for one token.
Result<GenerateResult> generate(const std::shared_ptr<const Model>& model, const SharingMap& map,
                                const std::vector<std::vector<TokenId>>& prompts, const GenerateConfig& config,
                                const GenerateHooks& hooks = {});

}  // namespace strata
