#pragma once
// The list of reports: the conclusion first, then what each is called and when it is from.

#include <QStyledItemDelegate>

#include "core/protocol/messages.h"
#include "widgets/session/rows.h"

namespace strata {

QString reportTitle(const protocol::ReportFile& report);
QString reportCreated(const protocol::ReportFile& report);  // in local time
QString reportFormats(const protocol::ReportFile& report);  // "HTML, PDF"

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
