#pragma once
// What it costs that one layer alone reads another, as far as it was measured: the L x L matrix of a model on a text.

#include <QString>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/routing/sharing_map.h"

namespace strata {

struct Sensitivity {
  int layers = 0;                  // L
  std::vector<double> delta;       // [L, L]: nats by which the NLL rises where layer l reads s; NaN: not measured
  std::vector<double> halfWidth;   // [L, L]: of the 95 % interval; NaN: unknown
  std::optional<double> baseline;  // NLL of the full map
  QString text;                    // that it was measured on
  std::string modelHash;
  QString stale;                // why it does not hold for the model of now; empty: it holds
  std::optional<double> error;  // of the sum of cells, mean over the maps that were measured too
  std::int64_t errorMaps = 0;   // how many those are
  std::int64_t cells = 0;       // measured so far
  bool isMeasuring = false;

  /// NaN: not measured. A layer that reads itself costs nothing.
  double at(int layer, int source) const { return layer == source ? 0 : value(delta, layer, source); }
  double halfWidthAt(int layer, int source) const { return value(halfWidth, layer, source); }
  /// The sum of the map's cells; nothing where one of them is missing, or the matrix does not hold.
  std::optional<double> estimate(const SharingMap& map) const {
    if (map.layers() != layers || !stale.isEmpty()) return {};
    double sum = 0;
    for (int layer = 0; layer < layers; ++layer) sum += at(layer, map[layer]);
    if (std::isnan(sum)) return {};
    return sum;
  }

 private:
  double value(const std::vector<double>& values, int layer, int source) const {
    const std::size_t index =
        static_cast<std::size_t>(layer) * static_cast<std::size_t>(layers) + static_cast<std::size_t>(source);
    return index < values.size() ? values[index] : std::numeric_limits<double>::quiet_NaN();
  }
};

/// From where each step of the heat colours begins, in nats; below the first is the palest.
inline constexpr double kHeatSteps[] = {0.01, 0.03, 0.1, 0.3};
inline std::size_t heatStep(double nats) {
  std::size_t step = 0;
  while (step < std::size(kHeatSteps) && nats >= kHeatSteps[step]) ++step;
  return step;
}

}  // namespace strata
