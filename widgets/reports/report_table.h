#pragma once
// The list of reports, each with its title, the beginning of its conclusion and when it was made.

#include <QStyledItemDelegate>

#include "core/protocol/messages.h"
#include "widgets/session/rows.h"

namespace strata {

/// Its file's name where it has none.
QString reportTitle(const protocol::ReportFile& report);
/// When it was made, in local time, and as what: "2026-12-01 10:36 · HTML, PDF".
QString reportDetails(const protocol::ReportFile& report);

class ReportTable : public Rows<protocol::ReportFile> {
  Q_OBJECT

 public:
  using Rows::Rows;
  using Rows::setRows;
  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : 1; }
  QVariant data(const QModelIndex& index, int role) const override;

 protected:
  std::string keyOf(const protocol::ReportFile& row) const override { return row.name; }
};

/// Of a ReportTable.
class ReportDelegate : public QStyledItemDelegate {
  Q_OBJECT

 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

}  // namespace strata
