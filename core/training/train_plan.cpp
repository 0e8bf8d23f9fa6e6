#include "core/training/train_plan.h"

#include <filesystem>
#include <set>
#include <sstream>
#include <utility>

#include "core/checkpoint/checkpoint_facts.h"
#include "core/model/device.h"
#include "core/project/model_name.h"
#include "core/training/run_request.h"
#include "core/training/run_setup.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr double kReadBytes = 3;  // that rows and their tokens take for each byte of a data file, at most

Error about(Error error, const char* field) {
  error.context = optionOf(error, field);
  return error;
}

class Planner {
 public:
  Planner(const TrainConfig& config, int ranks) : m_config(config), m_ranks(ranks) {}

  TrainPlan plan() && {
    for (Error& problem : problemsOf(m_config)) m_plan.problems.push_back(about(std::move(problem), ""));
    holds(checkRanks(m_config, m_ranks), "batch");
    addFiles();
    if (!m_config.model.empty() || !m_config.init.empty()) addModel();
    return std::move(m_plan);
  }

 private:
  template <class T>
  bool holds(const Result<T>& result, const char* field) {
    if (!result) m_plan.problems.push_back(about(result.error(), field));
    return result.has_value();
  }

  void addFiles() {
    const std::pair<const char*, const std::string*> files[] = {{"data", &m_config.data},
                                                                {"eval-data", &m_config.evalData},
                                                                {"eval-questions", &m_config.evalQuestions},
                                                                {"routings", &m_config.routings},
                                                                {"chat-template", &m_config.chatTemplate}};
    for (const auto& [field, path] : files) {
      std::error_code ignored;
      if (path->empty() || fs::exists(*path, ignored)) continue;
      m_plan.problems.push_back(
          {ErrorCode::notFound, "There is no " + *path + "; choose a file or folder that is there.", field});
    }
  }

  void addModel() {
    ModelLocation location{m_config.init, {}, {}};
    const char* field = m_config.init.empty() ? "model" : "init";
    if (m_config.init.empty()) {
      const Result<ModelLocation> found = locateModel(m_config.model, {}, Locate::place);
      if (!holds(found, field)) return;
      location = *found;
      holds(refuseStackedLora(m_config), field);
      holds(Checkpoint::open(location.folder), field);
    }
    const Result<ModelConfig> model = readModelConfig(location.folder);
    if (!holds(model, field)) return;
    if (tokenizerKind(location.folder) == nullptr) {
      m_plan.problems.push_back({ErrorCode::notFound,
                                 "The folder " + location.folder.string() +
                                     " has no tokenizer files, so text cannot be trained on; add tokenizer.json or "
                                     "tokenizer.model.",
                                 field});
    }
    holds(checkLength(m_config, *model), "length");
    holds(evaluatedMaps(m_config, *model), "eval-maps");
    if (m_config.device != "cpu") holds(chooseDevice(m_config.device), "device");
    addNumbers(model->shape());
  }

  void addNumbers(const ModelShape& shape) {
    const bool lora = m_config.lora > 0;
    m_plan.layers = shape.layers;
    m_plan.parameters = shape.parameters;
    m_plan.trained = lora ? loraParameters(shape, m_config.lora, m_config.loraTargets) : shape.parameters;
    const Result<RoutingSampler> sampler = RoutingSampler::parse(m_config.sampler);
    TrainingShape training;
    const int own = (m_config.batch + m_ranks - 1) / m_ranks;  // sequences of the rank that has the most
    training.microBatch = std::min(effectiveMicroBatch(m_config), own);
    training.microBatches = std::max(1, own / training.microBatch);
    training.ranks = m_ranks;
    training.length = m_config.length;
    training.computeBytes = m_config.dtype == "bfloat16" ? 2 : 4;
    training.trainedParameters = m_plan.trained;
    training.checkpointing = m_config.checkpointing;
    training.lora = m_config.lora;
    training.loraDropout = m_config.loraDropout > 0;
    training.routed = !m_config.routings.empty() || !sampler || m_config.pCross.value_or(sampler->defaultPCross()) > 0;
    training.distill = m_config.distill;
    training.teacherTrains = m_config.distillMu > 0;
    training.evaluates = m_config.evalEvery > 0;
    m_plan.memory = estimateTraining(shape, training);
    for (const std::string& path : {m_config.data, m_config.evalData, m_config.evalQuestions}) {
      std::error_code error;
      const auto size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
      if (!error) m_plan.memory.process += static_cast<std::int64_t>(kReadBytes * static_cast<double>(size));
    }
    constexpr std::int64_t kStored = 12;  // the parameter and its two moments, in fp32
    m_plan.checkpointBytes = kStored * m_plan.trained;
    m_plan.runBytes = (m_config.earlyStopPatience > 0 ? 4 : 3) * m_plan.checkpointBytes;
  }

  const TrainConfig& m_config;
  const int m_ranks;
  TrainPlan m_plan;
};

}  // namespace

std::string optionOf(const Error& error, const char* otherwise) {
  const std::size_t dashes = error.context.find_first_not_of('-');
  const std::string option = dashes == std::string::npos ? std::string() : error.context.substr(dashes);
  return configToJson(TrainConfig()).contains(option) ? option : otherwise;
}

std::int64_t loraParameters(const ModelShape& shape, int rank, const std::string& targets) {
  const std::int64_t width = shape.width, queries = std::int64_t{shape.heads} * shape.headDim,
                     keys = std::int64_t{shape.kvHeads} * shape.headDim, ffn = shape.ffn;
  const std::pair<const char*, std::int64_t> modules[] = {
      {"q_proj", width + queries}, {"k_proj", width + keys}, {"v_proj", width + keys},  {"o_proj", queries + width},
      {"gate_proj", width + ffn},  {"up_proj", width + ffn}, {"down_proj", ffn + width}};
  std::set<std::string> wanted;
  std::istringstream list(targets);
  for (std::string name; std::getline(list, name, ',');) wanted.insert(name);
  std::int64_t extents = 0;
  for (const auto& [module, extent] : modules) {
    if (wanted.contains("all-linear") || wanted.contains(module)) extents += extent;
  }
  return rank * extents * shape.layers;
}

Result<void> checkRoom(const fs::path& folder, std::int64_t bytes) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error || static_cast<std::int64_t>(space.available) >= bytes) return {};
  constexpr double kMegabyte = 1e6;
  const auto megabytes = [&](double count) { return std::to_string(static_cast<std::int64_t>(count / kMegabyte)); };
  return fail(ErrorCode::diskFull,
              "The run's checkpoints need " + megabytes(static_cast<double>(bytes)) + " MB and " +
                  megabytes(static_cast<double>(space.available)) + " MB are free in " + folder.string() +
                  "; free some space, or train a LoRA.",
              folder.string());
}

Result<void> checkRanks(const TrainConfig& config, int ranks) {
  if (ranks <= config.batch) return {};
  return fail(ErrorCode::usage,
              "A batch of " + std::to_string(config.batch) + " sequences cannot be shared by " + std::to_string(ranks) +
                  " ranks; start fewer ranks, or give a larger batch.",
              "--batch");
}

TrainPlan planTraining(const TrainConfig& config, int ranks) {
  return Planner(config, ranks).plan();
}

}  // namespace strata
