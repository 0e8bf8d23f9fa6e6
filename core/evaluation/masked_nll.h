#pragma once
// Negative log-likelihood of chosen positions of many rows under a map, in right-padded batches of similar length: pads
// are never keys of what stands before them.

#include <cstddef>
#include <functional>
#include <vector>

#include "core/base/json.h"
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
  /// As it is stored: a mean.
  static NllSum of(double mean, std::int64_t tokens) { return {mean * static_cast<double>(tokens), tokens}; }
  double mean() const { return tokens > 0 ? sum / static_cast<double>(tokens) : 0; }
  /// Refused: a sum that is no finite number.
  Result<void> check() const;
  NllSum& operator+=(const NllSum& other) {
    sum += other.sum;
    tokens += other.tokens;
    return *this;
  }
};

inline void to_json(Json& json, const NllSum& sum) {
  json = {sum.sum, sum.tokens};
}
inline void from_json(const Json& json, NllSum& sum) {
  json.at(0).get_to(sum.sum);
  json.at(1).get_to(sum.tokens);
}

/// One batch: which rows it was of, and the sum of each.
struct NllBatch {
  std::vector<std::size_t> rows;
  std::vector<NllSum> sums;
};

/// Of each of `rows`, in batches of which `onBatch` is told; one of which no row is wanted is left out. Refused: ids
/// outside the vocabulary; sums that are no finite numbers.
Result<void> sumNll(const Model& model, const SharingMap& map, const std::vector<ScoredRow>& rows,
                    const TaskHooks& hooks, const std::function<bool(std::size_t row)>& wanted,
                    const std::function<Result<void>(const NllBatch&)>& onBatch);
/// All of them, in their order.
Result<std::vector<NllSum>> sumNll(const Model& model, const SharingMap& map, const std::vector<ScoredRow>& rows,
                                   const TaskHooks& hooks = {});

}  // namespace strata
