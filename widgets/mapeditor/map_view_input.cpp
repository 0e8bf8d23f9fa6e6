// The mouse: what is pressed, dragged, painted and dropped.

#include <QApplication>
#include <QMouseEvent>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "widgets/mapeditor/map_edits.h"
#include "widgets/mapeditor/map_view.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

using Zone = MapLayout::Zone;
constexpr int kEdge = 24;  // of the view, where a drag scrolls

bool holds(const std::vector<int>& layers, int layer) {
  return std::find(layers.begin(), layers.end(), layer) != layers.end();
}

std::vector<int> range(int from, int to) {
  std::vector<int> layers(static_cast<std::size_t>(std::abs(to - from) + 1));
  std::iota(layers.begin(), layers.end(), std::min(from, to));
  return layers;
}

}  // namespace

void MapView::setGesture(Gesture gesture) {
  if (gesture == m_gesture) return;
  m_gesture = gesture;
  if (gesture == Gesture::none) m_edge.stop();
  Q_EMIT gestureChanged();
}

bool MapView::cancel() {
  const bool was = m_gesture != Gesture::none;
  setGesture(Gesture::none);
  m_layers.clear();
  m_target = -1;
  m_typed.clear();
  m_refusal.clear();
  setPreview({});
  redraw(false);
  moveMarks();
  return was;
}

std::vector<int> MapView::layersWith(int layer) const {
  return holds(m_selection, layer) ? m_selection : std::vector{layer};
}

bool MapView::canRead(int row) const {
  if (row < 0 || m_layers.empty()) return false;
  if (m_gesture == Gesture::paint) return true;
  return !MapEdits::whyNot(map(), m_layers, row);
}

void MapView::setPreview(std::optional<SharingMap> preview) {
  if (preview && *preview == map()) preview.reset();
  if (preview == m_preview) return;
  m_preview = std::move(preview);
  if (m_gesture == Gesture::paint || m_gesture == Gesture::gap) redraw(false);
  Q_EMIT previewChanged();
}

void MapView::refuse(const Error& error) {
  m_refusal = QString::fromStdString(error.message);
  moveMarks();
}

void MapView::mousePressEvent(QMouseEvent* event) {
  if (isEmpty() || event->button() != Qt::LeftButton) return;
  if (m_gesture != Gesture::none) cancel();
  m_refusal.clear();
  m_pressAt = m_pointer = event->pos();
  beginPress(m_layout.hit(event->pos(), map()), event->modifiers());
  moveMarks();
}

void MapView::beginPress(const MapLayout::Hit& hit, Qt::KeyboardModifiers modifiers) {
  m_press = hit;
  if (hit.layer >= 0) setCurrent(hit.layer);
  m_column = -1;
  switch (hit.zone) {
    case Zone::none:
      select({});
      return;
    case Zone::number:
      return pressNumber(hit.layer, modifiers);
    case Zone::leftEnd:
    case Zone::tile:
      if (modifiers & (Qt::ShiftModifier | Qt::ControlModifier)) return pressNumber(hit.layer, modifiers);
      if (!holds(m_selection, hit.layer)) select({});
      return setGesture(Gesture::press);
    case Zone::gap:
      m_layers = {hit.layer};
      m_target = hit.layer;
      return setGesture(Gesture::gap);
    case Zone::grid:
      m_target = hit.source;
      setGesture(Gesture::paint);
      return paintTo(hit.layer);
    case Zone::overview:
      setGesture(Gesture::overview);
      return moveTo(m_pressAt);
  }
}

void MapView::pressNumber(int layer, Qt::KeyboardModifiers modifiers) {
  if (modifiers & Qt::ControlModifier) {
    std::vector<int> chosen = m_selection;
    if (const auto found = std::find(chosen.begin(), chosen.end(), layer); found != chosen.end()) {
      chosen.erase(found);
    } else {
      chosen.push_back(layer);
    }
    m_anchor = layer;
    return select(chosen);
  }
  if (!(modifiers & Qt::ShiftModifier)) m_anchor = layer;
  select(range(m_anchor, layer));
  setGesture(Gesture::select);
}

void MapView::select(const std::vector<int>& layers) {
  std::vector<int> sorted = layers;
  std::sort(sorted.begin(), sorted.end());
  if (sorted == m_selection) return;
  m_selection = std::move(sorted);
  moveMarks();
}

void MapView::mouseMoveEvent(QMouseEvent* event) {
  if (isEmpty()) return;
  m_pointer = event->pos();
  if (!(event->buttons() & Qt::LeftButton)) return hover(event->pos());
  moveTo(event->pos());
  const bool drags = m_gesture != Gesture::none && m_gesture != Gesture::press && m_gesture != Gesture::overview;
  const bool atEdge = event->pos().y() < m_layout.top + kEdge || event->pos().y() > height() - kEdge;
  if (drags && atEdge && m_layout.canScroll()) {
    if (!m_edge.isActive()) m_edge.start();
  } else {
    m_edge.stop();
  }
}

void MapView::moveTo(const QPoint& point) {
  const int layer = m_layout.rowNear(point.y());
  switch (m_gesture) {
    case Gesture::press:
      if ((point - m_pressAt).manhattanLength() < QApplication::startDragDistance()) return;
      m_layers = layersWith(m_press.layer);
      setGesture(Gesture::drag);
      m_lastMarks.clear();
      moveMarks();  // the dimmed rows
      update();
      return target(layer);
    case Gesture::drag:
      return target(layer);
    case Gesture::select:
      setCurrent(layer);
      return select(range(m_anchor, layer));
    case Gesture::paint:
      return paintTo(layer);
    case Gesture::gap:
      return moveGap(layer);
    case Gesture::overview: {
      const double share = static_cast<double>(point.y() - m_layout.top) / std::max(1, m_layout.viewHeight);
      return scrollTo(static_cast<int>(share * m_layout.layers * m_layout.row) - m_layout.viewHeight / 2);
    }
    case Gesture::none:
    case Gesture::lift:
    case Gesture::type:
      return;
  }
}

/// The row under the pointer; outside of the rows: none.
void MapView::target(int layer) {
  m_target = holds(m_layers, layer) ? -1 : layer;
  updatePreview();
  moveMarks();
}

void MapView::updatePreview() {
  if (m_target < 0 || !canRead(m_target)) return setPreview({});
  auto after = MapEdits::read(map(), m_layers, m_target);
  setPreview(after ? std::optional(std::move(*after)) : std::nullopt);
}

/// Every row from the pressed one to this reads the column's layer; its own row and those before it cannot.
void MapView::paintTo(int layer) {
  const int source = m_press.source;
  m_layers.clear();
  for (const int row : range(m_press.layer, layer)) {
    if (row > source) m_layers.push_back(row);
  }
  auto after = m_layers.empty() ? MapEdits::setOwner(map(), source, true) : MapEdits::read(map(), m_layers, source);
  setPreview(after ? std::optional(std::move(*after)) : std::nullopt);
  moveMarks();
}

void MapView::moveGap(int layer) {
  const auto [first, last] = MapEdits::rangeOf(map(), m_press.layer);
  m_target = std::clamp(layer, first, last);
  auto after = MapEdits::moveOwner(map(), m_press.layer, m_target);
  setPreview(after ? std::optional(std::move(*after)) : std::nullopt);
  moveMarks();
}

void MapView::mouseReleaseEvent(QMouseEvent* event) {
  if (isEmpty() || event->button() != Qt::LeftButton) return;
  m_edge.stop();
  m_pointer = event->pos();
  switch (m_gesture) {
    case Gesture::press: {
      const bool onEnd = m_press.zone == Zone::leftEnd;
      setGesture(Gesture::none);
      if (onEnd) toggleOwner(m_press.layer);
      break;
    }
    case Gesture::drag:
    case Gesture::paint:
    case Gesture::gap:
      drop();
      break;
    case Gesture::select:
    case Gesture::overview:
      setGesture(Gesture::none);
      break;
    case Gesture::none:
    case Gesture::lift:
    case Gesture::type:
      return;
  }
  const QString refusal = m_refusal;
  hover(event->pos());
  m_refusal = refusal;  // what the drop came to is read before what the pointer is on
}

/// The gesture becomes one step of the document.
void MapView::drop() {
  const Gesture gesture = m_gesture;
  const std::vector<int> layers = m_layers;
  const int target = m_target;
  const int source = m_press.source;
  const bool legal = gesture == Gesture::paint || canRead(target);
  const std::optional<Error> refused =
      gesture == Gesture::drag && target >= 0 ? MapEdits::whyNot(map(), layers, target) : std::nullopt;
  cancel();
  MapDocument& document = *m_model.document();
  Result<void> done;
  if (gesture == Gesture::gap) {
    done = document.moveOwner(m_press.layer, target);
  } else if (gesture == Gesture::paint) {
    done = layers.empty() ? document.setOwner(source, true) : document.read(layers, source);
  } else if (target >= 0 && legal) {
    done = document.read(layers, target);
  }
  if (refused) refuse(*refused);
  if (!done) refuse(done.error());
}

void MapView::toggleOwner(int layer) {
  const auto done = m_model.document()->setOwner(layer, !map().owns(layer));
  if (!done) refuse(done.error());
}

void MapView::hover(const QPoint& point) {
  const MapLayout::Hit hit = m_layout.hit(point, map());
  setCursor(hit.zone == Zone::gap    ? Qt::SplitVCursor
            : hit.zone == Zone::tile ? Qt::OpenHandCursor
            : hit.zone == Zone::grid ? Qt::CrossCursor
                                     : Qt::ArrowCursor);
  if (hit == m_hover) return;
  m_hover = hit;
  m_refusal.clear();
  moveMarks();
}

void MapView::leaveEvent(QEvent*) {
  if (m_hover == MapLayout::Hit{}) return;
  m_hover = {};
  moveMarks();
}

void MapView::wheelEvent(QWheelEvent* event) {
  const int steps = event->angleDelta().y() / 120;
  if (isEmpty() || steps == 0) return QWidget::wheelEvent(event);
  if (event->modifiers() & Qt::ControlModifier) {
    // The row under the pointer stays there.
    const int at = event->position().toPoint().y();
    const double layer = static_cast<double>(at - m_layout.top + m_layout.scroll) / m_layout.row;
    zoom(steps);
    scrollTo(static_cast<int>(layer * m_layout.row) - (at - m_layout.top));
  } else if (m_layout.canScroll()) {
    scrollTo(m_layout.scroll - steps * std::max(m_layout.row, metrics().control));
  } else {
    return QWidget::wheelEvent(event);
  }
  event->accept();
}

void MapView::zoom(int steps) {
  const int height = std::clamp(m_layout.row + 2 * steps, m_layout.fit, MapLayout::highestRow());
  m_row = height == m_layout.fit ? 0 : height;
  relayout();
  m_lastMarks.clear();
}

void MapView::scrollTo(int scroll) {
  const int wanted = std::clamp(scroll, 0, m_layout.furthestScroll());
  if (wanted == m_layout.scroll) return;
  m_layout.scroll = wanted;
  redraw(true);
}

void MapView::scrollAtEdge() {
  const bool up = m_pointer.y() < m_layout.top + kEdge;
  scrollTo(m_layout.scroll + (up ? -1 : 1) * std::max(m_layout.row, kEdge / 2));
  moveTo(m_pointer);
}

void MapView::showLayer(int layer) {
  if (!m_layout.canScroll()) return;
  const int top = layer * m_layout.row;
  scrollTo(std::clamp(m_layout.scroll, top + m_layout.row - m_layout.viewHeight, top));
}

QString MapView::pointerText() const {
  if (m_gesture == Gesture::gap) return m_target < 0 ? QString() : tr("owner %1").arg(m_target);
  if ((m_gesture != Gesture::drag && m_gesture != Gesture::paint) || m_layers.empty() || m_target < 0) return {};
  if (!canRead(m_target)) return {};
  QString layers = layerList(m_layers);
  if (layers.size() > 12) layers = tr("%n layer(s)", nullptr, static_cast<int>(m_layers.size()));
  return tr("%1 read(s) %2", nullptr, static_cast<int>(m_layers.size())).arg(layers).arg(map()[m_target]);
}

MapView::ReadOut MapView::readOut() const {
  if (isEmpty()) return {};
  const MapCost* cost = m_model.cost();
  const auto step = [&] { return cost != nullptr && m_preview ? cost->stepText(map(), *m_preview) : tr("No change"); };
  const auto capital = [](QString text) {
    if (!text.isEmpty()) text[0] = text[0].toUpper();
    return text;
  };
  switch (m_gesture) {
    case Gesture::drag:
    case Gesture::lift:
      if (m_target < 0)
        return {capital(MapEdits::layersText(m_layers)), tr("Drop on the layer to read. Esc puts back."), false};
      if (const auto why = MapEdits::whyNot(map(), m_layers, m_target)) {
        return {QString::fromStdString(why->message), {}, true};
      }
      return {capital(MapEdits::readText(m_layers, map()[m_target])), step(), false};
    case Gesture::paint:
      if (m_layers.empty()) return {capital(tr("layer %1 keeps its own").arg(m_press.source)), step(), false};
      return {capital(MapEdits::readText(m_layers, map()[m_press.source])), step(), false};
    case Gesture::gap:
      return {tr("Owner moves from %1 to %2").arg(m_press.layer).arg(m_target), step(), false};
    case Gesture::type:
      if (!m_refusal.isEmpty()) return {m_refusal, tr("Type another layer, or Esc."), true};
      return {capital(tr("%1 read(s) %2_", nullptr, static_cast<int>(m_layers.size()))
                          .arg(MapEdits::layersText(m_layers), m_typed)),
              m_preview ? step() : tr("Type the owner's number, then Enter."), false};
    case Gesture::none:
    case Gesture::press:
    case Gesture::select:
    case Gesture::overview:
      break;
  }
  if (!m_refusal.isEmpty()) return {m_refusal, {}, true};
  if (m_selection.size() > 1) {
    return {tr("%n layer(s) selected", nullptr, static_cast<int>(m_selection.size())),
            tr("Layers %1. Drag one of them, or press R and type the owner.").arg(layerList(m_selection)), false};
  }
  if (m_hover.zone == Zone::gap) {
    return {tr("Between layers %1 and %2").arg(m_hover.layer - 1).arg(m_hover.layer),
            tr("Drag: owner %1 moves there.").arg(m_hover.layer), false};
  }
  const bool byKey = m_column >= 0 && hasFocus() && m_hover.layer < 0;
  const int layer = m_hover.layer >= 0 ? m_hover.layer : m_current;
  const int source = m_hover.zone == Zone::grid ? m_hover.source : byKey ? std::min(m_column, layer) : -1;
  if (source >= 0 && source < layer) {
    const Sensitivity* matrix = cost != nullptr ? cost->sensitivity() : nullptr;
    const double nats = matrix != nullptr ? matrix->at(layer, source) : std::nan("");
    const double width = matrix != nullptr ? matrix->halfWidthAt(layer, source) : std::nan("");
    QString figure = std::isnan(nats) ? tr("alone: not measured") : tr("alone: NLL %1").arg(formatNats(nats, true));
    if (!std::isnan(nats) && !std::isnan(width)) figure += QStringLiteral(" ±%1").arg(formatNats(width));
    const auto after = MapEdits::read(map(), {layer}, source);
    const QString now =
        after && *after != map() && cost != nullptr ? cost->stepText(map(), *after) : tr("B reads this.");
    return {tr("Layer %1 reads %2, %3").arg(layer).arg(source).arg(figure), now, false};
  }
  return {m_model.sentence(layer), {}, false};
}

}  // namespace strata
