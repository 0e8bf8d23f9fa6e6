#include "core/checkpoint/checkpoint.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <set>
#include <utility>

#include "core/checkpoint/checkpoint_hash.h"
#include "core/checkpoint/gguf_model.h"
#include "core/checkpoint/json_fields.h"
#include "core/checkpoint/safetensors_header.h"
#include "core/checkpoint/tensor_values.h"
#include "core/checkpoint/weight_files.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kLargestConfig = 16u << 20;
constexpr const char* kConfigFile = "config.json";
constexpr const char* kGenerationConfigFile = "generation_config.json";
constexpr const char* kMapFile = "strata_map.json";
constexpr const char* kHead = "lm_head.weight";
constexpr const char* kEmbedding = "model.embed_tokens.weight";

bool isThere(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() != fs::file_type::not_found;
}

Result<Json> readSmallJson(const fs::path& path) {
  STRATA_CHECK(requireRegularFile(path));
  return readJson(path, kLargestConfig);
}

Result<void> requireFolder(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (fs::is_directory(status)) return {};
  if (!fs::exists(status)) {
    return namedError("model_not_found", {{"model", folder.string()}},
                      fail(ErrorCode::notFound,
                           folder.string() + " does not exist; give a model's folder or GGUF file.", folder.string()));
  }
  if (hasPickleName(folder)) {
    return fail(ErrorCode::unsupported,
                folder.string() +
                    " is a pickle file, which can run code when it is opened; give a folder with "
                    "config.json and safetensors.",
                folder.string());
  }
  return fail(ErrorCode::invalidData, folder.string() + " is neither a folder nor a GGUF file; give a model.",
              folder.string());
}

/// All shards in one map, with the index's word checked against what the files hold.
Result<TensorMap> readWeights(const fs::path& folder, const WeightFiles& files, SkippedTensors& skipped) {
  TensorMap all;
  std::map<std::string, std::string> foundIn;
  for (const std::string& name : files.names) {
    STRATA_TRY(TensorMap tensors, readSafetensors(folder / name, &skipped));
    for (auto& [tensor, view] : tensors) {
      if (!all.emplace(tensor, std::move(view)).second) {
        return fail(ErrorCode::invalidData,
                    (folder / name).string() + ": tensor " + quotedName(tensor) + " is also in the shard " +
                        quotedName(foundIn[tensor]) + "; one of the files belongs to another model.",
                    (folder / name).string());
      }
      if (files.sharded()) foundIn.emplace(tensor, name);
    }
  }
  for (const auto& [tensor, shard] : files.shardOf) {
    const auto found = foundIn.find(tensor);
    if (found != foundIn.end() ? found->second == shard : skipped.contains(tensor)) continue;
    return fail(ErrorCode::invalidData,
                (folder / kIndexFile).string() + ": tensor " + quotedName(tensor) + " is not in " + quotedName(shard) +
                    ", where the index says it is; get both files again.",
                (folder / kIndexFile).string());
  }
  return all;
}

/// `where` is the file that should list the parameters: the weights, or the index of their shards; `settings` what the
/// configuration comes from.
Result<void> checkParameters(const fs::path& where, const char* settings, const ModelConfig& config,
                             const TensorMap& tensors, const SkippedTensors& skipped) {
  for (const auto& [name, shape] : parameterShapes(config)) {
    const auto found = tensors.find(name);
    const std::string tensor = ": tensor " + quotedName(name) + " ";
    if (found == tensors.end()) {
      const auto integer = skipped.find(name);
      if (integer != skipped.end()) {
        return fail(ErrorCode::unsupported,
                    where.string() + tensor + "is stored as " + integer->second + "; use the unquantised model.", name);
      }
      return fail(ErrorCode::invalidData,
                  where.string() + tensor + "is missing from the weights" +
                      (name == kHead ? ", and config.json does not say tie_word_embeddings." : "."),
                  name);
    }
    if (found->second.shape != shape) {
      return fail(ErrorCode::invalidData,
                  found->second.file->path().string() + tensor + "has the shape " + printShape(found->second.shape) +
                      " where " + settings + " asks for " + printShape(shape) + "; the two belong to different models.",
                  name);
    }
  }
  return {};
}

Result<SharingMap> readMap(const fs::path& path, const ModelConfig& config) {
  STRATA_TRY(const Json file, readSmallJson(path));
  STRATA_TRY(SharingMap map, mapFromJson(file, path.string()));
  if (map.layers() != config.layers) {
    return fail(ErrorCode::invalidData,
                path.string() + ": the map has " + std::to_string(map.layers()) + " layers and the model " +
                    std::to_string(config.layers) + ".",
                path.string());
  }
  STRATA_CHECK(checkGeometry(map, config.kvGeometry()));
  return map;
}

/// Whether any element has an exponent of ones. `Word` and `exponent` are those of the dtype.
template <class Word>
bool anyNonFinite(std::span<const std::byte> bytes, Word exponent) {
  bool any = false;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(Word)) {
    Word word;
    std::memcpy(&word, bytes.data() + at, sizeof(Word));
    any |= (word & exponent) == exponent;
  }
  return any;
}

bool hasNonFinite(const TensorView& view) {
  if (view.blocks != Blocks::none) {  // their scales may be anything
    const std::int64_t rows = rowsOf(view);
    std::vector<float> row(static_cast<std::size_t>(view.elements() / rows));
    for (std::int64_t r = 0; r < rows; ++r) {
      readRows(view, r, r + 1, DType::f32, std::as_writable_bytes(std::span<float>(row)));
      if (anyNonFinite<std::uint32_t>(std::as_bytes(std::span<const float>(row)), 0x7f800000u)) return true;
    }
    return false;
  }
  switch (view.dtype) {
    case DType::f32:
      return anyNonFinite<std::uint32_t>(view.bytes, 0x7f800000u);
    case DType::f16:
      return anyNonFinite<std::uint16_t>(view.bytes, 0x7c00u);
    case DType::bf16:
      return anyNonFinite<std::uint16_t>(view.bytes, 0x7f80u);
  }
  return false;
}

tl::unexpected<Error> noMemory(const fs::path& folder) {
  return fail(ErrorCode::outOfMemory,
              folder.string() + ": not enough memory to open it; close something and try again.", folder.string());
}

}  // namespace

Result<Checkpoint> Checkpoint::open(const fs::path& folder) {
  try {
    Checkpoint out;
    out.m_folder = folder;
    if (isGgufFile(folder)) {
      STRATA_TRY(const Gguf gguf, Gguf::open(folder));
      STRATA_TRY(const Json config, configOfGguf(gguf));
      STRATA_TRY(out.m_config, parseModelConfig(config, folder.string()));
      STRATA_TRY(out.m_tensors, weightsOfGguf(gguf, out.m_config));
      STRATA_CHECK(checkParameters(folder, "its metadata", out.m_config, out.m_tensors, {}));
      out.m_isGguf = true;
      return out;
    }
    STRATA_CHECK(requireFolder(folder));
    STRATA_TRY(out.m_config, readModelConfig(folder));
    STRATA_TRY(const WeightFiles files, findWeightFiles(folder));
    SkippedTensors skipped;
    STRATA_TRY(out.m_tensors, readWeights(folder, files, skipped));
    STRATA_CHECK(checkParameters(folder / (files.sharded() ? kIndexFile : kSingleFile), kConfigFile, out.m_config,
                                 out.m_tensors, skipped));
    if (isThere(folder / kMapFile)) {
      STRATA_TRY(out.m_map, readMap(folder / kMapFile, out.m_config));
    }
    return out;
  } catch (const std::bad_alloc&) {
    return noMemory(folder);
  } catch (const fs::filesystem_error& error) {
    return fail(ErrorCode::io, folder.string() + " cannot be read: " + error.code().message() + ".", folder.string());
  }
}

const TensorView& Checkpoint::tensor(const std::string& name) const {
  return m_tensors.at(m_config.tied && name == kHead ? kEmbedding : name);
}

DType Checkpoint::storedDType() const {
  std::array<std::int64_t, 3> elements{};
  for (const auto& [name, shape] : parameterShapes(m_config)) {
    const TensorView& view = tensor(name);
    elements.at(static_cast<std::size_t>(view.dtype)) += view.elements();
  }
  return static_cast<DType>(std::max_element(elements.begin(), elements.end()) - elements.begin());
}

std::vector<const MappedFile*> Checkpoint::files() const {
  std::set<const MappedFile*> files;
  for (const auto& [name, view] : m_tensors) files.insert(view.file.get());
  return {files.begin(), files.end()};
}

std::int64_t Checkpoint::bytesOnDisk() const {
  std::int64_t bytes = 0;
  for (const MappedFile* file : files()) bytes += static_cast<std::int64_t>(file->bytes().size());
  return bytes;
}

Result<void> Checkpoint::checkUnchanged() const {
  for (const MappedFile* file : files()) STRATA_CHECK(file->checkUnchanged());
  return {};
}

Result<std::string> Checkpoint::hash() const {
  return hashOf(*this);
}

Result<std::vector<std::int64_t>> eosIds(const Checkpoint& checkpoint) {
  const fs::path path = checkpoint.folder() / kGenerationConfigFile;
  if (!isThere(path)) return checkpoint.config().eosIds;
  STRATA_TRY(const Json file, readSmallJson(path));
  if (!file.is_object()) {
    return fail(ErrorCode::invalidData, path.string() + ": the file must hold a JSON object.", path.string());
  }
  const JsonFields fields(file, path.string());
  if (!fields.has("eos_token_id")) return checkpoint.config().eosIds;
  return readTokenIdList(fields, "eos_token_id", {});
}

Result<std::vector<std::string>> tensorsWithNonFiniteValues(const Checkpoint& checkpoint,
                                                            const std::atomic<bool>* cancel) {
  std::vector<std::string> names;
  for (const auto& [name, view] : checkpoint.tensors()) {
    if (cancel != nullptr && *cancel) return fail(ErrorCode::cancelled, "The check of the weights was cancelled.");
    if (hasNonFinite(view)) names.push_back(name);
  }
  STRATA_CHECK(checkpoint.checkUnchanged());
  return names;
}

Result<ModelConfig> readModelConfig(const fs::path& folder) {
  if (isGgufFile(folder)) {
    STRATA_TRY(const Gguf gguf, Gguf::open(folder));
    STRATA_TRY(const Json config, configOfGguf(gguf));
    return parseModelConfig(config, folder.string());
  }
  const fs::path path = folder / kConfigFile;
  if (!isThere(path)) {
    return fail(ErrorCode::notFound, folder.string() + " has no config.json; give a Hugging Face model's folder.",
                path.string());
  }
  STRATA_TRY(const Json file, readSmallJson(path));
  return parseModelConfig(file, path.string());
}

}  // namespace strata
