// Runs: the lock says whether a run is alive, run.json says what it told last.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <random>
#include <utility>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/project/job.h"
#include "core/project/project.h"
#include "core/project/project_files.h"
#include "core/project/run_file.h"
#include "core/project/run_name.h"

namespace strata {
namespace {

// Room that a run gives up when the disk is full, so that it can still say why it ended.
constexpr const char* kReserveFile = "reserve";
constexpr std::size_t kReserveBytes = 32 << 10;

namespace fs = std::filesystem;

constexpr const char* kDiedSilently = "the process ended without saying why; resume it";
// Leftovers of killed processes in runs/ are removed when nobody can be filling them any more.
constexpr auto kLeftoverAge = std::chrono::hours(1);

std::string formatTime(std::time_t time, const char* format) {
  std::tm parts = {};
  ::gmtime_r(&time, &parts);
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, format, &parts));
}

std::string newId(const std::string& kind, std::time_t time) {
  std::random_device device;
  char suffix[8];
  std::snprintf(suffix, sizeof suffix, "%04x", device() & 0xffffu);
  return formatTime(time, "%Y%m%d-%H%M%S-") + kind + "-" + suffix;
}

void markDead(RunInfo& info) {
  if (info.state != RunState::running) return;
  info.state = RunState::failed;
  info.message = kDiedSilently;
}

/// Names of what writeFile, StagedFolder and removeRun keep for an instant.
bool isLeftover(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') && (name.find(".tmp-") != std::string::npos || name.starts_with(".removed-"));
}

void removeOldLeftovers(const fs::path& runs) {
  std::error_code ignored;
  std::vector<fs::path> leftovers;
  const auto now = fs::file_time_type::clock::now();
  for (const fs::directory_entry& entry : fs::directory_iterator(runs, ignored)) {
    if (isLeftover(entry.path()) && !isAlive(entry.path()) && now - entry.last_write_time(ignored) > kLeftoverAge) {
      leftovers.push_back(entry.path());
    }
  }
  for (const fs::path& each : leftovers) fs::remove_all(each, ignored);
}

Result<void> checkKind(const std::string& kind) {
  const bool letters = kind.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
  if (!kind.empty() && letters) return {};
  return fail(ErrorCode::internal, "The kind of a run is a word of small letters, not \"" + kind + "\".");
}

fs::path withoutTrailingSlash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

std::optional<fs::path> runFolderOf(const std::string& text, const std::optional<fs::path>& project) {
  if (text.empty()) return {};
  std::error_code ignored;
  const auto isRun = [&ignored](const fs::path& folder) { return fs::is_regular_file(folder / kRunFile, ignored); };
  const bool plainName = text.find('/') == std::string::npos && text != "." && text != "..";
  if (project && plainName && isRun(*project / "runs" / text)) return *project / "runs" / text;
  if (isRun(text)) return text;
  return {};
}

}  // namespace

const char* toString(RunState state) {
  switch (state) {
    case RunState::queued:
      return "queued";
    case RunState::running:
      return "running";
    case RunState::paused:
      return "paused";
    case RunState::stopped:
      return "stopped";
    case RunState::failed:
      return "failed";
    case RunState::done:
      return "done";
  }
  return "failed";
}

Life lifeOf(const fs::path& runFolder) {
  const Result<Descriptor> lock = openInProject(inRun(runFolder, "lock"), O_RDONLY);
  if (!lock) {
    // Without a lock's file, or with something else in its place, nobody holds the lock.
    const ErrorCode code = lock.error().code;
    return code == ErrorCode::notFound || code == ErrorCode::invalidData ? Life::dead : Life::unknown;
  }
  if (::flock(lock->get(), LOCK_SH | LOCK_NB) == 0) return Life::dead;
  return errno == EWOULDBLOCK ? Life::alive : Life::unknown;
}

bool isAlive(const fs::path& runFolder) {
  return lifeOf(runFolder) != Life::dead;
}

Run::Run(fs::path folder, RunInfo info, int lock)
    : m_folder(std::move(folder)), m_info(std::move(info)), m_lock(lock) {}

Run::Run(Run&& other) noexcept
    : m_folder(std::move(other.m_folder)), m_info(std::move(other.m_info)), m_lock(std::exchange(other.m_lock, -1)) {}

Run& Run::operator=(Run&& other) noexcept {
  if (this != &other) {
    if (m_lock >= 0) ::close(m_lock);
    m_folder = std::move(other.m_folder);
    m_info = std::move(other.m_info);
    m_lock = std::exchange(other.m_lock, -1);
  }
  return *this;
}

Run::~Run() {
  if (m_lock >= 0) ::close(m_lock);
}

Result<Run> Run::create(const Project& project, const std::string& kind, const Json& config, const std::string& parent,
                        const std::string& sweep) {
  STRATA_CHECK(checkKind(kind));
  const fs::path runs = project.runsFolder();
  std::error_code error;
  STRATA_CHECK(makeFolder({project.folder(), "runs"}));
  removeOldLeftovers(runs);
  const std::time_t now = std::time(nullptr);
  RunInfo info;
  info.kind = kind;
  info.created = formatTime(now, "%Y-%m-%dT%H:%M:%SZ");
  info.parent = parent;
  info.sweep = sweep;
  info.name = freeRunName(project, plainRunName(project, kind, config));
  info.config = config;
  do {
    info.id = newId(kind, now);
  } while (fs::exists(runs / info.id, error));
  // Locked and described before it has its name: no one ever sees half a run.
  const fs::path folder = runs / info.id;
  STRATA_TRY(StagedFolder staged, StagedFolder::create(folder));
  STRATA_TRY(Descriptor lock, takeRunLock(staged.path()));
  nameHolder(lock);
  Run run(folder, std::move(info), lock.release());
  STRATA_CHECK(writeRunFile(staged.path(), run.m_info));
  STRATA_CHECK(staged.commit());
  return run;
}

Result<Run> Run::reopen(const fs::path& folder, Purpose purpose) {
  const fs::path named = withoutTrailingSlash(folder);
  std::error_code error;
  if (!fs::is_directory(named, error)) {
    return fail(ErrorCode::notFound, "There is no run " + named.string() + "; check the path.", named.string());
  }
  STRATA_CHECK(readRunFile(named));  // a folder that is no run gets no lock file
  STRATA_TRY(Descriptor lock, takeRunLock(named));
  if (purpose == Purpose::work) nameHolder(lock);
  Run run(named, RunInfo(), lock.release());
  STRATA_TRY(run.m_info, readRunFile(named));
  markDead(run.m_info);
  std::vector<fs::path> leftovers;
  for (const fs::directory_entry& entry : fs::directory_iterator(named, error)) {
    if (isLeftover(entry.path())) leftovers.push_back(entry.path());
  }
  for (const fs::path& each : leftovers) fs::remove_all(each, error);
  return run;
}

Result<void> Run::setState(RunState state, const std::string& message) {
  RunInfo changed = m_info;
  changed.state = state;
  changed.message = message;
  const fs::path reserve = m_folder / kReserveFile;
  std::error_code ignored;
  Result<void> written = writeRunFile(m_folder, changed);
  if (!written && written.error().code == ErrorCode::diskFull && fs::remove(reserve, ignored)) {
    written = writeRunFile(m_folder, changed);
  }
  STRATA_CHECK(written);
  if (state == RunState::running) {
    (void)writeFile(reserve, std::string(kReserveBytes, '.'));  // without it a full disk may leave no reason
  } else {
    fs::remove(reserve, ignored);
  }
  m_info = std::move(changed);
  return {};
}

Result<void> Run::setConfig(const Json& config) {
  RunInfo changed = m_info;
  changed.config = config;
  STRATA_CHECK(writeRunFile(m_folder, changed));
  m_info = std::move(changed);
  return {};
}

bool Run::stopRequested() const {
  return stopRequestedAt(m_folder).has_value();
}

void Run::clearStop() const {
  std::error_code ignored;
  fs::remove(m_folder / "stop", ignored);
}

Result<RunInfo> readRun(const fs::path& folder) {
  const fs::path named = withoutTrailingSlash(folder);
  // Twice: between the reading and the look at the lock the process may have written its last word and left.
  for (int attempt = 0;; ++attempt) {
    STRATA_TRY(RunInfo info, readRunFile(named));
    if (info.state != RunState::running || isAlive(named)) return info;
    if (attempt == 1) {
      markDead(info);
      return info;
    }
  }
}

Result<std::vector<RunInfo>> listRuns(const Project& project) {
  std::vector<RunInfo> runs;
  std::error_code error;
  const fs::path folder = project.runsFolder();
  if (const Result<void> there = requireFolder({project.folder(), "runs"}); !there) {
    if (there.error().code == ErrorCode::notFound) return runs;
    return tl::unexpected(there.error());
  }
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_directory(ignored) || entry->path().filename().string().starts_with('.')) continue;
    Result<RunInfo> info = readRun(entry->path());
    if (info) {
      runs.push_back(std::move(*info));
      continue;
    }
    RunInfo unreadable;
    unreadable.id = entry->path().filename().string();
    unreadable.state = RunState::failed;
    unreadable.message = info.error().message;
    runs.push_back(std::move(unreadable));
  }
  if (error) return systemFailure(error.value(), "list", folder);
  // Ids begin with the time of creation, which also orders runs of one second and those that cannot be read.
  std::sort(runs.begin(), runs.end(), [](const RunInfo& a, const RunInfo& b) { return a.id < b.id; });
  return runs;
}

std::optional<RunName> findRun(const std::string& given, const std::optional<fs::path>& project) {
  const std::string text = given.substr(0, given.find_last_not_of('/') + 1);
  if (const auto folder = runFolderOf(text, project)) return RunName{*folder, {}, false};
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos) return {};
  const char* end = text.data() + text.size();
  std::int64_t step = 0;
  const bool latest = text.compare(at, std::string::npos, "@latest") == 0;
  const auto [parsed, failed] = std::from_chars(text.data() + at + 1, end, step);
  if (!latest && (failed != std::errc() || parsed != end || step < 0)) return {};
  const std::string name = text.substr(0, at);
  if (const auto folder = runFolderOf(name.substr(0, name.find_last_not_of('/') + 1), project))
    return latest ? RunName{*folder, {}, true} : RunName{*folder, step};
  return {};
}

}  // namespace strata
