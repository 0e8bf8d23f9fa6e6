#include "widgets/evaluation/evaluation_page.h"

#include <QStackedWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "core/protocol/job_kinds.h"
#include "core/routing/sharing_map.h"
#include "widgets/evaluation/comparison_chooser.h"
#include "widgets/evaluation/evaluation_setup.h"
#include "widgets/evaluation/evaluation_words.h"
#include "widgets/evaluation/matrix_view.h"
#include "widgets/evaluation/prompt_view.h"
#include "widgets/evaluation/results_view.h"
#include "widgets/evaluation/sample_detail.h"
#include "widgets/evaluation/samples_view.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/named.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {

EvaluationPage::EvaluationPage(Session& session, QWidget* parent)
    : Page(parent),
      m_session(session),
      m_comparison(session),
      m_setup(new EvaluationSetup(session)),
      m_inspector(m_setup) {
  named(this, "evaluatePage", tr("Evaluate"));
  m_results = new ResultsView(session, m_comparison);
  m_samples = new SamplesView(session, m_comparison);
  m_matrix = new MatrixView(session, *m_setup);
  m_prompt = new PromptView(*m_setup);
  m_chooser = new ComparisonChooser(session, m_comparison);
  m_found = new QStackedWidget;
  m_found->addWidget(m_results);
  m_found->addWidget(m_samples);
  auto* found = new QWidget;
  auto* inFound = new QVBoxLayout(found);
  inFound->setContentsMargins(0, 0, 0, 0);
  inFound->setSpacing(kGapGroups);
  inFound->addWidget(m_chooser);
  inFound->addWidget(m_found, 1);
  m_state = named(new StatePane(found), "evaluateState");
  m_stack = new QStackedWidget;
  m_stack->addWidget(m_state);
  m_stack->addWidget(m_matrix);
  m_stack->addWidget(m_prompt);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, 0);
  column->setSpacing(kGapGroups);
  column->addWidget(buildHead());
  column->addWidget(m_stack, 1);
  m_startAction =
      addCommand("evaluate-start", tr("Evaluate A and B"), QKeySequence("Ctrl+Return"), [this] { m_setup->start(); });
  m_reportAction =
      addCommand("evaluate-report", tr("Report of this comparison"), QKeySequence("Ctrl+R"), [this] { writeReport(); });
  m_chatAction = addCommand("evaluate-chat", tr("Open the chosen question in a chat"), {},
                            [this] { m_samples->detail()->openInChat(); });
  connectAll();
  showView(kResults);
  showState();
}

EvaluationPage::~EvaluationPage() {
  blockSignals(true);  // the window that listens may be half gone
  delete m_prompt;     // what shows the setup goes before it
  delete m_matrix;
  delete m_state;  // and what shows the comparison before that
  delete m_inspector;
}

QWidget* EvaluationPage::inspector() {
  return m_inspector;
}

QWidget* EvaluationPage::buildHead() {
  m_views = named(new SegmentedButtons({tr("Results"), tr("Samples"), tr("Models and maps"), tr("Prompt")}),
                  "evaluateViews", tr("What is shown"));
  const char* names[] = {"viewResults", "viewSamples", "viewMatrix", "viewPrompt"};
  for (int i = 0; i < m_views->count(); ++i) m_views->button(i)->setObjectName(QLatin1String(names[i]));
  m_report = named(makeButton(tr("Report")), "writeReport", tr("Report of this comparison"));
  m_report->setToolTip(tr("Writes what is compared as HTML, PDF, CSV, JSON and Markdown (Ctrl+R)"));
  auto* left = new QWidget;
  auto* row = new QHBoxLayout(left);
  row->setContentsMargins(0, 0, 0, 0);
  row->addWidget(m_views);
  row->addStretch(1);
  connect(m_views, &SegmentedButtons::chosen, this, [this](int index) {
    showView(static_cast<View>(index));
    Q_EMIT stateChanged();
  });
  connect(m_report, &Button::clicked, this, &EvaluationPage::writeReport);
  return new FoldingRow(left, m_report);
}

void EvaluationPage::connectAll() {
  connect(m_chooser, &ComparisonChooser::chosen, this, [this] {
    m_byHand = true;
    showState();
  });
  connect(m_chooser, &ComparisonChooser::resumeWanted, this,
          [this](const QString& run) { m_setup->resume(run.toStdString()); });
  connect(m_results, &ResultsView::sideWanted, this, [this](const protocol::EvaluatedSide& b) {
    m_byHand = true;
    m_comparison.choose(m_comparison.side(Which::a), b);
  });
  connect(m_matrix, &MatrixView::runWanted, this, [this](const protocol::EvaluatedSide& side) {
    m_byHand = true;
    const bool isA = !m_comparison.isChosen();
    m_comparison.choose(isA ? side : m_comparison.side(Which::a), isA ? protocol::EvaluatedSide() : side);
    showView(kResults);
  });
  connect(m_setup, &EvaluationSetup::started, this,
          [this](const protocol::EvaluatedSide& a, const protocol::EvaluatedSide& b) {
            m_byHand = false;
            m_comparison.choose(a, b);
            if (m_stack->currentWidget() != m_state) showView(kResults);
          });
  connect(m_setup, &EvaluationSetup::startingChanged, this,
          [this] { m_results->setStartingB(m_setup->isStartingB()); });
  connect(m_setup, &EvaluationSetup::changed, this, &EvaluationPage::showState);
  connect(m_setup, &EvaluationSetup::planned, this, &EvaluationPage::showState);
  connect(m_samples, &SamplesView::stateChanged, this, &EvaluationPage::stateChanged);
  connect(m_samples, &SamplesView::sampleChanged, this, &EvaluationPage::updateActions);
  connect(&m_comparison, &Comparison::changed, this, &EvaluationPage::showState);
  connect(&m_session, &Session::sidesChanged, this, &EvaluationPage::sidesChanged);
  // A run may name its model by the folder, which the card of a side's model tells.
  connect(&m_session, &Session::cardsChanged, this, &EvaluationPage::sidesChanged);
  connect(&m_session, &Session::projectChanged, this, [this] {
    m_byHand = false;
    chooseNewest();
  });
  connect(&m_session.runs(), &RunTable::changed, this, [this] {
    const bool isGone = m_comparison.isChosen() && m_session.runs().rowCount() > 0 &&
                        m_session.runs().find(m_comparison.side(Which::a).run) == nullptr;
    if (!m_comparison.isChosen() || isGone) chooseNewest();
    showState();
  });
  connect(&m_session.engine(), &EngineClient::stateChanged, this, &EvaluationPage::showState);
}

void EvaluationPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  if (!m_comparison.isChosen()) chooseNewest();
}

void EvaluationPage::showView(View view) {
  m_views->setCurrent(view);
  const bool isFound = view == kResults || view == kSamples;
  m_stack->setCurrentWidget(isFound           ? static_cast<QWidget*>(m_state)
                            : view == kMatrix ? static_cast<QWidget*>(m_matrix)
                                              : m_prompt);
  if (isFound) m_found->setCurrentIndex(view == kResults ? 0 : 1);
  updateActions();
  Q_EMIT keysChanged();
}

QList<QWidget*> EvaluationPage::panes() {
  QList<QWidget*> all = {m_views};
  if (m_stack->currentWidget() == m_matrix) return all + QList<QWidget*>{m_matrix->table(), m_setup};
  if (m_stack->currentWidget() == m_prompt) return all + QList<QWidget*>{m_prompt, m_setup};
  if (m_found->currentWidget() == m_samples) return all + m_samples->panes() + QList<QWidget*>{m_setup};
  return all + QList<QWidget*>{m_results, m_setup};
}

QList<QPair<QString, QString>> EvaluationPage::keys() {
  QList<QPair<QString, QString>> all = {{tr("Ctrl+Enter"), tr("evaluate")}};
  if (m_stack->currentWidget() == m_matrix) {
    all.append({tr("Enter"), tr("measure a cell")});
  } else if (m_stack->currentWidget() == m_state) {
    all.append({QStringLiteral("Ctrl+R"), tr("report")});
    if (m_found->currentWidget() == m_samples) all.append({tr("Enter"), tr("open in chat")});
  }
  return all;
}

bool EvaluationPage::shows(const Place& place) const {
  if (place.kind != PlaceKind::run) return Page::shows(place);
  const protocol::JobInfo* job = m_session.runs().find(place.id.toStdString());
  return job != nullptr && job->kind == kEvalKind;
}

void EvaluationPage::open(const Place& place) {
  if (place.kind != PlaceKind::run) return;
  m_byHand = true;
  const std::string run = place.id.toStdString();
  m_comparison.choose({run, {}}, {run, {}});
  showView(kResults);
}

QUndoStack* EvaluationPage::undoStack() {
  return m_setup->undoStack();
}

QByteArray EvaluationPage::saveState() const {
  return QByteArray::number(m_views->current()) + ' ' + m_samples->saveState().toBase64();
}

void EvaluationPage::restoreState(const QByteArray& state) {
  const QList<QByteArray> parts = state.split(' ');
  if (parts.size() != 2) return;
  const int view = parts[0].toInt();
  if (view >= kResults && view <= kPrompt) showView(static_cast<View>(view));
  m_samples->restoreState(QByteArray::fromBase64(parts[1]));
}

void EvaluationPage::updateActions() {
  if (m_inspector == nullptr) return;
  m_startAction->setEnabled(m_setup->canStart());
  m_reportAction->setEnabled(m_report->isEnabled());
  m_chatAction->setEnabled(m_samples->detail()->canOpen());
}

void EvaluationPage::sidesChanged() {
  if (!m_byHand) chooseNewest();
  showState();
}

/// The side's map by the name that the run knows it by; where it did not measure it, the one that is shown.
std::string EvaluationPage::measuredMap(Which which, const std::string& run, const protocol::Side& side) const {
  const Comparison::Results* results = m_comparison.results(which);
  if (m_comparison.side(which).run != run || results == nullptr) return side.map;
  const protocol::ModelCard* card = m_session.knownCard(side.ref);
  for (const Comparison::Map& map : results->maps) {
    if (map.map == side.map || (card != nullptr && isSameMap(map.map, side.map, card->layers))) return map.map;
  }
  return m_comparison.side(which).map;
}

bool EvaluationPage::chooseFor(const std::optional<protocol::Side>& a, const std::optional<protocol::Side>& b) {
  const auto runOf = [&](const protocol::Side& side, const protocol::JobInfo* other) -> const protocol::JobInfo* {
    const protocol::ModelRef ref = m_session.followed(side.ref);
    for (const protocol::JobInfo& job : m_session.runs().rows()) {
      if (job.kind != kEvalKind) continue;
      if (other != nullptr && (job.task != other->task || job.data != other->data)) continue;
      const protocol::ModelCard* card = m_session.knownCard(side.ref);
      if (job.model == ref.model || (card != nullptr && job.model == card->path)) return &job;
    }
    return nullptr;
  };
  const protocol::JobInfo* first = a ? runOf(*a, nullptr) : nullptr;
  const protocol::JobInfo* second = b ? runOf(*b, first) : nullptr;
  if (first == nullptr && second == nullptr) return false;
  if (first == nullptr) {
    m_comparison.choose({second->id, measuredMap(Which::b, second->id, *b)}, {});
  } else {
    protocol::EvaluatedSide other;
    if (second != nullptr) other = {second->id, measuredMap(Which::b, second->id, *b)};
    m_comparison.choose({first->id, measuredMap(Which::a, first->id, *a)}, other);
  }
  return true;
}

void EvaluationPage::chooseNewest() {
  if (m_session.runs().rowCount() == 0) return;
  if (chooseFor(m_session.side(Which::a), m_session.side(Which::b))) return;
  if (m_comparison.isChosen() && m_session.runs().find(m_comparison.side(Which::a).run) != nullptr) return;
  for (const protocol::JobInfo& job : m_session.runs().rows()) {
    if (job.kind != kEvalKind) continue;
    return m_comparison.choose({job.id, {}}, {job.id, {}});
  }
  m_comparison.choose({}, {});
}

/// Whether the compared models are those that stand on the sides, or were chosen by hand.
bool EvaluationPage::isOfSides() const {
  if (m_byHand || m_comparison.isRunning()) return true;
  for (const Which which : {Which::a, Which::b}) {
    const auto& side = m_session.side(which);
    const Comparison::Results* results = m_comparison.results(which);
    if (!side || results == nullptr) continue;
    const protocol::ModelRef ref = m_session.followed(side->ref);
    const protocol::ModelCard* card = m_session.knownCard(side->ref);
    const bool isModel = results->model == ref.model || (card != nullptr && results->model == card->path);
    if (!isModel || results->adapter != ref.adapter) return false;
    const auto one = m_comparison.sideOf(which);
    if (!one) continue;
    const int layers = card != nullptr ? card->layers : 0;
    const auto wanted = parseMap(side->map, layers), measured = parseMap(one->map, layers);
    const bool isMap = one->map == side->map || (wanted && measured && wanted->src() == measured->src());
    if (!isMap) return false;
  }
  return true;
}

QString EvaluationPage::comparedText() const {
  QStringList sides;
  for (const Which which : {Which::a, Which::b}) {
    const Comparison::Results* results = m_comparison.results(which);
    if (results == nullptr) continue;
    const QString name = m_session.modelName(knownModel(m_session, results->model, results->adapter));
    sides << tr("%1 (%2)").arg(name, QString::fromStdString(m_comparison.side(which).map));
  }
  return sides.join(tr(" and "));
}

void EvaluationPage::showState() {
  if (m_inspector == nullptr) return;
  const EngineClient& engine = m_session.engine();
  const bool isReady = engine.ready();
  const Comparison::Results *a = m_comparison.results(Which::a), *b = m_comparison.results(Which::b);
  const bool hasAnswers =
      a != nullptr && std::any_of(a->maps.begin(), a->maps.end(), [](const auto& map) { return map.n > 0; });
  m_report->setEnabled(isReady && !m_writing && hasAnswers);
  m_report->setText(m_writing ? tr("Writing…") : tr("Report"));
  bool isEmpty = false;
  if (!m_reportProblem.isEmpty()) {
    m_state->setFailed({ErrorCode::io, m_reportProblem.toStdString(), ""}, tr("Try again"), [this] { writeReport(); });
  } else if (m_comparison.problem()) {
    m_state->setFailed(*m_comparison.problem(), tr("Try again"), [this] { m_comparison.refresh(); });
  } else if (!m_comparison.isChosen()) {
    if (!m_session.project() && !m_session.projectProblem() && engine.state() != EngineClient::State::failed) {
      m_state->setLoading(tr("Waits for the engine"));
    } else if (!m_session.side(Which::a) && !m_session.side(Which::b)) {
      m_state->setEmpty(
          tr("No evaluation yet, and no model on side A or B."), tr("Choose a model"),
          [this] { m_session.go(Place::model()); }, m_session.sampleLink(), [this] { m_session.openProject({}); });
      isEmpty = true;
    } else {
      const bool canStart = m_setup->canStart();
      m_state->setEmpty(
          tr("No evaluation yet. One asks both sides the same questions, and tells whether their answers differ by "
             "more "
             "than chance."),
          canStart ? tr("Evaluate A and B") : tr("Choose data"),
          [this] { m_setup->canStart() ? m_setup->start() : m_setup->focusProblem(); }, m_session.sampleLink(),
          [this] { m_session.openProject({}); });
      isEmpty = true;
    }
  } else if (a == nullptr || (b == nullptr && !m_comparison.side(Which::b).run.empty())) {
    m_state->setLoading(tr("Reading the results"));
  } else if (!isOfSides()) {
    const bool canStart = m_setup->canStart();
    m_state->setStale(tr("Results of %1, not of the current sides.").arg(comparedText()),
                      canStart ? StatePane::Action([this] { m_setup->start(); }) : StatePane::Action(),
                      canStart ? tr("Evaluate A and B") : QString());
  } else {
    m_state->setWorking();
  }
  // One accent button: in the empty page the one of its middle.
  m_setup->startButton()->setKind(isEmpty && m_stack->currentWidget() == m_state ? ButtonKind::plain
                                                                                 : ButtonKind::accent);
  updateActions();
}

void EvaluationPage::writeReport() {
  if (m_writing || !m_report->isEnabled()) {
    if (m_reportProblem.isEmpty() || m_writing) return;
  }
  protocol::WriteReport::Params params;
  for (const Which which : {Which::a, Which::b}) {
    const std::string& run = m_comparison.side(which).run;
    if (!run.empty() && std::find(params.runs.begin(), params.runs.end(), run) == params.runs.end()) {
      params.runs.push_back(run);
    }
  }
  params.baseline = m_comparison.side(Which::a).run + '@' + m_comparison.side(Which::a).map;
  m_writing = true;
  m_reportProblem.clear();
  showState();
  m_session.engine().call<protocol::WriteReport>(params, this, [this](const Result<protocol::ReportFile>& answer) {
    m_writing = false;
    if (!answer) m_reportProblem = QString::fromStdString(answer.error().message);
    showState();
    if (answer) m_session.go({{}, PlaceKind::report, QString::fromStdString(answer->name)});
  });
}

}  // namespace strata
