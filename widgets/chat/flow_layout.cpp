#include "widgets/chat/flow_layout.h"

#include <QWidget>
#include <algorithm>

namespace strata {

FlowLayout::FlowLayout(int horizontalGap, int verticalGap, QWidget* parent)
    : QLayout(parent), m_horizontalGap(horizontalGap), m_verticalGap(verticalGap) {
  setContentsMargins(0, 0, 0, 0);
}

QLayoutItem* FlowLayout::itemAt(int index) const {
  return index >= 0 && index < count() ? m_items[static_cast<std::size_t>(index)].get() : nullptr;
}

QLayoutItem* FlowLayout::takeAt(int index) {
  if (itemAt(index) == nullptr) return nullptr;
  QLayoutItem* taken = m_items[static_cast<std::size_t>(index)].release();
  m_items.erase(m_items.begin() + index);
  return taken;
}

void FlowLayout::setGeometry(const QRect& rect) {
  QLayout::setGeometry(rect);
  place(rect, true);
}

QSize FlowLayout::minimumSize() const {
  QSize size;
  for (const auto& item : m_items) size = size.expandedTo(item->minimumSize());
  return size;
}

int FlowLayout::place(const QRect& rect, bool apply) const {
  int x = rect.x();
  int y = rect.y();
  int row = 0;
  for (const auto& item : m_items) {
    if (item->isEmpty()) continue;
    const QSize size = item->sizeHint().boundedTo(QSize(rect.width(), QWIDGETSIZE_MAX));
    if (x > rect.x() && x + size.width() > rect.right() + 1) {
      x = rect.x();
      y += row + m_verticalGap;
      row = 0;
    }
    if (apply) item->setGeometry({QPoint(x, y), size});
    x += size.width() + m_horizontalGap;
    row = std::max(row, size.height());
  }
  return y + row - rect.y();
}

}  // namespace strata
