#include "core/search/dissimilarity.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <numeric>

#include "core/model/decoder.h"

namespace strata {
namespace {

constexpr std::size_t kPositions = 64, kWindows = 64;
constexpr double kFirstBound = .5, kBoundStep = .1;

struct Pair {
  int layer = 0, source = 0;
  double distance = 0;
};

/// [B, T]: the beginnings of windows; all as long as the longest where none reaches kPositions.
at::Tensor beginnings(const SearchText& text) {
  std::size_t longest = 0;
  for (const auto& window : text.windows) longest = std::max(longest, window.size());
  const std::size_t length = std::min(longest, kPositions);
  std::vector<at::Tensor> rows;
  for (const auto& window : text.windows) {
    if (window.size() < length || rows.size() == kWindows) continue;
    rows.push_back(at::tensor(
        std::vector<std::int64_t>(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(length)), at::kLong));
  }
  return at::stack(rows);
}

/// Each layer's keys and values, averaged over the windows: [2·T·Hkv·D].
std::vector<at::Tensor> averagedKeyValues(const PassState& state) {
  std::vector<at::Tensor> averages;
  for (const KeyValue& made : state.made) {
    averages.push_back(at::cat({made.k, made.v}, 1).to(at::kFloat).mean(0).flatten());
  }
  return averages;
}

std::vector<Pair> pairsByDistance(const std::vector<at::Tensor>& averages) {
  std::vector<Pair> pairs;
  for (int layer = 1; layer < static_cast<int>(averages.size()); ++layer) {
    for (int source = 0; source < layer; ++source) {
      const at::Tensor difference =
          averages[static_cast<std::size_t>(layer)] - averages[static_cast<std::size_t>(source)];
      pairs.push_back({layer, source, difference.norm().item<double>()});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.distance > b.distance; });
  return pairs;
}

/// The map with `pair` shared: whoever read the later layer reads the earlier one's owner.
SharingMap sharing(const SharingMap& map, const Pair& pair) {
  std::vector<int> src = map.src();
  const int owner = map[pair.source];
  for (int& source : src) {
    if (source == pair.layer) source = owner;
  }
  return *SharingMap::create(std::move(src));
}

}  // namespace

Result<SharingMap> mapByDissimilarity(const Model& model, const SearchText& text, int owners,
                                      const MapScorer::GoOn& goOn) {
  try {
    const c10::NoGradGuard guard;
    const int layers = model.config().layers;
    const at::Tensor ids = beginnings(text).to(model.device());
    LayerContext context;
    context.config = &model.config();
    context.kv = model.kvFormat();
    context.rotation =
        rotationOf(model.rope(), at::arange(ids.size(1), at::TensorOptions(at::kLong).device(model.device())));
    PassState state = beginPass(model.weights(), model.dtype(), ids, layers);
    SharingMap map = SharingMap::full(layers);
    runLayers(state, layers, model.weights(), map, context, {.keepAll = true});
    const at::Tensor reference = rmsNorm(state.hidden, model.weights().norm, model.config().rmsNormEps).to(at::kFloat);
    const std::vector<Pair> pairs = pairsByDistance(averagedKeyValues(state));
    state = {};
    for (double bound = kFirstBound; map.owners() > owners; bound -= kBoundStep) {
      for (const Pair& pair : pairs) {
        if (map.owners() == owners) break;
        if (!map.owns(pair.layer)) continue;
        if (goOn && !goOn()) return fail(ErrorCode::cancelled, "The search was stopped.");
        SharingMap next = sharing(map, pair);
        const at::Tensor hidden = forwardHidden(model.weights(), model.dtype(), ids, next, context).to(at::kFloat);
        const double similarity = at::cosine_similarity(hidden, reference, -1).mean().item<double>();
        if (bound < -1 || similarity >= bound) map = std::move(next);
      }
    }
    return map;
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
}

}  // namespace strata
