#include "core/service/exporting.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

#include "core/base/files.h"
#include "core/checkpoint/adapter.h"
#include "core/checkpoint/checkpoint_facts.h"
#include "core/checkpoint/export.h"
#include "core/checkpoint/gguf.h"
#include "core/checkpoint/tensor_values.h"
#include "core/model/weights.h"
#include "core/project/checkpoint_manifest.h"
#include "core/project/model_name.h"
#include "core/project/project_files.h"

namespace strata {
extern const char* const kModelingStrata;  // packaging/python/strata_hf/modeling_strata.py, compiled in
namespace {

namespace fs = std::filesystem;

/// The weights of `trained` with an adapter merged in, each in the dtype asked for and rounded once.
class MergedSource {
 public:
  MergedSource(const Checkpoint& trained, const Adapter& adapter) : m_trained(trained), m_adapter(adapter) {}

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

/// What is exported: opened and checked.
struct Sources {
  ModelLocation location;
  Checkpoint trained, original;
  fs::path adapterFolder;  // empty: none
  Adapter adapter;
  std::optional<DType> dtype;
  std::string mapName;
  SharingMap map;
};

Result<std::optional<DType>> dtypeOf(const std::string& text) {
  if (text.empty()) return std::optional<DType>();
  const std::optional<DType> dtype = parseDType(text);
  if (dtype && *dtype != DType::f16) return dtype;
  return fail(ErrorCode::usage, "The dtype \"" + text + "\" is unknown; give float32 or bfloat16.", "--dtype");
}

Result<Sources> openSources(const ExportRequest& request, const std::optional<fs::path>& project) {
  STRATA_TRY(ModelLocation location, locateModel(request.model, project));
  if (!location.adapter.empty() && !request.adapter.empty()) {
    return fail(ErrorCode::usage, "The run " + request.model + " is an adapter already and takes no other.",
                "--adapter");
  }
  STRATA_TRY(Checkpoint trained, Checkpoint::open(location.folder));
  STRATA_TRY(const fs::path originalFolder, originalOf(location));
  std::error_code ignored;
  if (!fs::exists(originalFolder, ignored)) {
    return fail(ErrorCode::notFound,
                "The run " + location.run.string() + " was trained from " + originalFolder.string() +
                    ", which is gone; an export takes its names and dtypes from it, so put it back.",
                originalFolder.string());
  }
  STRATA_TRY(Checkpoint original, Checkpoint::open(originalFolder));
  Adapter adapter;
  const fs::path adapterFolder = request.adapter.empty() ? location.adapter : fs::path(request.adapter);
  if (!adapterFolder.empty()) {
    STRATA_CHECK(verifyIfCheckpoint(adapterFolder));
    STRATA_TRY(adapter, readAdapter(adapterFolder, trained.config()));
  }
  const int layers = trained.config().layers;
  SharingMap map = trained.map() ? *trained.map() : original.map() ? *original.map() : SharingMap::full(layers);
  if (!request.map.empty()) {
    STRATA_TRY(map, parseMap(request.map, layers));
  }
  STRATA_TRY(const std::optional<DType> dtype, dtypeOf(request.dtype));
  std::string name = request.map.empty() ? printMap(map) : request.map;
  return Sources{std::move(location), std::move(trained), std::move(original), adapterFolder, std::move(adapter), dtype,
                 std::move(name),     std::move(map)};
}

/// What a name of a folder may hold; "retention:.5" becomes "retention-.5", a list its number of owners.
std::string fileName(const std::string& text) {
  std::string name;
  for (const char letter : text) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '.' || letter == '_';
    name += plain ? letter : '-';
  }
  return name;
}

/// In the project's folder exports, unlike the names that are there.
Result<fs::path> nextFolder(const ExportRequest& request, const Sources& sources, const fs::path& project) {
  STRATA_CHECK(makeFolder({project, "exports"}));
  const ModelLocation& location = sources.location;
  fs::path model = !sources.adapterFolder.empty() && location.adapter.empty() ? sources.adapterFolder
                   : location.run.empty()                                     ? location.folder
                                                                              : location.run;
  if (isGgufFile(model)) model.replace_extension();
  std::string map = sources.mapName;
  if (map.find_first_of(",/") != std::string::npos) map = "owners-" + std::to_string(sources.map.owners());
  std::string name = fileName(model.filename().string());
  if (request.adapterAlone) {
    name += "-adapter";
  } else if (!sources.map.isFull()) {
    name += "-" + fileName(map);
  }
  fs::path folder = project / "exports" / name;
  std::error_code ignored;
  for (int number = 2; fs::symlink_status(folder, ignored).type() != fs::file_type::not_found; ++number) {
    folder = project / "exports" / (name + "-" + std::to_string(number));
  }
  return folder;
}

std::int64_t bytesIn(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) bytes += static_cast<std::int64_t>(entry->file_size(ignored));
  }
  return bytes;
}

/// vLLM keeps keys and values in 16 bits; the others in the dtype of the weights, as a CPU computes.
std::vector<std::int64_t> kvOfUses(const Sources& sources, const std::vector<ServingUse>& uses, DType dtype,
                                   const SharingMap& map, std::int64_t context) {
  std::vector<std::int64_t> bytes;
  for (const ServingUse& use : uses) {
    const int elementBytes = use.program == "vLLM" ? 2 : static_cast<int>(bytesOf(dtype));
    const KvStorage storage = kvStorage(KvFormat::plain, elementBytes);
    bytes.push_back(kvBytes(map, sources.original.config().shape(), context, storage));
  }
  return bytes;
}

ExportedModel exportedModel(const Sources& sources, const fs::path& folder, bool remoteCode) {
  const ModelConfig& config = sources.original.config();
  constexpr int kBytes = 2;  // a value of a cache, which servers keep in 16 bits whatever the weights are
  const std::int64_t layerBytes = 2LL * config.kvHeads * config.headDim * kBytes;
  return {folder.filename().string(), sources.map, layerBytes, config.traits.windows, remoteCode};
}

ExportedAdapter exportedAdapter(const Sources& sources, const fs::path& folder) {
  ExportedAdapter adapter{sources.location.folder.string(), sources.location.folder.filename().string(),
                          sources.trained.isGguf(), 1, exportedModel(sources, folder, false)};
  for (const auto& [module, pair] : sources.adapter.pairs) adapter.rank = std::max(adapter.rank, pair.a.shape[0]);
  return adapter;
}

Result<std::string> readmeOf(const ExportRequest& request, const ExportedModel& model) {
  std::string card = "# " + model.name + "\n";
  if (!request.card.empty()) {
    STRATA_TRY(const Json report, readJson(request.card));
    STRATA_TRY(card, modelCard(report, model.map, model.name));
  }
  return card + "\n" + servingNotes(model);
}

Result<void> refuseWithAdapterAlone(const ExportRequest& request, const Sources& sources) {
  if (sources.adapterFolder.empty()) {
    return fail(ErrorCode::usage, request.model + " has no adapter that could be exported alone.", request.model);
  }
  if (!request.dtype.empty() || request.remoteCode || !request.card.empty()) {
    return fail(ErrorCode::usage, "An adapter alone is copied as it is: it takes no dtype, remote code or report.",
                request.model);
  }
  return {};
}

}  // namespace

Result<Exported> exportTo(const ExportRequest& request, const std::optional<fs::path>& project, std::int64_t context,
                          const std::atomic<bool>& cancelled, const ExportProgress& progress) {
  STRATA_TRY(const Sources sources, openSources(request, project));
  if (request.adapterAlone) STRATA_CHECK(refuseWithAdapterAlone(request, sources));
  fs::path out = request.out;
  if (out.empty()) {
    if (!project) return fail(ErrorCode::usage, "Give a folder to export to.", "out");
    STRATA_TRY(out, nextFolder(request, sources, *project));
  }
  std::error_code ignored;
  out = fs::absolute(out, ignored).lexically_normal();
  if (!out.has_filename()) out = out.parent_path();

  Exported done{.folder = out, .original = sources.original.folder(), .mapName = sources.mapName, .map = sources.map};
  if (request.adapterAlone) {
    const ExportedAdapter adapter = exportedAdapter(sources, out);
    STRATA_CHECK(checkGeometry(sources.map, sources.original.config().kvGeometry()));
    STRATA_CHECK(exportAdapter(sources.adapterFolder, out, servingNotes(adapter)));
    done.uses = servingUses(adapter, out.string());
  } else {
    const bool asItCame = sources.location.run.empty() && sources.adapter.pairs.empty() && !sources.dtype;
    const TensorSource source =
        asItCame ? TensorSource() : TensorSource(MergedSource(sources.trained, sources.adapter));
    const ExportedModel model = exportedModel(sources, out, request.remoteCode);
    STRATA_TRY(const std::string readme, readmeOf(request, model));
    ExportOptions options{.dtype = sources.dtype, .cancel = &cancelled, .readme = readme, .progress = progress};
    if (request.remoteCode) options.remoteCode = kModelingStrata;
    STRATA_CHECK(exportModel(sources.original, sources.map, source, out, options));
    done.merged = !sources.adapter.pairs.empty();
    done.uses = servingUses(model, out.string());
  }
  const ModelConfig& config = sources.original.config();
  const DType dtype = sources.dtype.value_or(sources.original.storedDType());
  done.bytes = bytesIn(out);
  done.context = context > 0 ? context : config.maxPositions;
  done.kv = kvOfUses(sources, done.uses, dtype, sources.map, done.context);
  done.kvFull = kvOfUses(sources, done.uses, dtype, SharingMap::full(config.layers), done.context);
  return done;
}

}  // namespace strata
