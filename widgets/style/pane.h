#pragma once
// A widget with a ground of its own: panes, cards, bars.

#include <QColor>
#include <QWidget>

namespace strata {

enum class Ground { window, surface, raised };

class Pane : public QWidget {
  Q_OBJECT

 public:
  explicit Pane(Ground ground, QWidget* parent = nullptr);
  QColor groundColor() const;
  /// Corners of radius 6, for cards.
  void setRounded(bool rounded);
  bool isRounded() const { return m_rounded; }
  /// Raised ground and the 3 px accent edge at the left.
  void setSelected(bool selected);
  bool isSelected() const { return m_selected; }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  Ground m_ground;
  bool m_rounded = false;
  bool m_selected = false;
};

}  // namespace strata
