#include "widgets/evaluation/matrix_view.h"

#include <QFileInfo>
#include <QHeaderView>
#include <QTableView>
#include <QVBoxLayout>
#include <algorithm>

#include "core/protocol/job_kinds.h"
#include "widgets/evaluation/comparison.h"
#include "widgets/evaluation/evaluation_setup.h"
#include "widgets/evaluation/evaluation_words.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

bool isOfModel(const MatrixTable::Cell& cell, const protocol::ModelRef& ref) {
  return cell.model == ref.model && cell.adapter == ref.adapter;
}

}  // namespace

MatrixTable::MatrixTable(Session& session, QObject* parent) : QAbstractTableModel(parent), m_session(session) {}

void MatrixTable::show(const protocol::ReadEvaluationMatrix::Answer& answer, const std::vector<std::string>& maps) {
  beginResetModel();
  m_answer = answer;
  for (Cell& cell : m_answer.cells) cell.model = knownModel(m_session, cell.model, cell.adapter).model;
  m_maps.clear();
  std::vector<Cell> byShare = m_answer.cells;
  std::stable_sort(byShare.begin(), byShare.end(),
                   [](const Cell& a, const Cell& b) { return a.retention > b.retention; });
  const auto addMap = [&](const std::string& map) {
    if (std::find(m_maps.begin(), m_maps.end(), map) == m_maps.end()) m_maps.push_back(map);
  };
  for (const Cell& cell : byShare) addMap(cell.map);
  for (const std::string& map : maps) addMap(map);
  m_models.clear();
  const auto addModel = [&](const protocol::ModelRef& ref) {
    const bool isKnown = std::any_of(m_models.begin(), m_models.end(), [&](const Model& each) {
      return each.ref.model == ref.model && each.ref.adapter == ref.adapter;
    });
    if (!isKnown && !ref.model.empty()) m_models.push_back({ref, m_session.modelName(ref)});
  };
  for (const Which which : {Which::a, Which::b}) {
    if (const auto& side = m_session.side(which)) addModel(m_session.followed(side->ref));
  }
  for (const Cell& cell : m_answer.cells) addModel(modelOf(cell.model, cell.adapter));
  for (const protocol::ModelEntry& entry : m_session.models().usable()) {
    if (entry.source == "project" || entry.source == "run" || entry.source == "adapter") addModel(refOf(entry));
  }
  endResetModel();
}

void MatrixTable::add(const Started& started) {
  m_started.push_back(started);
  jobsChanged();
}

void MatrixTable::jobsChanged() {
  if (rowCount() > 0 && columnCount() > 0) {
    Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
  }
}

const MatrixTable::Cell* MatrixTable::at(const QModelIndex& index) const {
  if (index.column() < kFirstMap) return nullptr;
  for (const Cell& cell : m_answer.cells) {
    if (isOfModel(cell, model(index.row()).ref) && cell.map == map(index.column())) return &cell;
  }
  return nullptr;
}

const protocol::JobInfo* MatrixTable::measuring(const QModelIndex& index) const {
  if (index.column() < kFirstMap) return nullptr;
  const protocol::ModelRef& ref = model(index.row()).ref;
  for (const Started& started : m_started) {
    if (started.ref.model != ref.model || started.ref.adapter != ref.adapter || started.map != map(index.column()))
      continue;
    const protocol::JobInfo* job = m_session.runs().find(started.run);
    if (job != nullptr && (job->alive || job->state == "queued")) return job;
  }
  return nullptr;
}

int MatrixTable::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_models.size());
}

int MatrixTable::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : kFirstMap + static_cast<int>(m_maps.size());
}

QVariant MatrixTable::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const bool isName = index.column() < kFirstMap;
  if (role == Qt::TextAlignmentRole) return int((isName ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
  if (isName) {
    const bool isText = role == Qt::DisplayRole || role == Qt::ToolTipRole;
    return isText ? QVariant(model(index.row()).name) : QVariant();
  }
  const Cell* cell = at(index);
  const protocol::JobInfo* job = measuring(index);
  const QString where = tr("%1, %2").arg(model(index.row()).name, QString::fromStdString(map(index.column())));
  if (role == Qt::ForegroundRole && cell == nullptr) return job != nullptr ? colors().second : colors().accent;
  if (role == Qt::FontRole && cell != nullptr) return fontOf(TextRole::mono);
  QString shown;
  if (job != nullptr) {
    const QString part = RunTable::percentText(*job);
    shown = part.isEmpty() ? tr("measuring") : tr("measuring, %1").arg(part);
  } else {
    shown = cell != nullptr ? intervalText(cell->score) : tr("Measure");
  }
  if (role == Qt::DisplayRole) return shown;
  if (role == Qt::AccessibleTextRole) {
    return cell == nullptr && job == nullptr ? tr("%1: not measured; Enter measures it").arg(where)
                                             : tr("%1: %2").arg(where, shown);
  }
  if (role != Qt::ToolTipRole) return {};
  if (cell == nullptr) return tipOf(tr("%1: not measured. A click evaluates it.").arg(where));
  return tipOf(tr("%1: %2 %3 of %4 question(s)", nullptr, pluralOf(cell->score.n))
                   .arg(where, metricName(cell->score.metric), shown, formatCount(cell->score.n)));
}

QVariant MatrixTable::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  const bool isName = section < kFirstMap;
  if (role == Qt::TextAlignmentRole) return int((isName ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
  if (role != Qt::DisplayRole && role != Qt::ToolTipRole) return {};
  if (isName) return tr("Model");
  protocol::ReadEvaluation::Map one;
  one.map = map(section);
  for (const Cell& cell : m_answer.cells) {
    if (cell.map == one.map) one.retention = cell.retention;
  }
  if (role == Qt::ToolTipRole) return tipOf(QString::fromStdString(one.map));
  const bool isKnown =
      std::any_of(m_answer.cells.begin(), m_answer.cells.end(), [&](const Cell& cell) { return cell.map == one.map; });
  if (!isKnown) one.retention = 0;
  return mapLabels({one}).first();
}

MatrixView::MatrixView(Session& session, EvaluationSetup& setup, QWidget* parent)
    : QWidget(parent), m_session(session), m_setup(setup), m_table(new MatrixTable(session, this)) {
  named(this, "evaluationMatrix", tr("Models and maps"));
  m_view = named(new QTableView, "matrix", tr("Scores of each model under each map"));
  m_view->setWhatsThis(tr("Enter measures a missing cell, and makes a measured one side B of the comparison."));
  m_view->setModel(m_table);
  m_view->setShowGrid(false);
  m_view->setFrameShape(QFrame::NoFrame);
  m_view->setSelectionMode(QAbstractItemView::SingleSelection);
  m_view->setCornerButtonEnabled(false);
  m_view->setTabKeyNavigation(false);
  m_view->setWordWrap(false);
  m_view->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  m_view->horizontalHeader()->setMaximumSectionSize(280);
  m_view->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
  m_view->verticalHeader()->hide();
  followTheme(m_view, [this] { m_view->verticalHeader()->setDefaultSectionSize(metrics().control); });
  m_state = named(new StatePane(m_view), "matrixState");
  m_caption = named(bodyLabel({}), "matrixCaption");
  m_caption->setTone(Tone::second);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  column->addWidget(m_caption);
  column->addWidget(m_state, 1);
  connect(m_view, &QTableView::clicked, this, &MatrixView::choose);
  connect(m_view, &QTableView::activated, this, [this](const QModelIndex& index) {
    if (m_table->at(index) != nullptr || !m_view->underMouse()) choose(index);  // a click was told already
  });
  connect(&setup, &EvaluationSetup::changed, this, [this] {
    if (isVisible()) refresh();
  });
  connect(&setup, &EvaluationSetup::startedOne, this,
          [this](const protocol::ModelRef& ref, const QString& map, const QString& run) {
            m_table->add({ref, map.toStdString(), run.toStdString()});
          });
  connect(&session.runs(), &RunTable::statesChanged, this, [this] {
    if (isVisible()) refresh();
  });
  connect(&session.runs(), &RunTable::changed, m_table, &MatrixTable::jobsChanged);
  connect(&session.models(), &ModelTable::changed, this, [this] {
    if (m_answer) m_table->show(*m_answer, m_setup.maps());
  });
  showState();
}

QWidget* MatrixView::table() const {
  return m_view;
}

void MatrixView::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  refresh();
}

void MatrixView::refresh() {
  if (!m_session.project() || m_setup.task().empty()) return showState();
  m_asking = true;
  showState();
  m_session.engine().call<protocol::ReadEvaluationMatrix>(
      {m_setup.task(), m_setup.data()}, this,
      [this, asked = ++m_asked](const Result<protocol::ReadEvaluationMatrix::Answer>& answer) {
        if (asked != m_asked) return;
        m_asking = false;
        m_problem = answer ? std::optional<Error>() : answer.error();
        if (answer) {
          m_answer = *answer;
          const QModelIndex current = m_view->currentIndex();
          m_table->show(*answer, m_setup.maps());
          m_view->setCurrentIndex(m_table->index(current.row(), current.column()));
        }
        showState();
      });
}

void MatrixView::showState() {
  const QString data = QFileInfo(QString::fromStdString(m_setup.data())).fileName();
  const std::string metric = m_answer && !m_answer->metric.empty() ? m_answer->metric : primaryMetric(m_setup.task());
  m_caption->setText(
      m_setup.task().empty()
          ? QString()
          : tr("%1 (%2) on %3, with 95 % intervals. Scores of one row are compared in pairs under Results.")
                .arg(metricName(metric), unitOf(metric), data));
  m_caption->setVisible(!m_caption->text().isEmpty());
  if (m_problem) return m_state->setFailed(*m_problem, tr("Try again"), [this] { refresh(); });
  if (!m_session.project() || m_setup.task().empty()) {
    return m_state->setEmpty(tr("Choose data and task at the right to see what was measured with them."));
  }
  if (!m_answer) return m_asking ? m_state->setLoading(tr("Reading what was measured")) : m_state->setWorking();
  if (m_table->rowCount() == 0) return m_state->setEmpty(tr("No models yet. Choose one for side A or B."));
  m_state->setWorking();
}

void MatrixView::choose(const QModelIndex& index) {
  if (!index.isValid() || index.column() < MatrixTable::kFirstMap || m_table->measuring(index) != nullptr) return;
  if (const MatrixTable::Cell* cell = m_table->at(index)) return Q_EMIT runWanted({cell->run, cell->map});
  m_setup.startOne(m_table->model(index.row()).ref, m_table->map(index.column()));
}

}  // namespace strata
