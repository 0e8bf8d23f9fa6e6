#include "core/service/job_board.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "core/base/file_errors.h"
#include "core/base/log.h"
#include "core/project/job.h"
#include "core/project/job_phase.h"
#include "core/project/project_files.h"
#include "core/protocol/columns.h"
#include "core/protocol/job_kinds.h"
#include "core/service/job_info.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using protocol::JobInfo;

constexpr auto kAliveInterval = std::chrono::milliseconds(500);   // jobs/changed: at most twice a second
constexpr auto kIdleInterval = std::chrono::milliseconds(2000);   // where nothing lives
constexpr auto kPointsInterval = std::chrono::milliseconds(250);  // runs write once a second
constexpr auto kBacklogInterval = std::chrono::milliseconds(35);  // jobs/points: at most 30 a second
constexpr std::size_t kMostPoints = 5000;                         // under 256 KiB of JSON
constexpr std::size_t kMostRunName = 100, kMostTagLength = 40, kMostTags = 20, kMostNoteLength = 10'000;  // characters

std::size_t charactersIn(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char each) {
    return (static_cast<unsigned char>(each) & 0xc0) != 0x80;  // UTF-8
  }));
}

}  // namespace

JobBoard::JobBoard(Options options, Notifier notify) : m_options(std::move(options)), m_notify(std::move(notify)) {
  {
    const std::lock_guard guard(m_mutex);
    if (Result<RunIndex> index = RunIndex::open(m_options.project)) {
      m_index.emplace(std::move(*index));
      for (RunIndex::Row& row : m_index->rows()) {
        const auto stored = fs::file_time_type(fs::file_time_type::duration(row.stored));
        Entry& entry = m_entries[row.info.id];
        entry.stored = stored;
        entry.indexed = true;
        entry.info = std::move(row.info);
      }
    } else {
      logWarning(index.error().message);
    }
    Result<RunNotes> notebook = RunNotes::open(m_options.project);
    if (notebook) {
      Result<std::map<std::string, RunNote>> notes = notebook->all();
      if (notes) m_notes = std::move(*notes);
      if (notes) m_notebook.emplace(std::move(*notebook));
      if (!notes) logWarning(notes.error().message);
    } else {
      logWarning(notebook.error().message);
    }
    refresh(true);
    openQueue();
    m_changed.clear();
  }
  m_thread = std::jthread([this](const std::stop_token& ended) { loop(ended); });
}

JobBoard::~JobBoard() {
  m_thread.request_stop();
  m_wake.notify_all();
}

Result<fs::path> JobBoard::runFolder(const std::string& id) const {
  std::error_code ignored;
  if (isPlainId(id) && fs::is_directory(folderOf(id), ignored)) return folderOf(id);
  return namedError(
      "run_not_found", {{"run", id}, {"project", m_options.project.string()}},
      fail(ErrorCode::notFound, "The project " + m_options.project.string() + " has no run " + id + ".", id));
}

void JobBoard::refreshOne(const std::string& id) {
  const fs::path folder = folderOf(id);
  std::error_code error;
  const fs::file_time_type stored = fs::last_write_time(folder / "run.json", error);
  if (error && !fs::is_directory(folder, error)) {
    m_entries.erase(id);
    m_changed.erase(id);
    m_gone.push_back(id);
    return;
  }
  const auto found = m_entries.find(id);
  const Life life = lifeOf(folder);
  const bool asBefore = life == Life::unknown && found != m_entries.end();
  const bool alive = asBefore ? found->second.info.alive : life != Life::dead;
  if (found != m_entries.end() && !alive && !found->second.info.alive && found->second.stored == stored) return;
  Entry& entry = m_entries[id];
  const JobInfo before = entry.info;
  entry.stored = stored;
  entry.indexed = false;
  JobInfo& info = entry.info;
  info = JobInfo();
  info.id = id;
  info.alive = alive;
  const Result<RunInfo> run = readRun(folder);
  if (run) {
    tell(*run, info);
    if (!entry.reader) {
      if (Result<RunReader> reader = RunReader::open(folder)) entry.reader = std::move(*reader);
    }
    const Result<RunProgress> progress =
        entry.reader ? entry.reader->progress(*run) : Result<RunProgress>(RunProgress());
    if (progress) {
      tell(*progress, info);
      entry.stepSeconds = progress->stepSeconds;
    }
  } else {
    info.state = toString(RunState::failed);
    info.message = run.error().message;
  }
  if (!alive) {
    entry.reader.reset();
    entry.terminated.reset();
  }
  if (before != info) m_changed[id] = info;
}

void JobBoard::refresh(bool all) {
  std::error_code error;
  const fs::path runs = m_options.project / "runs";
  const fs::file_time_type changed = fs::last_write_time(runs, error);
  if (!error && changed != m_runsChanged) all = true;
  m_runsChanged = changed;
  std::vector<std::string> ids;
  for (const auto& [id, entry] : m_entries) {
    if (all || entry.info.alive) ids.push_back(id);
  }
  if (all) {
    for (fs::directory_iterator entry(runs, error), end; !error && entry != end; entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (isPlainId(name) && !m_entries.contains(name)) ids.push_back(name);
    }
  }
  for (const std::string& id : ids) refreshOne(id);
  if (all) storeIndex();
}

void JobBoard::storeIndex() {
  if (!m_index) return;
  std::vector<RunIndex::Row> changed;
  for (auto& [id, entry] : m_entries) {
    if (entry.indexed || entry.info.alive) continue;
    changed.push_back({entry.stored.time_since_epoch().count(), entry.info});
    entry.indexed = true;
  }
  if (changed.empty() && m_gone.empty()) return;
  if (const Result<void> stored = m_index->store(changed, m_gone); !stored) {
    logWarning(stored.error().message);
    m_index.reset();
  }
  m_gone.clear();
}

/// A stop file that does not help is followed by TERM and then KILL, each after `patience` and two steps' time without
/// progress in the phase that the job reports. A job that saves gets neither: a large checkpoint on a slow disk takes
/// its time.
void JobBoard::pressStops() {
  const auto now = std::chrono::system_clock::now();
  for (auto& [id, entry] : m_entries) {
    if (!entry.info.alive) continue;
    const auto asked = stopRequestedAt(folderOf(id));
    if (!asked) continue;
    const std::optional<PhaseReport> report = readPhase(folderOf(id));
    if (report && report->phase == JobPhase::saving) continue;
    auto since = entry.terminated ? *entry.terminated : *asked;
    if (report && report->progress <= now) since = std::max(since, report->progress);
    const auto patience = m_options.patience + std::chrono::duration<double>(2 * std::max(0.0, entry.stepSeconds));
    if (now - since < patience) continue;
    if (!entry.terminated) {
      entry.terminated = now;
      logWarning("The job " + id + " does not stop by itself; it is asked by a signal.");
      (void)signalHolder(folderOf(id), SIGTERM);
    } else {
      logWarning("The job " + id + " does not stop when asked; it is ended.");
      (void)signalHolder(folderOf(id), SIGKILL);
    }
  }
}

bool JobBoard::sendPoints() {
  bool more = false;
  for (auto& [id, watch] : m_watches) {
    if (!watch.reader) {
      Result<RunReader> reader = RunReader::open(folderOf(id), watch.fromStep);
      if (!reader) continue;
      watch.reader = std::move(*reader);
    }
    const Result<std::vector<MetricPoints>> found = watch.reader->next(kMostPoints);
    if (!found || found->empty()) continue;
    more = true;
    protocol::JobPoints points;
    points.id = id;
    for (const MetricPoints& each : *found) {
      using protocol::encodeColumn;
      points.series.push_back({each.name, encodeColumn(each.step), encodeColumn(each.tokens),
                               encodeColumn(each.seconds), encodeColumn(each.value)});
    }
    m_notify(points);
  }
  return more;
}

void JobBoard::sendChanged() {
  if (m_changed.empty() && m_queueTold) return;
  protocol::JobsChanged changed;
  changed.queuePaused = m_queue.paused;
  m_queueTold = true;
  for (auto& [id, info] : m_changed) changed.jobs.push_back(annotated(std::move(info)));
  m_changed.clear();
  m_notify(changed);
}

void JobBoard::loop(const std::stop_token& ended) {
  std::unique_lock lock(m_mutex);
  auto lookedAtAll = Clock::now(), changedSent = Clock::time_point(), pointsSent = Clock::time_point();
  bool more = false;
  while (!ended.stop_requested()) {
    const bool alive =
        std::any_of(m_entries.begin(), m_entries.end(), [](const auto& each) { return each.second.info.alive; });
    Clock::duration interval = alive || !m_changed.empty() || !m_queueTold ? kAliveInterval : kIdleInterval;
    if (!m_watches.empty() && alive) interval = kPointsInterval;
    if (more) interval = kBacklogInterval;
    m_wake.wait_for(lock, ended, interval, [this] { return m_woken; });
    if (ended.stop_requested()) break;
    m_woken = false;
    const auto now = Clock::now();
    collectJobs();
    if (now - changedSent >= kAliveInterval) {
      const bool all = now - lookedAtAll >= kIdleInterval;
      if (all) lookedAtAll = now;
      refresh(all);
      pressStops();
      startNext(lock);
      if (!m_changed.empty() || !m_queueTold) changedSent = now;
      // Before its end: a client stops following a run that has ended.
      const bool watchedRunEnded = std::any_of(m_changed.begin(), m_changed.end(), [this](const auto& each) {
        return !each.second.alive && m_watches.contains(each.first);
      });
      while (watchedRunEnded && sendPoints()) {
      }
      sendChanged();
    }
    if (!m_watches.empty() && now - pointsSent >= kBacklogInterval) {
      pointsSent = now;
      more = sendPoints();
    }
  }
}

Result<protocol::ListJobs::Answer> JobBoard::list(const protocol::ListJobs::Params& params) {
  if (!params.kind.empty() && findJobKind(params.kind) == nullptr) {
    return fail(ErrorCode::usage, "There is no kind of job \"" + params.kind + "\"; leave it empty for all.", "kind");
  }
  std::vector<JobInfo> jobs;
  protocol::ListJobs::Answer answer;
  if (params.trash) {
    STRATA_TRY(jobs, listTrash());
  } else {
    const std::lock_guard guard(m_mutex);
    if (params.from == 0) refresh(true);
    for (const auto& [id, entry] : m_entries) jobs.push_back(entry.info);
    std::reverse(jobs.begin(), jobs.end());  // ids begin with the time of creation
  }
  if (!params.kind.empty()) std::erase_if(jobs, [&](const JobInfo& job) { return job.kind != params.kind; });
  {
    const std::lock_guard guard(m_mutex);
    for (JobInfo& job : jobs) job = annotated(std::move(job));
    answer.queuePaused = m_queue.paused;
  }
  answer.total = static_cast<std::int64_t>(jobs.size());
  const std::int64_t begin = std::min(params.from, answer.total);
  const std::int64_t end = std::min(begin + params.count, answer.total);
  answer.jobs.assign(std::make_move_iterator(jobs.begin() + begin), std::make_move_iterator(jobs.begin() + end));
  return answer;
}

Result<std::vector<JobInfo>> JobBoard::listTrash() const {
  std::vector<JobInfo> jobs;
  std::error_code error;
  const fs::path trash = m_options.project / "trash";
  if (const Result<void> there = requireFolder({m_options.project, "trash"}); !there) {
    if (there.error().code == ErrorCode::notFound) return jobs;
    return tl::unexpected(there.error());
  }
  for (fs::directory_iterator entry(trash, error), end; !error && entry != end; entry.increment(error)) {
    const std::string id = entry->path().filename().string();
    if (id.starts_with('.')) continue;
    const Result<RunInfo> run = readRun(entry->path());
    JobInfo info;
    if (run) tell(*run, info);
    info.id = id;
    if (!run) info.message = run.error().message;
    jobs.push_back(std::move(info));
  }
  if (error) return systemFailure(error.value(), "list", trash);
  std::sort(jobs.begin(), jobs.end(), [](const JobInfo& a, const JobInfo& b) { return a.id > b.id; });
  return jobs;
}

JobInfo JobBoard::annotated(JobInfo info) const {
  info.place = placeOf(info.id);
  const auto found = m_notes.find(info.id);
  if (found == m_notes.end()) return info;
  if (!found->second.name.empty()) info.name = found->second.name;
  info.tags = found->second.tags;
  info.note = found->second.note;
  return info;
}

Result<void> JobBoard::checkNote(const std::string& id, const RunNote& note) const {
  const auto tooLong = [](const char* what, std::size_t most) {
    return fail(ErrorCode::usage,
                std::string("The ") + what + " is too long; it has at most " + std::to_string(most) + " characters.",
                what);
  };
  if (charactersIn(note.name) > kMostRunName) return tooLong("name", kMostRunName);
  if (charactersIn(note.note) > kMostNoteLength) return tooLong("note", kMostNoteLength);
  if (note.tags.size() > kMostTags) {
    return fail(ErrorCode::usage, "A run has at most " + std::to_string(kMostTags) + " tags.", "tags");
  }
  for (const std::string& tag : note.tags) {
    if (tag.empty()) return fail(ErrorCode::usage, "A tag is empty; leave it out.", "tags");
    if (charactersIn(tag) > kMostTagLength) return tooLong("tag", kMostTagLength);
  }
  for (const auto& [other, entry] : m_entries) {
    if (other == id || note.name.empty() || annotated(entry.info).name != note.name) continue;
    return namedError(
        "name_taken", {{"name", note.name}},
        fail(ErrorCode::usage, "Another run is called \"" + note.name + "\"; give another name.", "name"));
  }
  return {};
}

Result<JobInfo> JobBoard::annotate(const protocol::AnnotateJob::Params& params) {
  JobInfo info;
  const std::lock_guard guard(m_mutex);
  if (const auto found = m_entries.find(params.id); found != m_entries.end()) {
    info = found->second.info;
  } else {
    STRATA_TRY(const std::vector<JobInfo> trash, listTrash());
    const auto thrown =
        std::find_if(trash.begin(), trash.end(), [&](const JobInfo& each) { return each.id == params.id; });
    if (thrown == trash.end()) STRATA_CHECK(runFolder(params.id));
    if (thrown != trash.end()) info = *thrown;
  }
  RunNote note;
  if (const auto found = m_notes.find(params.id); found != m_notes.end()) note = found->second;
  if (params.name) note.name = *params.name;
  if (params.tags) note.tags = *params.tags;
  if (params.note) note.note = *params.note;
  STRATA_CHECK(checkNote(params.id, note));
  if (!m_notebook) {
    return fail(ErrorCode::io, "The project's database cannot be used; open the project again.", "project.sqlite");
  }
  STRATA_CHECK(m_notebook->store(params.id, note));
  note == RunNote() ? (void)m_notes.erase(params.id) : (void)(m_notes[params.id] = note);
  if (m_entries.contains(params.id)) m_changed[params.id] = info;
  return annotated(std::move(info));
}

std::vector<std::string> JobBoard::runsThatMeasured() {
  const std::lock_guard guard(m_mutex);
  refresh(true);
  std::vector<std::string> ids;
  for (const auto& [id, entry] : m_entries) {
    const bool begun = entry.info.state != toString(RunState::queued);
    if (entry.info.kind == kEvalKind ? entry.info.state == toString(RunState::done)
                                     : entry.info.kind == kSearchKind && begun) {
      ids.push_back(id);
    }
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

std::map<std::string, std::string> JobBoard::names() {
  const std::lock_guard guard(m_mutex);
  std::map<std::string, std::string> names;
  for (const auto& [id, entry] : m_entries) names[id] = annotated(entry.info).name;
  return names;
}

Result<void> JobBoard::remove(const protocol::RemoveJob::Params& params) {
  STRATA_TRY(const Project project, Project::open(m_options.project));
  const std::lock_guard guard(m_mutex);
  m_watches.erase(params.id);
  if (auto found = m_entries.find(params.id); found != m_entries.end()) found->second.reader.reset();
  if (params.how == "trash") {
    STRATA_CHECK(trashRun(project, params.id));
    if (isWaiting(params.id)) STRATA_CHECK(changeQueue([&](auto& queue) { std::erase(queue.ids, params.id); }));
  } else if (params.how == "restore") {
    STRATA_CHECK(restoreRun(project, params.id));
  } else if (params.how == "delete") {
    STRATA_CHECK(deleteTrashedRun(project, params.id));
    if (m_notebook) STRATA_CHECK(m_notebook->store(params.id, {}));
    m_notes.erase(params.id);
  } else {
    return fail(ErrorCode::usage, "how is \"" + params.how + "\"; give trash, restore or delete.", "how");
  }
  refresh(true);
  return {};
}

Result<void> JobBoard::watch(const protocol::WatchJob::Params& params) {
  STRATA_CHECK(runFolder(params.id));
  const std::lock_guard guard(m_mutex);
  m_watches.erase(params.id);
  if (!params.on) return {};
  m_watches[params.id].fromStep = params.fromStep;
  m_woken = true;
  m_wake.notify_all();
  return {};
}

}  // namespace strata
