#pragma once
// Records that cannot be used: where each begins, and why.

#include <QAbstractTableModel>
#include <QWidget>
#include <vector>

#include "core/protocol/data_messages.h"

class QTableView;

namespace strata {

class Label;

class DroppedModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  using QAbstractTableModel::QAbstractTableModel;
  /// `manyFiles`: a place is file and line, else the line alone.
  void show(std::vector<protocol::DroppedRecord> records, bool manyFiles);
  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  QString place(const protocol::DroppedRecord& record) const;
  std::vector<protocol::DroppedRecord> m_records;
  bool m_manyFiles = false;
};

class DroppedTable : public QWidget {
  Q_OBJECT

 public:
  explicit DroppedTable(QWidget* parent = nullptr);
  void show(const protocol::CheckData::Answer& answer);

 private:
  DroppedModel* m_model;
  QTableView* m_view;
  Label *m_sentence, *m_detail;
};

}  // namespace strata
