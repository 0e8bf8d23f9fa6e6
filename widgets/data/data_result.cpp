#include "widgets/data/data_result.h"

#include <QHBoxLayout>
#include <QStringList>
#include <QVBoxLayout>

#include "widgets/data/column_mapper.h"
#include "widgets/data/data_check.h"
#include "widgets/data/data_figures.h"
#include "widgets/data/dropped_table.h"
#include "widgets/data/row_preview.h"
#include "widgets/plots/lengths_chart.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kSideWidth = 320;
constexpr int kSideHeight = 240, kPreviewHeight = 120;

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

/// A round length that holds a row of so many tokens.
std::int64_t roomFor(std::int64_t tokens) {
  const std::int64_t step = tokens < 1000 ? 1 : 100;
  return (tokens + step - 1) / step * step;
}

}  // namespace

DataResult::DataResult(DataCheck& check, QWidget* parent)
    : QWidget(parent),
      m_check(check),
      m_name(new ElidedLabel(QString(), TextRole::title, Tone::normal, this)),
      m_path(new ElidedLabel(QString(), TextRole::monoCaption, Tone::second, this)),
      m_sign(new Label(QString(), TextRole::body, Tone::normal, this)),
      m_verdict(bodyLabel(QString(), this)),
      m_mapButton(makeButton(tr("Map columns"), ButtonKind::plain, this)),
      m_figures(new DataFigures(this)),
      m_preview(new RowPreview(check, this)),
      m_lengths(new LengthsChart(this)),
      m_dropped(new DroppedTable(this)),
      m_mapper(new ColumnMapper(this)),
      m_lengthsBox(new QWidget(this)),
      m_side(new QWidget(this)),
      m_body(new QWidget(this)),
      m_unread(bodyLabel(tr("Not checked. Strata never changes data files."), this)) {
  setObjectName("dataResult");
  setAccessibleName(tr("What the data hold"));
  m_name->setObjectName("dataName");
  m_path->setObjectName("dataPath");
  m_path->setElideMode(Qt::ElideMiddle);
  m_verdict->setObjectName("dataVerdict");
  m_mapButton->setObjectName("dataMapColumns");
  m_mapButton->setCheckable(true);
  m_mapButton->setToolTip(tr("Map fields manually"));
  connect(m_mapButton, &QPushButton::toggled, this, &DataResult::showMapper);
  connect(m_mapper, &ColumnMapper::wanted, this, &DataResult::columnsWanted);
  connect(m_mapper, &ColumnMapper::cleared, this, [this] { Q_EMIT columnsWanted({}); });

  auto* top = new QHBoxLayout;
  top->setSpacing(kGapRelated);
  top->addWidget(m_name, 1);
  top->addWidget(m_mapButton);
  auto* verdict = new QHBoxLayout;
  verdict->setSpacing(kGapRelated);
  verdict->addWidget(m_sign, 0, Qt::AlignTop);
  verdict->addWidget(m_verdict, 1);
  auto* side = new QVBoxLayout(m_side);
  side->setContentsMargins(0, 0, 0, 0);
  side->setSpacing(kGapSections);
  m_lengths->setObjectName("dataLengths");
  m_lengths->setAccessibleName(tr("Lengths of the rows"));
  auto* lengths = new QVBoxLayout(m_lengthsBox);
  lengths->setContentsMargins(0, 0, 0, 0);
  lengths->setSpacing(kGapInside);
  lengths->addWidget(sectionLabel(tr("Lengths"), this));
  lengths->addWidget(m_lengths, 1);
  side->addWidget(m_lengthsBox, 1);
  side->addWidget(m_dropped, 1);
  m_columns = new QBoxLayout(QBoxLayout::LeftToRight);
  m_columns->setSpacing(kGapSections);
  m_columns->addWidget(m_preview, 2);
  m_columns->addWidget(m_side, 1);

  auto* body = new QVBoxLayout(m_body);
  body->setContentsMargins(0, 0, 0, 0);
  body->setSpacing(kGapGroups);
  body->addLayout(verdict);
  body->addWidget(m_figures);
  body->addWidget(m_mapper);
  body->addLayout(m_columns, 1);
  m_unread->setObjectName("dataUnread");
  m_unread->setMaximumWidth(scaled(metrics().textWidth));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  layout->setSpacing(kGapInside);
  layout->addLayout(top);
  layout->addWidget(m_path);
  layout->addSpacing(kGapRelated);
  layout->addWidget(m_body, 1);
  layout->addWidget(m_unread);
  layout->addStretch(0);
  showMapper(false);
  followTheme(this, [this] {
    showSign();
    m_side->setMinimumSize(kSideWidth, scaled(kSideHeight));
    m_preview->setMinimumHeight(scaled(kPreviewHeight));
    arrange();
  });
}

/// Large text, or a narrow window: the lengths stand below the preview, and the page scrolls.
void DataResult::arrange() {
  const int needed = m_preview->minimumSizeHint().width() + m_columns->spacing() +
                     std::max(scaled(kSideWidth), m_side->minimumSizeHint().width()) + 2 * kGapGroups;
  const auto direction = needed <= width() ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom;
  if (m_columns->direction() != direction) m_columns->setDirection(direction);
}

void DataResult::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  arrange();
}

/// Its parts give way: it is as wide as the pane.
QSize DataResult::minimumSizeHint() const {
  return {0, QWidget::minimumSizeHint().height()};
}

/// Red: training would refuse it. Amber: it would leave something out. Green: all of it is trained on.
void DataResult::showSign() {
  const bool refused = m_check.answer() && !m_check.answer()->refused.empty();
  const bool loses = m_check.answer() && !losses(*m_check.answer()).isEmpty();
  const QIcon sign = refused ? icon("exclamation-circle", Ink::bad)
                     : loses ? icon("exclamation-triangle", Ink::warn)
                             : icon("check-lg", Ink::good);
  m_sign->setPixmap(sign.pixmap(metrics().icon, metrics().icon));
  m_sign->setAccessibleName(refused ? tr("Refused") : loses ? tr("Something is left out") : tr("All of it is used"));
}

QString DataResult::losses(const protocol::CheckData::Answer& answer) const {
  QStringList losses;
  if (answer.truncated > 0) {
    const QString all = formatCount(roomFor(answer.longestLength));
    const QString cut = formatCount(answer.truncated), rows = formatCount(answer.rows);
    losses << (answer.lostPassages == answer.truncated
                   ? tr("%1 of %2 rows lose passages; a length of %3 tokens keeps all.").arg(cut, rows, all)
                   : tr("%1 of %2 rows are cut; a length of %3 tokens keeps all.").arg(cut, rows, all));
  }
  if (answer.dropped > 0) {
    losses << tr("%1 of %2 records are left out.").arg(formatCount(answer.dropped), formatCount(answer.records));
  }
  return losses.join(' ');
}

void DataResult::showMapper(bool shown) {
  m_mapper->setVisible(shown);
  m_mapButton->setChecked(shown);
}

QString DataResult::verdict(const protocol::CheckData::Answer& answer) const {
  if (!answer.refused.empty()) return text(answer.refused);
  const QString format =
      answer.format.empty() ? tr("Rows of the mapped columns") : tr("Recognised: %1").arg(text(answer.format));
  if (const QString lost = losses(answer); !lost.isEmpty()) return tr("%1. %2").arg(format, lost);
  if (!answer.hasTokens) return tr("%1. Choose a model to count tokens and see what is trained on.").arg(format);
  return tr("%1. Ready to train on; the median row has %2 token(s), the longest %3.", nullptr,
            pluralOf(answer.medianLength))
      .arg(format, formatCount(answer.medianLength), formatCount(answer.longestLength));
}

void DataResult::begin(const QString& path) {
  m_name->setText(path.section('/', -1, -1, QString::SectionSkipEmpty));
  m_path->setText(path);
  m_body->setVisible(false);
  m_unread->setVisible(true);
  m_mapButton->setVisible(false);
}

void DataResult::refresh() {
  if (!m_check.answer()) return;
  const protocol::CheckData::Answer& answer = *m_check.answer();
  const bool refused = !answer.refused.empty();
  begin(text(answer.path));
  m_body->setVisible(true);
  m_unread->setVisible(false);
  showSign();
  m_verdict->setText(verdict(answer));
  m_verdict->setTone(refused ? Tone::bad : losses(answer).isEmpty() ? Tone::normal : Tone::warn);
  m_figures->show(answer);
  std::vector<LengthRange> lengths;
  for (const protocol::LengthBin& bin : answer.lengths) lengths.push_back({bin.from, bin.to, bin.rows});
  m_lengthsBox->setVisible(!lengths.empty());
  m_lengths->setLengths(lengths, m_check.answered().length);
  m_dropped->show(answer);
  m_preview->setVisible(answer.rows > 0);
  m_preview->restart();
  const bool mapped = !m_check.answered().columns.empty();
  m_mapButton->setVisible(!answer.keys.empty());
  m_mapper->show(answer.keys, m_check.answered().columns);
  showMapper(!answer.keys.empty() && (answer.rows == 0 || (mapped && refused)));
}

}  // namespace strata
