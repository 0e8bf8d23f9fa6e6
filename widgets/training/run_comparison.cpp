#include "widgets/training/run_comparison.h"

#include <QHeaderView>
#include <QStandardItemModel>
#include <algorithm>

#include "core/config/describe.h"
#include "core/config/train_config.h"
#include "widgets/style/controls.h"
#include "widgets/style/named.h"
#include "widgets/style/row_view.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kSettingWidth = 180;  // pixels at 100 % text
constexpr int kRunWidth = 150;
constexpr int kMostShown = 14;  // rows without scrolling
constexpr int kMostWidth = 1000;

QString valueText(FieldKind kind, const Json& config, const std::string& name) {
  const auto value = config.find(name);
  if (value == config.end() || value->is_null()) return RunComparison::tr("not set");
  const std::string text = fieldText(kind, *value);
  return text.empty() ? RunComparison::tr("not set") : QString::fromStdString(text);
}

}  // namespace

RunComparison::RunComparison(Session& session, std::vector<std::string> runs, QWidget* parent)
    : Popup(parent), m_session(session), m_runs(std::move(runs)) {
  setAttribute(Qt::WA_DeleteOnClose);
  named(this, "runComparison", tr("Settings that differ"));
  m_table = new QStandardItemModel(this);
  m_view = named(new RowView, "comparedSettings", tr("Settings that differ, a run a column"));
  m_view->setModel(m_table);
  m_view->setRootIsDecorated(false);
  m_view->setUniformRowHeights(true);
  m_view->setFrameShape(QFrame::NoFrame);
  m_view->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_view->header()->setStretchLastSection(false);
  named(m_view->header(), "comparedHeader", tr("Columns of the compared settings"));
  m_state = named(bodyLabel(tr("Reading the settings…")), "comparisonState");
  content()->addWidget(sectionLabel(tr("Settings that differ")));
  content()->addWidget(m_state);
  content()->addWidget(m_view);
  m_view->hide();
  read(0);
}

QString RunComparison::nameOf(const std::string& run) const {
  const protocol::JobInfo* job = m_session.runs().find(run);
  return job == nullptr ? QString::fromStdString(run) : RunTable::title(*job);
}

void RunComparison::read(std::size_t at) {
  if (at == m_runs.size()) return fill();
  protocol::ReadJobConfig::Params params;
  params.id = m_runs[at];
  m_session.engine().call<protocol::ReadJobConfig>(params, this,
                                                   [this, at](const Result<protocol::ReadJobConfig::Answer>& answer) {
                                                     if (!answer) {
                                                       m_state->setTone(Tone::bad);
                                                       m_state->setText(QString::fromStdString(answer.error().message));
                                                       return adjustSize();
                                                     }
                                                     m_configs.push_back(answer->config);
                                                     read(at + 1);
                                                   });
}

void RunComparison::fill() {
  QStringList titles = {tr("Setting")};
  for (const std::string& run : m_runs) titles << nameOf(run);
  m_table->setHorizontalHeaderLabels(titles);
  for (int column = 1; column < titles.size(); ++column) {
    m_table->horizontalHeaderItem(column)->setToolTip(tipOf(titles[column]));
  }
  for (const FieldInfo& field : describe(TrainConfig())) {
    const bool differs = std::any_of(m_configs.begin(), m_configs.end(), [&](const Json& config) {
      return valueText(field.kind, config, field.name) != valueText(field.kind, m_configs.front(), field.name);
    });
    if (!differs) continue;
    auto* label = new QStandardItem(QCoreApplication::translate("strata::Config", field.meta.label));
    label->setToolTip(QString::fromStdString(field.name));
    QList<QStandardItem*> row = {label};
    for (const Json& config : m_configs) {
      auto* cell = new QStandardItem(valueText(field.kind, config, field.name));
      cell->setToolTip(tipOf(cell->text()));
      row << cell;
    }
    m_table->appendRow(row);
  }
  const int rows = m_table->rowCount();
  m_state->setText(rows == 0 ? tr("These runs have the same settings.")
                             : tr("%n different setting(s); all others are the same.", nullptr, rows));
  m_view->setVisible(rows > 0);
  int width = scaled(kSettingWidth);
  m_view->header()->resizeSection(0, width);
  for (int column = 1; column < m_table->columnCount(); ++column) {
    m_view->header()->resizeSection(column, scaled(kRunWidth));
    width += scaled(kRunWidth);
  }
  const bool scrolls = width > scaled(kMostWidth);
  m_view->setFixedWidth(std::min(width, scaled(kMostWidth)) + 2 * kGapGroups);
  const int shown = std::min(rows, kMostShown) + 1 + (scrolls ? 1 : 0);
  m_view->setFixedHeight(shown * metrics().control + kGapRelated);
  adjustSize();
  if (isVisible()) m_view->setFocus();
}

}  // namespace strata
