// strata export: a stock Hugging Face folder with its map, from a model, a model with an adapter, or a run.

#include "core/checkpoint/export.h"

#include <ATen/ATen.h>

#include <cstring>

#include "app/strata/cli.h"
#include "core/base/files.h"
#include "core/checkpoint/tensor_values.h"
#include "core/project/checkpoint_manifest.h"
#include "core/report/report.h"

namespace strata {
namespace fs = std::filesystem;
extern const char* const kModelingStrata;  // packaging/python/strata_hf/modeling_strata.py, compiled in
namespace {

struct ExportArguments {
  ModelOptions model;
  std::string adapter;
  std::string map;
  std::string dtype;
  std::string card;
  bool remoteCode = false;
  std::string out;
};

/// The weights of `trained` with an adapter merged in, each in the dtype asked for and rounded once.
class ExportSource {
 public:
  ExportSource(const Checkpoint& trained, const Adapter& adapter) : m_trained(trained), m_adapter(adapter) {}

  Result<std::vector<std::byte>> operator()(const std::string& name, DType dtype) const {
    const TensorView& view = m_trained.tensor(name);
    constexpr std::string_view kWeight = ".weight";
    const auto pair = name.ends_with(kWeight) ? m_adapter.pairs.find(name.substr(0, name.size() - kWeight.size()))
                                              : m_adapter.pairs.end();
    if (pair == m_adapter.pairs.end()) return valuesOf(view, dtype);
    const c10::Device cpu(c10::DeviceType::CPU);
    Linear linear;
    linear.weight = tensorOf(view, at::kFloat, cpu);
    linear.loraA = tensorOf(pair->second.a, at::kFloat, cpu);
    linear.loraB = tensorOf(pair->second.b, at::kFloat, cpu);
    linear.loraScale = pair->second.scale;
    const at::Tensor values = mergedWeight(linear).contiguous();
    return convertFromFloat({values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())}, dtype);
  }

 private:
  const Checkpoint& m_trained;
  const Adapter& m_adapter;
};

Result<int> run(const ExportArguments& arguments, const Output& out) {
  STRATA_TRY(const ModelLocation location, locate(arguments.model.model, arguments.model.project));
  if (!location.adapter.empty() && !arguments.adapter.empty()) {
    return fail(ErrorCode::usage, "The run " + arguments.model.model + " is an adapter already; leave --adapter out.",
                "--adapter");
  }
  STRATA_TRY(const Checkpoint trained, Checkpoint::open(location.folder));
  STRATA_TRY(const fs::path originalFolder, originalOf(location));
  std::error_code ignored;
  if (!fs::exists(originalFolder, ignored)) {
    return fail(ErrorCode::notFound,
                "The run " + location.run.string() + " was trained from " + originalFolder.string() +
                    ", which is gone; an export takes its names and dtypes from it, so put it back.",
                originalFolder.string());
  }
  STRATA_TRY(const Checkpoint original, Checkpoint::open(originalFolder));
  Adapter adapter;
  const fs::path adapterFolder = arguments.adapter.empty() ? location.adapter : fs::path(arguments.adapter);
  if (!adapterFolder.empty()) {
    STRATA_CHECK(verifyIfCheckpoint(adapterFolder));
    STRATA_TRY(adapter, readAdapter(adapterFolder, trained.config()));
  }
  const int layers = trained.config().layers;
  SharingMap map = trained.map() ? *trained.map() : original.map() ? *original.map() : SharingMap::full(layers);
  if (!arguments.map.empty()) {
    STRATA_TRY(map, parseMap(arguments.map, layers));
  }
  std::optional<DType> dtype;
  if (!arguments.dtype.empty()) {
    dtype = parseDType(arguments.dtype);
    if (!dtype || *dtype == DType::f16) {
      return fail(ErrorCode::usage, "The dtype \"" + arguments.dtype + "\" is unknown; give float32 or bfloat16.",
                  "--dtype");
    }
  }
  const fs::path named = fs::absolute(arguments.out).lexically_normal();
  const std::string title = (named.has_filename() ? named : named.parent_path()).filename().string();
  std::string card = "# " + title + "\n";
  if (!arguments.card.empty()) {
    STRATA_TRY(const Json report, readJson(arguments.card));
    STRATA_TRY(card, modelCard(report, map, title));
  }
  const bool asItCame = location.run.empty() && adapter.pairs.empty() && !dtype;
  const TensorSource source = asItCame ? TensorSource() : TensorSource(ExportSource(trained, adapter));
  STRATA_CHECK(exportModel(original, map, source, arguments.out,
                           {dtype, &cancelFlag(), arguments.remoteCode ? kModelingStrata : ""}));
  const ModelConfig& config = original.config();
  constexpr int kBytes = 2;  // a value of a cache, which servers keep in 16 bits whatever the weights are
  const std::int64_t layerBytes = 2LL * config.kvHeads * config.headDim * kBytes;
  card += "\n" + servingNotes({title, map, layerBytes, config.traits.windows, arguments.remoteCode});
  STRATA_CHECK(writeFile(fs::path(arguments.out) / "README.md", card));

  const std::string name = arguments.map.empty() ? printMap(map) : arguments.map;
  const std::string folder = named.string();
  out.answer({{"out", folder},
              {"map", name},
              {"src", map.src()},
              {"retention", map.retention()},
              {"original", originalFolder.string()},
              {"merged_adapter", !adapter.pairs.empty()}},
             "exported to " + folder + " with the map " + name);
  return 0;
}

}  // namespace

VerbAction addExport(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<ExportArguments>();
  arguments->model.addNameTo(verb);
  verb.add_option("out", arguments->out, "folder to write; it must not exist or be empty")
      ->required()
      ->type_name("OUT");
  verb.add_option("--map", arguments->map, "the map that the export carries (default: the model's own, else full)");
  verb.add_option("--adapter", arguments->adapter, "LoRA adapter to merge in")->type_name("DIR");
  verb.add_option("--dtype", arguments->dtype, "float32 | bfloat16 of the weights (default: as they came)");
  verb.add_option("--card", arguments->card, "make README.md a model card from this report")->type_name("REPORT.json");
  verb.add_flag("--remote-code", arguments->remoteCode,
                "write modeling_strata.py, with which transformers follows the map (trust_remote_code=True)");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
