#include "widgets/training/run_monitor.h"

#include <QAbstractButton>
#include <QHBoxLayout>
#include <QMenu>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"
#include "widgets/training/run_answers.h"
#include "widgets/training/run_plots.h"

namespace strata {
namespace {

constexpr int kEventsMs = 2000;
constexpr int kAnswersWidth = 340;

/// Whether the run's evaluations ask questions.
bool asksQuestions(const Json& config) {
  const auto questions = config.find("eval-questions");
  return questions != config.end() && questions->is_string() && !questions->get_ref<const std::string&>().empty();
}

QString fromBytes(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

Tone toneOf(const protocol::JobInfo& job) {
  if (job.state == "failed") return Tone::bad;
  if (job.state == "paused") return Tone::warn;
  if (job.state == "done") return Tone::good;
  return Tone::normal;
}

bool hasBegun(const protocol::JobInfo& job) {
  return job.step > 0;
}

}  // namespace

RunMonitor::RunMonitor(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
  named(this, "runMonitor", tr("Run"));
  m_plots = new RunPlots(session);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(buildHead());
  m_answers = new RunAnswers(session);
  m_answers->hide();
  auto* panes = named(new QSplitter(Qt::Horizontal), "monitorSplitter");
  panes->setChildrenCollapsible(false);
  panes->addWidget(m_plots);
  panes->addWidget(m_answers);
  panes->setStretchFactor(0, 3);
  panes->setStretchFactor(1, 1);
  panes->setSizes({scaled(3 * kAnswersWidth), scaled(kAnswersWidth)});
  column->addWidget(panes, 1);
  m_eventsTimer.setSingleShot(true);
  m_eventsTimer.setInterval(kEventsMs);
  connect(&m_eventsTimer, &QTimer::timeout, this, &RunMonitor::readEvents);
  connect(&session.runs(), &RunTable::changed, this, &RunMonitor::follow);
  connect(&session.runs(), &RunTable::failed, this, &RunMonitor::say);
  connect(&session.engine(), &EngineClient::stateChanged, this, &RunMonitor::showState);
  connect(m_plots, &RunPlots::failed, this, &RunMonitor::say);
  connect(m_plots, &RunPlots::begun, this, [this] { m_eventsTimer.start(0); });
  show({});
}

QWidget* RunMonitor::buildHead() {
  auto* head = new Pane(Ground::window);
  auto* column = new QVBoxLayout(head);
  column->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapRelated);
  column->setSpacing(kGapInside);
  m_title = named(new ElidedLabel({}, TextRole::title), "runTitle");
  m_status = named(new Label({}, TextRole::strong), "runStatus");
  m_detail = named(new Label({}, TextRole::body, Tone::second), "runDetail");
  m_message = named(bodyLabel({}), "runMessage");
  m_problem = named(bodyLabel({}), "runProblem");
  m_problem->setTone(Tone::bad);
  m_stop = named(makeButton(tr("Stop")), "stopRun");
  m_stop->setToolTip(tr("Finishes the step, writes a checkpoint and ends. The run can be resumed."));
  m_resume = named(makeButton(tr("Resume")), "resumeRun");
  m_resume->setToolTip(tr("Goes on from the last checkpoint."));
  m_extend = named(makeButton(tr("Extend…")), "extendRun");
  m_extend->setToolTip(tr("A new run that goes on from this one's weights, with a schedule of its own."));
  m_duplicate = named(makeButton(tr("Duplicate…")), "duplicateRun");
  m_duplicate->setToolTip(tr("A new run with the same settings, to be changed."));
  m_chat = named(makeButton(tr("Use as B")), "useRunAsB");
  m_more = named(makeIconButton("three-dots", tr("More actions")), "moreRunActions");
  m_menu = named(new QMenu(this), "moreRunMenu", tr("More actions"));
  connect(m_more, &Button::clicked, this, [this] { m_menu->popup(m_more->mapToGlobal(QPoint(0, m_more->height()))); });
  auto* buttons = rowOf({m_stop, m_resume, m_extend, m_duplicate, m_chat, m_more});
  column->addWidget(new FoldingRow(m_title, buttons));
  m_axis = named(new SegmentedButtons({tr("Steps"), tr("Tokens"), tr("Time")}), "plotAxis", tr("X axis of the curves"));
  m_axis->setWhatsThis(tr("What all curves stand over: steps, trained tokens, or the time that the run has taken."));
  for (int i = 0; i < m_axis->count(); ++i) m_axis->button(i)->setObjectName(QString("plotAxis-%1").arg(i + 1));
  m_axis->setCompact(true);
  m_axis->setCurrent(0);
  m_smooth = named(new Switch, "smoothCurves", tr("Smooth the curves"));
  m_smooth->setText(tr("Smooth"));
  m_smooth->setWhatsThis(tr("Draws a moving average; the measured values stand behind it, paler."));
  m_smooth->setChecked(true);
  m_status->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Preferred);
  auto* state = rowOf({m_status, m_detail});
  column->addWidget(new FoldingRow(state, rowOf({m_smooth, m_axis})));
  column->addWidget(m_message);
  column->addWidget(m_problem);
  connect(m_stop, &Button::clicked, this, &RunMonitor::stop);
  connect(m_resume, &Button::clicked, this, &RunMonitor::resume);
  connect(m_extend, &Button::clicked, this, [this] { duplicate(true); });
  connect(m_duplicate, &Button::clicked, this, [this] { duplicate(false); });
  connect(m_chat, &Button::clicked, this, [this] {
    protocol::ModelRef ref;
    ref.model = m_run;
    m_session.useModel(Which::b, ref);  // of a run that trains the newest checkpoint at each question
    m_session.announce(m_alive ? tr("Side B follows the newest checkpoint of the run, now that of step %1.")
                                     .arg(formatCount(newestCheckpoint()))
                               : tr("Side B answers with the run."));
  });
  connect(m_axis, &SegmentedButtons::chosen, this,
          [this](int index) { m_plots->setAxis(kPlotAxes[static_cast<std::size_t>(index)]); });
  connect(m_smooth, &Switch::toggled, m_plots, &RunPlots::setSmooth);
  return head;
}

void RunMonitor::setActions(const QList<QAction*>& actions) {
  m_menu->addActions(actions);
}

QList<QWidget*> RunMonitor::panes() {
  return m_answers->isHidden() ? QList<QWidget*>{m_plots} : QList<QWidget*>{m_plots, m_answers->list()};
}

const protocol::JobInfo* RunMonitor::info() const {
  return m_session.runs().find(m_run);
}

void RunMonitor::show(const std::string& run) {
  m_run = run;
  m_events.clear();
  m_problem->hide();
  const protocol::JobInfo* job = info();
  m_alive = job != nullptr && job->alive;
  m_plots->show(run, m_alive);
  m_answers->hide();
  m_answers->show(run, m_alive);
  showState();
  if (run.empty()) return;
  readEvents();
  readConfig([this](const protocol::ReadJobConfig::Answer& answer) {
    m_answers->setVisible(asksQuestions(answer.config));
    protocol::EstimateTraining::Params params;
    params.config = answer.config;
    m_session.engine().call<protocol::EstimateTraining>(
        params, this, [this, run = m_run](const Result<protocol::EstimateTraining::Answer>& estimate) {
          // Without its model the run has no prediction any more; its curves stand.
          if (run == m_run && estimate) {
            m_plots->setPredictedMemory(estimate->memory.total - estimate->memory.process);
          }
        });
  });
}

void RunMonitor::follow() {
  const protocol::JobInfo* job = info();
  if (job == nullptr) return showState();
  if (job->alive != m_alive) {
    m_alive = job->alive;
    m_plots->follow(m_alive);
    m_answers->follow(m_alive);
    readEvents();
  } else if (m_alive && !m_eventsTimer.isActive()) {
    m_eventsTimer.start(kEventsMs);
  }
  showState();
}

void RunMonitor::showState() {
  const protocol::JobInfo* job = info();
  if (job == nullptr) {
    m_title->setText(m_run.empty() ? QString() : fromBytes(m_run));
    m_status->setText({});
    m_detail->setText({});
    m_message->hide();
    for (Button* button : {m_stop, m_resume, m_extend, m_duplicate, m_chat, m_more}) button->hide();
    return;
  }
  m_plots->setStep(job->step, job->alive);
  m_title->setText(RunTable::title(*job));
  const bool stopping = m_session.runs().stopping(job->id);
  m_status->setText(stopping ? tr("stopping") : RunTable::stateText(*job));
  m_status->setTone(toneOf(*job));
  QStringList parts;
  if (job->steps > 0) parts << tr("step %1 of %2").arg(formatCount(job->step), formatCount(job->steps));
  if (job->alive && job->secondsLeft >= 0) parts << tr("%1 left").arg(formatTimeLeft(job->secondsLeft));
  if (!job->alive && job->seconds >= 0) parts << tr("took %1").arg(formatSeconds(job->seconds));
  if (job->loss) parts << tr("loss %1").arg(formatNats(*job->loss));
  m_detail->setText(parts.join(QStringLiteral(" · ")));
  QString message = fromBytes(job->message);
  for (const protocol::RunEvent& event : m_events) {
    if (!message.isEmpty() || job->state == "done") break;
    if (event.kind == "alert" || event.kind == "skipped") message = fromBytes(event.text);
  }
  m_message->setText(message);
  m_message->setTone(toneOf(*job) == Tone::normal ? Tone::warn : toneOf(*job));
  m_message->setVisible(!message.isEmpty());
  showButtons(*job);
}

/// Its step; 0: there is none.
std::int64_t RunMonitor::newestCheckpoint() const {
  std::int64_t newest = 0;
  for (const protocol::RunEvent& event : m_events) {
    if (event.kind == "checkpoint") newest = std::max(newest, event.step);
  }
  return newest;
}

void RunMonitor::showButtons(const protocol::JobInfo& job) {
  const bool ready = m_session.engine().ready();
  const bool ended = !job.alive && job.state != "queued";
  m_stop->setVisible(!ended);
  m_stop->setEnabled(ready && !m_session.runs().stopping(job.id));
  m_resume->setVisible(ended && job.state != "done");
  m_extend->setVisible(ended && hasBegun(job));
  m_duplicate->setVisible(true);
  const std::int64_t newest = newestCheckpoint();
  m_chat->setVisible(hasBegun(job));
  m_chat->setToolTip(newest > 0 && job.alive
                         ? tr("Side B answers with the newest checkpoint from now on, at first that of step %1.")
                               .arg(formatCount(newest))
                     : newest > 0 ? tr("Puts the run on side B, to chat with.")
                                  : tr("There is no checkpoint yet: one is written every few minutes and at the end."));
  m_more->show();
  for (Button* button : {m_resume, m_extend, m_duplicate}) button->setEnabled(ready);
  m_chat->setEnabled(ready && newest > 0);
}

void RunMonitor::readEvents() {
  if (m_run.empty()) return;
  protocol::ReadEvents::Params params;
  params.id = m_run;
  m_session.engine().call<protocol::ReadEvents>(
      params, this, [this, run = m_run](const Result<protocol::ReadEvents::Answer>& answer) {
        if (run != m_run) return;
        if (!answer) return say(fromBytes(answer.error().message));
        if (answer->events == m_events) return;
        m_events = answer->events;
        m_plots->setEvents(m_events);
        showState();
      });
}

void RunMonitor::readConfig(std::function<void(const protocol::ReadJobConfig::Answer&)> done) {
  protocol::ReadJobConfig::Params params;
  params.id = m_run;
  m_session.engine().call<protocol::ReadJobConfig>(
      params, this, [this, run = m_run, done = std::move(done)](const Result<protocol::ReadJobConfig::Answer>& answer) {
        if (run != m_run) return;
        answer ? done(*answer) : say(fromBytes(answer.error().message));
      });
}

void RunMonitor::stop() {
  if (!m_run.empty()) m_session.runs().stop(m_run);
}

void RunMonitor::resume() {
  protocol::StartJob::Params params;
  params.kind = "train";
  params.config = Json::object();
  params.resume = m_run;
  m_resume->setEnabled(false);
  m_session.engine().call<protocol::StartJob>(params, this, [this](const Result<protocol::StartJob::Answer>& answer) {
    m_resume->setEnabled(true);
    answer ? Q_EMIT started(fromBytes(answer->job.id)) : say(fromBytes(answer.error().message));
  });
}

void RunMonitor::duplicate(bool extend) {
  readConfig([this, extend](const protocol::ReadJobConfig::Answer& answer) {
    const protocol::JobInfo* job = info();
    Q_EMIT duplicateWanted(answer.config, job == nullptr ? fromBytes(m_run) : RunTable::title(*job), extend);
  });
}

void RunMonitor::say(const QString& problem) {
  m_problem->setText(problem);
  m_problem->setVisible(!problem.isEmpty());
}

}  // namespace strata
