#include "widgets/style/side_badge.h"

#include <QPainter>

#include "widgets/style/theme.h"

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
  const QColor& ground = side == BadgeSide::a ? c.sideA() : c.sideB();
  painter.setPen(Qt::NoPen);
  painter.setBrush(ground);
  painter.drawRoundedRect(rect, 4, 4);
  // The letter takes whichever of black and white reads on the side's colour.
  const QColor ink = contrast(Qt::white, ground) >= contrast(Qt::black, ground) ? Qt::white : Qt::black;
  if (side == BadgeSide::b) {
    QPen dashed(ink, 1);
    dashed.setDashPattern({3, 2});
    painter.setPen(dashed);
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(rect).adjusted(1.5, 1.5, -1.5, -1.5), 3, 3);
  }
  QFont font = fonts().strong;
  font.setPixelSize(std::max(8, rect.height() * 13 / 20));
  painter.setFont(font);
  painter.setPen(ink);
  painter.drawText(rect, Qt::AlignCenter, side == BadgeSide::a ? QStringLiteral("A") : QStringLiteral("B"));
  painter.restore();
}

}  // namespace strata
