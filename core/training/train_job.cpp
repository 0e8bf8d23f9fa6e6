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

/// What a run begins from besides its configuration.
enum class From : std::int64_t { nothing, checkpoint, parent };

/// On every rank what rank 0 says, and that all of them read the same data.
Result<void> restore(RunSetup& setup, From from, const std::filesystem::path& folder, Communicator* ranks) {
  Trainer& trainer = *setup.trainer;
  std::vector<std::int64_t> told = {static_cast<std::int64_t>(from),
                                    static_cast<std::int64_t>(trainer.dataFingerprint())};
  std::string where = folder.string();
  if (ranks != nullptr) {
    ranks->broadcast(told, 0);
    ranks->broadcast(where, 0);
    const bool same = told.at(1) == static_cast<std::int64_t>(trainer.dataFingerprint());
    STRATA_CHECK(agree(ranks, same ? Result<void>()
                                   : fail(ErrorCode::invalidData,
                                          "The training data " + setup.config.data +
                                              " are not those that rank 0 reads; bring the same file to all machines.",
                                          "--data")));
  }
  Result<void> own;
  switch (static_cast<From>(told.at(0))) {
    case From::nothing:
      break;
    case From::checkpoint:
      own = readTrainState(trainer, where, Restore::everything);
      break;
    case From::parent:
      own = takeOver(setup, where);
      break;
  }
  return agree(ranks, own);
}

}  // namespace

Result<void> followTraining(const Result<TrainConfig>& config, Communicator& ranks) {
  if (!config) return agree(&ranks, tl::unexpected(config.error()));
  STRATA_TRY(RunSetup setup, prepareRun(*config, &ranks));
  STRATA_CHECK(restore(setup, From::nothing, {}, &ranks));
  setup.trainer->follow(setup.held, saveOf(setup));
  return {};
}

RunState stateAfter(const Error& error) {
  const bool mayPass = error.code == ErrorCode::outOfMemory || error.code == ErrorCode::diskFull;
  return mayPass ? RunState::paused : RunState::failed;
}

Result<TrainAnswer> startTraining(const Project& project, const TrainConfig& config, const TrainHooks& hooks) {
  STRATA_TRY(RunSetup setup, prepareRun(config, hooks.ranks));
  STRATA_CHECK(restore(setup, From::nothing, {}, hooks.ranks));
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
  STRATA_TRY(const TrainConfig config, resumedConfig(folder, changes));
  STRATA_TRY(RunSetup setup, prepareRun(config, hooks.ranks));
  STRATA_TRY(const auto step, newestGoodCheckpoint(folder, [](const Error& error) { logWarning(error.message); }));
  if (step) {
    STRATA_CHECK(restore(setup, From::checkpoint, checkpointFolder(folder, *step), hooks.ranks));
  } else if (!checkpointSteps(folder).empty()) {
    return fail(
        ErrorCode::invalidData,
        "No checkpoint of the run " + run.info().id + " is whole; to train anew from the start, begin a new run.",
        folder.string());
  } else if (!run.info().parent.empty()) {  // killed, or queued, before what it takes over was saved
    STRATA_CHECK(restore(setup, From::parent, folder.parent_path() / run.info().parent, hooks.ranks));
  } else {
    STRATA_CHECK(restore(setup, From::nothing, {}, hooks.ranks));
  }
  STRATA_CHECK(run.setConfig(configToJson(setup.config)));
  return TrainingLoop(run, std::move(setup), hooks, phase).go();
}

Result<TrainConfig> resumedConfig(const std::filesystem::path& runFolder, const ResumeChanges& changes) {
  STRATA_TRY(TrainConfig config, configOfRun(runFolder));
  if (changes.microBatch) config.microBatch = *changes.microBatch;
  if (changes.threads) config.threads = *changes.threads;
  if (changes.evalEvery) config.evalEvery = *changes.evalEvery;
  return config;
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
  STRATA_TRY(RunSetup setup, prepareRun(config, hooks.ranks));
  STRATA_CHECK(restore(setup, From::parent, parent, hooks.ranks));
  STRATA_TRY(Run run, Run::create(project, kTrainKind, configToJson(setup.config), parent.filename().string()));
  return trainIn(run, std::move(setup), hooks);
}

}  // namespace strata
