#pragma once
// A list with columns that paints only the rows whose data changed. QTreeView paints all of them as soon as a change
// spans more than one column.

#include <QTreeView>

namespace strata {

class RowView : public QTreeView {
  Q_OBJECT

 public:
  using QTreeView::QTreeView;
  void dataChanged(const QModelIndex& topLeft, const QModelIndex& bottomRight, const QList<int>& roles = {}) override;
};

}  // namespace strata
