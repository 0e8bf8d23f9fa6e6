#include <QAbstractItemView>
#include <QAbstractScrollArea>
#include <QCheckBox>
#include <QRadioButton>

#include "widgets/style/button.h"
#include "widgets/style/icons.h"
#include "widgets/style/style_drawing.h"

namespace strata::draw {
namespace {

ButtonKind kindOf(const QStyleOption& option, const QWidget* widget) {
  if (const auto* own = qobject_cast<const Button*>(widget)) return own->kind();
  const auto* button = qstyleoption_cast<const QStyleOptionButton*>(&option);
  if (button != nullptr && (button->features & QStyleOptionButton::Flat)) return ButtonKind::quiet;
  if (button != nullptr && (button->features & QStyleOptionButton::DefaultButton)) return ButtonKind::accent;
  return ButtonKind::plain;
}

bool isEnabled(const QStyleOption& option) {
  return option.state & QStyle::State_Enabled;
}
bool isUnderPointer(const QStyleOption& option) {
  return isEnabled(option) && (option.state & QStyle::State_MouseOver);
}
bool isPressed(const QStyleOption& option) {
  return isEnabled(option) && (option.state & QStyle::State_Sunken);
}
bool isChecked(const QStyleOption& option) {
  return option.state & QStyle::State_On;
}

/// The tint of pointer and press over any ground; invalid where neither is.
QColor tintOf(const QStyleOption& option, const Colors& c) {
  if (isPressed(option)) return paint::pressTint(c);
  if (isUnderPointer(option)) return paint::hoverTint(c);
  return {};
}

}  // namespace

void buttonPanel(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& c) {
  const ButtonKind kind = kindOf(option, widget);
  const QRect& rect = option.rect;
  const QColor tint = tintOf(option, c);
  const bool focus = paint::showsFocus(option);
  switch (kind) {
    case ButtonKind::accent: {
      const QColor ground = !isEnabled(option)       ? c.raised
                            : isPressed(option)      ? mixed(c.text, c.accent, 0.25)
                            : isUnderPointer(option) ? mixed(c.text, c.accent, 0.12)
                                                     : c.accent;
      paint::box(painter, rect, ground, {});
      // A ring in the accent colour would drown in the ground: the gap inside it makes it visible.
      if (focus) paint::box(painter, rect.adjusted(2, 2, -2, -2), {}, c.onAccent, kFocusWidth, kRadius - 2);
      return;
    }
    case ButtonKind::plain:
    case ButtonKind::danger:
      paint::box(painter, rect, isEnabled(option) ? c.surface : c.window, {});
      if (isChecked(option)) paint::box(painter, rect, paint::pressTint(c), {});
      if (tint.isValid()) paint::box(painter, rect, tint, {});
      paint::box(painter, rect, {}, isEnabled(option) ? c.edge : paint::disabledEdge(c), c.edgeWidth);
      break;
    case ButtonKind::quiet:
      if (isChecked(option)) paint::box(painter, rect, paint::pressTint(c), {});
      if (tint.isValid()) paint::box(painter, rect, tint, {});
      // High contrast knows no control without an edge.
      if (c.edgeWidth > 1 && isEnabled(option) && (tint.isValid() || isChecked(option))) {
        paint::box(painter, rect, {}, c.edge, c.edgeWidth);
      }
      break;
    case ButtonKind::link:
      break;
  }
  if (focus) paint::focusRing(painter, rect, c);
}

void buttonLabel(const QStyleOptionButton& option, QPainter& painter, const QWidget* widget, const Colors& c) {
  const ButtonKind kind = kindOf(option, widget);
  const auto* own = qobject_cast<const Button*>(widget);
  const bool enabled = isEnabled(option);
  const QColor ink = !enabled                     ? paint::disabledText(c)
                     : kind == ButtonKind::accent ? c.onAccent
                     : kind == ButtonKind::danger ? c.bad
                     : kind == ButtonKind::link   ? c.accent
                                                  : c.text;
  const Metrics& sizes = metrics();
  const int iconSize = option.icon.isNull() ? 0 : sizes.icon;
  const bool hasMenu = option.features & QStyleOptionButton::HasMenu;
  const int padding = kind == ButtonKind::link ? kGapInside : kGapRelated;
  QRect room = option.rect.adjusted(option.text.isEmpty() ? 0 : padding, 0, option.text.isEmpty() ? 0 : -padding, 0);
  if (hasMenu && !option.text.isEmpty()) {
    const QRect arrow(room.right() - sizes.icon + 1, room.top(), sizes.icon, room.height());
    QPixmap chevron = icon(QStringLiteral("chevron-down"))
                          .pixmap(QSize(scaled(12), scaled(12)), painter.device()->devicePixelRatioF());
    chevron = paint::tinted(chevron, ink);
    QRect place(QPoint(), chevron.deviceIndependentSize().toSize());
    place.moveCenter(arrow.center());
    painter.drawPixmap(place.topLeft(), chevron);
    room.setRight(arrow.left() - kGapInside);
  }
  const int gap = iconSize > 0 && !option.text.isEmpty() ? kGapRelated : 0;
  const QFontMetrics measure(widget != nullptr ? widget->font() : fonts().body);
  const QString words =
      measure.elidedText(paint::withoutMnemonic(option.text), Qt::ElideRight, room.width() - iconSize - gap);
  const int wide = measure.horizontalAdvance(words);
  int left = room.left() + (room.width() - iconSize - gap - wide) / 2;
  if (iconSize > 0) {
    const QRect place(left, room.top() + (room.height() - iconSize) / 2, iconSize, iconSize);
    QPixmap drawn = option.icon.pixmap(place.size(), painter.device()->devicePixelRatioF(),
                                       enabled ? QIcon::Normal : QIcon::Disabled);
    // The icon's own ink stands where the label has the usual one.
    if (kind != ButtonKind::plain && kind != ButtonKind::quiet) drawn = paint::tinted(drawn, ink);
    painter.drawPixmap(place, drawn);
    left += iconSize + gap;
  }
  if (words.isEmpty()) return;
  QFont font = widget != nullptr ? widget->font() : fonts().body;
  if (kind == ButtonKind::link && own != nullptr && isUnderPointer(option)) font.setUnderline(true);
  painter.setFont(font);
  painter.setPen(ink);
  painter.drawText(QRect(left, room.top(), wide + 1, room.height()), Qt::AlignVCenter | Qt::AlignLeft, words);
}

void toolButtonPanel(const QStyleOption& option, QPainter& painter, const Colors& c) {
  if (isChecked(option)) paint::box(painter, option.rect, paint::pressTint(c), {});
  if (const QColor tint = tintOf(option, c); tint.isValid()) paint::box(painter, option.rect, tint, {});
  if (paint::showsFocus(option)) paint::focusRing(painter, option.rect, c);
}

void checkBox(const QStyleOption& option, QPainter& painter, const Colors& c) {
  const bool enabled = isEnabled(option);
  const bool partly = option.state & QStyle::State_NoChange;
  const bool filled = isChecked(option) || partly;
  const QColor ground = !enabled ? c.window : filled ? c.accent : c.surface;
  const QColor border = !enabled ? paint::disabledEdge(c) : filled ? c.accent : c.edge;
  paint::box(painter, option.rect, ground, border, c.edgeWidth, 4);
  if (const QColor tint = tintOf(option, c); tint.isValid()) paint::box(painter, option.rect, tint, {}, 1, 4);
  if (!filled) return;
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  const QRectF r = option.rect;
  painter.setPen(QPen(enabled ? c.onAccent : c.second, r.width() / 8, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  const auto at = [&r](double x, double y) { return QPointF(r.left() + x * r.width(), r.top() + y * r.height()); };
  if (partly) {
    painter.drawLine(at(0.28, 0.5), at(0.72, 0.5));
  } else {
    const std::array points = {at(0.25, 0.52), at(0.43, 0.70), at(0.76, 0.32)};
    painter.drawPolyline(points.data(), 3);
  }
  painter.restore();
}

void radioButton(const QStyleOption& option, QPainter& painter, const Colors& c) {
  const bool enabled = isEnabled(option);
  const bool chosen = isChecked(option);
  const QRectF r = option.rect;
  const QColor border = !enabled ? paint::disabledEdge(c) : chosen ? c.accent : c.edge;
  paint::box(painter, r, enabled ? c.surface : c.window, border, chosen ? kFocusWidth : c.edgeWidth, r.width() / 2);
  if (const QColor tint = tintOf(option, c); tint.isValid()) paint::box(painter, r, tint, {}, 1, r.width() / 2);
  if (!chosen) return;
  const double inset = r.width() / 4;
  const QRectF dot = r.adjusted(inset, inset, -inset, -inset);
  paint::box(painter, dot, enabled ? c.accent : c.second, {}, 1, dot.width() / 2);
}

void focusRect(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& c) {
  // Views draw the ring of their current item themselves.
  if (qobject_cast<const QAbstractItemView*>(widget) != nullptr) return;
  if (!(option.state & QStyle::State_KeyboardFocusChange) && widget != nullptr) return;
  // Qt gives the place of the words alone for check boxes and radio buttons; a little air round them.
  const bool words =
      qobject_cast<const QCheckBox*>(widget) != nullptr || qobject_cast<const QRadioButton*>(widget) != nullptr;
  const QRect ring = words ? option.rect.adjusted(-3, -2, 3, 2).intersected(widget->rect()) : option.rect;
  paint::focusRing(painter, ring, c, words ? 4 : kRadius);
}

}  // namespace strata::draw
