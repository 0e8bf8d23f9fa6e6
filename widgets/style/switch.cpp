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
  return {words + trackSize().width() + 2 * kGapInside, metrics().control};
}

void Switch::paintEvent(QPaintEvent*) {
  const Colors& c = colors();
  QStyleOption option;
  option.initFrom(this);
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  QRect track(QPoint(), trackSize());
  track.moveTo(width() - track.width() - kGapInside, (height() - track.height()) / 2);
  const bool on = isChecked();
  const qreal round = track.height() / 2.0;
  const QColor border = !isEnabled() ? c.line : on ? c.accent : c.edge;
  paint::box(painter, track, !isEnabled() ? c.window : on ? c.accent : c.surface, border, c.edgeWidth, round);
  const int inset = scaled(4);
  const int knob = track.height() - 2 * inset;
  const QRect circle(on ? track.right() + 1 - inset - knob : track.left() + inset, track.top() + inset, knob, knob);
  painter.setPen(Qt::NoPen);
  painter.setBrush(!isEnabled() ? c.line : on ? c.onAccent : c.edge);
  painter.drawEllipse(circle);
  painter.setPen(isEnabled() ? c.text : paint::disabledText(c));
  const QRect words(kGapInside, 0, track.left() - kGapRelated - kGapInside, height());
  painter.drawText(words, Qt::AlignVCenter | Qt::AlignLeft,
                   fontMetrics().elidedText(paint::withoutMnemonic(text()), Qt::ElideRight, words.width()));
  if (paint::showsFocus(option)) {
    paint::focusRing(painter, track.adjusted(-4, -4, 4, 4), c, round + 4);
  }
}

}  // namespace strata
