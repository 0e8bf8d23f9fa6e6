#include "widgets/mapeditor/map_layout.h"

#include <QFontMetrics>
#include <algorithm>

#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kHighest = 40;
constexpr int kTextFrom = 16, kNumbersFrom = 12;
constexpr int kTile = 180, kLeastTile = 120, kBareTile = 96, kRuler = 40;
constexpr int kIndent = 16, kRulerIndent = 14;
constexpr int kLanes = 4, kLane = 6;
constexpr int kNotes = 192, kLeastNotes = 220, kBand = 88;
constexpr int kLeftEnd = 24;
constexpr int kOverview = 12;
constexpr int kGap = 4;

}  // namespace

int MapLayout::highestRow() {
  return scaled(kHighest);
}

bool MapLayout::hasTileText() const {
  return row >= scaled(kTextFrom);
}

bool MapLayout::hasAllNumbers() const {
  return row >= scaled(kNumbersFrom);
}

MapLayout MapLayout::of(int layers, const QSize& size, int row, int scroll) {
  MapLayout layout;
  layout.layers = layers;
  layout.width = size.width();
  const int caption = QFontMetrics(fonts().caption).height();
  const QFontMetrics numbers(fonts().monoCaption);
  layout.numberRight =
      kSelectionEdge + kGapInside + numbers.horizontalAdvance(QString::number(std::max(layers - 1, 10)));
  layout.gutterLeft = layout.numberRight + kGapRelated;
  const auto place = [&](int above) {
    layout.top = above + caption + kGapInside;
    layout.viewHeight = std::max(0, size.height() - layout.top - kFocusWidth);
    layout.fit = layers > 0 ? std::clamp(layout.viewHeight / layers, kLowestRow, highestRow()) : highestRow();
    layout.row = std::clamp(row, layout.fit, highestRow());
    const bool ruler = layout.isRuler(), text = layout.hasTileText();
    layout.lane = ruler ? 0 : scaled(kLane);
    layout.tileLeft = layout.gutterLeft + (ruler ? 0 : scaled(kIndent) + kLanes * layout.lane);
    layout.indent = scaled(ruler ? kRulerIndent : kIndent);
    const int right = size.width() - (layout.canScroll() ? kOverview + kGapRelated : 0) - kFocusWidth;
    const int room = right - layout.tileLeft - kGapRelated - kGapInside;
    const int tile = scaled(ruler ? kRuler : text ? kTile : kBareTile);
    layout.tileWidth = std::clamp(room - layers * layout.row, std::min(tile, scaled(kLeastTile)), tile);
    layout.gridLeft = layout.tileLeft + layout.tileWidth + kGapRelated + kGapInside;
    layout.cell = layers > 0 ? std::clamp((right - layout.gridLeft) / layers, 1, layout.row) : 1;
    const int rows = std::min(layers, (scaled(kNotes) + layout.row - 1) / layout.row);
    const int left = layout.gridLeft + rows * layout.cell + kGapGroups;
    layout.notes = QRect(left, above + kGapInside, right - left, scaled(kNotes));
  };
  place(0);
  if (layout.notes.width() < scaled(kLeastNotes)) {
    place(scaled(kBand));
    layout.notesBeside = true;
    layout.notes = QRect(kFocusWidth, 0, size.width() - 2 * kFocusWidth, scaled(kBand));
  }
  layout.scroll = std::clamp(scroll, 0, layout.furthestScroll());
  const int below = layout.top + layers * layout.row + kGapGroups;
  if (below < size.height()) {
    const int left = layout.tileLeft;
    layout.hints =
        QRect(left, below, std::min(size.width() - left - kFocusWidth, metrics().textWidth), size.height() - below);
  }
  if (layout.canScroll()) {
    layout.overview = QRect(size.width() - kOverview - kFocusWidth, layout.top, kOverview, layout.viewHeight);
  }
  return layout;
}

int MapLayout::rowNear(int y) const {
  if (layers == 0) return -1;
  const int below = y - top + scroll;
  return std::clamp(below < 0 ? -1 : below / row, 0, layers - 1);
}

int MapLayout::rowAt(int y) const {
  const int below = y - top + scroll;
  return y < top || y >= top + viewHeight || below < 0 || below >= layers * row ? -1 : below / row;
}

int MapLayout::firstInView() const {
  return rowNear(top);
}

int MapLayout::lastInView() const {
  return rowNear(top + viewHeight - 1);
}

QRect MapLayout::area() const {
  return {0, top, width, viewHeight};
}

QRect MapLayout::rowRect(int layer) const {
  return {0, yOf(layer), gridLeft + layers * cell, row};
}

QRect MapLayout::numberRect(int layer) const {
  return {0, yOf(layer), numberRight, row};
}

QRect MapLayout::tileRect(int layer, bool owner) const {
  const int left = owner ? 0 : indent;
  const int gap = row >= kRulerBelow ? 1 : row > kLowestRow ? 1 : 0;
  const int height = isRuler() && !owner ? std::max(1, row / 2) : row - gap - (isRuler() ? 1 - gap : 0);
  return {tileLeft + left, yOf(layer) + (isRuler() && !owner ? (row - height) / 2 : 0), tileWidth - left, height};
}

QRect MapLayout::cellRect(int layer, int source) const {
  const int gap = std::min(row, cell) >= 6 ? 1 : 0;
  return {gridLeft + source * cell, yOf(layer), cell - gap, row - gap};
}

MapLayout::Hit MapLayout::hit(const QPoint& point, const SharingMap& map) const {
  if (overview.contains(point)) return {Zone::overview, -1, -1};
  const int layer = rowAt(point.y());
  if (layer < 0 || map.layers() != layers) return {};
  if (point.x() >= gridLeft) {
    const int source = (point.x() - gridLeft) / std::max(1, cell);
    return source <= layer ? Hit{Zone::grid, layer, source} : Hit{};
  }
  if (point.x() < gutterLeft) return {Zone::number, layer, -1};
  // The cut between two brackets: where rows are low, beside the tiles alone.
  const int reach = std::min(kGap, row / 4);
  const bool low = !hasTileText();
  if (!low || point.x() < tileLeft + indent) {
    const int below = point.y() - yOf(layer);
    const int cut = below <= reach ? layer : below >= row - reach ? layer + 1 : -1;
    if (cut > 0 && cut < layers && map.owns(cut)) return {Zone::gap, cut, -1};
  }
  if (point.x() < tileLeft) return {Zone::tile, layer, -1};
  if (point.x() < tileLeft + scaled(kLeftEnd) && point.x() < tileLeft + tileWidth / 2)
    return {Zone::leftEnd, layer, -1};
  return point.x() < tileLeft + tileWidth ? Hit{Zone::tile, layer, -1} : Hit{};
}

}  // namespace strata
