// How jobs begin and are told to end: at once, or from the queue that the project keeps.

#include <algorithm>

#include "core/base/log.h"
#include "core/project/job.h"
#include "core/project/launcher.h"
#include "core/protocol/job_kinds.h"
#include "core/service/job_board.h"
#include "core/training/run_setup.h"
#include "core/training/train_plan.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using protocol::JobInfo;

constexpr auto kBegun = std::chrono::milliseconds(2000);

/// A run that could not be started says so itself.
void noteFailure(const fs::path& folder, const Error& error) {
  logWarning(error.message);
  Result<Run> run = Run::reopen(folder, Run::Purpose::change);
  const Result<void> noted = run ? run->setState(RunState::failed, error.message) : tl::unexpected(run.error());
  if (!noted) logWarning(noted.error().message);
}

/// Room for the checkpoints that the run will have beside those it has.
Result<void> checkRoomFor(const fs::path& folder) {
  STRATA_TRY(const TrainConfig config, configOfRun(folder));
  const TrainPlan plan = planTraining(config);
  std::error_code ignored;
  const bool resumed = fs::exists(folder / "checkpoints", ignored);
  return checkRoom(folder, resumed ? plan.checkpointBytes : plan.runBytes);
}

}  // namespace

void JobBoard::openQueue() {
  Result<RunQueue> file = RunQueue::open(m_options.project);
  Result<RunQueue::Contents> contents = file ? file->load() : tl::unexpected(file.error());
  if (!contents) return logWarning(contents.error().message);
  m_queueFile.emplace(std::move(*file));
  m_queue = std::move(*contents);
  std::erase_if(m_queue.ids, [this](const std::string& id) {
    const auto found = m_entries.find(id);
    return found == m_entries.end() || found->second.info.alive ||
           found->second.info.state != toString(RunState::queued);
  });
}

Result<void> JobBoard::changeQueue(const std::function<void(RunQueue::Contents&)>& edit) {
  if (!m_queueFile) {
    return fail(ErrorCode::io, "The project's database cannot be used; open the project again.", "project.sqlite");
  }
  RunQueue::Contents changed = m_queue;
  edit(changed);
  STRATA_CHECK(m_queueFile->store(changed));
  if (changed.paused != m_queue.paused) m_queueTold = false;
  for (const auto& ids : {m_queue.ids, changed.ids}) {
    for (const std::string& id : ids) {
      if (const auto found = m_entries.find(id); found != m_entries.end()) m_changed[id] = found->second.info;
    }
  }
  m_queue = std::move(changed);
  m_woken = true;
  m_wake.notify_all();
  return {};
}

std::int64_t JobBoard::placeOf(const std::string& id) const {
  std::int64_t place = 0;
  for (const std::string& each : m_queue.ids) {
    if (each == m_starting) continue;
    ++place;
    if (each == id) return place;
  }
  return 0;
}

Result<RunInfo> JobBoard::startTraining(const std::string& id) const {
  STRATA_CHECK(checkRoomFor(folderOf(id)));
  STRATA_TRY(const std::string launcher, launcherOf(m_options.project));
  return startJob(m_options.program, m_options.project, id, kBegun, launcher);
}

void JobBoard::startNext(std::unique_lock<std::mutex>& lock) {
  const auto trains = [](const auto& each) { return each.second.info.alive && each.second.info.kind == kTrainKind; };
  if (!m_starting.empty() || m_queue.paused || m_queue.ids.empty()) return;
  if (std::any_of(m_entries.begin(), m_entries.end(), trains)) return;
  const std::string id = m_starting = m_queue.ids.front();
  lock.unlock();
  if (const Result<RunInfo> begun = startTraining(id); !begun) noteFailure(folderOf(id), begun.error());
  lock.lock();
  // Only now: where this engine ends before, the next one starts it.
  const Result<void> taken = changeQueue([&](auto& queue) { std::erase(queue.ids, id); });
  if (!taken) {
    logWarning(taken.error().message);
    std::erase(m_queue.ids, id);
  }
  m_starting.clear();
  refreshOne(id);
  m_woken = true;
  m_wake.notify_all();
}

Result<std::vector<JobInfo>> JobBoard::start(const protocol::StartJob::Params& params) {
  STRATA_TRY(const std::vector<std::string> ids, queueJobs(m_options.project, params));
  const bool trains = params.kind == kTrainKind;
  if (!trains) {
    for (const std::string& id : ids) STRATA_CHECK(startJob(m_options.program, m_options.project, id, kBegun));
  }
  std::unique_lock lock(m_mutex);
  for (const std::string& id : ids) refreshOne(id);
  if (trains) {
    STRATA_CHECK(changeQueue([&](auto& queue) {
      for (const std::string& id : ids) {
        if (!isWaiting(id)) queue.ids.push_back(id);
      }
    }));
    refresh(true);  // whether other training has ended meanwhile
    startNext(lock);
  }
  m_woken = true;
  m_wake.notify_all();
  std::vector<JobInfo> jobs;
  for (const std::string& id : ids) jobs.push_back(annotated(m_entries[id].info));
  return jobs;
}

Result<void> JobBoard::move(const protocol::MoveJob::Params& params) {
  const std::lock_guard guard(m_mutex);
  const bool toTheEnd = params.before.empty();
  if (!isWaiting(params.id) || (!toTheEnd && !isWaiting(params.before))) {
    const std::string& id = isWaiting(params.id) ? params.before : params.id;
    return fail(ErrorCode::usage, "The run " + id + " does not wait in the queue, so it has no place there.", id);
  }
  return changeQueue([&](auto& queue) {
    if (params.before == params.id) return;
    std::erase(queue.ids, params.id);
    const auto before = std::find(queue.ids.begin(), queue.ids.end(), params.before);
    queue.ids.insert(before, params.id);
  });
}

Result<void> JobBoard::pauseQueue(bool paused) {
  const std::lock_guard guard(m_mutex);
  return changeQueue([&](auto& queue) { queue.paused = paused; });
}

Result<void> JobBoard::stop(const std::string& id) {
  STRATA_TRY(const fs::path folder, runFolder(id));
  {
    const std::lock_guard guard(m_mutex);
    if (isWaiting(id)) {
      STRATA_TRY(Run run, Run::reopen(folder, Run::Purpose::change));
      STRATA_CHECK(run.setState(RunState::stopped));
      STRATA_CHECK(changeQueue([&](auto& queue) { std::erase(queue.ids, id); }));
      m_entries[id].stored = {};
      refreshOne(id);
      return {};
    }
  }
  if (!isAlive(folder)) {
    return fail(ErrorCode::usage, "The run " + id + " is not running, so there is nothing to stop.", id);
  }
  return requestStop(folder);
}

}  // namespace strata
