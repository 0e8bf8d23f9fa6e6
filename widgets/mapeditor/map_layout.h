#pragma once
// Where everything of the map editor stands: one row per layer, its number, bracket, tile and row of the routing grid,
// with legend and read-out in the empty upper triangle.
//
//   MapLayout layout = MapLayout::of(36, size, 0, 0);
//   layout.hit(point, map).zone

#include <QRect>
#include <QSize>

#include "core/routing/sharing_map.h"

namespace strata {

struct MapLayout {
  enum class Zone { none, number, leftEnd, tile, gap, grid, overview };
  struct Hit {
    Zone zone = Zone::none;
    int layer = -1;   // of the row; of a gap the owner below it
    int source = -1;  // of the grid
    bool operator==(const Hit&) const = default;
  };

  /// `row`: height of a row; 0, and what is lower than that: the largest at which all rows fit.
  static MapLayout of(int layers, const QSize& size, int row, int scroll);
  static constexpr int kLowestRow = 4;
  static int highestRow();

  /// The row at a height, rows beyond the first and last one included: the first or last.
  int rowNear(int y) const;
  /// -1: none.
  int rowAt(int y) const;
  int yOf(int layer) const { return top + layer * row - scroll; }
  /// The whole width of the rows.
  QRect rowRect(int layer) const;
  QRect tileRect(int layer, bool owner) const;
  QRect numberRect(int layer) const;
  QRect cellRect(int layer, int source) const;
  /// Rows and grid, below the captions.
  QRect area() const;
  Hit hit(const QPoint& point, const SharingMap& map) const;
  bool canScroll() const { return layers * row > viewHeight; }
  int furthestScroll() const { return canScroll() ? layers * row - viewHeight : 0; }
  bool isRuler() const { return row < kRulerBelow; }
  bool hasTileText() const;
  /// Numbers of all rows, else of every tenth.
  bool hasAllNumbers() const;
  /// Layers that are in view, at least in part.
  int firstInView() const;
  int lastInView() const;

  static constexpr int kRulerBelow = 8;
  int layers = 0;
  int row = kLowestRow, cell = kLowestRow, fit = kLowestRow;
  int top = 0, scroll = 0, viewHeight = 0, width = 0;
  int numberRight = 0;  // numbers begin at the left edge
  int gutterLeft = 0, lane = 0;
  int tileLeft = 0, tileWidth = 0, indent = 0;
  int gridLeft = 0;
  bool notesBeside = false;  // legend and read-out beside each other, above the rows
  QRect notes, overview;
  QRect hints;  // below the rows; empty: no room
};

}  // namespace strata
