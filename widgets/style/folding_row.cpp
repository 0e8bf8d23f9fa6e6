#include "widgets/style/folding_row.h"

#include <QBoxLayout>
#include <QEvent>
#include <algorithm>

#include "widgets/style/theme.h"

namespace strata {

FoldingRow::FoldingRow(QWidget* first, QWidget* second, QWidget* parent)
    : QWidget(parent), m_first(first), m_second(second), m_layout(new QBoxLayout(QBoxLayout::LeftToRight, this)) {
  m_layout->setContentsMargins(0, 0, 0, 0);
  m_layout->setSpacing(kGapRelated);
  m_layout->addWidget(first, 1);
  m_layout->addWidget(second);
}

bool FoldingRow::isFolded() const {
  return m_layout->direction() == QBoxLayout::TopToBottom;
}

void FoldingRow::fold() {
  const int needed = m_first->minimumSizeHint().width() + m_layout->spacing() + m_second->minimumSizeHint().width();
  const auto direction =
      needed <= contentsRect().width() || m_second->isHidden() ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom;
  if (m_layout->direction() == direction) return;
  m_layout->setDirection(direction);
  // Folded, the second stands at the left edge, under the first.
  m_layout->setAlignment(m_second, direction == QBoxLayout::TopToBottom ? Qt::AlignLeft : Qt::Alignment());
  updateGeometry();
}

QSize FoldingRow::minimumSizeHint() const {
  const int width = std::max(m_first->minimumSizeHint().width(), m_second->minimumSizeHint().width());
  return {width, m_layout->minimumSize().height()};
}

void FoldingRow::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fold();
}

bool FoldingRow::event(QEvent* event) {
  const bool done = QWidget::event(event);
  if (event->type() == QEvent::LayoutRequest) fold();
  return done;
}

QWidget* rowOf(const QList<QWidget*>& parts, QWidget* parent) {
  auto* widget = new QWidget(parent);
  auto* row = new QHBoxLayout(widget);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kGapRelated);
  for (QWidget* part : parts) row->addWidget(part);
  return widget;
}

}  // namespace strata
