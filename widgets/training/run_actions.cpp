#include "widgets/training/run_actions.h"

#include <QWidget>
#include <algorithm>

#include "widgets/shell/run_popup.h"
#include "widgets/style/icons.h"

namespace strata {

RunActions::RunActions(Session& session, QWidget* view, QObject* parent)
    : QObject(parent), m_session(session), m_view(view) {
  m_rename = add("run-rename", tr("Name, tags and note…"), QKeySequence("F2"), &RunActions::rename);
  m_csv = add("run-export-csv", tr("Export curves as CSV"), {}, &RunActions::exportCsv);
  m_tensorboard = add("run-export-tensorboard", tr("Export for TensorBoard"), {}, &RunActions::exportTensorboard);
  m_sweep = add("run-sweep", tr("Show the sweep's runs"), {}, &RunActions::showSweep);
  m_drawSweep = add("run-draw-sweep", tr("Draw the sweep's runs"), {}, &RunActions::drawSweep);
  m_earlier = add("run-earlier", tr("Start earlier"), QKeySequence("Alt+Up"), &RunActions::startEarlier);
  m_later = add("run-later", tr("Start later"), QKeySequence("Alt+Down"), &RunActions::startLater);
  m_trash = add("run-trash", tr("Move run to trash"), QKeySequence(Qt::Key_Delete), &RunActions::trash);
  m_rename->setIcon(icon("pencil"));
  m_csv->setIcon(icon("download"));
  m_trash->setIcon(icon("trash"));
  connect(&session.runs(), &RunTable::changed, this, &RunActions::update);
  connect(&session.engine(), &EngineClient::stateChanged, this, &RunActions::update);
  update();
}

QAction* RunActions::add(const char* objectName, const QString& text, const QKeySequence& keys,
                         void (RunActions::*act)(const protocol::JobInfo& run)) {
  auto* action = new QAction(text, this);
  action->setObjectName(QLatin1String(objectName));
  action->setShortcut(keys);
  action->setShortcutContext(Qt::WidgetShortcut);
  m_view->addAction(action);
  connect(action, &QAction::triggered, this, [this, act] {
    const protocol::JobInfo* job = m_session.runs().find(m_run);
    if (job != nullptr) (this->*act)(protocol::JobInfo(*job));
  });
  m_actions << action;
  return action;
}

void RunActions::setRun(const std::string& run) {
  m_run = run;
  update();
}

void RunActions::update() {
  const protocol::JobInfo* job = m_session.runs().find(m_run);
  const bool ready = job != nullptr && m_session.engine().ready();
  for (QAction* action : {m_rename, m_csv, m_tensorboard}) action->setEnabled(ready);
  for (QAction* action : {m_sweep, m_drawSweep}) {
    const bool isOfSweep = job != nullptr && !job->sweep.empty();
    action->setVisible(isOfSweep);  // first: what is hidden cannot be enabled
    action->setEnabled(isOfSweep);
  }
  m_trash->setEnabled(ready && !job->alive);
  const std::vector<const protocol::JobInfo*> waiting = m_session.runs().waiting();
  const bool waits = ready && job->place > 0;
  m_earlier->setEnabled(waits && waiting.front()->id != m_run);
  m_later->setEnabled(waits && waiting.back()->id != m_run);
  for (QAction* action : {m_earlier, m_later}) action->setVisible(waits);
}

void RunActions::rename(const protocol::JobInfo& run) {
  (new RunPopup(m_session, run, m_view))->openOver(m_view);
}

void RunActions::trash(const protocol::JobInfo& run) {
  Q_EMIT trashed(QString::fromStdString(run.id));
  m_session.runs().moveToTrash(run.id);
}

void RunActions::exportAs(const protocol::JobInfo& run, const char* format) {
  protocol::ExportJob::Params params;
  params.id = run.id;
  params.format = format;
  m_session.engine().call<protocol::ExportJob>(params, this, [this](const Result<protocol::ExportJob::Answer>& answer) {
    if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
    m_session.announce(tr("Exported to %1.").arg(QString::fromStdString(answer->path)));
  });
}

void RunActions::moveInQueue(const protocol::JobInfo& run, int by) {
  const std::vector<const protocol::JobInfo*> waiting = m_session.runs().waiting();
  const auto at = std::find_if(waiting.begin(), waiting.end(), [&](const auto* job) { return job->id == run.id; });
  const auto place = (at - waiting.begin()) + (by < 0 ? -1 : 2);  // of the run that it goes before
  const auto count = static_cast<std::ptrdiff_t>(waiting.size());
  if (at == waiting.end() || place < 0) return;
  m_session.runs().moveInQueue(run.id, place < count ? waiting[static_cast<std::size_t>(place)]->id : std::string());
}

}  // namespace strata
