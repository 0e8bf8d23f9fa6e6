#include "core/training/train_job.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "core/base/log.h"
#include "core/model/device.h"
#include "core/model/memory.h"
#include "core/model/model.h"
#include "core/project/model_name.h"
#include "core/project/run_checkpoint.h"
#include "core/project/run_database.h"
#include "core/training/train_state.h"

namespace strata {
namespace {

/// Everything a run computes with, built from its configuration alone.
struct Setup {
  TrainConfig config;
  std::filesystem::path modelFolder;  // config.json and tokenizer files
  ModelConfig model;
  std::unique_ptr<Dataset> data;
  std::vector<PackedSequence> held;  // evaluation sequences
  std::vector<NamedMap> maps;
  std::unique_ptr<Trainer> trainer;
};

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

/// Weights to start from: of a checkpoint (an adapter is merged), or random ones.
Result<Weights> startingWeights(const TrainConfig& config, const ModelLocation& location, const ModelConfig& model,
                                c10::Device device) {
  if (!config.init.empty()) return initialWeights(model, config.seed, device);
  STRATA_TRY(const Checkpoint checkpoint, Checkpoint::open(location.folder));
  const at::ScalarType compute = config.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat;
  const at::ScalarType stored = config.lora > 0 ? compute : toTorch(checkpoint.storedDType());
  Weights weights = loadWeights(checkpoint, stored, device);
  if (!location.adapter.empty()) {
    STRATA_TRY(const Adapter adapter, readAdapter(location.adapter, model));
    STRATA_CHECK(attachAdapter(weights, adapter, at::kFloat, device));
    visitLinears(weights, [&](const std::string&, Linear& linear) {
      linear.weight = mergedWeight(linear).to(config.lora > 0 ? compute : at::kFloat);
      linear.loraA = linear.loraB = at::Tensor();
    });
  }
  return weights;
}

/// The name of a model that goes on meaning the same weights: absolute, and a run with its step.
std::string pinned(const std::string& model, const ModelLocation& location) {
  if (location.run.empty()) return absolute(model);
  const std::string checkpoint =
      (location.adapter.empty() ? location.folder : location.adapter).filename();  // "step-<n>"
  return absolute(location.run.string()) + "@" + checkpoint.substr(checkpoint.rfind('-') + 1);
}

Result<Setup> prepare(TrainConfig config) {
  STRATA_CHECK(checkTrainConfig(config));
  Setup setup;
  STRATA_TRY(const c10::Device device, chooseDevice(config.device));
  at::set_num_threads(config.threads > 0 ? config.threads
                                         : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  ModelLocation location;
  if (config.init.empty()) {
    STRATA_TRY(location, locateModel(config.model));
    config.model = pinned(config.model, location);
  } else {
    location.folder = config.init;
    config.init = absolute(config.init);
  }
  config.data = absolute(config.data);
  if (!config.evalData.empty()) config.evalData = absolute(config.evalData);
  if (!config.routings.empty()) config.routings = absolute(config.routings);
  setup.modelFolder = location.folder;
  STRATA_TRY(setup.model, readModelConfig(location.folder));
  setup.config = resolved(config);
  if (config.length > setup.model.maxPositions) {
    return fail(ErrorCode::usage,
                "The length " + std::to_string(config.length) + " exceeds the model's context of " +
                    std::to_string(setup.model.maxPositions) + "; give --length at most that.",
                "--length");
  }
  STRATA_TRY(const std::unique_ptr<Tokenizer> tokenizer, openTokenizer(location.folder));
  if (!tokenizer) {
    return fail(ErrorCode::notFound,
                "The folder " + location.folder.string() +
                    " has no tokenizer files, so text cannot be trained on; add tokenizer.model.",
                location.folder.string());
  }
  if (tokenizer->vocabSize() > setup.model.vocab) {
    return fail(ErrorCode::invalidData,
                "The tokenizer has " + std::to_string(tokenizer->vocabSize()) + " tokens and the model's vocabulary " +
                    std::to_string(setup.model.vocab) + "; they do not belong together.",
                location.folder.string());
  }
  const DataOptions options{.length = config.length, .trainOnPrompt = config.trainOnPrompt};
  STRATA_TRY(Dataset data, Dataset::open(config.data, *tokenizer, options));
  setup.data = std::make_unique<Dataset>(std::move(data));
  STRATA_TRY(setup.maps, parseMaps(config.evalMaps, setup.model.layers));
  const auto isWatched = [&](const NamedMap& map) { return map.name == config.earlyStopMap; };
  if (!config.earlyStopMap.empty() && std::none_of(setup.maps.begin(), setup.maps.end(), isWatched)) {
    return fail(ErrorCode::usage,
                "The map \"" + config.earlyStopMap + "\" to watch is not one of the evaluated maps \"" +
                    config.evalMaps + "\"; name one of them or add it to --eval-maps.",
                "--early-stop-map");
  }
  if (!config.evalData.empty()) {
    STRATA_TRY(const Dataset held, Dataset::open(config.evalData, *tokenizer, options));
    setup.held = inOrder(held, config.evalRows);
  } else if (config.evalEvery > 0 || config.earlyStopPatience > 0) {
    return fail(ErrorCode::usage, "Evaluation while training needs held-out data; give --eval-data.", "--eval-data");
  }
  RoutingScript script;
  if (!config.routings.empty()) {
    STRATA_TRY(script, readRoutings(config.routings, setup.model.layers, setup.config.routingGroups, config.steps));
  }
  try {
    STRATA_TRY(Weights weights, startingWeights(config, location, setup.model, device));
    if (config.lora > 0) STRATA_CHECK(addLora(weights, setup.config));
    setup.trainer = std::make_unique<Trainer>(setup.config, setup.model, std::move(weights), *setup.data, device,
                                              std::move(script));
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
  setup.config = setup.trainer->config();
  return setup;
}

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
  Job(Run run, Setup setup, const TrainHooks& hooks)
      : m_run(std::move(run)), m_setup(std::move(setup)), m_hooks(hooks) {}

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

  Run m_run;
  Setup m_setup;
  const TrainHooks& m_hooks;
  RunDatabase* m_database = nullptr;
  EarlyStop m_early;
  std::int64_t m_saved = -1;  // the step of the newest checkpoint
};

/// Weights and moments of a parent's last checkpoint, and its data cursor where the data are the same.
Result<void> takeOver(Setup& setup, const std::filesystem::path& parent) {
  const auto steps = checkpointSteps(parent);
  if (steps.empty()) {
    return fail(ErrorCode::notFound, "The run " + parent.string() + " has no checkpoint to extend; resume it first.",
                "--extend");
  }
  const std::filesystem::path checkpoint = checkpointFolder(parent, steps.back());
  STRATA_CHECK(verifyCheckpoint(checkpoint));
  STRATA_CHECK(readTrainState(*setup.trainer, checkpoint, Restore::weightsAndMoments));
  STRATA_TRY(const TrainConfig before, configOfRun(parent));
  if (setup.config.data == before.data && setup.config.length == before.length && setup.config.seed == before.seed) {
    STRATA_TRY(const Cursor cursor, readCursor(checkpoint));
    setup.trainer->setCursor(cursor);
  }
  return {};
}

}  // namespace

Result<TrainAnswer> startTraining(const Project& project, const TrainConfig& config, const TrainHooks& hooks) {
  STRATA_TRY(Setup setup, prepare(config));
  STRATA_TRY(Run run, Run::create(project, "train", configToJson(setup.config)));
  return Job(std::move(run), std::move(setup), hooks).go();
}

Result<TrainConfig> configOfRun(const std::filesystem::path& runFolder) {
  STRATA_TRY(const RunInfo info, readRun(runFolder));
  TrainConfig config;
  STRATA_CHECK(configFromJson(info.config, (runFolder / "run.json").string(), config));
  return config;
}

Result<TrainAnswer> resumeTraining(const std::filesystem::path& runFolder, const ResumeChanges& changes,
                                   const TrainHooks& hooks) {
  STRATA_TRY(Run run, Run::reopen(runFolder));
  if (run.info().kind != "train") {
    return fail(ErrorCode::usage,
                "The run " + run.info().id + " is of the kind " + run.info().kind + "; only training can be resumed.");
  }
  if (run.info().state == RunState::done) {
    return fail(ErrorCode::usage, "The run " + run.info().id + " is done; continue it as a new run with --extend.",
                "--resume");
  }
  STRATA_TRY(TrainConfig config, configOfRun(runFolder));
  if (changes.microBatch) config.microBatch = *changes.microBatch;
  if (changes.threads) config.threads = *changes.threads;
  if (changes.evalEvery) config.evalEvery = *changes.evalEvery;
  STRATA_TRY(Setup setup, prepare(config));
  STRATA_TRY(const auto step, newestGoodCheckpoint(runFolder, [](const Error& error) { logWarning(error.message); }));
  if (step) {
    STRATA_CHECK(readTrainState(*setup.trainer, checkpointFolder(runFolder, *step), Restore::everything));
  } else if (!checkpointSteps(runFolder).empty()) {
    return fail(
        ErrorCode::invalidData,
        "No checkpoint of the run " + run.info().id + " is whole; to train anew from the start, begin a new run.",
        runFolder.string());
  } else if (!run.info().parent.empty()) {  // killed before what it took over was saved
    STRATA_CHECK(takeOver(setup, runFolder.parent_path() / run.info().parent));
  }
  STRATA_CHECK(run.setConfig(configToJson(setup.config)));
  run.clearStop();
  return Job(std::move(run), std::move(setup), hooks).go();
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
  STRATA_TRY(Setup setup, prepare(config));
  STRATA_CHECK(takeOver(setup, parent));
  STRATA_TRY(Run run, Run::create(project, "train", configToJson(setup.config), parent.filename().string()));
  return Job(std::move(run), std::move(setup), hooks).go();
}

}  // namespace strata
