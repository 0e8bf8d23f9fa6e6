#include "widgets/mapeditor/map_view.h"

#include <QEvent>
#include <QPaintEvent>
#include <algorithm>

#include "widgets/mapeditor/map_accessible.h"
#include "widgets/mapeditor/map_edits.h"
#include "widgets/style/format.h"
#include "widgets/style/style_painters.h"

namespace strata {
namespace {

constexpr int kEdgeMs = 40;
constexpr int kLeastHeight = 200, kLeastWidth = 300;
constexpr double kDim = 0.72;  // how much of the ground covers a row that cannot be read

const SharingMap& noMap() {
  static const SharingMap map = SharingMap::full(1);
  return map;
}

}  // namespace

MapView::MapView(MapModel& model, QWidget* parent) : QWidget(parent), m_model(model) {
  installMapAccessible();
  setObjectName("mapView");
  setAccessibleName(tr("Sharing map, a row per layer"));
  setWhatsThis(
      tr("What you drag reads what you drop it on. Drag a tile onto another layer, draw down a column of the grid, or "
         "drag the gap between two brackets. O makes a layer an owner, R names what the selected layers read, Space "
         "lifts them: the arrow keys then choose an owner, Enter drops, Esc puts back."));
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
  m_edge.setInterval(kEdgeMs);
  connect(&m_edge, &QTimer::timeout, this, &MapView::scrollAtEdge);
  connect(&model, &QAbstractItemModel::modelReset, this, &MapView::modelReset);
  connect(&model, &QAbstractItemModel::dataChanged, this, [this](const QModelIndex& from, const QModelIndex&) {
    from.column() > MapModel::Layer ? redraw(true) : mapChanged();
    renameMapRows(*this);
  });
  followTheme(this, [this] { relayout(); });
  modelReset();
}

const SharingMap& MapView::map() const {
  return isEmpty() ? noMap() : m_model.document()->map();
}

const SharingMap& MapView::shownMap() const {
  const bool live = m_gesture == Gesture::paint || m_gesture == Gesture::gap;
  return live && m_preview ? *m_preview : map();
}

MapPicture MapView::picture(const SharingMap& map) const {
  const MapCost* cost = m_model.cost();
  return {m_layout, map, m_other && m_other->layers() == map.layers() ? &*m_other : nullptr,
          cost != nullptr ? cost->sensitivity() : nullptr,
          cost != nullptr ? tr("%1/token").arg(formatBytes(cost->bytesPerToken())) : QString()};
}

void MapView::setOther(const std::optional<SharingMap>& other) {
  if (m_other == other) return;
  m_other = other;
  redraw(true);
}

void MapView::modelReset() {
  m_gesture = Gesture::none;
  m_preview.reset();
  m_layers.clear();
  m_selection.clear();
  m_hover = m_press = {};
  m_target = m_column = -1;
  m_current = m_anchor = 0;
  m_row = 0;
  m_layout.scroll = 0;
  relayout();
  Q_EMIT gestureChanged();
  Q_EMIT previewChanged();
  Q_EMIT currentChanged(0);
}

void MapView::mapChanged() {
  // What was about to be dropped was thought of for the map before.
  if (m_gesture != Gesture::none && m_gesture != Gesture::select) cancel();
  redraw(false);
  moveMarks();
  Q_EMIT currentChanged(m_current);
}

void MapView::relayout() {
  m_layout = MapLayout::of(m_model.rowCount(), size(), m_row, m_layout.scroll);
  redraw(true);
}

QSize MapView::sizeHint() const {
  return {scaled(kLeastWidth) * 2, scaled(kLeastHeight) * 2};
}

QSize MapView::minimumSizeHint() const {
  return {kLeastWidth, kLeastHeight};
}

void MapView::resizeEvent(QResizeEvent*) {
  relayout();
}

void MapView::redraw(bool whole) {
  const SharingMap& now = shownMap();
  const QSize pixels = size() * devicePixelRatioF();
  whole = whole || !m_drawn || m_drawn->layers() != now.layers() || m_base.size() != pixels;
  if (pixels.isEmpty()) return;
  if (whole) {
    m_base = QPixmap(pixels);
    m_base.setDevicePixelRatio(devicePixelRatioF());
    m_base.fill(colors().window);
  }
  const SharingMap before = m_drawn ? *m_drawn : now;
  m_drawn = now;
  if (isEmpty()) return update();
  QPainter painter(&m_base);
  const MapPicture shown = picture(now);
  if (whole) paint::mapCaptions(painter, m_layout);
  painter.setClipRect(m_layout.area().adjusted(0, m_layout.scroll > 0 ? 0 : -kGapInside, 0, kGapInside));
  bool any = whole;
  for (int layer = m_layout.firstInView(); layer <= m_layout.lastInView(); ++layer) {
    if (!whole && before[layer] == now[layer]) continue;
    any = true;
    // Numbers stay: where rows are low they reach over several.
    if (!whole) painter.fillRect(m_layout.rowRect(layer).adjusted(m_layout.gutterLeft, 0, 0, 0), colors().window);
    paint::mapRow(painter, shown, layer);
    update(m_layout.rowRect(layer));
  }
  if (!any) return;
  if (!m_layout.isRuler()) {
    const QRect gutter(m_layout.gutterLeft, m_layout.top, m_layout.tileLeft - m_layout.gutterLeft, m_layout.viewHeight);
    if (!whole) painter.fillRect(gutter, colors().window);
    paint::mapBrackets(painter, shown);
    update(gutter);
  }
  painter.setClipping(false);
  paint::mapOverview(painter, shown);
  whole ? update() : update(m_layout.overview);
}

void MapView::paintEvent(QPaintEvent* event) {
  QPainter painter(this);
  const QRect dirty = event->rect();
  const qreal ratio = m_base.devicePixelRatio();
  if (!m_base.isNull()) {
    painter.drawPixmap(dirty, m_base, QRectF(QPointF(dirty.topLeft()) * ratio, QSizeF(dirty.size()) * ratio).toRect());
  }
  if (isEmpty()) return;
  painter.save();
  painter.setClipRect(m_layout.area().adjusted(0, -kFocusWidth, 0, kFocusWidth), Qt::IntersectClip);
  paintRowMarks(painter);
  painter.restore();
  if (dirty.intersects(m_layout.notes)) paintNotes(painter);
  if (dirty.intersects(m_layout.hints)) paintHints(painter);
  paintMarks(painter);
}

QRect MapView::pointerRect() const {
  const QString text = pointerText();
  if (text.isEmpty()) return {};
  const QFontMetrics words(fonts().strong);
  QRect rect(m_pointer + QPoint(12, 4), QSize(words.horizontalAdvance(text) + 2 * kGapInside, words.height() + 2));
  rect.moveRight(std::min(rect.right(), width() - 1));
  rect.moveBottom(std::min(rect.bottom(), height() - 1));
  return rect;
}

/// Everything that is drawn over the kept picture.
QList<QRect> MapView::marks() const {
  if (isEmpty()) return {};
  QList<QRect> all{m_layout.notes, pointerRect()};
  const auto row = [&](int layer) {
    if (layer >= 0 && layer < m_layout.layers) all << m_layout.rowRect(layer).adjusted(0, -3, 3, 3);
  };
  row(m_current);
  row(m_hover.layer);
  row(m_target);
  for (const int layer : m_layers) row(layer);
  for (const int layer : m_selection) row(layer);
  if (m_target >= 0 && m_target < m_layout.layers) row(shownMap()[m_target]);
  // Rows that cannot be read are dimmed from the first of those that are dragged on.
  if (m_gesture == Gesture::drag || m_gesture == Gesture::lift) all << m_layout.area();
  return all;
}

void MapView::moveMarks() {
  const QList<QRect> now = marks();
  // While the same rows are dragged the dimmed ones stay.
  const bool still = m_lastMarks.contains(m_layout.area()) && now.contains(m_layout.area());
  QRegion changed;
  for (const QList<QRect>& list : {m_lastMarks, now}) {
    for (const QRect& rect : list) {
      if (!still || rect != m_layout.area()) changed += rect;
    }
  }
  m_lastMarks = now;
  update(changed);
}

/// Rows: what cannot be read, what is dragged, what it would read, what has the keyboard.
void MapView::paintRowMarks(QPainter& painter) {
  const SharingMap& shown = shownMap();
  const bool moving = m_gesture == Gesture::drag || m_gesture == Gesture::lift;
  const auto outline = [&](int layer, const QColor& color, int width) {
    if (layer < 0 || layer >= m_layout.layers) return;
    painter.setPen(QPen(color, width));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(m_layout.tileRect(layer, shown.owns(layer)).adjusted(0, 0, -1, -1));
  };
  for (const int layer : m_selection) {
    const QRect rect = m_layout.numberRect(layer);
    painter.fillRect(QRect(rect.left(), rect.top(), kSelectionEdge, rect.height()), colors().accent);
    outline(layer, colors().accent, 1);
  }
  if (moving) {
    QColor ground = colors().window;
    ground.setAlphaF(kDim);
    for (int layer = m_layout.firstInView(); layer <= m_layout.lastInView(); ++layer) {
      const bool dragged = std::find(m_layers.begin(), m_layers.end(), layer) != m_layers.end();
      if (!dragged && !canRead(layer)) painter.fillRect(m_layout.rowRect(layer), ground);
    }
  }
  const int meant = m_target >= 0 && m_gesture != Gesture::gap ? map()[m_target] : -1;
  if (moving || m_gesture == Gesture::paint || m_gesture == Gesture::type) {
    for (const int layer : m_layers) {
      outline(layer, colors().accent, 2);
      if (meant < 0 || meant > layer) continue;
      painter.setPen(QPen(colors().accent, 2));
      painter.drawRect(m_layout.cellRect(layer, meant).adjusted(0, 0, -1, -1));
    }
    if (meant >= 0) {
      const QRect rect = m_layout.tileRect(meant, true);
      QColor glow = colors().accent;
      glow.setAlphaF(0.1);
      painter.fillRect(rect, glow);
      painter.setPen(QPen(colors().accent, 2));
      painter.setBrush(Qt::NoBrush);
      painter.drawRect(rect.adjusted(0, 0, -1, -1));
    }
  }
  if (m_gesture == Gesture::gap && m_target >= 0) {
    painter.fillRect(QRect(m_layout.gutterLeft, m_layout.yOf(m_target) - 1,
                           m_layout.tileLeft + m_layout.tileWidth - m_layout.gutterLeft, 2),
                     colors().accent);
  }
  if (m_gesture == Gesture::none && m_hover.zone == MapLayout::Zone::gap) {
    painter.fillRect(QRect(m_layout.gutterLeft, m_layout.yOf(m_hover.layer) - 1,
                           m_layout.tileLeft + m_layout.tileWidth - m_layout.gutterLeft, 2),
                     colors().edge);
  } else if (m_gesture == Gesture::none && m_hover.layer >= 0) {
    outline(m_hover.layer, colors().edge, 1);
    if (m_hover.zone == MapLayout::Zone::grid) {
      painter.setPen(QPen(colors().text, 1));
      painter.drawRect(m_layout.cellRect(m_hover.layer, m_hover.source).adjusted(0, 0, -1, -1));
    }
  }
  if (m_column >= 0 && hasFocus()) {
    painter.setPen(QPen(colors().text, 1));
    painter.drawRect(m_layout.cellRect(m_current, std::min(m_column, m_current)).adjusted(0, 0, -1, -1));
  }
  if (hasFocus()) {
    const QRect tile = m_layout.tileRect(m_current, shown.owns(m_current));
    painter.setPen(QPen(colors().accent, kFocusWidth));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(tile.adjusted(-1, -1, 1, m_layout.isRuler() ? 1 : 0));
  }
  if (!m_layout.hasAllNumbers()) paintRuler(painter);
}

/// The number of the row in question, where not every row has one.
void MapView::paintRuler(QPainter& painter) {
  const int layer = m_target >= 0 ? m_target : m_hover.layer >= 0 ? m_hover.layer : hasFocus() ? m_current : -1;
  if (layer < 0) return;
  painter.setFont(fonts().monoCaption);
  const int height = painter.fontMetrics().height();
  const QRect row = m_layout.numberRect(layer);
  const QRect rect(row.left() + kSelectionEdge, row.center().y() - height / 2, row.width() - kSelectionEdge + 2,
                   height);
  painter.fillRect(rect, colors().raised);
  painter.setPen(colors().text);
  painter.drawText(rect.adjusted(0, 0, -2, 0), Qt::AlignRight | Qt::AlignVCenter, QString::number(layer));
}

void MapView::paintNotes(QPainter& painter) {
  const MapCost* cost = m_model.cost();
  const bool measured = cost != nullptr && cost->sensitivity() != nullptr;
  QRect rect = m_layout.notes;
  // Once rows were scrolled, the grid is below.
  if (m_layout.scroll > 0 && !m_layout.notesBeside)
    painter.fillRect(rect.adjusted(-kGapRelated, 0, 0, 0), colors().window);
  const QRect legend(rect.topLeft(), QSize(m_layout.notesBeside ? rect.width() / 2 - kGapRelated : rect.width(),
                                           paint::mapLegendHeight()));
  paint::mapLegend(painter, legend, measured, m_other.has_value());
  QRect words = m_layout.notesBeside ? rect.adjusted(rect.width() / 2, 0, 0, 0)
                                     : rect.adjusted(0, legend.height() + kGapGroups, 0, 0);
  const ReadOut out = readOut();
  painter.setFont(fonts().strong);
  painter.setPen(out.isRefusal ? colors().bad : colors().text);
  const int flags = Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap;
  QRect used;
  painter.drawText(words, flags, out.title, &used);
  if (out.detail.isEmpty()) return;
  words.setTop(used.bottom() + kGapInside);
  painter.setFont(fonts().body);
  painter.setPen(colors().second);
  painter.drawText(words, flags, out.detail);
}

/// How the editor is used, where the rows leave room.
void MapView::paintHints(QPainter& painter) {
  const QString hints =
      tr("Drag a tile onto another layer: it reads that layer, and its followers come along.\n"
         "Press on the numbers and drag to choose several layers; draw down a column of the grid to let them read it.\n"
         "Drag the gap between two brackets to move an owner. Click the left end of a tile to make it one. Right click "
         "for the rest.");
  painter.setFont(fonts().caption);
  const QRect needed = painter.fontMetrics().boundingRect(m_layout.hints, Qt::TextWordWrap, hints);
  if (needed.height() > m_layout.hints.height()) return;
  painter.setPen(colors().second);
  painter.drawText(m_layout.hints, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, hints);
}

void MapView::paintMarks(QPainter& painter) {
  const QRect rect = pointerRect();
  if (rect.isEmpty()) return;
  paint::box(painter, rect, canRead(m_target) || m_gesture == Gesture::gap ? colors().accent : colors().bad, {}, 0, 3);
  painter.setFont(fonts().strong);
  painter.setPen(colors().onAccent);
  painter.drawText(rect, Qt::AlignCenter, pointerText());
}

}  // namespace strata
