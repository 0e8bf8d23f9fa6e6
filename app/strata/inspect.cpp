// strata inspect: what a model is, from its configuration and headers alone; --check reads every weight.

#include <fmt/format.h>

#include <algorithm>

#include "app/strata/cli.h"
#include "core/checkpoint/checkpoint_facts.h"
#include "core/project/checkpoint_manifest.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

struct InspectArguments {
  ModelOptions model;
  std::vector<std::string> maps;
  bool check = false;
};

Json ropeToJson(const RopeConfig& rope, int headDim, std::int64_t context) {
  Json json = {{"type", toString(rope.type)}, {"theta", rope.theta}};
  if (rope.type != RopeType::standard) json["factor"] = rope.factor;
  if (rope.originalMaxPositions > 0) json["original_max_positions"] = rope.originalMaxPositions;
  if (rope.type == RopeType::llama3) {
    json["low_freq_factor"] = rope.lowFreqFactor;
    json["high_freq_factor"] = rope.highFreqFactor;
  }
  const RopeFrequencies frequencies = ropeFrequencies(rope, headDim, context);
  json["inverse_frequencies"] = frequencies.inverse;
  json["attention_scaling"] = frequencies.attentionScaling;
  return json;
}

/// "" where no layer slides.
std::string windowLine(const ModelConfig& config) {
  const std::vector<std::int64_t>& windows = config.traits.windows;
  const auto sliding = std::count_if(windows.begin(), windows.end(), [](std::int64_t window) { return window > 0; });
  if (sliding == 0) return "";
  return fmt::format("sliding window {} in {} of {} layers\n", *std::max_element(windows.begin(), windows.end()),
                     sliding, config.layers);
}

Result<std::vector<NamedMap>> mapsShown(const std::vector<std::string>& given, const Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config();
  if (!given.empty()) {
    std::vector<NamedMap> maps;
    for (const std::string& text : given) {
      STRATA_TRY(const std::vector<NamedMap> some, parseMaps(text, config.layers));
      maps.insert(maps.end(), some.begin(), some.end());
    }
    for (const NamedMap& map : maps) STRATA_CHECK(checkGeometry(map.map, config.kvGeometry()));
    return maps;
  }
  return mapsOf(checkpoint, "full;retention:0.5;retention:0.33;retention:0.25");
}

Result<int> run(const InspectArguments& arguments, const Output& out) {
  STRATA_TRY(const ModelLocation location, locate(arguments.model.model, arguments.model.project));
  STRATA_TRY(const Checkpoint checkpoint, Checkpoint::open(location.folder));
  STRATA_TRY(const DType dtype, computeDType(checkpoint, arguments.model.dtype));
  STRATA_TRY(const KvFormat kv, parseKvFormat(arguments.model.kv));
  STRATA_TRY(const std::vector<NamedMap> maps, mapsShown(arguments.maps, checkpoint));
  const ModelConfig& config = checkpoint.config();
  const fs::path adapter = arguments.model.adapter.empty() ? location.adapter : fs::path(arguments.model.adapter);
  if (!adapter.empty()) {
    STRATA_CHECK(verifyIfCheckpoint(adapter));
    const auto read = readAdapter(adapter, config);
    if (!read) return tl::unexpected(read.error());
  }
  const std::int64_t context = arguments.model.context > 0 ? arguments.model.context : config.maxPositions;
  const ModelShape shape = config.shape();
  const char* tokenizer = tokenizerKind(location.folder);

  Json json = {{"architecture", config.architecture},
               {"layers", config.layers},
               {"heads", config.heads},
               {"kv_heads", config.kvHeads},
               {"head_dim", config.headDim},
               {"width", config.width},
               {"ffn", config.ffn},
               {"vocab", config.vocab},
               {"tied", config.tied},
               {"parameters", shape.parameters},
               {"dtype", configName(checkpoint.storedDType())},
               {"stored", storedAs(checkpoint)},
               {"bytes_on_disk", checkpoint.bytesOnDisk()},
               {"context", context},
               {"tokenizer", tokenizer != nullptr ? Json(tokenizer) : Json(nullptr)},
               {"windows", config.traits.windows},
               {"rope", ropeToJson(config.rope, config.headDim, context)},
               {"map", checkpoint.map() ? Json(printMap(*checkpoint.map())) : Json("full")},
               {"kv_dtype", kvName(kv, configName(dtype))},
               {"kv_bytes_per_token", Json::object()},
               {"maps", Json::array()},
               {"folder", location.folder.string()}};
  if (!adapter.empty()) json["adapter"] = adapter.string();
  std::string text = fmt::format(
      "{}\nlayers {}, width {}, feed-forward {}\nheads {} of {}, KV heads {}\nvocabulary {}{}\nparameters {}, stored "
      "in {}, {} on "
      "disk\ncontext {}, rope {} with theta {:g}\n{}tokenizer {}\n",
      config.architecture, config.layers, config.width, config.ffn, config.heads, config.headDim, config.kvHeads,
      config.vocab, config.tied ? ", head tied to the embedding" : "", shape.parameters, storedAs(checkpoint),
      printBytes(checkpoint.bytesOnDisk()), context, toString(config.rope.type), config.rope.theta, windowLine(config),
      tokenizer != nullptr ? tokenizer : "none");
  for (const auto& [map, bytes] : costsOf(maps, config, kvStorage(kv, static_cast<int>(bytesOf(dtype))))) {
    json["kv_bytes_per_token"][map.name] = bytes;
    json["maps"].push_back({{"map", map.name},
                            {"src", map.map.src()},
                            {"owners", map.map.owners()},
                            {"retention", map.map.retention()},
                            {"kv_bytes_per_token", bytes}});
    text += fmt::format("KV cache {:<16} {:>8} bytes a token, {} of {} layers own\n", map.name, bytes, map.map.owners(),
                        config.layers);
  }
  if (!arguments.model.weights.empty()) {
    STRATA_TRY(const OpenedModel opened, openModel(arguments.model));
    const Weights& weights = opened.model->weights();
    const double error = quantizationError(weights);
    const std::int64_t bytes = weightBytes(weights, config.tied);
    json["rounded_weights"] = {{"format", arguments.model.weights}, {"bytes", bytes}, {"relative_error", error}};
    text += fmt::format("as {} {}, relative error {:.4f}\n", arguments.model.weights, printBytes(bytes), error);
  }
  if (!arguments.check) {
    out.answer(json, text);
    return 0;
  }
  STRATA_TRY(const std::vector<std::string> broken, tensorsWithNonFiniteValues(checkpoint, &cancelFlag()));
  json["check"] = {{"tensors", checkpoint.tensors().size()}, {"non_finite", broken}};
  if (broken.empty()) {
    out.answer(json, text + fmt::format("checked: all values of {} tensors are finite\n", checkpoint.tensors().size()));
    return 0;
  }
  std::string names;
  for (std::size_t i = 0; i < broken.size() && i < 5; ++i) names += (i > 0 ? ", " : "") + broken[i];
  if (broken.size() > 5) names += fmt::format(" and {} more", broken.size() - 5);
  const Error error{ErrorCode::invalidData,
                    "The weights of " + location.folder.string() + " hold values that are not finite, in " + names +
                        "; get the model's files again.",
                    broken.front()};
  if (!out.json) return tl::unexpected(error);
  json["error"] = errorToJson(error);  // one object: what was found beside what the model is
  Output::line(json);
  Output().error(error);
  return 1;
}

}  // namespace

VerbAction addInspect(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<InspectArguments>();
  arguments->model.addTo(verb);
  verb.add_option("--map,--maps", arguments->maps, "show the KV bytes of these maps; several: with ';' or repeated")
      ->allow_extra_args(false);
  verb.add_flag("--check", arguments->check, "read every weight and look for values that are not finite");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
