#include "core/evaluation/masked_nll.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/distributed/dealing.h"
#include "core/model/decoder.h"
#include "core/model/loss.h"

namespace strata {
namespace {

constexpr std::size_t kNllBatchTokens = 2048;  // padding included

/// One forward pass over rows of at most `width` ids; a sum for each.
std::vector<NllSum> batchNll(const Model& model, const SharingMap& map, const std::vector<const ScoredRow*>& batch,
                             std::size_t width) {
  const c10::NoGradGuard guard;
  const auto device = model.device();
  at::Tensor ids = at::zeros({static_cast<std::int64_t>(batch.size()), static_cast<std::int64_t>(width)}, at::kLong);
  auto values = ids.accessor<std::int64_t, 2>();
  std::vector<std::int64_t> predicting, targets;
  std::vector<NllSum> sums(batch.size());
  for (std::size_t b = 0; b < batch.size(); ++b) {
    const ScoredRow& row = *batch[b];
    for (std::size_t t = 0; t < row.ids.size(); ++t) {
      values[static_cast<std::int64_t>(b)][static_cast<std::int64_t>(t)] = row.ids[t];
      if (t == 0 || !row.predicted[t]) continue;
      predicting.push_back(static_cast<std::int64_t>(b * width + t - 1));
      targets.push_back(row.ids[t]);
      ++sums[b].tokens;
    }
  }
  if (targets.empty()) return sums;
  LayerContext context;
  context.config = &model.config();
  context.kv = model.kvFormat();
  context.rotation = rotationOf(
      model.rope(), at::arange(static_cast<std::int64_t>(width), at::TensorOptions(at::kLong).device(device)));
  const at::Tensor hidden = forwardHidden(model.weights(), model.dtype(), ids.to(device), map, context);
  const at::Tensor states =
      hidden.reshape({-1, hidden.size(-1)}).index_select(0, at::tensor(predicting, at::kLong).to(device));
  const at::Tensor losses = tokenLosses(states, model.weights().head, at::tensor(targets, at::kLong).to(device));
  const at::Tensor host = losses.to(at::kDouble).cpu().contiguous();
  const double* loss = host.const_data_ptr<double>();
  for (NllSum& row : sums) {
    row.sum = std::accumulate(loss, loss + row.tokens, 0.0);
    loss += row.tokens;
  }
  return sums;
}

Result<void> checkIds(const Model& model, const std::vector<ScoredRow>& rows) {
  for (const ScoredRow& row : rows) {
    for (const TokenId id : row.ids) {
      if (id >= 0 && id < model.config().vocab) continue;
      return fail(ErrorCode::invalidData, "The tokenizer gives the id " + std::to_string(id) +
                                              ", but the model's vocabulary is " +
                                              std::to_string(model.config().vocab) + "; they do not belong together.");
    }
  }
  return {};
}

}  // namespace

Result<void> sumNll(const Model& model, const SharingMap& map, const std::vector<ScoredRow>& rows,
                    const TaskHooks& hooks, const std::function<bool(std::size_t row)>& wanted,
                    const std::function<Result<void>(const NllBatch&)>& onBatch) {
  STRATA_CHECK(model.checkFiles());
  STRATA_CHECK(checkIds(model, rows));
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows[a].ids.size() < rows[b].ids.size(); });
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t begin = 0; begin < order.size();) {
    std::vector<std::size_t> batch;
    for (; begin < order.size(); ++begin) {  // ascending
      if (!batch.empty() && (batch.size() + 1) * rows[order[begin]].ids.size() > kNllBatchTokens) break;
      batch.push_back(order[begin]);
    }
    if (std::any_of(batch.begin(), batch.end(), wanted)) batches.push_back(std::move(batch));
  }
  const auto compute = [&](std::size_t number) -> Result<std::vector<NllSum>> {
    STRATA_CHECK(hooks.check());
    std::vector<const ScoredRow*> inputs;
    for (const std::size_t row : batches[number]) inputs.push_back(&rows[row]);
    std::vector<NllSum> sums;
    try {
      sums = batchNll(model, map, inputs, inputs.back()->ids.size());
    } catch (const std::exception& exception) {
      return tl::unexpected(errorFromException(exception));
    }
    STRATA_CHECK(model.checkMapped());
    for (const NllSum& each : sums) STRATA_CHECK(each.check());
    return sums;
  };
  return deal<std::vector<NllSum>>(hooks.ranks, batches.size(), compute, [&](std::size_t number, auto sums) {
    return onBatch({batches[number], std::move(sums)});
  });
}

Result<std::vector<NllSum>> sumNll(const Model& model, const SharingMap& map, const std::vector<ScoredRow>& rows,
                                   const TaskHooks& hooks) {
  std::vector<NllSum> sums(rows.size());
  STRATA_CHECK(sumNll(
      model, map, rows, hooks, [](std::size_t) { return true; },
      [&](const NllBatch& batch) -> Result<void> {
        for (std::size_t i = 0; i < batch.rows.size(); ++i) sums[batch.rows[i]] = batch.sums[i];
        return {};
      }));
  return sums;
}

Result<void> NllSum::check() const {
  if (std::isfinite(sum)) return {};
  return fail(ErrorCode::invalidData, "The model's logits are not finite numbers; check the model for broken weights.",
              "logits");
}

}  // namespace strata
