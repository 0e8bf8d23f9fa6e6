// strata estimate: memory by formula, before anything is allocated; of training also measured (--probe).

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "app/strata/field_options.h"
#include "core/checkpoint/checkpoint_facts.h"
#include "core/config/presets.h"
#include "core/training/run_request.h"
#include "core/training/train_plan.h"
#include "core/training/train_probe.h"

namespace strata {
namespace {

struct EstimateArguments {
  explicit EstimateArguments(CLI::App& verb) : fields(verb) {}
  std::string model, project, map, kv, train, preset, config;
  std::int64_t context = 0;
  int users = 1, ranks = 1;
  bool probe = false;
  FieldOptions fields;

  bool trains() const { return probe || !train.empty() || !preset.empty() || !config.empty(); }
};

Json toJson(const MemoryEstimate& estimate) {
  return {{"weights", estimate.weights},         {"kv", estimate.kv},
          {"activations", estimate.activations}, {"logits", estimate.logits},
          {"gradients", estimate.gradients},     {"optimizer", estimate.optimizer},
          {"process", estimate.process},         {"total", estimate.total()}};
}

std::string printParts(const MemoryEstimate& estimate) {
  std::string text;
  const std::pair<const char*, std::int64_t> parts[] = {
      {"weights", estimate.weights}, {"KV cache", estimate.kv},         {"activations", estimate.activations},
      {"logits", estimate.logits},   {"gradients", estimate.gradients}, {"optimizer", estimate.optimizer},
      {"process", estimate.process}, {"total", estimate.total()}};
  for (const auto& [part, size] : parts) {
    if (size > 0) text += fmt::format("{:<12} {:>12}\n", part, printBytes(size));
  }
  return text;
}

Result<int> serving(const EstimateArguments& arguments, const Output& out) {
  STRATA_TRY(const ModelLocation location, locate(arguments.model, arguments.project));
  STRATA_TRY(const Checkpoint checkpoint, Checkpoint::open(location.folder));
  STRATA_TRY(const Json given, arguments.fields.given());
  STRATA_TRY(const ServingEstimate serving, estimateServing(checkpoint, arguments.map, given.value("dtype", ""),
                                                            arguments.kv, arguments.context, arguments.users));
  Json json = toJson(serving.memory);
  json["dtype"] = configName(serving.dtype);
  json["kv_dtype"] = kvName(serving.kv, configName(serving.dtype));
  json["map"] = serving.map.name;
  json["src"] = serving.map.map.src();
  json["context"] = serving.context;
  json["users"] = arguments.users;
  out.answer(json, printParts(serving.memory));
  return 0;
}

/// The preset or file, the options over it, and of what is left open: the stored dtype, and with --train lora rank 8.
Result<TrainConfig> configOf(const EstimateArguments& arguments) {
  RunRequest request;
  request.where = "The command line";
  if (!arguments.preset.empty()) {
    STRATA_TRY(const std::filesystem::path folder, resourceFolder("presets"));
    STRATA_TRY(const Preset preset, findPreset(folder, arguments.preset));
    request.file = optionsIn(preset, arguments.project);
    request.fileName = "The preset " + preset.name;
  } else if (!arguments.config.empty()) {
    request.fileName = arguments.config;
    STRATA_TRY(request.file, readJson(arguments.config));
  }
  STRATA_TRY(request.given, arguments.fields.given());
  if (!arguments.model.empty()) request.given["model"] = arguments.model;
  STRATA_TRY(TrainConfig config, newRunConfig(request));
  const auto isOpen = [&](const char* name) { return !request.given.contains(name) && !request.file.contains(name); };
  constexpr int kRank = 8;
  if (arguments.train == "lora" && config.lora == 0) config.lora = kRank;
  if (arguments.train == "full") config.lora = 0;
  const std::optional<std::filesystem::path> project =
      arguments.project.empty() ? std::nullopt : std::optional<std::filesystem::path>(arguments.project);
  STRATA_CHECK(resolveNames(project, config));
  if (isOpen("dtype") && !config.model.empty()) {
    STRATA_TRY(const ModelLocation location, locateModel(config.model, {}, Locate::place));
    STRATA_TRY(const Checkpoint checkpoint, Checkpoint::open(location.folder));
    STRATA_TRY(const DType dtype, computeDType(checkpoint, ""));
    config.dtype = configName(dtype);
  }
  return config;
}

Json toJson(const TrainProbe& probe) {
  return {{"step_s", probe.stepSeconds},   {"tokens_s", probe.tokensPerSecond},
          {"padding", probe.padding},      {"evaluation_s", probe.evaluationSeconds},
          {"start_s", probe.startSeconds}, {"seconds", probe.seconds},
          {"steps", probe.steps},          {"sequences", probe.sequences},
          {"peak", toJson(probe.peak)}};
}

std::string print(const TrainProbe& probe) {
  std::string text = "\nmeasured in two steps\n" + printParts(probe.peak);
  text += fmt::format("{:<12} {:>10.3f} s\n{:<12} {:>12.0f}\n{:<12} {:>10.1f} %\n", "step", probe.stepSeconds,
                      "tokens/s", probe.tokensPerSecond, "padding", 100 * probe.padding);
  if (probe.evaluationSeconds > 0) text += fmt::format("{:<12} {:>10.3f} s\n", "evaluation", probe.evaluationSeconds);
  text += fmt::format("{} steps take about {:.0f} s", probe.steps, probe.seconds);
  return text;
}

Result<int> training(const EstimateArguments& arguments, const Output& out) {
  if (!arguments.train.empty() && arguments.train != "full" && arguments.train != "lora") {
    return fail(ErrorCode::usage, "--train is \"" + arguments.train + "\"; give full or lora.", "--train");
  }
  STRATA_TRY(const TrainConfig config, configOf(arguments));
  TrainPlan plan = planTraining(config, arguments.ranks);
  if (config.data.empty() && !arguments.probe) {  // memory can be told without
    std::erase_if(plan.problems, [](const Error& problem) { return problem.context == "data"; });
  }
  if (!plan.problems.empty()) {
    Error first = plan.problems.front();
    if (plan.layers == 0 || arguments.probe) return tl::unexpected<Error>(std::move(first));
  }
  Json json = toJson(plan.memory);
  json["dtype"] = config.dtype;
  json["train"] = config.lora > 0 ? "lora" : "full";
  json["ranks"] = arguments.ranks;
  json["micro_batch"] = effectiveMicroBatch(config);
  json["length"] = config.length;
  json["parameters"] = plan.parameters;
  json["trained"] = plan.trained;
  json["checkpoint"] = plan.checkpointBytes;
  json["disk"] = plan.runBytes;
  json["problems"] = Json::array();
  std::string text = printParts(plan.memory);
  text += fmt::format("{:<12} {:>12}\n{:<12} {:>12}\n", "on disk", printBytes(plan.runBytes), "trained", plan.trained);
  for (const Error& problem : plan.problems) {
    json["problems"].push_back({{"field", problem.context}, {"problem", problem.message}});
    text += problem.message + "\n";
  }
  if (arguments.probe) {
    STRATA_TRY(const TrainProbe probe, probeTraining(config, [] { return cancelFlag().load(); }));
    json["probe"] = toJson(probe);
    text += print(probe);
  }
  out.answer(json, text);
  return 0;
}

Result<int> run(const EstimateArguments& arguments, const Output& out) {
  if (arguments.trains()) return training(arguments, out);
  if (arguments.model.empty()) return fail(ErrorCode::usage, "No model is given; name a folder or a run.", "MODEL");
  return serving(arguments, out);
}

}  // namespace

VerbAction addEstimate(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<EstimateArguments>(verb);
  verb.add_option("MODEL", arguments->model, "model folder (config.json and safetensors), FILE.gguf, or RUN[@STEP]")
      ->type_name("MODEL");
  verb.add_option("--project", arguments->project, "project folder, so that MODEL may be the id of one of its runs")
      ->type_name("DIR");
  verb.add_option("--map", arguments->map, "sharing map (default: the model's own, else full)");
  verb.add_option("--context", arguments->context, "tokens of one session (default: the model's)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40));
  verb.add_option("--users", arguments->users, "sessions at a time")->check(CLI::Range(1, 1000000));
  verb.add_option("--kv", arguments->kv, "keys and values in 8 bits: int8 | fp8 (default: the dtype)")
      ->type_name("FORMAT");
  verb.add_option("--ranks", arguments->ranks,
                  "of training: devices that share each step (strata train --distributed); the memory is that of one")
      ->check(CLI::Range(1, 1000000));
  verb.add_option("--train", arguments->train, "of training instead: full | lora, with the options below");
  verb.add_option("--preset", arguments->preset, "of training with a shipped configuration");
  verb.add_option("--config", arguments->config, "of training with the options of a JSON file")->type_name("FILE");
  verb.add_flag("--probe", arguments->probe, "of training: also measures two steps");
  arguments->fields.add(TrainConfig(), {"model"});
  arguments->fields.joinRepeated("eval-maps");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
