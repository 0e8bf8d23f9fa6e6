#pragma once
// The sharing-map editor: one row per layer, painted. One rule: what is dragged reads what it is dropped on. Every
// gesture ends in one step of the document, and changes nothing before that; Esc puts back.
//
//   MapView view(model);
//   connect(&view, &MapView::previewChanged, …);   // what the drop would make
// Plain mouse events; needs no engine.

#include <QPixmap>
#include <QTimer>
#include <QWidget>
#include <optional>
#include <vector>

#include "widgets/mapeditor/map_layout.h"
#include "widgets/mapeditor/map_model.h"
#include "widgets/mapeditor/map_painter.h"

class QMenu;

namespace strata {

class MapView : public QWidget {
  Q_OBJECT

 public:
  /// Words of the read-out: what it is, and what it does.
  struct ReadOut {
    QString title, detail;
    bool isRefusal = false;
    bool operator==(const ReadOut&) const = default;
  };

  explicit MapView(MapModel& model, QWidget* parent = nullptr);

  MapModel& model() const { return m_model; }
  /// Side A's map; nothing: of a model with other layers.
  void setOther(const std::optional<SharingMap>& other);
  const MapLayout& mapLayout() const { return m_layout; }
  const std::vector<int>& selection() const { return m_selection; }
  /// The layer that the keyboard is at.
  int current() const { return m_current; }
  void setCurrent(int layer);
  void select(const std::vector<int>& layers);
  /// What the gesture under way would make; nothing: none is, or it would change nothing.
  const std::optional<SharingMap>& preview() const { return m_preview; }
  ReadOut readOut() const;
  /// What the pointer carries: "9 reads 4".
  QString pointerText() const;
  bool isLifted() const { return m_gesture == Gesture::lift; }
  bool isTyping() const { return m_gesture == Gesture::type; }
  /// Ends a gesture without a change; false: none was.
  bool cancel();
  /// Rows higher or lower by so many steps.
  void zoom(int steps);

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void previewChanged();
  void currentChanged(int layer);
  /// Which keys work has changed.
  void gestureChanged();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override { mousePressEvent(event); }
  void leaveEvent(QEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  bool event(QEvent* event) override;

 private:
  enum class Gesture {
    none,
    press,   // on a tile, not moved yet
    drag,    // tiles
    select,  // over the numbers
    paint,   // in a column of the grid
    gap,     // between two brackets
    overview,
    lift,  // by the keyboard
    type   // the owner's number
  };

  const SharingMap& map() const;
  bool isEmpty() const { return m_model.rowCount() == 0; }
  MapPicture picture(const SharingMap& map) const;
  void modelReset();
  void mapChanged();
  void relayout();
  /// Brings the kept picture up to what is shown: the map, or what a gesture makes of it.
  void redraw(bool whole);
  const SharingMap& shownMap() const;
  /// Repaints where the marks of the gesture were and are.
  void moveMarks();
  QList<QRect> marks() const;
  QRect pointerRect() const;
  void paintMarks(QPainter& painter);
  void paintRowMarks(QPainter& painter);
  void paintNotes(QPainter& painter);
  void paintHints(QPainter& painter);
  void paintRuler(QPainter& painter);

  // Gestures.
  void setGesture(Gesture gesture);
  void beginPress(const MapLayout::Hit& hit, Qt::KeyboardModifiers modifiers);
  void pressNumber(int layer, Qt::KeyboardModifiers modifiers);
  void moveTo(const QPoint& point);
  void target(int layer);
  void paintTo(int layer);
  void moveGap(int layer);
  void updatePreview();
  void setPreview(std::optional<SharingMap> preview);
  void drop();
  void toggleOwner(int layer);
  void scrollTo(int scroll);
  void scrollAtEdge();
  void showLayer(int layer);
  void hover(const QPoint& point);
  /// Those that a drag of this layer moves: the selection where it is one of it.
  std::vector<int> layersWith(int layer) const;
  std::vector<int> legalOwners() const;
  bool canRead(int row) const;
  void refuse(const Error& error);

  // Keys.
  void beginLift();
  void stepTarget(int step);
  void beginTyping();
  void typeKey(QKeyEvent* event);
  void moveCurrent(int layer, bool extend);
  bool pressPlain(QKeyEvent* event);
  void tellFocus();
  void fillMenu(QMenu& menu, int layer);

  MapModel& m_model;
  MapLayout m_layout;
  std::optional<SharingMap> m_other, m_preview;
  std::optional<SharingMap> m_drawn;  // that the kept picture shows
  QPixmap m_base;
  QList<QRect> m_lastMarks;
  int m_row = 0;  // as zoomed; 0: all fit
  std::vector<int> m_selection;
  int m_current = 0, m_anchor = 0, m_column = -1;
  Gesture m_gesture = Gesture::none;
  MapLayout::Hit m_press, m_hover;
  QPoint m_pressAt, m_pointer;
  std::vector<int> m_layers;  // that are dragged, lifted, painted or typed for
  int m_target = -1;          // the row they would read; of a gap where its owner would be
  QString m_typed, m_refusal;
  QTimer m_edge;  // scrolls while a drag stays near the edge
};

}  // namespace strata
