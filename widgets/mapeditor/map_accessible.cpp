#include "widgets/mapeditor/map_accessible.h"

#include <QAccessible>
#include <QAccessibleWidget>
#include <map>
#include <utility>

#include "widgets/mapeditor/map_view.h"

namespace strata {
namespace {

class MapViewInterface;

/// One layer.
class LayerInterface : public QAccessibleInterface {
 public:
  LayerInterface(MapView& view, int layer) : m_view(&view), m_layer(layer) {}

  bool isValid() const override { return m_view && m_layer < m_view->model().rowCount(); }
  QObject* object() const override { return nullptr; }
  QWindow* window() const override { return m_view ? m_view->window()->windowHandle() : nullptr; }
  QAccessibleInterface* parent() const override {
    return m_view ? QAccessible::queryAccessibleInterface(m_view.data()) : nullptr;
  }
  QAccessibleInterface* child(int) const override { return nullptr; }
  QAccessibleInterface* childAt(int, int) const override { return nullptr; }
  int childCount() const override { return 0; }
  int indexOfChild(const QAccessibleInterface*) const override { return -1; }
  QAccessible::Role role() const override { return QAccessible::ListItem; }
  QString text(QAccessible::Text which) const override {
    if (!isValid()) return {};
    if (which == QAccessible::Name) return m_view->model().sentence(m_layer);
    if (which == QAccessible::Description && isCurrent()) {
      const MapView::ReadOut out = m_view->readOut();
      return out.detail.isEmpty() ? out.title : out.title + QStringLiteral(". ") + out.detail;
    }
    return {};
  }
  void setText(QAccessible::Text, const QString&) override {}
  QRect rect() const override {
    if (!isValid()) return {};
    const QRect row = m_view->mapLayout().rowRect(m_layer);
    return {m_view->mapToGlobal(row.topLeft()), row.size()};
  }
  QAccessible::State state() const override {
    QAccessible::State state;
    if (!isValid()) {
      state.invalid = true;
      return state;
    }
    state.focusable = state.selectable = state.multiSelectable = true;
    state.focused = isCurrent() && m_view->hasFocus();
    const auto& selection = m_view->selection();
    state.selected = std::find(selection.begin(), selection.end(), m_layer) != selection.end();
    state.offscreen = m_layer < m_view->mapLayout().firstInView() || m_layer > m_view->mapLayout().lastInView();
    return state;
  }

 private:
  bool isCurrent() const { return m_view->current() == m_layer; }
  QPointer<MapView> m_view;
  int m_layer;
};

class MapViewInterface : public QAccessibleWidget {
 public:
  explicit MapViewInterface(MapView* view) : QAccessibleWidget(view, QAccessible::List) {}
  ~MapViewInterface() override {
    for (const auto& [layer, row] : m_rows) QAccessible::deleteAccessibleInterface(row.id);
  }

  int childCount() const override { return view().model().rowCount(); }
  QAccessibleInterface* child(int layer) const override {
    if (layer < 0 || layer >= childCount()) return nullptr;
    const auto known = m_rows.find(layer);
    if (known != m_rows.end()) return QAccessible::accessibleInterface(known->second.id);
    auto* made = new LayerInterface(view(), layer);
    m_rows[layer] = {QAccessible::registerAccessibleInterface(made), made->text(QAccessible::Name)};
    return made;
  }
  int indexOfChild(const QAccessibleInterface* wanted) const override {
    for (const auto& [layer, row] : m_rows) {
      if (QAccessible::accessibleInterface(row.id) == wanted) return layer;
    }
    return -1;
  }
  /// Of the rows that somebody asked for.
  void tellNames() {
    for (auto& [layer, row] : m_rows) {
      QAccessibleInterface* each = QAccessible::accessibleInterface(row.id);
      const QString name = each->text(QAccessible::Name);
      if (name == std::exchange(row.name, name)) continue;
      QAccessibleEvent event(each, QAccessible::NameChanged);
      QAccessible::updateAccessibility(&event);
    }
  }
  QAccessibleInterface* childAt(int x, int y) const override {
    return child(view().mapLayout().rowAt(view().mapFromGlobal(QPoint(x, y)).y()));
  }
  QAccessibleInterface* focusChild() const override { return view().hasFocus() ? child(view().current()) : nullptr; }

 private:
  struct Row {
    QAccessible::Id id = 0;
    QString name;  // as told last
  };
  MapView& view() const { return *static_cast<MapView*>(widget()); }
  mutable std::map<int, Row> m_rows;  // by layer
};

QAccessibleInterface* makeMapInterface(const QString& className, QObject* object) {
  if (className != QLatin1String("strata::MapView") || object == nullptr) return nullptr;
  return new MapViewInterface(static_cast<MapView*>(object));
}

}  // namespace

void installMapAccessible() {
  static const bool installed = [] {
    QAccessible::installFactory(makeMapInterface);
    return true;
  }();
  (void)installed;
}

void announceMapRow(MapView& view, int layer) {
  QAccessibleEvent event(&view, QAccessible::Focus);
  event.setChild(layer);
  QAccessible::updateAccessibility(&event);
}

void renameMapRows(MapView& view) {
  if (!QAccessible::isActive()) return;
  auto* rows = dynamic_cast<MapViewInterface*>(QAccessible::queryAccessibleInterface(&view));
  if (rows != nullptr) rows->tellNames();
}

}  // namespace strata
