#include "widgets/mapeditor/map_painter.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <vector>

#include "widgets/mapeditor/map_edits.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata::paint {
namespace {

constexpr int kOwnerEdge = 4;
constexpr int kSwatch = 36, kSwatchHeight = 10;
constexpr int kHatchFrom = 6;  // smaller cells are plain

struct MapWords {
  Q_DECLARE_TR_FUNCTIONS(MapPainter)
};

bool showsNumber(const MapLayout& layout, int layer) {
  return layout.hasAllNumbers() || layer % 10 == 0;
}

void number(QPainter& painter, const MapLayout& layout, int layer) {
  if (!showsNumber(layout, layer)) return;
  painter.setFont(fonts().monoCaption);
  painter.setPen(colors().second);
  const int height = std::max(layout.row, painter.fontMetrics().height());
  const QRect rect = layout.numberRect(layer);
  painter.drawText(QRect(rect.left(), rect.center().y() - height / 2, rect.width(), height),
                   Qt::AlignRight | Qt::AlignVCenter, QString::number(layer));
}

void ownerTile(QPainter& painter, const MapPicture& picture, int layer) {
  const MapLayout& layout = picture.layout;
  const QRect rect = layout.tileRect(layer, true);
  if (layout.isRuler()) return painter.fillRect(rect, colors().accent);
  painter.fillRect(rect, colors().raised);
  painter.fillRect(QRect(rect.left(), rect.top(), kOwnerEdge, rect.height()), colors().accent);
  if (colors().edgeWidth > 1) {
    painter.setPen(QPen(colors().edge, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(rect.adjusted(0, 0, -1, -1));
  }
  if (!layout.hasTileText()) return;
  const QRect inside = rect.adjusted(kOwnerEdge + 6, 0, -kGapRelated, 0);
  painter.setFont(fonts().monoCaption);
  const int room = inside.width() - painter.fontMetrics().horizontalAdvance(picture.ownerText) - kGapRelated;
  painter.setPen(colors().second);
  if (room > 0) painter.drawText(inside, Qt::AlignRight | Qt::AlignVCenter, picture.ownerText);
  QFont strong = fonts().strong;
  if (layout.row < QFontMetrics(strong).height()) strong.setPixelSize(fonts().caption.pixelSize());
  painter.setFont(strong);
  painter.setPen(colors().text);
  int left = inside.left();
  if (layer == 0) {
    const int side = std::min(layout.row - 4, metrics().icon * 3 / 4);
    icon("lock", Ink::second).paint(&painter, QRect(left, rect.center().y() - side / 2, side, side));
    left += side + kGapInside;
  }
  const QRect words(left, inside.top(), std::max(room, 0) - (left - inside.left()), inside.height());
  painter.drawText(words, Qt::AlignLeft | Qt::AlignVCenter, MapWords::tr("owner"));
}

void followerTile(QPainter& painter, const MapPicture& picture, int layer) {
  const MapLayout& layout = picture.layout;
  const QRect rect = layout.tileRect(layer, false);
  if (layout.isRuler()) return painter.fillRect(rect, colors().edge);
  painter.setPen(QPen(colors().edgeWidth > 1 ? colors().edge : colors().line, 1));
  painter.setBrush(colors().surface);
  painter.drawRect(rect.adjusted(0, 0, -1, -1));
  if (!layout.hasTileText()) return;
  const QRect inside = rect.adjusted(kGapRelated, 0, -kGapRelated, 0);
  QFont body = fonts().body;
  if (layout.row < QFontMetrics(body).height()) body = fonts().caption;
  painter.setFont(body);
  const QString reads = MapWords::tr("reads %1").arg(picture.map[layer]);
  const int taken = painter.fontMetrics().horizontalAdvance(reads) + kGapRelated;
  painter.setPen(colors().text);
  painter.drawText(inside, Qt::AlignLeft | Qt::AlignVCenter, reads);
  if (picture.sensitivity == nullptr) return;
  const double nats = picture.sensitivity->at(layer, picture.map[layer]);
  const QString cost = std::isnan(nats) ? notMeasured() : formatNats(nats, true);
  painter.setFont(std::isnan(nats) ? fonts().caption : fonts().monoCaption);
  painter.setPen(colors().second);
  if (painter.fontMetrics().horizontalAdvance(cost) <= inside.width() - taken) {
    painter.drawText(inside, Qt::AlignRight | Qt::AlignVCenter, cost);
  }
}

void hatched(QPainter& painter, const QRect& rect) {
  painter.fillRect(rect, colors().surface);
  if (std::min(rect.width(), rect.height()) < kHatchFrom) return;
  painter.save();
  painter.setClipRect(rect, Qt::IntersectClip);
  painter.setPen(QPen(colors().line, 1));
  for (int x = rect.left() - rect.height(); x <= rect.right(); x += 5) {
    painter.drawLine(x, rect.bottom() + 1, x + rect.height() + 1, rect.top());
  }
  painter.restore();
}

void dot(QPainter& painter, const QRect& rect) {
  const qreal side = std::max(1.0, std::min(rect.width(), rect.height()) * 0.2);
  painter.setPen(Qt::NoPen);
  painter.setBrush(colors().second);
  painter.drawEllipse(QRectF(QRectF(rect).center() - QPointF(side / 2, side / 2), QSizeF(side, side)));
}

/// Square of B's map, with an edge that parts it from the heat.
void square(QPainter& painter, const QRect& rect) {
  const int side = std::min(rect.width(), rect.height());
  const int inner = std::max(2, side / 2);
  const QRect box(rect.left() + (rect.width() - inner) / 2, rect.top() + (rect.height() - inner) / 2, inner, inner);
  if (side >= 8) painter.fillRect(box.adjusted(-1, -1, 1, 1), colors().surface);
  painter.fillRect(side < 6 ? rect : box, colors().text);
}

/// Ring of A's map, around the square where both read the same.
void ring(QPainter& painter, const QRect& rect) {
  const int side = std::min(rect.width(), rect.height());
  painter.setBrush(Qt::NoBrush);
  if (side < 8) {
    painter.setPen(QPen(colors().sideA(), 1));
    painter.drawRect(rect.adjusted(0, 0, -1, -1));
    return;
  }
  const qreal width = side >= 16 ? 2 : 1;
  const QPointF middle = QRectF(rect).center();
  const qreal radius = side / 2.0 - width - 0.5;
  painter.setRenderHint(QPainter::Antialiasing, true);
  painter.setPen(QPen(colors().surface, width + 2));
  painter.drawEllipse(middle, radius, radius);
  painter.setPen(QPen(colors().sideA(), width));
  painter.drawEllipse(middle, radius, radius);
  painter.setRenderHint(QPainter::Antialiasing, false);
}

/// Followers outside of their owner's run, by owner; each owner has a lane where it meets no other.
struct FarReads {
  int owner = 0, lane = 0;
  std::vector<int> followers;
};

std::vector<FarReads> farReadsOf(const SharingMap& map, int lanes) {
  std::vector<FarReads> all;
  std::vector<int> taken(static_cast<std::size_t>(lanes), -1);  // up to which layer
  for (int owner = 0; owner < map.layers(); ++owner) {
    if (!map.owns(owner)) continue;
    int end = owner + 1;
    while (end < map.layers() && !map.owns(end)) ++end;
    FarReads far;
    far.owner = owner;
    for (int l = end; l < map.layers(); ++l) {
      if (map[l] == owner) far.followers.push_back(l);
    }
    if (far.followers.empty()) continue;
    const auto free = std::find_if(taken.begin(), taken.end(), [&](int last) { return last < owner; });
    const auto lane = free != taken.end() ? free : std::min_element(taken.begin(), taken.end());
    far.lane = static_cast<int>(lane - taken.begin());
    *lane = far.followers.back();
    all.push_back(std::move(far));
  }
  return all;
}

}  // namespace

void mapCaptions(QPainter& painter, const MapLayout& layout) {
  painter.setFont(fonts().caption);
  painter.setPen(colors().second);
  const int height = painter.fontMetrics().height();
  const QRect line(0, layout.top - height - kGapInside, layout.width, height);
  const QString layer = MapWords::tr("layer"), reads = MapWords::tr("reads layer →");
  painter.drawText(line.adjusted(layout.tileLeft, 0, 0, 0), Qt::AlignLeft, layer);
  const int after = layout.tileLeft + painter.fontMetrics().horizontalAdvance(layer) + kGapRelated;
  painter.drawText(line.adjusted(std::max(layout.gridLeft, after), 0, 0, 0), Qt::AlignLeft, reads);
}

void mapRow(QPainter& painter, const MapPicture& picture, int layer) {
  number(painter, picture.layout, layer);
  picture.map.owns(layer) ? ownerTile(painter, picture, layer) : followerTile(painter, picture, layer);
  for (int source = 0; source <= layer; ++source) mapCell(painter, picture, layer, source);
}

void mapCell(QPainter& painter, const MapPicture& picture, int layer, int source) {
  const QRect rect = picture.layout.cellRect(layer, source);
  const bool large = std::min(rect.width(), rect.height()) >= kHatchFrom;
  if (source == layer) {
    painter.fillRect(rect, colors().raised);
  } else {
    const double nats = picture.sensitivity != nullptr ? picture.sensitivity->at(layer, source) : std::nan("");
    if (std::isnan(nats)) {
      hatched(painter, rect);
    } else {
      painter.fillRect(rect, colors().heat[heatStep(nats)]);
      if (nats < 0 && large) dot(painter, rect);
    }
  }
  if (picture.map[layer] == source) square(painter, rect);
  if (picture.other != nullptr && (*picture.other)[layer] == source) ring(painter, rect);
}

void mapBrackets(QPainter& painter, const MapPicture& picture) {
  const MapLayout& layout = picture.layout;
  if (layout.isRuler()) return;
  const SharingMap& map = picture.map;
  const auto middle = [&](int layer) { return layout.yOf(layer) + (layout.row - 1) / 2; };
  const int spine = layout.tileLeft - scaled(12);
  painter.setPen(QPen(colors().second, 1));
  for (int owner = 0; owner < map.layers(); ++owner) {
    if (!map.owns(owner)) continue;
    int last = owner;
    for (int l = owner + 1; l < map.layers() && !map.owns(l); ++l) {
      if (map[l] != owner) continue;
      last = l;
      painter.drawLine(spine, middle(l), layout.tileLeft + layout.indent - 3, middle(l));
    }
    if (last == owner) continue;
    painter.drawLine(spine, middle(owner), layout.tileLeft - 2, middle(owner));
    painter.drawLine(spine, middle(owner), spine, middle(last));
  }
  painter.setPen(QPen(colors().second, 1, Qt::DotLine));
  for (const FarReads& far : farReadsOf(map, 4)) {
    const int x = spine - (far.lane + 1) * layout.lane;
    painter.drawLine(x, middle(far.owner) - 2, layout.tileLeft - 2, middle(far.owner) - 2);
    painter.drawLine(x, middle(far.owner) - 2, x, middle(far.followers.back()));
    for (const int follower : far.followers) {
      painter.drawLine(x, middle(follower), layout.tileLeft + layout.indent - 3, middle(follower));
    }
  }
}

int mapLegendHeight() {
  return 4 * QFontMetrics(fonts().caption).height() + kSwatchHeight + 2 * kGapInside;
}

void mapLegend(QPainter& painter, const QRect& rect, bool measured, bool hasOther) {
  painter.setFont(fonts().caption);
  const QFontMetrics words = painter.fontMetrics();
  painter.setPen(colors().second);
  painter.drawText(
      QRect(rect.left(), rect.top(), rect.width(), words.height()), Qt::AlignLeft,
      measured ? MapWords::tr("NLL cost of one read, nats") : MapWords::tr("NLL cost of one read: not measured"));
  int y = rect.top() + words.height() + 2;
  const int swatch = std::min(scaled(kSwatch), rect.width() / 5);
  for (int i = 0; i < 5; ++i) {
    const QRect box(rect.left() + i * swatch, y, swatch - 1, kSwatchHeight);
    painter.fillRect(box, colors().heat[static_cast<std::size_t>(i)]);
    painter.setPen(QPen(colors().line, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(box.adjusted(0, 0, -1, -1));
  }
  y += kSwatchHeight + 1;
  painter.setPen(colors().second);
  for (int i = 0; i < 4; ++i) {  // where each step begins
    const QRect at(rect.left() + i * swatch + swatch / 2, y, swatch, words.height());
    painter.drawText(at, Qt::AlignHCenter, QString::number(kHeatSteps[i]));
  }
  y += words.height() + kGapInside;
  const int side = words.height() - 3;
  int x = rect.left();
  const auto sign = [&](const QString& name, auto draw) {
    const int needed = side + kGapInside + words.horizontalAdvance(name);
    if (x > rect.left() && x + needed > rect.right()) {
      x = rect.left();
      y += words.height();
    }
    const QRect box(x, y + 1, side, side);
    draw(box);
    painter.setFont(fonts().caption);
    painter.setPen(colors().second);
    painter.drawText(QRect(box.right() + kGapInside, y, rect.right() - box.right(), words.height()), Qt::AlignLeft,
                     name);
    x += needed + kGapRelated;
  };
  sign(MapWords::tr("B reads"), [&](const QRect& box) { square(painter, box); });
  if (hasOther) sign(MapWords::tr("A reads"), [&](const QRect& box) { ring(painter, box); });
  if (!measured) return;
  sign(MapWords::tr("negative"), [&](const QRect& box) {
    painter.fillRect(box, colors().heat[0]);
    dot(painter, box);
  });
  sign(notMeasured(), [&](const QRect& box) { hatched(painter, box); });
}

void mapOverview(QPainter& painter, const MapPicture& picture) {
  const MapLayout& layout = picture.layout;
  const QRect strip = layout.overview;
  if (strip.isEmpty()) return;
  painter.fillRect(strip, colors().raised);
  const double unit = static_cast<double>(strip.height()) / layout.layers;
  for (int l = 0; l < layout.layers; ++l) {
    if (!picture.map.owns(l)) continue;
    painter.fillRect(QRect(strip.left(), strip.top() + static_cast<int>(l * unit), strip.width(),
                           std::max(1, static_cast<int>(unit * 0.6))),
                     colors().accent);
  }
  const double perPixel = static_cast<double>(strip.height()) / (layout.layers * layout.row);
  const QRect view(strip.left(), strip.top() + static_cast<int>(layout.scroll * perPixel), strip.width(),
                   static_cast<int>(layout.viewHeight * perPixel));
  painter.setPen(QPen(colors().text, 2));
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(view.adjusted(1, 1, -1, -1));
}

}  // namespace strata::paint
