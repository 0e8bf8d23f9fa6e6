#include "core/search/map_scorer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "core/distributed/dealing.h"
#include "core/model/decoder.h"
#include "core/model/loss.h"

namespace strata {
namespace {

constexpr std::size_t kBatchTokens = 2048;  // padding included

}  // namespace

/// One batch on its way down the tree.
struct MapScorer::Descent {
  const Model& model;
  const std::vector<SharingMap>& maps;
  const GoOn& goOn;
  const OnScored& onScored;
  LayerContext context;
  at::Tensor predicting;              // rows of [B·T] whose next token is predicted
  at::Tensor targets;                 // their next tokens
  std::vector<std::int64_t> lengths;  // predicted tokens of each window
  std::int64_t layersRun = 0;

  Result<void> goDown(PassState state, std::span<const std::size_t> group);
  Result<void> finish(const PassState& state, std::span<const std::size_t> group);
};

/// `group`: maps that agree on the sources of the layers that have run, in lexicographic order.
Result<void> MapScorer::Descent::goDown(PassState state, std::span<const std::size_t> group) {
  const int layers = model.config().layers;
  while (state.layer < layers) {
    if (goOn && !goOn()) return fail(ErrorCode::cancelled, "The measurement was stopped.");
    const int layer = state.layer;
    const int source = maps[group.front()][layer];
    const auto same =
        std::find_if(group.begin(), group.end(), [&](std::size_t map) { return maps[map][layer] != source; });
    const auto branch = group.first(static_cast<std::size_t>(same - group.begin()));
    const bool alone = maps[branch.front()] == maps[branch.back()];
    if (branch.size() < group.size()) {
      PassState copy = state;
      runLayers(copy, layer + 1, model.weights(), maps[branch.front()], context, {.keepAll = !alone});
      ++layersRun;
      STRATA_CHECK(goDown(std::move(copy), branch));
      group = group.subspan(branch.size());
    } else {
      runLayers(state, layer + 1, model.weights(), maps[branch.front()], context, {.keepAll = !alone});
      ++layersRun;
    }
  }
  return finish(state, group);
}

Result<void> MapScorer::Descent::finish(const PassState& state, std::span<const std::size_t> group) {
  const at::Tensor hidden = rmsNorm(state.hidden, model.weights().norm, model.config().rmsNormEps);
  const at::Tensor states = hidden.reshape({-1, hidden.size(-1)}).index_select(0, predicting);
  const at::Tensor losses = tokenLosses(states, model.weights().head, targets).to(at::kDouble).cpu().contiguous();
  const double* loss = losses.const_data_ptr<double>();
  Losses windows;
  for (const std::int64_t length : lengths) {
    windows.push_back({std::accumulate(loss, loss + length, 0.0), length});
    loss += length;
    if (std::isfinite(windows.back().sum)) continue;
    return fail(ErrorCode::invalidData,
                "The model's logits are not finite numbers; check the model for broken weights.", "logits");
  }
  for (const std::size_t map : group) STRATA_CHECK(onScored(map, windows));
  return {};
}

namespace {

/// The numbers of maps in the order of their sources: those with the same prefix side by side.
std::vector<std::size_t> bySources(const std::vector<SharingMap>& maps) {
  std::vector<std::size_t> order(maps.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return maps[a].src() < maps[b].src(); });
  return order;
}

}  // namespace

MapScorer::MapScorer(std::shared_ptr<const Model> model, const SearchText& text, Communicator* ranks)
    : m_model(std::move(model)), m_text(text), m_ranks(ranks) {
  std::vector<std::size_t> order(text.windows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return text.windows[a].size() > text.windows[b].size(); });
  std::size_t width = 0;
  for (const std::size_t window : order) {
    if (m_batches.empty() || (m_batches.back().size() + 1) * width > kBatchTokens) {
      m_batches.emplace_back();
      width = text.windows[window].size();
    }
    m_batches.back().push_back(window);
  }
}

Result<void> MapScorer::score(std::size_t batch, const std::vector<SharingMap>& maps, const GoOn& goOn,
                              const OnScored& onScored) const {
  if (m_ranks == nullptr) return scoreHere(batch, maps, goOn, onScored);
  const std::vector<std::size_t> order = bySources(maps);
  const auto share = [&](std::size_t part) {
    return shareOf(static_cast<std::int64_t>(maps.size()), static_cast<int>(part), m_ranks->ranks());
  };
  using Part = std::vector<Losses>;
  const auto compute = [&](std::size_t part) -> Result<Part> {
    std::vector<SharingMap> own;
    for (std::int64_t i = share(part).first; i < share(part).last; ++i)
      own.push_back(maps[order[static_cast<std::size_t>(i)]]);
    Part losses(own.size());
    STRATA_CHECK(scoreHere(batch, own, goOn, [&](std::size_t map, const Losses& some) -> Result<void> {
      losses[map] = some;
      return {};
    }));
    return losses;
  };
  const auto take = [&](std::size_t part, const Part& losses) -> Result<void> {
    for (std::size_t i = 0; i < losses.size(); ++i)
      STRATA_CHECK(onScored(order[static_cast<std::size_t>(share(part).first) + i], losses[i]));
    return {};
  };
  return deal<Part>(m_ranks, static_cast<std::size_t>(m_ranks->ranks()), compute, take);
}

Result<void> MapScorer::scoreHere(std::size_t batch, const std::vector<SharingMap>& maps, const GoOn& goOn,
                                  const OnScored& onScored) const {
  if (maps.empty()) return {};
  STRATA_CHECK(m_model->checkFiles());
  try {
    const c10::NoGradGuard guard;
    const std::vector<std::size_t>& windows = m_batches[batch];
    const std::size_t width = m_text.windows[windows.front()].size();  // descending
    at::Tensor ids =
        at::zeros({static_cast<std::int64_t>(windows.size()), static_cast<std::int64_t>(width)}, at::kLong);
    auto values = ids.accessor<std::int64_t, 2>();
    std::vector<std::int64_t> predicting, targets;
    Descent descent{*m_model, maps, goOn, onScored, {}, {}, {}, {}};
    for (std::size_t b = 0; b < windows.size(); ++b) {
      const auto& window = m_text.windows[windows[b]];
      for (std::size_t t = 0; t < window.size(); ++t) {
        values[static_cast<std::int64_t>(b)][static_cast<std::int64_t>(t)] = window[t];
        if (t == 0) continue;
        predicting.push_back(static_cast<std::int64_t>(b * width + t - 1));
        targets.push_back(window[t]);
      }
      descent.lengths.push_back(static_cast<std::int64_t>(window.size()) - 1);
    }
    const c10::Device device = m_model->device();
    descent.predicting = at::tensor(predicting, at::kLong).to(device);
    descent.targets = at::tensor(targets, at::kLong).to(device);
    descent.context.config = &m_model->config();
    descent.context.kv = m_model->kvFormat();
    descent.context.rotation = rotationOf(
        m_model->rope(), at::arange(static_cast<std::int64_t>(width), at::TensorOptions(at::kLong).device(device)));
    const std::vector<std::size_t> order = bySources(maps);
    PassState state = beginPass(m_model->weights(), m_model->dtype(), ids.to(device), m_model->config().layers);
    const Result<void> done = descent.goDown(std::move(state), order);
    m_layersRun += descent.layersRun;
    STRATA_CHECK(done);
    return m_model->checkMapped();
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
}

}  // namespace strata
