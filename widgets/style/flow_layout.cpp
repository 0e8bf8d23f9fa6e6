#include "widgets/style/flow_layout.h"

#include <QWidget>
#include <algorithm>
#include <numeric>

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

/// As many columns as there is room for, closer together where that makes one more; none where only one would fit.
FlowLayout::Columns FlowLayout::columnsFor(int width) const {
  for (int columns = count(); columns > 1; --columns) {
    QList<int> widths(columns, 0);
    int column = 0;
    for (const auto& item : m_items) {
      if (item->isEmpty()) continue;
      widths[column] = std::max(widths[column], item->sizeHint().width());
      column = (column + 1) % columns;
    }
    for (const int gap : {m_horizontalGap, m_horizontalGap / 2}) {
      if (std::accumulate(widths.begin(), widths.end(), (columns - 1) * gap) <= width) return {widths, gap};
    }
  }
  return {};
}

int FlowLayout::place(const QRect& rect, bool apply) const {
  const Columns columns = columnsFor(rect.width());
  const bool aligned = !columns.widths.isEmpty();
  int x = rect.x();
  int y = rect.y();
  int row = 0;
  int column = 0;
  for (const auto& item : m_items) {
    if (item->isEmpty()) continue;
    const QSize size = item->sizeHint().boundedTo(QSize(rect.width(), QWIDGETSIZE_MAX));
    if (aligned ? column == columns.widths.size() : column > 0 && x + size.width() > rect.right() + 1) {
      column = 0;
      x = rect.x();
      y += row + m_verticalGap;
      row = 0;
    }
    if (apply) item->setGeometry({QPoint(x, y), size});
    x += aligned ? columns.widths[column] + columns.gap : size.width() + m_horizontalGap;
    ++column;
    row = std::max(row, size.height());
  }
  return y + row - rect.y();
}

}  // namespace strata
