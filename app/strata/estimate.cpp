// strata estimate: memory by formula, before anything is allocated.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "core/checkpoint/checkpoint_facts.h"

namespace strata {
namespace {

struct EstimateArguments {
  ModelOptions model;
  std::string map, dtype;
  std::int64_t context = 0;
  int users = 1;
  std::string train;
  int microBatch = 8, length = 256, lora = 8;
  bool checkpointing = false;
};

Result<MemoryEstimate> training(const EstimateArguments& arguments, const ModelConfig& config, int bytes) {
  if (arguments.train != "full" && arguments.train != "lora") {
    return fail(ErrorCode::usage, "--train is \"" + arguments.train + "\"; give full or lora.", "--train");
  }
  const ModelShape shape = config.shape();
  TrainingShape training;
  training.microBatch = arguments.microBatch;
  training.length = arguments.length;
  training.computeBytes = bytes;
  training.checkpointing = arguments.checkpointing;
  training.trainedParameters = shape.parameters;
  if (arguments.train == "lora") {  // rank x (in + out) for each of the seven linear layers
    const std::int64_t width = shape.width, queries = std::int64_t{shape.heads} * shape.headDim;
    const std::int64_t keys = std::int64_t{shape.kvHeads} * shape.headDim;
    training.trainedParameters =
        arguments.lora * shape.layers * (2 * (width + queries) + 2 * (width + keys) + 3 * (width + shape.ffn));
  }
  return estimateTraining(shape, training);
}

Result<int> run(const EstimateArguments& arguments, const Output& out) {
  STRATA_TRY(const ModelLocation location, locate(arguments.model.model, arguments.model.project));
  STRATA_TRY(const Checkpoint checkpoint, Checkpoint::open(location.folder));
  const bool trains = !arguments.train.empty();
  STRATA_TRY(const ServingEstimate serving,
             estimateServing(checkpoint, arguments.map, arguments.dtype, arguments.context, arguments.users));
  const DType dtype = serving.dtype;
  MemoryEstimate estimate = serving.memory;
  if (trains) {
    STRATA_TRY(estimate, training(arguments, checkpoint.config(), static_cast<int>(bytesOf(dtype))));
  }
  Json json = {{"weights", estimate.weights},         {"kv", estimate.kv},
               {"activations", estimate.activations}, {"gradients", estimate.gradients},
               {"optimizer", estimate.optimizer},     {"total", estimate.total()},
               {"dtype", configName(dtype)}};
  if (!trains) {
    json["map"] = serving.map.name;
    json["src"] = serving.map.map.src();
    json["context"] = serving.context;
    json["users"] = arguments.users;
  } else {
    json["train"] = arguments.train;
    json["micro_batch"] = arguments.microBatch;
    json["length"] = arguments.length;
  }
  std::string text;
  const std::pair<const char*, std::int64_t> parts[] = {
      {"weights", estimate.weights},     {"KV cache", estimate.kv},         {"activations", estimate.activations},
      {"gradients", estimate.gradients}, {"optimizer", estimate.optimizer}, {"total", estimate.total()}};
  for (const auto& [part, size] : parts) {
    if (size > 0) text += fmt::format("{:<12} {:>12}\n", part, printBytes(size));
  }
  out.answer(json, text);
  return 0;
}

}  // namespace

VerbAction addEstimate(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<EstimateArguments>();
  arguments->model.addNameTo(verb);
  verb.add_option("--map", arguments->map, "sharing map (default: the model's own, else full)");
  verb.add_option("--dtype", arguments->dtype, "float32 | bfloat16 (default: as stored)");
  verb.add_option("--context", arguments->context, "tokens of one session (default: the model's)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40));
  verb.add_option("--users", arguments->users, "sessions at a time")->check(CLI::Range(1, 1000000));
  verb.add_option("--train", arguments->train, "of training instead: full | lora");
  verb.add_option("--micro-batch,--batch", arguments->microBatch, "with --train: sequences a forward pass")
      ->check(CLI::Range(1, 1000000));
  verb.add_option("--length", arguments->length, "with --train: tokens a sequence")->check(CLI::Range(2, 10000000));
  verb.add_option("--lora", arguments->lora, "with --train lora: the rank")->check(CLI::Range(1, 65536));
  verb.add_flag("--checkpointing", arguments->checkpointing, "with --train: activations are recomputed");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
