#include "widgets/style/style_painters.h"

#include "widgets/style/icons.h"

namespace strata::paint {

QColor hoverTint(const Colors& colors) {
  QColor tint = colors.text;
  tint.setAlphaF(0.07F);
  return tint;
}

QColor pressTint(const Colors& colors) {
  QColor tint = colors.text;
  tint.setAlphaF(0.14F);
  return tint;
}

QColor disabledText(const Colors& colors) {
  return mixed(colors.second, colors.window, 0.7);
}

QColor disabledEdge(const Colors& colors) {
  return colors.edgeWidth > 1 ? mixed(colors.text, colors.window, 0.35) : colors.line;
}

QColor groove(const Colors& colors) {
  return colors.edgeWidth > 1 ? mixed(colors.text, colors.window, 0.25) : colors.line;
}

bool showsFocus(const QStyleOption& option) {
  return (option.state & QStyle::State_HasFocus) && (option.state & QStyle::State_KeyboardFocusChange);
}

QString withoutMnemonic(const QString& text) {
  QString plain;
  for (qsizetype i = 0; i < text.size(); ++i) {
    if (text[i] == u'&' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

void box(QPainter& painter, const QRectF& rect, const QColor& ground, const QColor& border, qreal borderWidth,
         qreal radius) {
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setBrush(ground.isValid() ? QBrush(ground) : QBrush(Qt::NoBrush));
  if (border.isValid()) {
    painter.setPen(QPen(border, borderWidth));
    const qreal half = borderWidth / 2;
    painter.drawRoundedRect(rect.adjusted(half, half, -half, -half), radius - half, radius - half);
  } else {
    painter.setPen(Qt::NoPen);
    painter.drawRoundedRect(rect, radius, radius);
  }
  painter.restore();
}

void focusRing(QPainter& painter, const QRectF& rect, const Colors& colors, qreal radius) {
  box(painter, rect, {}, colors.accent, kFocusWidth, radius);
}

void field(QPainter& painter, const QRectF& rect, const Colors& colors, bool enabled, bool focused) {
  const QColor border = !enabled ? disabledEdge(colors) : focused ? colors.accent : colors.edge;
  box(painter, rect, enabled ? colors.surface : colors.window, border,
      focused ? std::max(kFocusWidth, colors.edgeWidth) : colors.edgeWidth);
}

void chevron(QPainter& painter, const QRect& rect, const QString& name, bool enabled) {
  const int size = scaled(12);
  QRect place(0, 0, size, size);
  place.moveCenter(rect.center());
  icon(name, Ink::second).paint(&painter, place, Qt::AlignCenter, enabled ? QIcon::Normal : QIcon::Disabled);
}

void selection(QPainter& painter, const QRect& rect, const Colors& colors, bool withEdge) {
  painter.fillRect(rect, colors.raised);
  if (withEdge) painter.fillRect(QRect(rect.left(), rect.top(), kSelectionEdge, rect.height()), colors.accent);
}

QPixmap tinted(QPixmap pixmap, const QColor& color) {
  QPainter painter(&pixmap);
  painter.setCompositionMode(QPainter::CompositionMode_SourceIn);
  painter.fillRect(QRectF(QPointF(), pixmap.deviceIndependentSize()), color);
  return pixmap;
}

}  // namespace strata::paint
