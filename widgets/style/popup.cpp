#include "widgets/style/popup.h"

#include <QKeyEvent>
#include <QPainter>
#include <QScreen>

#include "widgets/style/theme.h"

namespace strata {

Popup::Popup(QWidget* parent) : QWidget(parent, Qt::Popup | Qt::FramelessWindowHint), m_content(new QVBoxLayout(this)) {
  m_content->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  m_content->setSpacing(kGapRelated);
  followTheme(this, [this] { update(); });
}

void Popup::openAt(QWidget* anchor) {
  m_anchor = anchor;
  m_over = false;
  adjustSize();
  place();
  show();
  place();
  if (focusWidget() == nullptr) focusNextChild();
}

void Popup::openOver(QWidget* area) {
  m_anchor = area;
  m_over = true;
  adjustSize();
  place();
  show();
}

void Popup::place() {
  if (!m_anchor) return;
  const QRect room = m_anchor->screen()->availableGeometry();
  const QRect anchor(m_anchor->mapToGlobal(QPoint(0, 0)), m_anchor->size());
  QPoint at;
  if (m_over) {
    at = QPoint(anchor.center().x() - width() / 2, anchor.top() + anchor.height() / 8);
  } else {
    const bool below = anchor.bottom() + kGapInside + height() <= room.bottom();
    at = QPoint(anchor.left(), below ? anchor.bottom() + kGapInside : anchor.top() - kGapInside - height());
  }
  at.setX(std::clamp(at.x(), room.left(), std::max(room.left(), room.right() - width())));
  at.setY(std::clamp(at.y(), room.top(), std::max(room.top(), room.bottom() - height())));
  move(at);
}

void Popup::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), colors().surface);
  painter.setPen(QPen(colors().edge, colors().edgeWidth));
  const int inset = colors().edgeWidth / 2;
  painter.drawRect(rect().adjusted(inset, inset, -1 - inset, -1 - inset));
}

void Popup::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) {
    close();
    return;
  }
  QWidget::keyPressEvent(event);
}

void Popup::hideEvent(QHideEvent* event) {
  QWidget::hideEvent(event);
  if (m_anchor && !m_over) m_anchor->setFocus(Qt::PopupFocusReason);
  Q_EMIT closed();
}

void Popup::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  if (isVisible()) place();
}

}  // namespace strata
