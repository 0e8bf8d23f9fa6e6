#pragma once
// The few shapes that every control is made of. Used by StrataStyle and by widgets that paint themselves.

#include <QPainter>
#include <QStyleOption>

#include "widgets/style/theme.h"

namespace strata::paint {

/// Colours laid over any ground, while the pointer is on a control and while it is pressed.
QColor hoverTint(const Colors& colors);
QColor pressTint(const Colors& colors);
QColor disabledText(const Colors& colors);
/// The edge of a control that is off, and the ground of bars that are not filled: `line`, which in high contrast would
/// look like an edge in use.
QColor disabledEdge(const Colors& colors);
QColor groove(const Colors& colors);
/// Whether the option's control has the keyboard's focus and the keyboard was used.
bool showsFocus(const QStyleOption& option);
/// "&Save" -> "Save".
QString withoutMnemonic(const QString& text);

/// A rectangle with round corners, its border inside `rect`. Invalid colours are not drawn.
void box(QPainter& painter, const QRectF& rect, const QColor& ground, const QColor& border, qreal borderWidth = 1,
         qreal radius = kRadius);
/// 2 px in the accent colour, inside `rect`.
void focusRing(QPainter& painter, const QRectF& rect, const Colors& colors, qreal radius = kRadius);
/// A field's ground and edge; the edge is the focus ring while it has the focus.
void field(QPainter& painter, const QRectF& rect, const Colors& colors, bool enabled, bool focused);
/// A chevron of the icon list ("chevron-down") centred in `rect`.
void chevron(QPainter& painter, const QRect& rect, const QString& name, bool enabled = true);
/// The selected ground of a row with its accent edge at the left where `withEdge`.
void selection(QPainter& painter, const QRect& rect, const Colors& colors, bool withEdge);
/// A pixmap in another colour, its shape kept.
QPixmap tinted(QPixmap pixmap, const QColor& color);

}  // namespace strata::paint
