#include "widgets/plots/interval_table_model.h"

namespace strata {

void IntervalTableModel::setRows(const QStringList& names, std::vector<QStringList> rows) {
  if (names == m_names && rows == m_rows) return;
  beginResetModel();
  m_names = names;
  m_rows = std::move(rows);
  endResetModel();
}

int IntervalTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int IntervalTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_names.size());
}

QVariant IntervalTableModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  if (role == Qt::TextAlignmentRole) {
    return static_cast<int>((index.column() == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
  }
  if (role != Qt::DisplayRole) return {};
  return m_rows[static_cast<std::size_t>(index.row())].value(index.column());
}

QVariant IntervalTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) {
    return static_cast<int>((section == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
  }
  return role == Qt::DisplayRole ? QVariant(m_names.value(section)) : QVariant();
}

}  // namespace strata
