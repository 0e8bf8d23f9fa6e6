#include "widgets/style/side_badge.h"

#include "widgets/style/style_painters.h"

namespace strata {

SideBadge::SideBadge(BadgeSide side, QWidget* parent) : QWidget(parent), m_side(side) {
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  setAccessibleName(side == BadgeSide::a ? tr("Side A") : tr("Side B"));
}

QSize SideBadge::sizeHint() const {
  return {scaled(20), scaled(20)};
}

void SideBadge::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paintSideBadge(painter, rect(), m_side);
}

QPen sidePen(BadgeSide side, qreal width) {
  QPen pen(side == BadgeSide::a ? colors().sideA() : colors().sideB(), width);
  if (side == BadgeSide::b) pen.setDashPattern({4, 3});
  return pen;
}

void paintSideBadge(QPainter& painter, const QRect& rect, BadgeSide side) {
  const Colors& c = colors();
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  QColor ink = c.text;
  if (side == BadgeSide::a) {
    paint::box(painter, rect, c.sideA(), {}, 1, 4);
    ink = contrast(Qt::white, c.sideA()) >= contrast(Qt::black, c.sideA()) ? Qt::white : Qt::black;
  } else {
    // Open, with a dashed edge: the two can be told apart without their colours.
    painter.setBrush(mixed(c.sideB(), c.surface, 0.18));
    QPen dashed(c.sideB(), 2);
    dashed.setDashPattern({2, 1});
    dashed.setCapStyle(Qt::FlatCap);
    painter.setPen(dashed);
    painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), 3, 3);
  }
  QFont font = fonts().strong;
  font.setPixelSize(std::max(8, rect.height() * 13 / 20));
  painter.setFont(font);
  painter.setPen(ink);
  painter.drawText(rect, Qt::AlignCenter, side == BadgeSide::a ? QStringLiteral("A") : QStringLiteral("B"));
  painter.restore();
}

}  // namespace strata
