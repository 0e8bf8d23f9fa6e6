#pragma once
// The painted editor over a document of its own, with mouse and keys.

#include <gmock/gmock.h>

#include <QMouseEvent>

#include "page_fixture.h"
#include "widgets/mapeditor/map_edits.h"
#include "widgets/mapeditor/map_view.h"

namespace strata::testing {

/// A matrix that anyone can recompute: .002 a layer of distance, more for the first and last layers; a few cells
/// missing or negative.
inline Sensitivity sampleMatrix(int layers, bool whole = true) {
  Sensitivity matrix;
  matrix.layers = layers;
  const auto cells = static_cast<std::size_t>(layers) * static_cast<std::size_t>(layers);
  matrix.delta.assign(cells, std::numeric_limits<double>::quiet_NaN());
  matrix.halfWidth = matrix.delta;
  for (int l = 1; l < layers; ++l) {
    for (int s = 0; s < l; ++s) {
      const std::size_t cell = static_cast<std::size_t>(l * layers + s);
      const double edge = l + 2 > layers || s == 0 ? 0.02 : 0;
      double nats = 0.004 * (l - s) + edge + 0.05 * ((l * 7 + s * 13) % 11 == 0);
      if ((l * 5 + s) % 23 == 5) nats = -0.002;
      if (!whole && l > layers * 2 / 3) continue;
      matrix.delta[cell] = nats;
      matrix.halfWidth[cell] = 0.004;
      ++matrix.cells;
    }
  }
  matrix.baseline = 3.9;
  matrix.text = "novels.txt";
  return matrix;
}

class MapEditor {
 public:
  explicit MapEditor(int layers, const QSize& size = QSize(876, 600)) : document(layers), cost(library) {
    theme();
    protocol::ModelCard card;
    card.layers = layers;
    card.context = 32768;
    card.kvBytesPerToken = std::int64_t{layers} * 4096;
    cost.setModel(card, 0, 1);
    model.setCost(&cost);
    model.setDocument(&document);
    view = std::make_unique<MapView>(model);
    view->resize(size);
    view->show();
    view->setFocus();
    (void)QTest::qWaitForWindowExposed(view.get());
  }
  ~MapEditor() { model.setDocument(nullptr); }

  void measure() {
    matrix = sampleMatrix(document.layers());
    cost.setSensitivity(&matrix);
    model.refreshCost();
  }
  const MapLayout& at() const { return view->mapLayout(); }
  QPoint tile(int layer) const {
    const QRect rect = at().tileRect(layer, document.map().owns(layer));
    return {rect.left() + rect.width() * 3 / 4, at().yOf(layer) + at().row * 5 / 8};
  }
  QPoint leftEnd(int layer) const { return {at().tileLeft + 20, at().yOf(layer) + at().row * 5 / 8}; }
  QPoint number(int layer) const { return at().numberRect(layer).center(); }
  QPoint cell(int layer, int source) const { return at().cellRect(layer, source).center(); }
  QPoint gap(int owner) const { return {at().gutterLeft + 2, at().yOf(owner)}; }

  void press(const QPoint& point, Qt::KeyboardModifiers keys = {}) { send(QEvent::MouseButtonPress, point, keys); }
  void move(const QPoint& point) { send(QEvent::MouseMove, point, {}); }
  void release(const QPoint& point) { send(QEvent::MouseButtonRelease, point, {}); }
  void drag(const QPoint& from, const QPoint& to) {
    press(from);
    move((from + to) / 2);
    move(to);
    release(to);
  }
  void key(Qt::Key key, Qt::KeyboardModifiers modifiers = {}) { QTest::keyClick(view.get(), key, modifiers); }
  QString text() const { return document.text(); }

  EngineClient engine;
  MapLibrary library{engine};
  MapDocument document;
  MapCost cost;
  MapModel model;
  Sensitivity matrix;
  std::unique_ptr<MapView> view;

 private:
  void send(QEvent::Type type, const QPoint& point, Qt::KeyboardModifiers keys) {
    const bool isMove = type == QEvent::MouseMove;
    const Qt::MouseButtons held = type == QEvent::MouseButtonRelease ? Qt::NoButton : Qt::LeftButton;
    QMouseEvent event(type, point, view->mapToGlobal(point), isMove ? Qt::NoButton : Qt::LeftButton, held, keys);
    QCoreApplication::sendEvent(view.get(), &event);
  }
};

}  // namespace strata::testing
