#include "widgets/style/switch.h"

#include <QPainter>
#include <QStyleOption>

#include "widgets/style/style_painters.h"

namespace strata {
namespace {

QSize trackSize() {
  return {scaled(32), scaled(18)};
}

}  // namespace

Switch::Switch(const QString& text, QWidget* parent) : QCheckBox(text, parent) {
  setAttribute(Qt::WA_Hover);
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

QSize Switch::sizeHint() const {
  const int words =
      text().isEmpty() ? 0 : fontMetrics().horizontalAdvance(paint::withoutMnemonic(text())) + kGapRelated;
  return {words + 2 + trackSize().width(), metrics().control};
}

void Switch::paintEvent(QPaintEvent*) {
  const Colors& c = colors();
  QStyleOption option;
  option.initFrom(this);
  QPainter painter(this);
  QRect track(QPoint(), trackSize());
  track.moveTo(width() - track.width(), (height() - track.height()) / 2);
  const bool on = isChecked();
  const bool focus = paint::showsFocus(option);
  const qreal round = track.height() / 2.0;
  const QColor ground = !isEnabled() ? c.window : on ? c.accent : c.surface;
  const QColor border = !isEnabled() ? paint::disabledEdge(c) : on || focus ? c.accent : c.edge;
  paint::box(painter, track, ground, border, focus ? kFocusWidth : c.edgeWidth, round);
  // As on an accent button: the ring lies inside, where it does not drown in the ground.
  if (focus && on) paint::box(painter, track.adjusted(2, 2, -2, -2), {}, c.onAccent, 1, round - 2);
  const int inset = scaled(4) + (focus && on ? 1 : 0);
  const int knob = track.height() - 2 * inset;
  const QRect circle(on ? track.right() + 1 - inset - knob : track.left() + inset, track.top() + inset, knob, knob);
  paint::box(painter, circle, !isEnabled() ? paint::disabledEdge(c) : on ? c.onAccent : c.edge, {}, 1, knob / 2.0);
  painter.setPen(isEnabled() ? c.text : paint::disabledText(c));
  const QRect words(0, 0, track.left() - kGapRelated, height());
  painter.drawText(words, Qt::AlignVCenter | Qt::AlignLeft,
                   fontMetrics().elidedText(paint::withoutMnemonic(text()), Qt::ElideRight, words.width()));
}

}  // namespace strata
