#pragma once
// The sensitivity matrix: how much the NLL changes when layer l alone reads layer s and all else is its own.
//
//   Sensitivity matrix(layers, text.windows.size());
//   STRATA_CHECK(measureSensitivity(scorer, matrix, {.goOn = …, .onCell = …}));
//   matrix.delta(5, 2)->mean      // nats per token
// What the matrix holds already is not measured again: a resumed measurement ends with the same numbers.

#include <functional>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/routing/sharing_map.h"
#include "core/search/losses.h"
#include "core/search/map_scorer.h"

namespace strata {

/// A cell (layer, source), source < layer; layer == source == 0 is the baseline.
struct Cell {
  int layer = 0, source = 0;
  bool isBaseline() const { return layer == source; }
};

class Sensitivity {
 public:
  Sensitivity(int layers, std::size_t windows);

  int layers() const { return m_layers; }
  /// L(L-1)/2
  int cells() const { return m_layers * (m_layers - 1) / 2; }
  /// Those measured on one window at least.
  int measuredCells() const;
  const Losses& losses(const Cell& cell) const { return m_losses[indexOf(cell)]; }
  void set(const Cell& cell, std::size_t window, const WindowLoss& loss);
  MeanLoss baseline() const { return meanOf(m_losses[0]); }
  /// NLL of the cell minus the baseline, paired by window; nothing: not measured, or source >= layer.
  std::optional<MeanLoss> delta(int layer, int source) const;

 private:
  std::size_t indexOf(const Cell& cell) const;

  int m_layers;
  std::vector<Losses> m_losses;  // the baseline, then the rows of the lower triangle
};

/// The map in which `cell.layer` alone reads `cell.source`.
SharingMap mapOf(const Cell& cell, int layers);

struct SensitivityHooks {
  MapScorer::GoOn goOn;
  /// A cell on the windows of one batch; in the matrix already.
  std::function<Result<void>(const Cell& cell, const std::vector<std::size_t>& windows)> onCell;
};
/// Fills what is missing of the matrix, batch by batch.
Result<void> measureSensitivity(const MapScorer& scorer, Sensitivity& matrix, const SensitivityHooks& hooks);

/// The matrix without its windows: what is stored, shown and searched with.
struct DeltaMatrix {
  int layers = 0;
  double baseline = 0;
  std::vector<std::optional<double>> delta, halfWidth;  // [L·L], row l, column s

  std::optional<double> at(int layer, int source) const {
    return delta[static_cast<std::size_t>(layer) * static_cast<std::size_t>(layers) + static_cast<std::size_t>(source)];
  }
  /// The sum of its cells: an estimate of what a map costs. Nothing where one is not measured.
  std::optional<double> estimate(const SharingMap& map) const;
};
DeltaMatrix summaryOf(const Sensitivity& matrix);

/// "delta" and "half_width": L x L, null where nothing was measured; "baseline_nll", "layers", "cells".
Json toJson(const DeltaMatrix& matrix);

}  // namespace strata
