#include "widgets/style/button.h"

#include <QEvent>
#include <QPainter>
#include <QStyleOption>
#include <algorithm>

#include "widgets/style/icons.h"
#include "widgets/style/style_painters.h"
#include "widgets/style/theme.h"

namespace strata {

Button::Button(const QString& text, ButtonKind kind, QWidget* parent) : QPushButton(text, parent), m_kind(kind) {
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  setAttribute(Qt::WA_Hover);
  setAutoDefault(true);  // Enter presses the one that has the focus, as Space does
}

void Button::setKind(ButtonKind kind) {
  m_kind = kind;
  updateGeometry();
  update();
}

void Button::setCompact(bool compact) {
  m_compact = compact;
  updateGeometry();
}

QSize Button::sizeHint() const {
  const Metrics& sizes = metrics();
  const int height = m_compact ? sizes.compactRow : sizes.control;
  const int iconWidth = icon().isNull() ? 0 : sizes.icon;
  if (text().isEmpty()) return {std::max(height, iconWidth + 2 * kGapInside), height};
  int width = fontMetrics().horizontalAdvance(paint::withoutMnemonic(text())) + 2;
  if (iconWidth > 0) width += iconWidth + kGapRelated;
  if (menu() != nullptr) width += sizes.icon + kGapInside;
  const int padding = m_kind == ButtonKind::link ? kGapInside : m_compact || m_kind == ButtonKind::quiet ? 8 : 12;
  return {width + 2 * padding, height};
}

QSize Button::minimumSizeHint() const {
  return sizeHint();
}

Button* makeButton(const QString& text, ButtonKind kind, QWidget* parent) {
  return new Button(text, kind, parent);
}

Button* makeIconButton(const QString& iconName, const QString& name, const QString& shortcut, QWidget* parent) {
  auto* button = new Button({}, ButtonKind::quiet, parent);
  button->setIcon(icon(iconName));
  button->setAccessibleName(name);
  button->setToolTip(shortcut.isEmpty() ? name : QStringLiteral("%1 (%2)").arg(name, shortcut));
  return button;
}

RailButton::RailButton(const QString& iconName, const QString& word, QWidget* parent) : QAbstractButton(parent) {
  setText(word);
  setIcon(strata::icon(iconName));
  setAccessibleName(word);
  setCheckable(true);
  setFocusPolicy(Qt::TabFocus);
  setAttribute(Qt::WA_Hover);
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  followTheme(this, [this] {
    setFont(fonts().caption);
    updateGeometry();
  });
}

QSize RailButton::sizeHint() const {
  const Metrics& sizes = metrics();
  const int withWord = sizes.railIcon + kGapInside + fontMetrics().height() + 2 * kGapRelated;
  return {sizes.rail, std::min(withWord, maximumHeight())};  // lower: the icon alone
}

bool RailButton::event(QEvent* event) {
  if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) update();
  return QAbstractButton::event(event);
}

void RailButton::paintEvent(QPaintEvent*) {
  QStyleOption option;
  option.initFrom(this);
  QPainter painter(this);
  const Colors& c = colors();
  if (isChecked()) {
    painter.fillRect(rect(), c.surface);
    painter.fillRect(QRect(0, 0, kSelectionEdge, height()), c.accent);
  } else if (option.state & QStyle::State_MouseOver) {
    painter.fillRect(rect(), paint::hoverTint(c));
  }
  const int size = metrics().railIcon;
  const QRect place((width() - size) / 2, kGapRelated, size, size);
  icon().paint(&painter, place, Qt::AlignCenter, isEnabled() ? QIcon::Normal : QIcon::Disabled);
  painter.setFont(font());
  painter.setPen(!isEnabled()  ? palette().color(QPalette::Disabled, QPalette::WindowText)
                 : isChecked() ? c.text
                               : c.second);
  const QRect word(1, place.bottom() + 1 + kGapInside, width() - 2, fontMetrics().height());
  if (word.bottom() < maximumHeight()) {
    painter.drawText(word, Qt::AlignHCenter | Qt::AlignTop,
                     fontMetrics().elidedText(text(), Qt::ElideRight, word.width()));
  }
  if (paint::showsFocus(option)) paint::focusRing(painter, rect().adjusted(kSelectionEdge + 1, 2, -2, -2), c);
}

}  // namespace strata
