#pragma once
// The rows of an IntervalPlot as a table.

#include <QAbstractTableModel>
#include <QStringList>
#include <vector>

namespace strata {

class IntervalTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  using QAbstractTableModel::QAbstractTableModel;
  /// Each row has a text for each name.
  void setRows(const QStringList& names, std::vector<QStringList> rows);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  QStringList m_names;
  std::vector<QStringList> m_rows;
};

}  // namespace strata
