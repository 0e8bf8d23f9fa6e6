#include "core/checkpoint/export.h"

#include <algorithm>
#include <array>
#include <map>
#include <new>
#include <set>
#include <string_view>

#include "core/checkpoint/gguf_tokenizer.h"
#include "core/checkpoint/safetensors_header.h"
#include "core/checkpoint/tensor_values.h"
#include "core/checkpoint/weight_files.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr const char* kHead = "lm_head.weight";
constexpr const char* kEmbedding = "model.embed_tokens.weight";

using NamedView = std::pair<const std::string, TensorView>;

/// File name -> its tensors in the order of their data.
std::map<std::string, std::vector<const NamedView*>> tensorsByFile(const Checkpoint& original) {
  std::map<std::string, std::vector<const NamedView*>> files;
  for (const NamedView& tensor : original.tensors()) {
    const std::string name = original.isGguf() ? kSingleFile : tensor.second.file->path().filename().string();
    files[name].push_back(&tensor);
  }
  for (auto& [file, tensors] : files) {
    std::stable_sort(tensors.begin(), tensors.end(), [](const NamedView* a, const NamedView* b) {
      return a->second.bytes.data() < b->second.bytes.data();
    });
  }
  return files;
}

/// A head that is tied and stored all the same must stay equal to the embedding. What is no parameter keeps its bytes.
std::string sourceName(const Checkpoint& original, const std::string& name, const std::set<std::string>& parameters) {
  if (parameters.contains(name)) return name;
  const bool tiedHead = original.config().tied && name == kHead &&
                        original.tensors().at(kHead).shape == original.tensors().at(kEmbedding).shape;
  return tiedHead ? kEmbedding : "";
}

/// A tensor of the export: where its values come from (empty: its own bytes), and how they are stored.
struct Exported {
  const std::string& name;
  const TensorView& view;
  std::string source;
  DType dtype;

  std::int64_t bytes() const { return view.elements() * static_cast<std::int64_t>(bytesOf(dtype)); }
};

/// By file, in the order of their data.
using Plan = std::map<std::string, std::vector<Exported>>;

Plan planOf(const Checkpoint& original, bool hasSource, const ExportOptions& options) {
  std::set<std::string> parameters;
  for (auto& [name, shape] : parameterShapes(original.config())) parameters.insert(name);
  Plan plan;
  for (const auto& [file, tensors] : tensorsByFile(original)) {
    for (const NamedView* tensor : tensors) {
      const auto& [name, view] = *tensor;
      std::string source = hasSource ? sourceName(original, name, parameters) : "";
      const DType dtype = source.empty() ? view.dtype : options.dtype.value_or(view.dtype);
      plan[file].push_back({name, view, std::move(source), dtype});
    }
  }
  return plan;
}

/// Before anything is written. A file system that does not tell is tried.
Result<void> requireRoom(std::int64_t bytes, const fs::path& out) {
  std::error_code error;
  const fs::path folder = fs::absolute(out, error).parent_path();
  const fs::space_info space = fs::space(folder, error);
  if (error || space.capacity == 0 || space.available >= static_cast<std::uintmax_t>(bytes)) return {};
  constexpr std::int64_t kMiB = 1 << 20;
  return fail(ErrorCode::diskFull,
              "The export takes " + std::to_string((bytes + kMiB - 1) / kMiB) + " MiB, and " + folder.string() +
                  " has " + std::to_string(static_cast<std::int64_t>(space.available) / kMiB) +
                  " MiB free; free some, or give a folder on another disk.",
              out.string());
}

Result<void> writeWeights(const Plan& plan, std::int64_t total, const TensorSource& weights, const fs::path& out,
                          const ExportOptions& options) {
  std::int64_t done = 0;
  for (const auto& [file, exported] : plan) {
    std::vector<TensorToWrite> header;
    for (const Exported& tensor : exported) header.push_back({tensor.name, tensor.dtype, tensor.view.shape, {}});
    STRATA_TRY(const std::string head, makeSafetensorsHeader(header));
    STRATA_TRY(FileWriter writer, FileWriter::create(out / file));
    STRATA_CHECK(writer.write(std::string_view(head)));
    for (const Exported& tensor : exported) {
      if (options.progress) options.progress(done, total);
      done += tensor.bytes();
      if (options.cancel != nullptr && *options.cancel) {
        return fail(ErrorCode::cancelled, "The export was cancelled.");
      }
      if (tensor.source.empty()) {
        if (tensor.view.holdsElements()) {
          STRATA_CHECK(writer.write(tensor.view.bytes));
        } else {
          const std::vector<std::byte> values = valuesOf(tensor.view, tensor.dtype);
          STRATA_CHECK(writer.write(std::span<const std::byte>(values)));
        }
        continue;
      }
      STRATA_TRY(const std::vector<std::byte> bytes, weights(tensor.source, tensor.dtype));
      const auto wanted = static_cast<std::size_t>(tensor.bytes());
      if (bytes.size() != wanted) {
        return fail(ErrorCode::internal,
                    "The export has " + std::to_string(bytes.size()) + " bytes for tensor " + quotedName(tensor.name) +
                        ", which takes " + std::to_string(wanted) + ".",
                    tensor.name);
      }
      STRATA_CHECK(writer.write(std::span<const std::byte>(bytes)));
    }
    STRATA_CHECK(writer.commit());
  }
  return {};
}

/// The original's index without the tensors that were not read (integer buffers), and without a size that the export
/// may not have.
Result<void> writeIndex(const Checkpoint& original, const fs::path& out, const ExportOptions& options) {
  if (original.isGguf()) return {};
  STRATA_TRY(const WeightFiles files, findWeightFiles(original.folder()));
  if (!files.sharded()) return {};
  STRATA_CHECK(requireOwnFile(original.folder(), kIndexFile));
  STRATA_TRY(Json index, readJson(original.folder() / kIndexFile));
  Json kept = Json::object();
  auto& members = kept.get_ref<Json::object_t&>();
  for (auto& [tensor, file] : index["weight_map"].items()) {
    if (original.tensors().contains(tensor)) members.emplace_back(tensor, file);
  }
  index["weight_map"] = std::move(kept);
  if (options.dtype) index.erase("metadata");
  return writeFile(out / kIndexFile, index.dump(2) + "\n");
}

bool isTokenizerFile(const std::string& name) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "special_tokens_map.json", "added_tokens.json",     "vocab.json", "merges.txt", "chat_template.jinja",
      "chat_template.json",      "generation_config.json"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || name.starts_with("tokenizer") ||
         name.ends_with(".model");
}

Result<void> requireNew(const fs::path& out) {
  std::error_code error;
  if (fs::symlink_status(out, error).type() != fs::file_type::not_found &&
      !(fs::is_directory(out, error) && fs::is_empty(out, error))) {
    return fail(ErrorCode::usage, out.string() + " exists and is not an empty folder; give a new name.", out.string());
  }
  return {};
}

Result<void> exportChecked(const Checkpoint& original, const SharingMap& map, const TensorSource& weights,
                           const fs::path& out, const ExportOptions& options) {
  if (map.layers() != original.config().layers || !map.isInference()) {
    return fail(ErrorCode::usage, "The map " + printMap(map) + " does not fit " + original.folder().string() +
                                      ": give a map for inference with " + std::to_string(original.config().layers) +
                                      " layers.");
  }
  STRATA_CHECK(checkGeometry(map, original.config().kvGeometry()));
  STRATA_CHECK(requireNew(out));
  if (!original.isGguf()) {
    for (const auto& [file, tensors] : tensorsByFile(original)) {
      STRATA_CHECK(requireOwnFile(tensors.front()->second.file->path().parent_path(), file));
    }
    STRATA_CHECK(requireOwnFile(original.folder(), "config.json"));
  }
  const Plan plan = planOf(original, static_cast<bool>(weights), options);
  std::int64_t total = 0;
  for (const auto& [file, tensors] : plan) {
    for (const Exported& tensor : tensors) total += tensor.bytes();
  }
  STRATA_CHECK(requireRoom(total, out));
  STRATA_TRY(StagedFolder staged, StagedFolder::create(out));
  STRATA_CHECK(writeWeights(plan, total, weights, staged.path(), options));
  STRATA_CHECK(writeIndex(original, staged.path(), options));
  Json config = original.config().raw;
  if (options.dtype) config[config.contains("torch_dtype") ? "torch_dtype" : "dtype"] = configName(*options.dtype);
  config.erase("auto_map");
  if (!options.remoteCode.empty()) {
    config["auto_map"] = {{"AutoModelForCausalLM", "modeling_strata." + original.config().architecture}};
    STRATA_CHECK(writeFile(staged.path() / "modeling_strata.py", options.remoteCode));
  }
  config["strata"] = {{"version", 1}, {"map", map.src()}, {"retention", map.retention()}};
  STRATA_CHECK(writeFile(staged.path() / "config.json", config.dump(2) + "\n"));
  STRATA_CHECK(writeFile(staged.path() / "strata_map.json", mapToJson(map).dump(2) + "\n"));
  STRATA_CHECK(copyTokenizerFiles(original.folder(), staged.path()));
  if (!options.readme.empty()) STRATA_CHECK(writeFile(staged.path() / "README.md", options.readme));
  STRATA_CHECK(original.checkUnchanged());
  return staged.commit();
}

}  // namespace

Result<void> exportModel(const Checkpoint& original, const SharingMap& map, const TensorSource& weights,
                         const fs::path& out, const ExportOptions& options) {
  try {
    return exportChecked(original, map, weights, out, options);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, "The export to " + out.string() + " needs more memory than there is.",
                out.string());
  } catch (const std::exception& error) {
    return fail(ErrorCode::io, "The export to " + out.string() + " failed: " + error.what(), out.string());
  }
}

Result<void> exportAdapter(const fs::path& adapter, const fs::path& out, std::string_view readme) {
  STRATA_CHECK(requireNew(out));
  STRATA_TRY(StagedFolder staged, StagedFolder::create(out));
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors"}) {
    STRATA_CHECK(requireOwnFile(adapter, name));
    STRATA_TRY(const std::string bytes, readFile(adapter / name));
    STRATA_CHECK(writeFile(staged.path() / name, bytes));
  }
  STRATA_CHECK(writeFile(staged.path() / "README.md", readme));
  return staged.commit();
}

namespace {

Result<void> writeTokenizerFiles(const fs::path& gguf, const fs::path& to) {
  STRATA_TRY(const Gguf file, Gguf::open(gguf));
  STRATA_TRY(const GgufTokenizer tokenizer, tokenizerOf(file));
  STRATA_TRY(const Json config, tokenizerConfigOf(file));
  if (tokenizer.kind != GgufTokenizer::Kind::none) {
    STRATA_CHECK(writeFile(to / fileNameOf(tokenizer.kind), tokenizer.file));
  }
  return config.empty() ? Result<void>() : writeFile(to / "tokenizer_config.json", config.dump(2) + "\n");
}

}  // namespace

Result<void> copyTokenizerFiles(const fs::path& from, const fs::path& to) {
  if (isGgufFile(from)) return writeTokenizerFiles(from, to);
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (!isTokenizerFile(name) || hasPickleName(name)) continue;
    if (!entry->is_symlink(ignored) && !entry->is_regular_file(ignored)) continue;  // a folder of that name
    STRATA_CHECK(requireOwnFile(from, name));
    files.push_back(entry->path());
  }
  if (error) return fail(ErrorCode::io, from.string() + " cannot be listed: " + error.message() + ".", from.string());
  for (const fs::path& file : files) {
    STRATA_TRY(const std::string bytes, readFile(file));
    STRATA_CHECK(writeFile(to / file.filename(), bytes));
  }
  return {};
}

}  // namespace strata
