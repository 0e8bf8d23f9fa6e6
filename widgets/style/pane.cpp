#include "widgets/style/pane.h"

#include <QPainter>
#include <QPainterPath>

#include "widgets/style/theme.h"

namespace strata {

Pane::Pane(Ground ground, QWidget* parent) : QWidget(parent), m_ground(ground) {}

void Pane::setRounded(bool rounded) {
  m_rounded = rounded;
  update();
}

void Pane::setSelected(bool selected) {
  m_selected = selected;
  update();
}

QColor Pane::groundColor() const {
  const Colors& c = colors();
  if (m_selected || m_ground == Ground::raised) return c.raised;
  return m_ground == Ground::surface ? c.surface : c.window;
}

void Pane::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  if (m_rounded) {
    painter.setRenderHint(QPainter::Antialiasing);
    QPainterPath shape;
    shape.addRoundedRect(rect(), kRadius, kRadius);
    painter.setClipPath(shape);
  }
  painter.fillRect(rect(), groundColor());
  if (m_selected) painter.fillRect(QRect(0, 0, kSelectionEdge, height()), colors().accent);
}

}  // namespace strata
