#include "widgets/training/train_page.h"

#include <QHBoxLayout>
#include <QSplitter>
#include <QStackedWidget>

#include "widgets/style/controls.h"
#include "widgets/style/named.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"
#include "widgets/training/run_actions.h"
#include "widgets/training/run_comparison.h"
#include "widgets/training/run_list.h"
#include "widgets/training/run_monitor.h"
#include "widgets/training/run_plots.h"
#include "widgets/training/run_wizard.h"

namespace strata {
namespace {

constexpr int kListWidth = 440;

}  // namespace

TrainPage::TrainPage(Session& session, QWidget* parent) : Page(parent), m_session(session) {
  setObjectName("trainPage");
  setAccessibleName(tr("Train"));
  m_list = new RunList(session);
  m_monitor = new RunMonitor(session);
  m_state = named(new StatePane(m_monitor), "trainState");
  m_wizard = new RunWizard(session);
  auto* listPane = new Pane(Ground::surface);
  auto* inside = new QHBoxLayout(listPane);
  inside->setContentsMargins(0, 0, 0, 0);
  inside->addWidget(m_list);
  m_splitter = named(new QSplitter(Qt::Horizontal), "trainSplitter");
  m_splitter->setChildrenCollapsible(false);
  m_splitter->addWidget(listPane);
  m_splitter->addWidget(m_state);
  m_splitter->setStretchFactor(0, 0);
  m_splitter->setStretchFactor(1, 1);
  m_splitter->setSizes({scaled(kListWidth), 4 * scaled(kListWidth)});
  m_stack = new QStackedWidget;
  m_stack->addWidget(m_splitter);
  m_stack->addWidget(m_wizard);
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_stack);

  connect(m_splitter, &QSplitter::splitterMoved, this, &TrainPage::stateChanged);
  connect(m_list, &RunList::newRunWanted, this, &TrainPage::newRun);
  connect(m_list, &RunList::chosen, this, [this](const QString& run) { showRuns(run.toStdString()); });
  connect(m_list, &RunList::hovered, this,
          [this](const QString& run) { m_monitor->plots().highlight(run.toStdString()); });
  connect(m_list, &RunList::ticksChanged, this, &TrainPage::showOverlays);
  connect(m_list, &RunList::comparisonWanted, this, &TrainPage::compare);
  connect(m_wizard, &RunWizard::leaveWanted, this, [this] { showRuns(m_list->current()); });
  connect(m_wizard, &RunWizard::started, this, [this](const QString& run) { showRuns(run.toStdString()); });
  connect(m_wizard, &RunWizard::stepChanged, this, &TrainPage::keysChanged);
  connect(m_monitor, &RunMonitor::started, this, [this](const QString& run) { showRuns(run.toStdString()); });
  connect(m_monitor, &RunMonitor::duplicateWanted, this, [this](const Json& config, const QString& name, bool extend) {
    m_wizard->duplicate(config, name, extend ? m_monitor->run() : std::string());
    m_chosen = true;
    m_stack->setCurrentWidget(m_wizard);
    Q_EMIT keysChanged();
  });
  connect(&session.runs(), &RunTable::changed, this, [this] {
    followRuns();
    showOverlays();
  });
  connect(&session, &Session::projectChanged, this, [this] {
    m_chosen = false;
    m_list->select({});
    m_monitor->show({});
    followRuns();
  });
  m_newAction = addCommand("train-new", tr("New training run"), QKeySequence("Ctrl+N"), [this] { newRun(); });
  m_startAction =
      addCommand("train-start", tr("Start the run"), QKeySequence("Ctrl+Return"), [this] { m_wizard->start(); });
  m_stopAction = addCommand("train-stop", tr("Stop the run"), {}, [this] { m_monitor->stop(); });
  m_resumeAction = addCommand("train-resume", tr("Resume the run"), {}, [this] { m_monitor->resume(); });
  m_monitor->setActions(m_list->actions().all());
  addActions(m_list->actions().all());
  followRuns();
}

bool TrainPage::wizardShown() const {
  return m_stack->currentWidget() == m_wizard;
}

void TrainPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  m_wizard->begin();
}

QList<QWidget*> TrainPage::panes() {
  if (wizardShown()) return m_wizard->panes();
  return QList<QWidget*>{m_list} + m_monitor->panes();
}

void TrainPage::updateActions() {
  const protocol::JobInfo* job = wizardShown() ? nullptr : m_monitor->info();
  m_startAction->setEnabled(wizardShown() && m_wizard->canStart());
  m_stopAction->setEnabled(job != nullptr && job->alive);
  m_resumeAction->setEnabled(job != nullptr && !job->alive && job->state != "done" && job->state != "queued");
}

QList<QPair<QString, QString>> TrainPage::keys() {
  if (wizardShown()) return {{tr("Ctrl+Enter"), tr("start")}, {tr("Ctrl+Z"), tr("undo")}};
  return {{tr("Ctrl+N"), tr("new run")}, {tr("Space"), tr("draw in the plots")}};
}

bool TrainPage::shows(const Place& place) const {
  if (place.kind != PlaceKind::run) return Page::shows(place);
  const protocol::JobInfo* job = m_session.runs().find(place.id.toStdString());
  return job == nullptr || job->kind == "train";
}

void TrainPage::open(const Place& place) {
  if (place.kind == PlaceKind::run) showRuns(place.id.toStdString());
}

bool TrainPage::escape() {
  return wizardShown() && m_wizard->escape();
}

QUndoStack* TrainPage::undoStack() {
  return wizardShown() ? m_wizard->undoStack() : nullptr;
}

QByteArray TrainPage::saveState() const {
  return m_splitter->saveState();
}

void TrainPage::restoreState(const QByteArray& state) {
  m_splitter->restoreState(state);
}

void TrainPage::newRun() {
  m_chosen = true;
  m_wizard->begin();
  m_stack->setCurrentWidget(m_wizard);
  Q_EMIT keysChanged();
}

void TrainPage::showRuns(const std::string& run) {
  m_chosen = true;
  m_stack->setCurrentWidget(m_splitter);
  m_list->select(run);
  if (run != m_monitor->run()) m_monitor->show(run);
  showOverlays();
  followRuns();
  Q_EMIT keysChanged();
}

void TrainPage::showOverlays() {
  std::vector<RunPlots::Overlay> overlays;
  for (const RunList::Ticked& ticked : m_list->ticked()) {
    const protocol::JobInfo* job = m_session.runs().find(ticked.run);
    if (job != nullptr) overlays.push_back({ticked.run, RunTable::title(*job), ticked.slot, job->alive});
  }
  m_monitor->plots().setOverlays(overlays);
}

void TrainPage::compare() {
  std::vector<std::string> runs = {m_list->current()};
  for (const RunList::Ticked& ticked : m_list->ticked()) runs.push_back(ticked.run);
  std::erase(runs, std::string());
  (new RunComparison(m_session, runs, this))->openOver(this);
}

/// Until something is chosen: the newest run, or where there is none the wizard.
void TrainPage::followRuns() {
  const bool any = m_list->count() > 0;
  if (!m_chosen) {
    m_stack->setCurrentWidget(any ? static_cast<QWidget*>(m_splitter) : m_wizard);
    Q_EMIT keysChanged();
  }
  if (m_monitor->run().empty()) {
    m_state->setEmpty(any ? tr("Choose a run to see its curves.")
                          : tr("No training runs yet. A run fine-tunes a model so that it can share its cache."),
                      tr("New run"), [this] { newRun(); });
  } else {
    m_state->setWorking();
  }
}

}  // namespace strata
