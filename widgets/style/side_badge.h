#pragma once
// The sign of a side: A is blue and solid, B orange and dashed, on every page.

#include <QPen>
#include <QWidget>

namespace strata {

enum class BadgeSide { a, b };

class SideBadge : public QWidget {
  Q_OBJECT

 public:
  explicit SideBadge(BadgeSide side, QWidget* parent = nullptr);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  BadgeSide m_side;
};

/// For lines, underlines and borders that belong to a side.
QPen sidePen(BadgeSide side, qreal width = 1.5);
/// The badge itself, for delegates and plots.
void paintSideBadge(QPainter& painter, const QRect& rect, BadgeSide side);

}  // namespace strata
