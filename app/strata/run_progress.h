#pragma once
// What a training or an evaluation tells while it runs, for the command line and for a job's log. It watches for
// SIGINT and SIGTERM.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/strata/output.h"
#include "app/strata/run_log.h"
#include "core/evaluation/tasks.h"
#include "core/training/train_job.h"

namespace strata {

class TrainProgress {
 public:
  TrainProgress();
  TrainProgress(const TrainProgress&) = delete;
  TrainProgress& operator=(const TrainProgress&) = delete;
  const TrainHooks& hooks() const { return m_hooks; }
  /// The run is trained on these ranks too; may be null.
  void lead(Communicator* ranks);
  /// Keeps the log of the run that begins: its folder by its id.
  void keepLog(std::function<std::filesystem::path(const std::string& id)> folderOf);
  /// Nothing before a run has begun, or without keepLog().
  RunLog* log() { return m_log.get(); }
  /// Ends the line; what is shown afterwards stands below.
  void end() { m_shown.reset(); }

 private:
  std::function<std::filesystem::path(const std::string& id)> m_folderOf;
  std::unique_ptr<RunLog> m_log;
  std::optional<Progress> m_shown;
  TrainHooks m_hooks;
};

/// 0 for a run that is done, 130 for one that was stopped, 1 for the rest.
int exitCodeOf(RunState state);

class EvalProgress {
 public:
  EvalProgress();
  EvalProgress(const EvalProgress&) = delete;
  EvalProgress& operator=(const EvalProgress&) = delete;
  const TaskHooks& hooks() const { return m_hooks; }
  /// Outlives this object.
  void logTo(RunLog* log) { m_log = log; }
  void end() { m_shown.reset(); }

 private:
  RunLog* m_log = nullptr;
  std::optional<Progress> m_shown;
  TaskHooks m_hooks;
};

}  // namespace strata
