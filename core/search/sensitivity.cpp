#include "core/search/sensitivity.h"

#include <algorithm>
#include <numeric>

namespace strata {
namespace {

bool isMeasured(const Losses& losses) {
  return std::any_of(losses.begin(), losses.end(), [](const WindowLoss& window) { return window.tokens > 0; });
}

}  // namespace

Sensitivity::Sensitivity(int layers, std::size_t windows)
    : m_layers(layers), m_losses(static_cast<std::size_t>(cells()) + 1, Losses(windows)) {}

std::size_t Sensitivity::indexOf(const Cell& cell) const {
  if (cell.isBaseline()) return 0;
  return static_cast<std::size_t>(1 + cell.layer * (cell.layer - 1) / 2 + cell.source);
}

void Sensitivity::set(const Cell& cell, std::size_t window, const WindowLoss& loss) {
  m_losses[indexOf(cell)][window] = loss;
}

int Sensitivity::measuredCells() const {
  return static_cast<int>(std::count_if(m_losses.begin() + 1, m_losses.end(), isMeasured));
}

std::optional<MeanLoss> Sensitivity::delta(int layer, int source) const {
  if (source >= layer) return {};
  const MeanLoss difference = meanDifference(losses({layer, source}), m_losses[0]);
  return difference.tokens > 0 ? std::optional(difference) : std::nullopt;
}

SharingMap mapOf(const Cell& cell, int layers) {
  std::vector<int> src(static_cast<std::size_t>(layers));
  std::iota(src.begin(), src.end(), 0);
  src[static_cast<std::size_t>(cell.layer)] = cell.source;
  return *SharingMap::create(std::move(src));
}

Result<void> measureSensitivity(const MapScorer& scorer, Sensitivity& matrix, const SensitivityHooks& hooks) {
  for (std::size_t batch = 0; batch < scorer.batches(); ++batch) {
    const std::vector<std::size_t>& windows = scorer.windowsOf(batch);
    std::vector<Cell> cells;
    const auto addMissing = [&](const Cell& cell) {
      const Losses& known = matrix.losses(cell);
      const auto missing = [&](std::size_t window) { return known[window].tokens == 0; };
      if (std::any_of(windows.begin(), windows.end(), missing)) cells.push_back(cell);
    };
    addMissing({});
    for (int layer = 1; layer < matrix.layers(); ++layer) {
      for (int source = 0; source < layer; ++source) addMissing({layer, source});
    }
    std::vector<SharingMap> maps;
    for (const Cell& cell : cells) maps.push_back(mapOf(cell, matrix.layers()));
    const auto keep = [&](std::size_t map, const Losses& losses) -> Result<void> {
      for (std::size_t i = 0; i < windows.size(); ++i) matrix.set(cells[map], windows[i], losses[i]);
      return hooks.onCell ? hooks.onCell(cells[map], windows) : Result<void>();
    };
    STRATA_CHECK(scorer.score(batch, maps, hooks.goOn, keep));
  }
  return {};
}

std::optional<double> DeltaMatrix::estimate(const SharingMap& map) const {
  double sum = 0;
  for (int layer = 0; layer < layers; ++layer) {
    if (map.owns(layer)) continue;
    const auto cell = at(layer, map[layer]);
    if (!cell) return {};
    sum += *cell;
  }
  return sum;
}

DeltaMatrix summaryOf(const Sensitivity& matrix) {
  DeltaMatrix summary;
  summary.layers = matrix.layers();
  summary.baseline = matrix.baseline().mean;
  for (int layer = 0; layer < summary.layers; ++layer) {
    for (int source = 0; source < summary.layers; ++source) {
      const std::optional<MeanLoss> cell = matrix.delta(layer, source);
      summary.delta.push_back(cell ? std::optional(cell->mean) : std::nullopt);
      summary.halfWidth.push_back(cell ? cell->halfWidth : std::nullopt);
    }
  }
  return summary;
}

Json toJson(const DeltaMatrix& matrix) {
  const auto rows = [&](const std::vector<std::optional<double>>& cells) {
    Json table = Json::array();
    for (int layer = 0; layer < matrix.layers; ++layer) {
      Json row = Json::array();
      for (int source = 0; source < matrix.layers; ++source) {
        const auto& cell = cells[static_cast<std::size_t>(layer * matrix.layers + source)];
        row.push_back(cell ? Json(*cell) : Json(nullptr));
      }
      table.push_back(std::move(row));
    }
    return table;
  };
  return {{"layers", matrix.layers},
          {"baseline_nll", matrix.baseline},
          {"delta", rows(matrix.delta)},
          {"half_width", rows(matrix.halfWidth)}};
}

}  // namespace strata
