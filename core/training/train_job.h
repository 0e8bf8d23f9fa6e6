#pragma once
// A training run from its configuration to its last checkpoint: the same code for the command line and for a job.
//
//   TrainHooks hooks{.onStep = …, .stop = …};
//   STRATA_TRY(const TrainAnswer answer, startTraining(project, config, hooks));
// The run's folder appears only once model, data and configuration are known to be good. Stop = the stop file or the
// hook: the step is finished (an evaluation is not), a checkpoint written.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/train_config.h"
#include "core/project/project.h"
#include "core/training/run_setup.h"

namespace strata {

struct EvaluationPoint {
  std::int64_t step = 0;  // steps done
  std::string map;
  std::optional<double> nll;     // of the held-out data, nats per token
  std::optional<double> f1, em;  // of the questions, 0 … 1
};

struct TrainHooks {
  std::function<void(const RunInfo& run, std::int64_t firstStep, std::int64_t steps)> onStart;
  std::function<void(const StepResult&)> onStep;
  std::function<void(const EvaluationPoint&)> onEvaluation;
  /// What a person should know of how the run is computed.
  std::function<void(const std::string& text)> onNote;
  std::function<bool()> stop;
  /// The ranks that this process leads; null: it trains alone.
  Communicator* ranks = nullptr;
};

struct TrainAnswer {
  std::string run;  // id
  std::filesystem::path folder;
  std::int64_t steps = 0;    // done in all
  std::vector<double> loss;  // one per step from the run's first
  std::int64_t tokens = 0;   // through the model in this call
  std::filesystem::path checkpoint;
  RunState state = RunState::done;
  std::optional<Error> problem;  // of a paused run: why; steps, loss and checkpoint are those that it keeps
};

/// What a run becomes by an error: paused where it can go on later (memory, disk), else failed.
RunState stateAfter(const Error& error);

// A run that runs out of memory or disk, or whose loss is not finite three times in a row, is paused and answers so.

/// A new run in `project`.
Result<TrainAnswer> startTraining(const Project& project, const TrainConfig& config, const TrainHooks& hooks);

/// What a resumed run may change.
struct ResumeChanges {
  std::optional<int> microBatch;
  std::optional<int> threads;
  std::optional<int> evalEvery;
};
/// Continues a stopped, paused or failed run from its newest good checkpoint (from the start where there is none).
Result<TrainAnswer> resumeTraining(const std::filesystem::path& runFolder, const ResumeChanges& changes,
                                   const TrainHooks& hooks);

/// The same for a run whose lock is held already; also one that waits in the state queued and begins with it. A stop
/// file that is there counts.
Result<TrainAnswer> continueRun(Run& run, const ResumeChanges& changes, const TrainHooks& hooks);

/// The configuration that a resumed run goes on with.
Result<TrainConfig> resumedConfig(const std::filesystem::path& runFolder, const ResumeChanges& changes);

/// The part of a rank that does not lead, in any of these; `config` is what the leading one prepares. It ends when that
/// one has ended. An error, of the configuration too, is that of all ranks.
Result<void> followTraining(const Result<TrainConfig>& config, Communicator& ranks);

/// A new run with `parent`, from the parent's last checkpoint (weights and moments), with its own schedule: `config` is
/// the parent's with the changes made. The data order goes on where the parent stood if data, length and seed are the
/// same.
Result<TrainAnswer> extendTraining(const Project& project, const std::filesystem::path& parent,
                                   const TrainConfig& config, const TrainHooks& hooks);

}  // namespace strata
