#include "widgets/style/row_view.h"

namespace strata {

void RowView::dataChanged(const QModelIndex& topLeft, const QModelIndex& bottomRight, const QList<int>& roles) {
  if (!topLeft.isValid() || topLeft.parent().isValid() || topLeft == bottomRight) {
    return QTreeView::dataChanged(topLeft, bottomRight, roles);
  }
  QRect rows = visualRect(topLeft) | visualRect(bottomRight.siblingAtColumn(topLeft.column()));
  rows.setLeft(0);
  rows.setRight(viewport()->width());
  viewport()->update(rows);
}

}  // namespace strata
