#pragma once
// Negative log-likelihood of chosen positions of many rows under a map, in right-padded batches of similar length: pads
// are never keys of what stands before them.

#include <vector>

#include "core/evaluation/tasks.h"
#include "core/text/tokenizer.h"

namespace strata {

/// predicted[i]: the prediction of ids[i] counts (never for i == 0).
struct ScoredRow {
  std::vector<TokenId> ids;
  std::vector<bool> predicted;
};

struct NllSum {
  double sum = 0;  // nats
  std::int64_t tokens = 0;
  double mean() const { return tokens > 0 ? sum / static_cast<double>(tokens) : 0; }
  NllSum& operator+=(const NllSum& other) {
    sum += other.sum;
    tokens += other.tokens;
    return *this;
  }
};

/// Of each of `rows`, in their order; progress counts rows.
Result<std::vector<NllSum>> sumNll(const Model& model, const NamedMap& map, const std::vector<ScoredRow>& rows,
                                   const TaskHooks& hooks);

}  // namespace strata
