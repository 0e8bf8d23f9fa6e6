#include "widgets/data/dropped_table.h"

#include <QHeaderView>
#include <QTableView>
#include <QVBoxLayout>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {

void DroppedModel::show(std::vector<protocol::DroppedRecord> records, bool manyFiles) {
  beginResetModel();
  m_records = std::move(records);
  m_manyFiles = manyFiles;
  endResetModel();
}

int DroppedModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_records.size());
}

int DroppedModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : 2;
}

QString DroppedModel::place(const protocol::DroppedRecord& record) const {
  const QString line = record.line > 0 ? formatCount(record.line) : tr("no line");
  if (!m_manyFiles) return line;
  const QString file = QString::fromStdString(record.file).section('/', -1);
  return record.line > 0 ? file + ":" + QString::number(record.line) : file;
}

QVariant DroppedModel::data(const QModelIndex& index, int role) const {
  const protocol::DroppedRecord& record = m_records[static_cast<std::size_t>(index.row())];
  const QString reason = QString::fromStdString(record.reason);
  switch (role) {
    case Qt::DisplayRole:
      return index.column() == 0 ? place(record) : reason;
    case Qt::ToolTipRole:
      return tipOf(QString::fromStdString(record.file) +
                   (record.line > 0 ? ":" + QString::number(record.line) : QString()) + "\n" + reason);
    case Qt::AccessibleTextRole:
      return m_manyFiles ? tr("%1: %2").arg(place(record), reason) : tr("Line %1: %2").arg(place(record), reason);
    case Qt::FontRole:
      return index.column() == 0 ? QVariant(fontOf(TextRole::mono)) : QVariant();
    case Qt::TextAlignmentRole:
      return index.column() == 0 && !m_manyFiles ? QVariant(Qt::AlignRight | Qt::AlignVCenter)
                                                 : QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    default:
      return {};
  }
}

QVariant DroppedModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) {
    return section == 0 && !m_manyFiles ? QVariant(Qt::AlignRight | Qt::AlignVCenter)
                                        : QVariant(Qt::AlignLeft | Qt::AlignVCenter);
  }
  if (role != Qt::DisplayRole) return {};
  return section == 0 ? (m_manyFiles ? tr("Where") : tr("Line")) : tr("Why it is left out");
}

DroppedTable::DroppedTable(QWidget* parent)
    : QWidget(parent),
      m_model(new DroppedModel(this)),
      m_view(new QTableView(this)),
      m_sentence(captionLabel(QString(), this)),
      m_detail(bodyLabel(QString(), this)) {
  setObjectName("droppedTable");
  setAccessibleName(tr("Records left out"));
  m_sentence->setObjectName("droppedSentence");
  m_view->setObjectName("droppedView");
  m_view->setAccessibleName(tr("Records left out, with line and reason"));
  m_view->setModel(m_model);
  m_view->setShowGrid(false);
  m_view->setFrameShape(QFrame::NoFrame);
  m_view->setWordWrap(false);
  m_view->setTabKeyNavigation(false);
  m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_view->setSelectionMode(QAbstractItemView::SingleSelection);
  m_view->verticalHeader()->hide();
  followTheme(m_view, [this] { m_view->verticalHeader()->setDefaultSectionSize(metrics().compactRow); });
  m_view->horizontalHeader()->setHighlightSections(false);
  m_view->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
  m_view->horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
  m_view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapInside);
  layout->addWidget(sectionLabel(tr("Left out"), this));
  layout->addWidget(m_sentence);
  layout->addWidget(m_view, 1);
  layout->addWidget(m_detail);
  layout->addStretch();  // takes the room where no record is listed
  m_detail->setObjectName("droppedDetail");
  connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& now) {
    m_detail->setText(now.isValid() ? now.siblingAtColumn(0).data(Qt::AccessibleTextRole).toString() : QString());
  });
}

void DroppedTable::show(const protocol::CheckData::Answer& answer) {
  m_model->show(answer.droppedRecords, answer.files.size() > 1);
  const auto shown = static_cast<std::int64_t>(answer.droppedRecords.size());
  m_view->setVisible(shown > 0);
  m_detail->setVisible(shown > 0);
  if (shown > 0) m_view->setCurrentIndex(m_model->index(0, 0));
  if (answer.dropped == 0) {
    m_sentence->setText(tr("All records can be used."));
  } else if (shown < answer.dropped) {
    m_sentence->setText(tr("%1 record(s), of which the first %2 are listed.", nullptr, pluralOf(answer.dropped))
                            .arg(formatCount(answer.dropped), formatCount(shown)));
  } else {
    m_sentence->setText(tr("%1 of %2 record(s).", nullptr, pluralOf(answer.records))
                            .arg(formatCount(answer.dropped), formatCount(answer.records)));
  }
}

}  // namespace strata
