#include "core/training/train_job.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "core/base/log.h"
#include "core/model/memory.h"
#include "core/project/run_checkpoint.h"
#include "core/project/run_database.h"
#include "core/training/run_setup.h"
#include "core/training/train_state.h"

namespace strata {
namespace {

/// Watches one map's held-out loss; restored from the run's own metrics on resume.
struct EarlyStop {
  std::string map;
  int patience = 0;
  double best = std::numeric_limits<double>::infinity();
  std::int64_t bestStep = -1;
  std::int64_t lastStep = -1;
  int since = 0;

  void take(std::int64_t step, double nll) {
    if (step == lastStep) return;  // evaluated again after a kill in the middle of an evaluation
    lastStep = step;
    ++since;
    if (nll < best) {
      best = nll;
      bestStep = step;
      since = 0;
    }
  }
  bool ends() const { return patience > 0 && since >= patience; }
};

class Job {
 public:
  Job(Run& run, RunSetup setup, const TrainHooks& hooks) : m_run(run), m_setup(std::move(setup)), m_hooks(hooks) {}

  Result<TrainAnswer> go() {
    Result<TrainAnswer> answer = train();
    if (!answer) {
      const Result<void> stored = m_run.setState(RunState::failed, answer.error().message);
      if (!stored) logWarning(stored.error().message);
    }
    return answer;
  }

 private:
  Trainer& trainer() { return *m_setup.trainer; }
  const TrainConfig& config() const { return m_setup.config; }

  bool stopping() const { return m_run.stopRequested() || (m_hooks.stop && m_hooks.stop()); }

  Result<TrainAnswer> train() {
    STRATA_TRY(RunDatabase database, RunDatabase::open(m_run.folder()));
    m_database = &database;
    STRATA_CHECK(restore());
    STRATA_CHECK(m_run.setState(RunState::running));
    if (m_hooks.onStart) m_hooks.onStart(m_run.info(), trainer().nextStep(), config().steps);

    TrainAnswer answer;
    RunState state = RunState::done;
    for (;;) {
      STRATA_CHECK(evaluateAndSave());
      if (m_early.ends()) {
        STRATA_CHECK(m_database->addEvent(
            trainer().nextStep(), "early_stop",
            "No improvement under " + m_early.map + " since step " + std::to_string(m_early.bestStep)));
        break;
      }
      if (trainer().nextStep() >= config().steps) break;
      if (stopping()) {
        state = RunState::stopped;
        break;
      }
      STRATA_TRY(const StepResult result, timedStep());
      answer.tokens += result.tokens;
      if (m_hooks.onStep) m_hooks.onStep(result);
    }
    if (m_saved != trainer().nextStep()) STRATA_CHECK(save());
    STRATA_CHECK(database.flush());
    STRATA_CHECK(m_run.setState(state));
    m_run.clearStop();
    return finished(answer, state);
  }

  /// Brings metrics, early stop and the list of checkpoints in line with the step that the trainer stands at.
  Result<void> restore() {
    const std::int64_t step = trainer().nextStep();
    const auto saved = checkpointSteps(m_run.folder());
    const bool fromCheckpoint = std::find(saved.begin(), saved.end(), step) != saved.end();
    STRATA_CHECK(m_database->deleteAfter(fromCheckpoint ? step : -1));
    m_saved = fromCheckpoint ? step : -1;
    m_early.patience = config().earlyStopPatience;
    m_early.map = config().earlyStopMap.empty() ? m_setup.maps.front().name : config().earlyStopMap;
    STRATA_TRY(const auto earlier, m_database->metrics("nll/" + m_early.map));
    for (const Metric& metric : earlier) m_early.take(metric.step, metric.value);
    // A kill between a checkpoint and the note that it is the best
    const bool bestIsSaved = std::find(saved.begin(), saved.end(), m_early.bestStep) != saved.end();
    if (m_early.patience > 0 && bestIsSaved && readBest(m_run.folder()) != m_early.bestStep) {
      STRATA_CHECK(writeBest(m_run.folder(), m_early.bestStep));
    }
    // A resume must find what an extended run took over
    if (!m_run.info().parent.empty() && saved.empty()) STRATA_CHECK(save());
    return {};
  }

  /// What is due before the next step (or at the end), unless a run that is resumed here has done it.
  Result<void> evaluateAndSave() {
    const std::int64_t done = trainer().nextStep();
    const bool evaluates = config().evalEvery > 0 && (done % config().evalEvery == 0 || done == config().steps);
    if (evaluates && m_early.lastStep != done) STRATA_CHECK(evaluate());
    const bool isBest = m_early.patience > 0 && m_early.bestStep == done;
    const bool isDue = done > 0 && config().saveEvery > 0 && done % config().saveEvery == 0;
    if ((isBest || isDue) && m_saved != done) STRATA_CHECK(save());
    if (isBest && readBest(m_run.folder()) != done) STRATA_CHECK(writeBest(m_run.folder(), done));
    return {};
  }

  Result<StepResult> timedStep() {
    const auto started = std::chrono::steady_clock::now();
    STRATA_TRY(const StepResult result, trainer().step());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    STRATA_CHECK(record(result, seconds));
    return result;
  }

  Result<void> record(const StepResult& result, double seconds) {
    const std::int64_t done = result.step + 1;
    const auto usage = memoryUsage();
    const std::pair<const char*, double> values[] = {{"loss", result.loss},
                                                     {"grad_norm", result.gradNorm},
                                                     {"lr", result.learningRate},
                                                     {"p_cross", result.pCross},
                                                     {"tokens_s", static_cast<double>(result.tokens) / seconds},
                                                     {"memory", static_cast<double>(usage.all.current)}};
    for (const auto& [name, value] : values) STRATA_CHECK(m_database->addMetric({done, name, value}));
    return {};
  }

  /// Every map's held-out loss.
  Result<void> evaluate() {
    const std::int64_t done = trainer().nextStep();
    for (const NamedMap& map : m_setup.maps) {
      STRATA_TRY(const double nll, trainer().evaluate(map.map, m_setup.held));
      STRATA_CHECK(m_database->addMetric({done, "nll/" + map.name, nll}));
      if (m_hooks.onEvaluation) m_hooks.onEvaluation({done, map.name, nll});
      if (map.name == m_early.map) m_early.take(done, nll);
    }
    return {};
  }

  Result<void> save() {
    const std::int64_t step = trainer().nextStep();
    STRATA_CHECK(m_database->addEvent(step, "checkpoint", ""));
    STRATA_CHECK(m_database->flush());
    const bool isBest = m_early.patience > 0 && m_early.bestStep == step;
    STRATA_CHECK(saveCheckpoint(
        m_run.folder(), step,
        [&](const std::filesystem::path& folder) { return writeTrainState(trainer(), m_setup.modelFolder, folder); },
        isBest ? std::optional(step) : readBest(m_run.folder())));
    m_saved = step;
    return {};
  }

  Result<TrainAnswer> finished(TrainAnswer answer, RunState state) {
    answer.run = m_run.info().id;
    answer.folder = m_run.folder();
    answer.steps = trainer().nextStep();
    answer.state = state;
    STRATA_TRY(const auto losses, m_database->metrics("loss"));
    for (const Metric& metric : losses) answer.loss.push_back(metric.value);
    STRATA_TRY(answer.checkpoint, resolveCheckpoint(m_run.folder(), std::nullopt));
    return answer;
  }

  Run& m_run;
  RunSetup m_setup;
  const TrainHooks& m_hooks;
  RunDatabase* m_database = nullptr;
  EarlyStop m_early;
  std::int64_t m_saved = -1;  // the step of the newest checkpoint
};

}  // namespace

Result<TrainAnswer> startTraining(const Project& project, const TrainConfig& config, const TrainHooks& hooks) {
  STRATA_TRY(RunSetup setup, prepareRun(config));
  STRATA_TRY(Run run, Run::create(project, "train", configToJson(setup.config)));
  return Job(run, std::move(setup), hooks).go();
}

Result<TrainAnswer> continueRun(Run& run, const ResumeChanges& changes, const TrainHooks& hooks) {
  const std::filesystem::path& folder = run.folder();
  if (run.info().kind != "train") {
    return fail(ErrorCode::usage,
                "The run " + run.info().id + " is of the kind " + run.info().kind + "; only training can be resumed.");
  }
  if (run.info().state == RunState::done) {
    return fail(ErrorCode::usage, "The run " + run.info().id + " is done; continue it as a new run with --extend.",
                "--resume");
  }
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
  return Job(run, std::move(setup), hooks).go();
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
                    " belongs to another project; extend it in its own, or start from it with --model.",
                "--project");
  }
  STRATA_TRY(RunSetup setup, prepareRun(config));
  STRATA_CHECK(takeOver(setup, parent));
  STRATA_TRY(Run run, Run::create(project, "train", configToJson(setup.config), parent.filename().string()));
  return Job(run, std::move(setup), hooks).go();
}

}  // namespace strata
