#pragma once
// The loop of a training run: steps, evaluations and checkpoints, and what becomes of the run when it is stopped or
// cannot go on.
//
//   PhaseFile phase(run.folder());
//   return TrainingLoop(run, std::move(setup), hooks, phase).go();
// Checkpoints that are due come before evaluations. A stop is seen before each step and each batch of an evaluation;
// an evaluation that it cuts short leaves no value and is done again on resume. One thread.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/project/job_phase.h"
#include "core/project/run_database.h"
#include "core/training/memory_record.h"
#include "core/training/run_alerts.h"
#include "core/training/run_setup.h"
#include "core/training/train_job.h"

namespace strata {

/// Watches the held-out loss or a score of the answers under one map; restored from the run's own metrics on resume.
struct EarlyStop {
  std::string map;
  std::string metric = "nll";  // nll | f1 | em: scores are better when higher
  int patience = 0;
  std::optional<double> best;
  std::int64_t bestStep = -1;
  std::int64_t lastStep = -1;
  int since = 0;

  std::string name() const { return metric + "/" + map; }
  void take(std::int64_t step, double value);
  bool ends() const { return patience > 0 && since >= patience; }
};

class TrainingLoop {
 public:
  TrainingLoop(Run& run, RunSetup setup, const TrainHooks& hooks, PhaseFile& phase)
      : m_run(run), m_setup(std::move(setup)), m_hooks(hooks), m_phase(phase) {}

  Result<TrainAnswer> go();

 private:
  using Clock = std::chrono::steady_clock;

  Trainer& trainer() { return *m_setup.trainer; }
  const TrainConfig& config() const { return m_setup.config; }
  bool stopping() const { return m_run.stopRequested() || (m_hooks.stop && m_hooks.stop()); }

  Result<RunState> train();
  /// Brings metrics, early stop and the list of checkpoints in line with the step that the trainer stands at.
  Result<void> restore();
  /// One step, or another try at it where its loss is not finite.
  Result<void> step();
  Result<void> tryAgain(const Error& error, bool redrawn);
  Result<void> record(const StepResult& result, double seconds);
  /// Into the log and the run's events.
  Result<void> say(std::int64_t step, const std::vector<std::string>& alerts);
  /// A value measured now, after `step` steps.
  Metric measured(std::int64_t step, std::string name, double value) const;

  bool evaluationIsDue();
  /// Every map's held-out loss and answers; false where a stop came between.
  Result<bool> evaluate();
  /// Answers are stored at once, to be read while the next map is evaluated; metrics are the caller's to store.
  Result<void> evaluateUnder(const NamedMap& map, const std::function<bool()>& goOn, std::vector<Metric>& metrics);

  Result<void> saveIfDue();
  Result<void> saveIfBest();
  Result<void> save();

  /// Saves what the run has learned, says in run.json why it ended, and whether a resume may go on.
  Result<TrainAnswer> endedBy(Error error);
  void keepWhatIsGood();
  std::string howToGoOn(const Error& error) const;
  Result<TrainAnswer> answer(RunState state);

  Run& m_run;
  RunSetup m_setup;
  const TrainHooks& m_hooks;
  PhaseFile& m_phase;
  std::optional<RunDatabase> m_database;
  EarlyStop m_early;
  RunAlerts m_alerts;
  MemoryRecord m_memory;
  std::int64_t m_tokens = 0;   // through the model
  std::int64_t m_trained = 0;  // in the loss, by the processes before too
  double m_secondsBefore = 0;  // that the processes before took until the step this one began at
  Clock::time_point m_begun = Clock::now();
  int m_notFinite = 0;               // tries in a row without a finite loss
  std::int64_t m_saved = -1;         // the step of the newest checkpoint
  std::uint32_t m_savedAttempt = 0;  // and the attempts at its next step
  std::int64_t m_firstStep = 0;      // where this process began
  Clock::time_point m_savedAt = Clock::now();
  bool m_saveFailed = false;
};

}  // namespace strata
