#pragma once
// Negative log-likelihood of token ids under a map or any routing: uncached, all positions, the head in chunks.

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/model/model.h"
#include "core/routing/sharing_map.h"

namespace strata {

struct ScoreOptions {
  bool logits = false;     // keep every position's logits
  bool gradNorms = false;  // L2 of each parameter's gradient of the mean loss (float32)
};

struct ScoreResult {
  double nllSum = 0;        // nats
  std::int64_t tokens = 0;  // predicted
  double nll() const { return tokens > 0 ? nllSum / static_cast<double>(tokens) : 0; }
  at::Tensor logits;  // [T, V] F32, all windows one after the other
  std::map<std::string, double> gradNorms;
};

/// Each window is scored by itself: all but its first id are predicted.
Result<ScoreResult> scoreWindows(const Model& model, const SharingMap& routing,
                                 const std::vector<std::vector<TokenId>>& windows, const ScoreOptions& options = {});

/// Windows of a text: BOS (if any) + up to context-1 tokens, no overlap; without BOS `context` tokens.
std::vector<std::vector<TokenId>> windowsOf(const Tokenizer& tokenizer, std::string_view text, std::int64_t context);
/// Ids as given, cut at `context`.
std::vector<std::vector<TokenId>> windowsOf(const std::vector<TokenId>& ids, std::int64_t context);

}  // namespace strata
