#include "widgets/session/run_table.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QPointer>
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

QString createdText(const protocol::JobInfo& job) {
  const QDateTime time = QDateTime::fromString(QString::fromStdString(job.created), Qt::ISODate).toLocalTime();
  return time.isValid() ? time.toString("yyyy-MM-dd HH:mm") : QString::fromStdString(job.created);
}

bool isNewer(const protocol::JobInfo& a, const protocol::JobInfo& b) {
  return a.created > b.created;
}

std::map<std::string, std::string> statesOf(const std::vector<protocol::JobInfo>& jobs) {
  std::map<std::string, std::string> states;
  for (const protocol::JobInfo& job : jobs) states[job.id] = job.state;
  return states;
}

QStringList tagsOf(const protocol::JobInfo& job) {
  QStringList tags;
  for (const std::string& tag : job.tags) tags << QString::fromStdString(tag);
  return tags;
}

/// What it was told to do, what people wrote of it, and its id.
QString runTip(const protocol::JobInfo& job) {
  QStringList lines;
  for (const QString& line : {QString::fromStdString(job.title), tagsOf(job).join(", "),
                              QString::fromStdString(job.note), QString::fromStdString(job.id)}) {
    if (!line.isEmpty()) lines << line.toHtmlEscaped().replace('\n', "<br>");
  }
  return lines.join("<br>");
}

}  // namespace

RunTable::RunTable(EngineClient& engine, QObject* parent) : Rows(parent), m_engine(engine) {
  engine.on<protocol::JobsChanged>(this, [this](const protocol::JobsChanged& news) {
    m_queuePaused = news.queuePaused;
    merge(news.jobs);
  });
}

QVariant RunTable::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  const bool isFigure = section == kDone;
  if (role == Qt::TextAlignmentRole) return int((isFigure ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
  if (role != Qt::DisplayRole) return {};
  const QString titles[] = {tr("Run"), tr("State"), tr("Done"), tr("Left"), tr("Started")};
  return titles[section];
}

QVariant RunTable::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const protocol::JobInfo& job = at(index.row());
  switch (role) {
    case Qt::DisplayRole:
      return text(job, index.column());
    case kIdRole:
      return QString::fromStdString(job.id);
    case kTagsRole:
      return tagsOf(job);
    case kNoteRole:
      return QString::fromStdString(job.note);
    case Qt::ToolTipRole:
      return index.column() == kName ? runTip(job) : QVariant();
    case Qt::TextAlignmentRole:
      return int((index.column() == kDone ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    default:
      return {};
  }
}

QString RunTable::text(const protocol::JobInfo& job, int column) const {
  switch (column) {
    case kName:
      return title(job);
    case kState:
      return stopping(job.id) ? tr("stopping") : stateText(job);
    case kDone:
      return percentText(job);
    case kLeft:
      return job.alive ? timeLeftText(job.secondsLeft) : QString();
    default:
      return createdText(job);
  }
}

void RunTable::forget() {
  m_known = false;
  m_queuePaused = false;
  setRows({});
  m_trash.clear();
  m_trashedHere.clear();
  Q_EMIT changed();
}

void RunTable::refresh() {
  list(false, [this](std::vector<protocol::JobInfo> jobs) {
    std::stable_sort(jobs.begin(), jobs.end(), isNewer);
    for (const protocol::JobInfo& job : jobs) {
      if (!job.alive) std::erase(m_stopping, job.id);
      forgetTrashed(job.id);  // another process may have brought it back
    }
    const bool different = std::exchange(m_known, true) && statesOf(jobs) != statesOf(rows());
    setRows(std::move(jobs));
    Q_EMIT changed();
    if (different) Q_EMIT statesChanged();
  });
  refreshTrash();
}

void RunTable::merge(const std::vector<protocol::JobInfo>& jobs) {
  bool different = false;
  for (const protocol::JobInfo& job : jobs) {
    const protocol::JobInfo* before = find(job.id);
    different = different || before == nullptr || before->state != job.state;
    take(job);
  }
  Q_EMIT changed();
  if (different) Q_EMIT statesChanged();
}

void RunTable::take(const protocol::JobInfo& job) {
  if (!job.alive) std::erase(m_stopping, job.id);
  forgetTrashed(job.id);
  if (const int row = rowOf(job.id); row >= 0) return changeRow(row, job);
  const auto place = std::upper_bound(rows().begin(), rows().end(), job, isNewer);
  insertRow(static_cast<int>(place - rows().begin()), job);
}

const protocol::JobInfo* RunTable::running() const {
  const auto found = std::find_if(rows().begin(), rows().end(), [](const auto& job) { return job.alive; });
  return found == rows().end() ? nullptr : &*found;
}

int RunTable::runningCount() const {
  return static_cast<int>(std::count_if(rows().begin(), rows().end(), [](const auto& job) { return job.alive; }));
}

void RunTable::stop(const std::string& id) {
  if (stopping(id)) return;
  const auto show = [this, id] {
    if (const int row = rowOf(id); row >= 0) Q_EMIT dataChanged(index(row, 0), index(row, kColumns - 1));
    Q_EMIT changed();
  };
  m_stopping.push_back(id);
  m_engine.call<protocol::StopJob>({id}, this, [this, id, show](const Result<protocol::Nothing>& answer) {
    if (answer) return;
    std::erase(m_stopping, id);
    Q_EMIT failed(QString::fromStdString(answer.error().message));
    show();
  });
  show();
}

bool RunTable::stopping(const std::string& id) const {
  return std::find(m_stopping.begin(), m_stopping.end(), id) != m_stopping.end();
}

void RunTable::moveInQueue(const std::string& id, const std::string& before) {
  m_engine.call<protocol::MoveJob>({id, before}, this, [this](const Result<protocol::Nothing>& answer) {
    answer ? refresh() : Q_EMIT failed(QString::fromStdString(answer.error().message));
  });
}

void RunTable::pauseQueue(bool paused) {
  m_engine.call<protocol::PauseQueue>({paused}, this, [this, paused](const Result<protocol::Nothing>& answer) {
    if (answer) {
      m_queuePaused = paused;
    } else {
      Q_EMIT failed(QString::fromStdString(answer.error().message));
    }
    Q_EMIT changed();
  });
}

std::vector<const protocol::JobInfo*> RunTable::waiting() const {
  std::vector<const protocol::JobInfo*> runs;
  for (const protocol::JobInfo& job : rows()) {
    if (job.place > 0) runs.push_back(&job);
  }
  std::sort(runs.begin(), runs.end(), [](const auto* a, const auto* b) { return a->place < b->place; });
  return runs;
}

void RunTable::refreshTrash() {
  list(true, [this](std::vector<protocol::JobInfo> jobs) {
    m_trash = std::move(jobs);
    Q_EMIT changed();
  });
}

void RunTable::list(bool trash, std::function<void(std::vector<protocol::JobInfo>)> done,
                    std::vector<protocol::JobInfo> before) {
  protocol::ListJobs::Params page;
  page.trash = trash;
  page.from = static_cast<std::int64_t>(before.size());
  m_engine.call<protocol::ListJobs>(
      page, this,
      [this, trash, done = std::move(done),
       before = std::move(before)](const Result<protocol::ListJobs::Answer>& answer) mutable {
        if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
        if (!trash) m_queuePaused = answer->queuePaused;
        const std::size_t known = before.size();
        for (const protocol::JobInfo& job : answer->jobs) {
          // A run that began meanwhile moves the others to the next page.
          const auto end = before.begin() + static_cast<std::ptrdiff_t>(known);
          if (std::none_of(before.begin(), end, [&](const auto& other) { return other.id == job.id; }))
            before.push_back(job);
        }
        const bool more = before.size() > known && static_cast<std::int64_t>(before.size()) < answer->total;
        more ? list(trash, std::move(done), std::move(before)) : done(std::move(before));
      });
}

const protocol::JobInfo* RunTable::lastTrashed() const {
  for (const std::string& id : m_trashedHere) {
    const auto found = std::find_if(m_trash.begin(), m_trash.end(), [&](const auto& job) { return job.id == id; });
    if (found != m_trash.end()) return &*found;
  }
  return nullptr;
}

void RunTable::forgetTrashed(const std::string& id) {
  std::erase_if(m_trash, [&](const auto& job) { return job.id == id; });
  std::erase(m_trashedHere, id);
}

void RunTable::remove(const std::string& id, const char* how, std::function<void()> done) {
  m_engine.call<protocol::RemoveJob>({id, how}, this,
                                     [this, done = std::move(done)](const Result<protocol::Nothing>& answer) {
                                       if (!answer)
                                         return Q_EMIT failed(QString::fromStdString(answer.error().message));
                                       done();
                                       Q_EMIT changed();
                                       Q_EMIT statesChanged();
                                     });
}

void RunTable::moveToTrash(const std::string& id) {
  remove(id, "trash", [this, id] {
    if (const protocol::JobInfo* job = find(id)) m_trash.insert(m_trash.begin(), *job);
    m_trashedHere.insert(m_trashedHere.begin(), id);
    if (const int row = rowOf(id); row >= 0) removeRow(row);
  });
}

void RunTable::restore(const std::string& id) {
  remove(id, "restore", [this, id] {
    forgetTrashed(id);
    refresh();
  });
}

void RunTable::deleteTrashed(const std::string& id) {
  remove(id, "delete", [this, id] { forgetTrashed(id); });
}

void RunTable::annotate(const protocol::AnnotateJob::Params& note, QObject* context,
                        std::function<void(const QString& problem)> done) {
  const QPointer<QObject> asker(context);
  m_engine.call<protocol::AnnotateJob>(note, this,
                                       [this, asker, done = std::move(done)](const Result<protocol::JobInfo>& answer) {
                                         if (answer) {
                                           if (rowOf(answer->id) >= 0) take(*answer);
                                           for (protocol::JobInfo& job : m_trash) {
                                             if (job.id == answer->id) job = *answer;
                                           }
                                           Q_EMIT changed();
                                           Q_EMIT statesChanged();  // lists of models name it
                                         }
                                         if (asker)
                                           done(answer ? QString() : QString::fromStdString(answer.error().message));
                                       });
}

QString RunTable::title(const protocol::JobInfo& job) {
  if (!job.name.empty()) return QString::fromStdString(job.name);
  const JobKind* kind = findJobKind(job.kind);
  const QString what =
      kind != nullptr ? QCoreApplication::translate("strata::JobKind", kind->label) : QString::fromStdString(job.kind);
  return tr("%1: %2").arg(what, QString::fromStdString(job.title.empty() ? job.id : job.title));
}

QString RunTable::stateText(const protocol::JobInfo& job) {
  if (job.state == "queued") return tr("queued");
  if (job.state == "running") return tr("running");
  if (job.state == "paused") return tr("paused");
  if (job.state == "stopped") return tr("stopped");
  if (job.state == "failed") return tr("failed");
  if (job.state == "done") return tr("done");
  return QString::fromStdString(job.state);
}

QString RunTable::percentText(const protocol::JobInfo& job) {
  if (job.steps <= 0) return {};
  return tr("%1 %").arg(std::clamp<std::int64_t>(100 * job.step / job.steps, 0, 100));
}

QString RunTable::timeLeftText(double seconds) {
  if (seconds < 0) return {};
  if (seconds < 90) return tr("%1 s left").arg(static_cast<int>(std::ceil(seconds)));
  if (seconds < 90 * 60) return tr("%1 min left").arg(static_cast<int>(std::round(seconds / 60)));
  return tr("%1 h left").arg(seconds / 3600, 0, 'f', 1);
}

}  // namespace strata
