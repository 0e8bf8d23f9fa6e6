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

namespace strata {
namespace {

namespace fs = std::filesystem;
using protocol::JobInfo;

constexpr auto kAliveInterval = std::chrono::milliseconds(500);   // jobs/changed: at most twice a second
constexpr auto kIdleInterval = std::chrono::milliseconds(2000);   // where nothing lives
constexpr auto kPointsInterval = std::chrono::milliseconds(250);  // runs write once a second
constexpr auto kBacklogInterval = std::chrono::milliseconds(35);  // jobs/points: at most 30 a second
constexpr auto kBegun = std::chrono::milliseconds(2000);
constexpr std::size_t kPointsOfAName = 500, kMostPoints = 3000;  // under 256 KiB of JSON
constexpr std::size_t kLogBytes = 64 << 10;

std::string lastPart(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path;
  const std::size_t slash = path.find_last_of('/', end);
  return path.substr(slash == std::string::npos ? 0 : slash + 1,
                     end + 1 - (slash == std::string::npos ? 0 : slash + 1));
}

std::string textIn(const Json& config, const char* name) {
  const auto found = config.find(name);
  return found != config.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// "sample-base on train.txt"
std::string titleOf(const RunInfo& run) {
  if (!run.config.is_object()) return {};
  std::string model = textIn(run.config, "model");
  if (model.empty()) model = textIn(run.config, "init");
  std::string title = lastPart(model);
  if (run.kind == "eval") title += ", " + textIn(run.config, "task");
  const std::string data = lastPart(textIn(run.config, "data"));
  return data.empty() ? title : title + " on " + data;
}

/// What run.json says.
void tell(const RunInfo& run, JobInfo& info) {
  info.kind = run.kind;
  info.state = toString(run.state);
  info.created = run.created;
  info.message = run.message;
  info.parent = run.parent;
  info.title = titleOf(run);
}

bool same(const JobInfo& a, const JobInfo& b) {
  return configToJson(a) == configToJson(b);
}

/// Cut so that no character is broken at its end, nor, where `midway`, at its begin.
std::string wholeCharacters(std::string bytes, bool midway) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  if (midway) bytes.erase(bytes.begin(), std::find_if_not(bytes.begin(), bytes.end(), continues));
  std::size_t last = bytes.size();
  while (last > 0 && continues(bytes[last - 1])) --last;
  if (last == 0) return bytes;
  const auto lead = static_cast<unsigned char>(bytes[last - 1]);
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (bytes.size() - (last - 1) < length) bytes.resize(last - 1);
  return bytes;
}

}  // namespace

JobBoard::JobBoard(Options options, Notifier notify) : m_options(std::move(options)), m_notify(std::move(notify)) {
  {
    const std::lock_guard guard(m_mutex);
    refresh(true);
    m_changed.clear();
  }
  m_thread = std::jthread([this](const std::stop_token& ended) { loop(ended); });
}

JobBoard::~JobBoard() {
  m_thread.request_stop();
  m_wake.notify_all();
}

Result<void> JobBoard::checkId(const std::string& id) const {
  std::error_code ignored;
  if (isPlainId(id) && fs::is_directory(folderOf(id), ignored)) return {};
  return fail(ErrorCode::notFound, "The project " + m_options.project.string() + " has no run " + id + ".", id);
}

void JobBoard::refreshOne(const std::string& id) {
  const fs::path folder = folderOf(id);
  std::error_code error;
  const fs::file_time_type stored = fs::last_write_time(folder / "run.json", error);
  if (error && !fs::is_directory(folder, error)) {
    m_entries.erase(id);
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
      info.step = progress->step;
      info.steps = progress->steps;
      info.loss = progress->loss;
      info.secondsLeft = alive ? progress->secondsLeft() : -1;
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
  if (!same(before, info)) m_changed[id] = info;
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
    const Result<std::vector<Metric>> metrics = watch.reader->next(kPointsOfAName);
    if (!metrics || metrics->empty()) continue;
    more = true;
    for (std::size_t begin = 0; begin < metrics->size(); begin += kMostPoints) {
      protocol::JobPoints points;
      points.id = id;
      for (std::size_t i = begin; i < std::min(metrics->size(), begin + kMostPoints); ++i) {
        const Metric& metric = (*metrics)[i];
        if (std::isfinite(metric.value)) points.points.push_back({metric.step, metric.name, metric.value});
      }
      if (!points.points.empty()) m_notify(points);
    }
  }
  return more;
}

void JobBoard::sendChanged() {
  if (m_changed.empty()) return;
  protocol::JobsChanged changed;
  for (auto& [id, info] : m_changed) changed.jobs.push_back(std::move(info));
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
    Clock::duration interval = alive || !m_changed.empty() ? kAliveInterval : kIdleInterval;
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
      if (!m_changed.empty()) changedSent = now;
      sendChanged();
    }
    if (!m_watches.empty() && now - pointsSent >= kBacklogInterval) {
      pointsSent = now;
      more = sendPoints();
    }
  }
}

Result<std::vector<JobInfo>> JobBoard::list() {
  const std::lock_guard guard(m_mutex);
  refresh(true);
  std::vector<JobInfo> jobs;
  for (const auto& [id, entry] : m_entries) jobs.push_back(entry.info);
  std::reverse(jobs.begin(), jobs.end());  // ids begin with the time of creation
  return jobs;
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

Result<JobInfo> JobBoard::start(const protocol::StartJob::Params& params) {
  STRATA_TRY(const std::string id, queueJob(m_options.project, params));
  STRATA_CHECK(startJob(m_options.program, m_options.project, id, kBegun));
  const std::lock_guard guard(m_mutex);
  refreshOne(id);
  m_woken = true;
  m_wake.notify_all();
  return m_entries[id].info;
}

Result<void> JobBoard::stop(const std::string& id) {
  STRATA_CHECK(checkId(id));
  if (!isAlive(folderOf(id))) {
    return fail(ErrorCode::usage, "The run " + id + " is not running, so there is nothing to stop.", id);
  }
  return requestStop(folderOf(id));
}

Result<void> JobBoard::remove(const protocol::RemoveJob::Params& params) {
  STRATA_TRY(const Project project, Project::open(m_options.project));
  const std::lock_guard guard(m_mutex);
  m_watches.erase(params.id);
  if (auto found = m_entries.find(params.id); found != m_entries.end()) found->second.reader.reset();
  if (params.how == "trash") {
    STRATA_CHECK(trashRun(project, params.id));
  } else if (params.how == "restore") {
    STRATA_CHECK(restoreRun(project, params.id));
  } else if (params.how == "delete") {
    STRATA_CHECK(deleteTrashedRun(project, params.id));
  } else {
    return fail(ErrorCode::usage, "how is \"" + params.how + "\"; give trash, restore or delete.", "how");
  }
  refresh(true);
  return {};
}

Result<protocol::ReadLog::Answer> JobBoard::log(const protocol::ReadLog::Params& params) const {
  STRATA_CHECK(checkId(params.id));
  protocol::ReadLog::Answer answer;
  const ProjectPath path = inRun(folderOf(params.id), "log");
  const Result<Descriptor> file = openInProject(path, O_RDONLY);
  if (!file && file.error().code == ErrorCode::notFound) return answer;  // a run of the command line has none
  if (!file) return tl::unexpected(file.error());
  const off_t end = ::lseek(file->get(), 0, SEEK_END);
  if (end < 0) return systemFailure(errno, "read", path.whole());
  const std::int64_t size = end;
  const auto most = static_cast<std::int64_t>(kLogBytes);
  const std::int64_t from = params.from < 0 ? std::max<std::int64_t>(0, size - most) : std::min(params.from, size);
  std::string bytes(static_cast<std::size_t>(std::min(most, size - from)), '\0');
  const ssize_t count = ::pread(file->get(), bytes.data(), bytes.size(), from);
  if (count < 0) return systemFailure(errno, "read", path.whole());
  bytes.resize(static_cast<std::size_t>(count));
  const std::string read = bytes;
  answer.text = wholeCharacters(std::move(bytes), params.from < 0 && from > 0);
  const std::size_t cutBefore = answer.text.empty() ? 0 : read.find(answer.text);
  answer.next = from + static_cast<std::int64_t>(cutBefore + answer.text.size());
  return answer;
}

Result<void> JobBoard::watch(const protocol::WatchJob::Params& params) {
  STRATA_CHECK(checkId(params.id));
  const std::lock_guard guard(m_mutex);
  m_watches.erase(params.id);
  if (!params.on) return {};
  m_watches[params.id].fromStep = params.fromStep;
  m_woken = true;
  m_wake.notify_all();
  return {};
}

}  // namespace strata
