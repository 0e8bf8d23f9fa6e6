#include "widgets/shell/job_book.h"

#include <algorithm>
#include <cmath>

namespace strata {

JobBook::JobBook(Workspace& workspace, QObject* parent) : QObject(parent), m_workspace(workspace) {
  EngineClient& engine = workspace.engine();
  engine.on<protocol::JobsChanged>(this, [this](const protocol::JobsChanged& news) { merge(news.jobs); });
  connect(&workspace, &Workspace::projectChanged, this, [this] {
    m_jobs.clear();
    m_trash.clear();
    m_trashedHere.clear();
    refresh();
    refreshTrash();
  });
  connect(&engine, &EngineClient::stateChanged, this, [this] {
    if (!m_workspace.engine().ready() || !m_workspace.project()) return;
    refresh();
    refreshTrash();
  });
}

void JobBook::refresh() {
  if (!m_workspace.project()) return Q_EMIT changed();
  m_workspace.engine().call<protocol::ListJobs>({}, this, [this](const Result<protocol::ListJobs::Answer>& answer) {
    if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
    m_jobs.clear();
    merge(answer->jobs);
  });
}

void JobBook::merge(const std::vector<protocol::JobInfo>& jobs) {
  for (const protocol::JobInfo& job : jobs) {
    const auto same = [&](const protocol::JobInfo& other) { return other.id == job.id; };
    if (!job.alive) std::erase(m_stopping, job.id);
    forgetTrashed(job.id);  // another process may have brought it back
    const auto known = std::find_if(m_jobs.begin(), m_jobs.end(), same);
    if (known == m_jobs.end()) {
      m_jobs.push_back(job);
    } else {
      *known = job;
    }
  }
  std::stable_sort(m_jobs.begin(), m_jobs.end(), [](const auto& a, const auto& b) { return a.created > b.created; });
  Q_EMIT changed();
}

const protocol::JobInfo* JobBook::find(const std::string& id) const {
  const auto found = std::find_if(m_jobs.begin(), m_jobs.end(), [&](const auto& job) { return job.id == id; });
  return found == m_jobs.end() ? nullptr : &*found;
}

const protocol::JobInfo* JobBook::running() const {
  const auto found = std::find_if(m_jobs.begin(), m_jobs.end(), [](const auto& job) { return job.alive; });
  return found == m_jobs.end() ? nullptr : &*found;
}

int JobBook::runningCount() const {
  return static_cast<int>(std::count_if(m_jobs.begin(), m_jobs.end(), [](const auto& job) { return job.alive; }));
}

void JobBook::stop(const std::string& id) {
  if (stopping(id)) return;
  m_stopping.push_back(id);
  m_workspace.engine().call<protocol::StopJob>({id}, this, [this, id](const Result<protocol::Nothing>& answer) {
    if (answer) return;
    std::erase(m_stopping, id);
    Q_EMIT failed(QString::fromStdString(answer.error().message));
    Q_EMIT changed();
  });
  Q_EMIT changed();
}

bool JobBook::stopping(const std::string& id) const {
  return std::find(m_stopping.begin(), m_stopping.end(), id) != m_stopping.end();
}

void JobBook::refreshTrash() {
  if (!m_workspace.project()) return;
  m_workspace.engine().call<protocol::ListJobs>({true}, this, [this](const Result<protocol::ListJobs::Answer>& answer) {
    if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
    m_trash = answer->jobs;
    Q_EMIT changed();
  });
}

const protocol::JobInfo* JobBook::lastTrashed() const {
  for (const std::string& id : m_trashedHere) {
    const auto found = std::find_if(m_trash.begin(), m_trash.end(), [&](const auto& job) { return job.id == id; });
    if (found != m_trash.end()) return &*found;
  }
  return nullptr;
}

void JobBook::forgetTrashed(const std::string& id) {
  std::erase_if(m_trash, [&](const auto& job) { return job.id == id; });
  std::erase(m_trashedHere, id);
}

void JobBook::remove(const std::string& id, const char* how, std::function<void()> done) {
  m_workspace.engine().call<protocol::RemoveJob>(
      {id, how}, this, [this, done = std::move(done)](const Result<protocol::Nothing>& answer) {
        if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
        done();
        Q_EMIT changed();
        m_workspace.noteModels();
      });
}

void JobBook::moveToTrash(const std::string& id) {
  remove(id, "trash", [this, id] {
    if (const protocol::JobInfo* job = find(id)) m_trash.insert(m_trash.begin(), *job);
    m_trashedHere.insert(m_trashedHere.begin(), id);
    std::erase_if(m_jobs, [&](const auto& job) { return job.id == id; });
  });
}

void JobBook::restore(const std::string& id) {
  remove(id, "restore", [this, id] {
    forgetTrashed(id);
    refresh();
  });
}

void JobBook::deleteTrashed(const std::string& id) {
  remove(id, "delete", [this, id] { forgetTrashed(id); });
}

QString JobBook::title(const protocol::JobInfo& job) {
  const QString what = job.kind == "eval"    ? tr("Evaluate")
                       : job.kind == "train" ? tr("Train")
                                             : QString::fromStdString(job.kind);
  return tr("%1: %2").arg(what, QString::fromStdString(job.title.empty() ? job.id : job.title));
}

QString JobBook::stateText(const protocol::JobInfo& job) {
  if (job.state == "queued") return tr("queued");
  if (job.state == "running") return tr("running");
  if (job.state == "paused") return tr("paused");
  if (job.state == "stopped") return tr("stopped");
  if (job.state == "failed") return tr("failed");
  if (job.state == "done") return tr("done");
  return QString::fromStdString(job.state);
}

QString JobBook::percentText(const protocol::JobInfo& job) {
  if (job.steps <= 0) return {};
  return tr("%1 %").arg(std::clamp<std::int64_t>(100 * job.step / job.steps, 0, 100));
}

QString JobBook::timeLeftText(double seconds) {
  if (seconds < 0) return {};
  if (seconds < 90) return tr("%1 s left").arg(static_cast<int>(std::ceil(seconds)));
  if (seconds < 90 * 60) return tr("%1 min left").arg(static_cast<int>(std::round(seconds / 60)));
  return tr("%1 h left").arg(seconds / 3600, 0, 'f', 1);
}

}  // namespace strata
