#include "core/training/run_setup.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "core/base/log.h"
#include "core/data/template_renderer.h"
#include "core/evaluation/tasks.h"
#include "core/model/device.h"
#include "core/model/model.h"
#include "core/project/project.h"
#include "core/project/run_checkpoint.h"
#include "core/training/train_plan.h"
#include "core/training/train_state.h"

namespace strata {
namespace {

constexpr int kMostSteps = 1'000'000'000;  // as TrainConfig's steps

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

/// The name of a model that goes on meaning the same weights: absolute, and a run with its step.
std::string pinned(const std::string& model, const ModelLocation& location) {
  if (location.run.empty()) return absolute(model);
  const std::string checkpoint =
      (location.adapter.empty() ? location.folder : location.adapter).filename();  // "step-<n>"
  return absolute(location.run.string()) + "@" + checkpoint.substr(checkpoint.rfind('-') + 1);
}

DataOptions trainingData(const TrainConfig& config, const ChatRenderer& chat) {
  DataOptions options = rowOptions(config);
  options.chat = &chat;
  options.split = config.split;
  options.part = config.split > 0 ? DataPart::train : DataPart::all;
  return options;
}

/// Questions as evaluation asks them, whatever training does with them.
DataOptions heldOutData(const TrainConfig& config, const ChatRenderer& chat) {
  DataOptions options = trainingData(config, chat);
  options.questionFirst = 0;
  options.permutePassages = false;
  if (config.split > 0) options.part = DataPart::held;
  return options;
}

/// The sample that every evaluation of the run answers.
Result<QuestionSet> askedQuestions(const TrainConfig& config) {
  const EvalTask* task = config.evalTask.empty() ? nullptr : findEvalTask(config.evalTask);
  STRATA_TRY(QuestionSet all, readQuestions(config.evalQuestions, task != nullptr ? task->questions : std::nullopt));
  STRATA_TRY(QuestionSet sample, sampleQuestions(std::move(all), config.evalQuestionsLimit, config.seed));
  const std::vector<Question>& asked = sample.questions;
  const auto hasText = [](const Question& question) { return !question.question.empty(); };
  const auto isScored = [](const Question& question) { return question.answerable; };
  if (std::any_of(asked.begin(), asked.end(), hasText) &&
      (sample.format != QaFormat::msMarco || std::any_of(asked.begin(), asked.end(), isScored))) {
    return sample;
  }
  return fail(ErrorCode::invalidData,
              config.evalQuestions + " gives " + std::to_string(asked.size()) +
                  " questions, none of which has a text and a known answer; give other questions or a larger "
                  "eval-questions-limit.",
              "--eval-questions");
}

void warnOfDropped(const DataReport& report, const std::string& path) {
  if (report.droppedRows == 0) return;
  logWarning(std::to_string(report.droppedRows) + " of " + std::to_string(report.records) + " records of " + path +
             " are left out, the first because: " + report.dropped.front().sentence() +
             " \"strata data check\" lists them all.");
}

}  // namespace

Result<Weights> startingWeights(const TrainConfig& config, const ModelLocation& location, const ModelConfig& model,
                                c10::Device device) {
  if (!config.init.empty()) return initialWeights(model, config.seed, device);
  STRATA_TRY(const Checkpoint checkpoint, Checkpoint::open(location.folder));
  const bool lora = config.lora > 0;
  const at::ScalarType compute = config.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat;
  STRATA_TRY(Weights weights, loadWeights(checkpoint, lora ? compute : toTorch(checkpoint.storedDType()), device,
                                          placementOf(checkpoint)));
  if (!location.adapter.empty()) {
    STRATA_TRY(const Adapter adapter, readAdapter(location.adapter, model));
    STRATA_CHECK(attachAdapter(weights, adapter, at::kFloat, device));
    visitLinears(weights, [&](const std::string&, Linear& linear) {
      linear.weight = mergedWeight(linear).to(lora ? compute : at::kFloat);
      linear.loraA = linear.loraB = at::Tensor();
    });
  }
  if (lora) STRATA_CHECK(addLora(weights, config));
  return weights;
}

DataOptions rowOptions(const TrainConfig& config) {
  DataOptions options;
  options.length = config.length;
  options.trainOnPrompt = config.trainOnPrompt;
  options.columns = config.columns;
  options.questionFirst = config.questionFirst;
  options.permutePassages = config.permutePassages;
  options.seed = config.seed;
  return options;
}

Result<int> stepsOf(double epochs, std::int64_t sequences, int batch) {
  constexpr double kRounding = 1e-9;  // of 0.1 x 30 = 3.0000000000000004
  const double steps = std::max(1.0, std::ceil(epochs * static_cast<double>(sequences) / batch - kRounding));
  if (steps <= kMostSteps) return static_cast<int>(steps);
  return fail(ErrorCode::usage,
              "So many epochs of " + std::to_string(sequences) + " sequences are more than " +
                  std::to_string(kMostSteps) + " steps; give fewer.",
              "--epochs");
}

Result<void> checkLength(const TrainConfig& config, const ModelConfig& model) {
  if (config.length <= model.maxPositions) return {};
  return fail(ErrorCode::usage,
              "The length " + std::to_string(config.length) + " exceeds the model's context of " +
                  std::to_string(model.maxPositions) + "; give a length of at most that.",
              "--length");
}

Result<std::vector<NamedMap>> evaluatedMaps(const TrainConfig& config, const ModelConfig& model) {
  STRATA_TRY(std::vector<NamedMap> maps, parseMaps(config.evalMaps, model.layers));
  const auto isWatched = [&](const NamedMap& map) { return map.name == config.earlyStopMap; };
  if (config.earlyStopMap.empty() || std::any_of(maps.begin(), maps.end(), isWatched)) return maps;
  return fail(ErrorCode::usage,
              "The map \"" + config.earlyStopMap + "\" to watch is not one of the evaluated maps \"" + config.evalMaps +
                  "\"; name one of them, or evaluate it too.",
              "--early-stop-map");
}

namespace {

/// Everything but the trainer, and what that is made of.
struct Parts {
  RunSetup setup;
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  Weights weights;
  RoutingScript script;
};

Result<Parts> readParts(TrainConfig config, const Communicator* ranks) {
  STRATA_CHECK(checkTrainConfig(config));
  if (ranks != nullptr) STRATA_CHECK(checkRanks(config, ranks->ranks()));
  Parts parts;
  RunSetup& setup = parts.setup;
  STRATA_TRY(parts.device, chooseDevice(config.device));
  at::set_num_threads(config.threads > 0 ? config.threads : coresOf(ranks));
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
  if (!config.evalQuestions.empty()) config.evalQuestions = absolute(config.evalQuestions);
  if (!config.routings.empty()) config.routings = absolute(config.routings);
  if (!config.chatTemplate.empty()) config.chatTemplate = absolute(config.chatTemplate);
  setup.modelFolder = location.folder;
  STRATA_TRY(setup.model, readModelConfig(location.folder));
  setup.config = resolved(config);
  STRATA_CHECK(checkLength(config, setup.model));
  STRATA_TRY(std::unique_ptr<Tokenizer> opened, openTokenizer(location.folder));
  setup.tokenizer = std::move(opened);
  const Tokenizer* tokenizer = setup.tokenizer.get();
  if (tokenizer == nullptr) {
    return fail(ErrorCode::notFound,
                "The folder " + location.folder.string() +
                    " has no tokenizer files, so text cannot be trained on; add tokenizer.json or tokenizer.model.",
                location.folder.string());
  }
  if (tokenizer->vocabSize() > setup.model.vocab) {
    return fail(ErrorCode::invalidData,
                "The tokenizer has " + std::to_string(tokenizer->vocabSize()) + " tokens and the model's vocabulary " +
                    std::to_string(setup.model.vocab) + "; they do not belong together.",
                location.folder.string());
  }
  STRATA_TRY(ChatTemplate chatTemplate, ChatTemplate::open(location.folder, config.chatTemplate));
  const TemplateRenderer chat(std::move(chatTemplate));
  STRATA_TRY(Dataset data, Dataset::open(config.data, *tokenizer, trainingData(config, chat)));
  warnOfDropped(data.report(), config.data);
  setup.data = std::make_unique<Dataset>(std::move(data));
  if (config.epochs) {
    setup.sequences = sequencesOfAnEpoch(*setup.data, config.seed, config.packWindow);
    STRATA_TRY(config.steps, stepsOf(*config.epochs, setup.sequences, config.batch));
    config.epochs.reset();
    setup.config = resolved(config);
  }
  STRATA_TRY(setup.maps, evaluatedMaps(config, setup.model));
  if (!config.evalData.empty() || config.split > 0) {
    const std::string& from = config.evalData.empty() ? config.data : config.evalData;
    STRATA_TRY(const Dataset held, Dataset::open(from, *tokenizer, heldOutData(config, chat)));
    if (!config.evalData.empty()) warnOfDropped(held.report(), from);
    setup.held = inOrder(held, config.evalRows);
  }
  if (!config.evalQuestions.empty()) {
    STRATA_TRY(setup.questions, askedQuestions(config));
    setup.eosIds = setup.model.eosIds;
    if (config.init.empty()) {
      STRATA_TRY(const Checkpoint checkpoint, Checkpoint::open(location.folder));
      STRATA_TRY(setup.eosIds, eosIds(checkpoint));
    }
  }
  if (!config.routings.empty()) {
    STRATA_TRY(parts.script,
               readRoutings(config.routings, setup.model.layers, setup.config.routingGroups, config.steps));
  }
  try {
    STRATA_TRY(parts.weights, startingWeights(setup.config, location, setup.model, parts.device));
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
  return parts;
}

}  // namespace

Result<RunSetup> prepareRun(TrainConfig config, Communicator* ranks) {
  Result<Parts> parts = readParts(std::move(config), ranks);
  STRATA_CHECK(agree(ranks, parts ? Result<void>() : tl::unexpected(parts.error())));
  RunSetup setup = std::move(parts->setup);
  try {
    setup.trainer = std::make_unique<Trainer>(setup.config, setup.model, std::move(parts->weights), *setup.data,
                                              parts->device, std::move(parts->script), ranks);
  } catch (const std::exception& exception) {
    if (ranks != nullptr) ranks->abort(errorFromException(exception).message);
    return tl::unexpected(errorFromException(exception));
  }
  setup.config = setup.trainer->config();
  return setup;
}

Trainer::Save saveOf(const RunSetup& setup) {
  return [&setup](const std::filesystem::path& folder) {
    return writeTrainState(*setup.trainer, setup.modelFolder, folder);
  };
}

Result<void> takeOver(RunSetup& setup, const std::filesystem::path& parent) {
  const auto steps = checkpointSteps(parent);
  if (steps.empty()) {
    return fail(ErrorCode::notFound, "The run " + parent.string() + " has no checkpoint to extend; resume it first.",
                "--extend");
  }
  const std::filesystem::path checkpoint = checkpointFolder(parent, steps.back());
  STRATA_CHECK(verifyCheckpoint(checkpoint));
  STRATA_CHECK(readTrainState(*setup.trainer, checkpoint, Restore::weightsAndMoments));
  STRATA_TRY(const TrainConfig before, configOfRun(parent));
  STRATA_TRY(const std::optional<std::uint64_t> fingerprint, readFingerprint(checkpoint));
  const bool sameData =
      fingerprint ? *fingerprint == setup.trainer->dataFingerprint() : setup.config.data == before.data;
  if (sameData && setup.config.length == before.length && setup.config.seed == before.seed) {
    STRATA_TRY(const Cursor cursor, readCursor(checkpoint));
    setup.trainer->setCursor(cursor);
  }
  return {};
}

Result<TrainConfig> configOfRun(const std::filesystem::path& runFolder) {
  STRATA_TRY(const RunInfo info, readRun(runFolder));
  TrainConfig config;
  config.packWindow = 1;  // of a run of version 0.4, which stored none
  STRATA_CHECK(configFromJson(info.config, (runFolder / "run.json").string(), config));
  return config;
}

}  // namespace strata
