// The keyboard and the context menu: everything the mouse can do.

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMenu>
#include <algorithm>

#include "widgets/mapeditor/map_accessible.h"
#include "widgets/mapeditor/map_edits.h"
#include "widgets/mapeditor/map_view.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {

bool MapView::event(QEvent* event) {
  // Single letters and Esc are this widget's before they are anyone's shortcut.
  if (event->type() == QEvent::ShortcutOverride && !isEmpty()) {
    const auto* key = static_cast<QKeyEvent*>(event);
    const bool plain = !(key->modifiers() & (Qt::ControlModifier | Qt::AltModifier));
    if (plain && (key->key() < Qt::Key_Escape || (key->key() == Qt::Key_Escape && m_gesture != Gesture::none))) {
      event->accept();
      return true;
    }
  }
  return QWidget::event(event);
}

void MapView::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  moveMarks();
  tellFocus();
}

void MapView::focusOutEvent(QFocusEvent* event) {
  QWidget::focusOutEvent(event);
  if (m_gesture == Gesture::lift || m_gesture == Gesture::type) cancel();
  moveMarks();
}

/// Screen readers hear the row that the keyboard is at.
void MapView::tellFocus() {
  if (!hasFocus() || isEmpty()) return;
  announceMapRow(*this, m_target >= 0 && m_gesture == Gesture::lift ? map()[m_target] : m_current);
}

void MapView::setCurrent(int layer) {
  if (isEmpty()) return;
  const int wanted = std::clamp(layer, 0, m_layout.layers - 1);
  if (wanted == m_current) return;
  m_current = wanted;
  showLayer(wanted);
  moveMarks();
  tellFocus();
  Q_EMIT currentChanged(wanted);
}

void MapView::moveCurrent(int layer, bool extend) {
  const int wanted = std::clamp(layer, 0, m_layout.layers - 1);
  m_hover = {};
  m_refusal.clear();
  if (!extend) {
    m_anchor = wanted;
    select({});
  } else {
    std::vector<int> range;
    for (int l = std::min(m_anchor, wanted); l <= std::max(m_anchor, wanted); ++l) range.push_back(l);
    select(range);
  }
  setCurrent(wanted);
  moveMarks();
}

void MapView::keyPressEvent(QKeyEvent* event) {
  if (isEmpty()) return QWidget::keyPressEvent(event);
  if (event->key() == Qt::Key_Escape) {
    if (cancel()) return;
    if (!m_selection.empty()) return select({});
    return QWidget::keyPressEvent(event);
  }
  if (m_gesture == Gesture::type) return typeKey(event);
  if (m_gesture == Gesture::lift) {
    switch (event->key()) {
      case Qt::Key_Up:
      case Qt::Key_Left:
        return stepTarget(-1);
      case Qt::Key_Down:
      case Qt::Key_Right:
        return stepTarget(1);
      case Qt::Key_Return:
      case Qt::Key_Enter:
      case Qt::Key_Space:
        return drop();
      default:
        return QWidget::keyPressEvent(event);
    }
  }
  if (m_gesture != Gesture::none) return;  // the mouse has it
  if (event->matches(QKeySequence::Copy)) return QApplication::clipboard()->setText(m_model.document()->text());
  if (event->matches(QKeySequence::SelectAll)) {
    m_anchor = 0;
    return moveCurrent(m_layout.layers - 1, true);
  }
  if (event->modifiers() & (Qt::ControlModifier | Qt::AltModifier) || !pressPlain(event)) {
    QWidget::keyPressEvent(event);
  }
}

bool MapView::pressPlain(QKeyEvent* event) {
  const bool extend = event->modifiers() & Qt::ShiftModifier;
  const int page = std::max(1, m_layout.viewHeight / m_layout.row - 1);
  switch (event->key()) {
    case Qt::Key_Up:
      moveCurrent(m_current - 1, extend);
      return true;
    case Qt::Key_Down:
      moveCurrent(m_current + 1, extend);
      return true;
    case Qt::Key_PageUp:
      moveCurrent(m_current - page, extend);
      return true;
    case Qt::Key_PageDown:
      moveCurrent(m_current + page, extend);
      return true;
    case Qt::Key_Home:
      moveCurrent(0, extend);
      return true;
    case Qt::Key_End:
      moveCurrent(m_layout.layers - 1, extend);
      return true;
    case Qt::Key_Left:
    case Qt::Key_Right:
      if (m_column < 0) m_column = map()[m_current];
      m_column = std::clamp(m_column + (event->key() == Qt::Key_Left ? -1 : 1), 0, m_current);
      m_hover = {};
      moveMarks();
      tellFocus();
      return true;
    case Qt::Key_Space:
      beginLift();
      return true;
    case Qt::Key_R:
      beginTyping();
      return true;
    case Qt::Key_O:
      toggleOwner(m_current);
      return true;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      zoom(1);
      showLayer(m_current);
      return true;
    case Qt::Key_Minus:
      zoom(-1);
      showLayer(m_current);
      return true;
    default:
      return false;
  }
}

std::vector<int> MapView::legalOwners() const {
  std::vector<int> owners;
  const int first = m_layers.empty() ? 0 : *std::min_element(m_layers.begin(), m_layers.end());
  for (int l = 0; l < first; ++l) {
    if (map().owns(l)) owners.push_back(l);
  }
  return owners;
}

/// Space: the arrow keys then choose what they read.
void MapView::beginLift() {
  m_layers = layersWith(m_current);
  m_hover = {};
  m_refusal.clear();
  const std::vector<int> owners = legalOwners();
  if (owners.empty()) {
    m_layers.clear();
    return refuse({ErrorCode::usage, tr("Layer 0 keeps its own keys and values.").toStdString(), {}});
  }
  setGesture(Gesture::lift);
  const int reads = map()[m_layers.front()];
  m_target = std::find(owners.begin(), owners.end(), reads) != owners.end() ? reads : owners.back();
  updatePreview();
  m_lastMarks.clear();
  update();
  moveMarks();
  tellFocus();
}

void MapView::stepTarget(int step) {
  const std::vector<int> owners = legalOwners();
  const auto found = std::find(owners.begin(), owners.end(), m_target);
  const auto index =
      std::clamp<std::ptrdiff_t>(found - owners.begin() + step, 0, static_cast<std::ptrdiff_t>(owners.size()) - 1);
  m_target = owners[static_cast<std::size_t>(index)];
  showLayer(m_target);
  updatePreview();
  moveMarks();
  tellFocus();
}

/// R: the owner's number is typed.
void MapView::beginTyping() {
  m_layers = layersWith(m_current);
  m_typed.clear();
  m_refusal.clear();
  m_hover = {};
  m_target = -1;
  setGesture(Gesture::type);
  moveMarks();
}

void MapView::typeKey(QKeyEvent* event) {
  const QString text = event->text();
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    if (m_typed.isEmpty()) return static_cast<void>(cancel());
    const std::vector<int> layers = m_layers;
    if (const auto why = MapEdits::whyNot(map(), layers, m_typed.toInt())) {
      m_typed.clear();
      m_target = -1;
      setPreview({});
      return refuse(*why);
    }
    const int source = m_typed.toInt();
    cancel();
    if (const auto done = m_model.document()->read(layers, source); !done) refuse(done.error());
    return;
  }
  if (event->key() == Qt::Key_Backspace) {
    m_typed.chop(1);
  } else if (text.size() == 1 && text[0] >= '0' && text[0] <= '9' && m_typed.size() < 6) {
    m_typed += text;
  } else {
    return;
  }
  m_refusal.clear();
  bool isNumber = false;
  const int source = m_typed.toInt(&isNumber);
  m_target = isNumber && !MapEdits::whyNot(map(), m_layers, source) ? source : -1;
  updatePreview();
  moveMarks();
}

void MapView::contextMenuEvent(QContextMenuEvent* event) {
  if (isEmpty()) return;
  cancel();
  const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
  const int layer = byKey ? m_current : m_layout.rowAt(event->pos().y());
  if (layer < 0) return;
  setCurrent(layer);
  if (std::find(m_selection.begin(), m_selection.end(), layer) == m_selection.end()) select({});
  auto* menu = named(new QMenu(this), "mapMenu", tr("Layer %1").arg(layer));
  menu->setAttribute(Qt::WA_DeleteOnClose);
  fillMenu(*menu, layer);
  menu->popup(byKey ? mapToGlobal(m_layout.tileRect(layer, true).bottomLeft()) : event->globalPos());
}

void MapView::fillMenu(QMenu& menu, int layer) {
  const auto add = [&](const QString& text, const QString& keys, auto act) {
    // The keys are shown; the editor itself takes them.
    QAction* action = menu.addAction(text + '\t' + keys);
    connect(action, &QAction::triggered, this, act);
    return action;
  };
  const bool owns = map().owns(layer);
  const std::vector<int> layers = layersWith(layer);
  add(tr("Read another layer…"), "R", [this] { beginTyping(); })->setEnabled(layer > 0);
  add(tr("Lift, and choose with the arrow keys"), tr("Space"), [this] { beginLift(); })->setEnabled(layer > 0);
  add(owns ? tr("Read the owner above") : tr("Make it an owner"), "O", [this, layer] {
    toggleOwner(layer);
  })->setEnabled(layer > 0);
  menu.addSeparator();
  const int owner = map()[layer];
  add(tr("Select its bracket"), {}, [this, owner] {
    std::vector<int> members = MapEdits::followersOf(map(), owner);
    members.push_back(owner);
    select(members);
  });
  add(tr("Select all"), "Ctrl+A", [this] {
    m_anchor = 0;
    moveCurrent(m_layout.layers - 1, true);
  });
  add(tr("Copy the map as text"), "Ctrl+C", [this] { QApplication::clipboard()->setText(m_model.document()->text()); });
  menu.addSeparator();
  add(tr("Higher rows"), "+", [this] { zoom(1); })->setEnabled(m_layout.row < MapLayout::highestRow());
  add(tr("Lower rows"), "-", [this] { zoom(-1); })->setEnabled(m_layout.row > m_layout.fit);
}

}  // namespace strata
