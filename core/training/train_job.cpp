#include "core/training/train_job.h"

#include "core/base/log.h"
#include "core/project/job_phase.h"
#include "core/project/run_checkpoint.h"
#include "core/protocol/job_kinds.h"
#include "core/training/run_setup.h"
#include "core/training/train_state.h"
#include "core/training/training_loop.h"

namespace strata {
namespace {

Result<TrainAnswer> trainIn(Run& run, RunSetup setup, const TrainHooks& hooks) {
  PhaseFile phase(run.folder());
  return TrainingLoop(run, std::move(setup), hooks, phase).go();
}

}  // namespace

RunState stateAfter(const Error& error) {
  const bool mayPass = error.code == ErrorCode::outOfMemory || error.code == ErrorCode::diskFull;
  return mayPass ? RunState::paused : RunState::failed;
}

Result<TrainAnswer> startTraining(const Project& project, const TrainConfig& config, const TrainHooks& hooks) {
  STRATA_TRY(RunSetup setup, prepareRun(config));
  STRATA_TRY(Run run, Run::create(project, kTrainKind, configToJson(setup.config)));
  return trainIn(run, std::move(setup), hooks);
}

Result<TrainAnswer> continueRun(Run& run, const ResumeChanges& changes, const TrainHooks& hooks) {
  const std::filesystem::path& folder = run.folder();
  if (run.info().kind != kTrainKind) {
    return fail(ErrorCode::usage,
                "The run " + run.info().id + " is of the kind " + run.info().kind + "; only training can be resumed.");
  }
  if (run.info().state == RunState::done) {
    return fail(ErrorCode::usage, "The run " + run.info().id + " is done; extend it as a new run.", "--resume");
  }
  PhaseFile phase(folder);  // from the beginning: a killed process may have left that it saves
  STRATA_TRY(TrainConfig config, configOfRun(folder));
  if (changes.microBatch) config.microBatch = *changes.microBatch;
  if (changes.threads) config.threads = *changes.threads;
  if (changes.evalEvery) config.evalEvery = *changes.evalEvery;
  STRATA_TRY(RunSetup setup, prepareRun(config));
  STRATA_TRY(const auto step, newestGoodCheckpoint(folder, [](const Error& error) { logWarning(error.message); }));
  if (step) {
    STRATA_CHECK(readTrainState(*setup.trainer, checkpointFolder(folder, *step), Restore::everything));
  } else if (!checkpointSteps(folder).empty()) {
    return fail(
        ErrorCode::invalidData,
        "No checkpoint of the run " + run.info().id + " is whole; to train anew from the start, begin a new run.",
        folder.string());
  } else if (!run.info().parent.empty()) {  // killed, or queued, before what it takes over was saved
    STRATA_CHECK(takeOver(setup, folder.parent_path() / run.info().parent));
  }
  STRATA_CHECK(run.setConfig(configToJson(setup.config)));
  return TrainingLoop(run, std::move(setup), hooks, phase).go();
}

Result<TrainAnswer> resumeTraining(const std::filesystem::path& runFolder, const ResumeChanges& changes,
                                   const TrainHooks& hooks) {
  STRATA_TRY(Run run, Run::reopen(runFolder));
  run.clearStop();  // of the life before; one that comes while the run is prepared is meant
  return continueRun(run, changes, hooks);
}

Result<TrainAnswer> extendTraining(const Project& project, const std::filesystem::path& parent,
                                   const TrainConfig& config, const TrainHooks& hooks) {
  const std::filesystem::path own = project.runsFolder() / parent.filename();
  std::error_code none;
  if (!std::filesystem::equivalent(own, parent, none)) {
    return fail(ErrorCode::usage,
                "The run " + parent.string() +
                    " belongs to another project; extend it there, or start a new run from its weights.",
                "--project");
  }
  STRATA_TRY(RunSetup setup, prepareRun(config));
  STRATA_CHECK(takeOver(setup, parent));
  STRATA_TRY(Run run, Run::create(project, kTrainKind, configToJson(setup.config), parent.filename().string()));
  return trainIn(run, std::move(setup), hooks);
}

}  // namespace strata
