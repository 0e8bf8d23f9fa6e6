#pragma once
// A model folder: config.json, one safetensors file or shards with an index, tokenizer files. Or a GGUF file, which is
// read as the folder that it was made from: weights by their Hugging Face names, its metadata as config.json.
//
//   STRATA_TRY(auto checkpoint, Checkpoint::open("models/stories260K"));
//   checkpoint.tensor("model.norm.weight").shape
// Opening maps files and checks names and shapes; it reads no weights. Immutable afterwards, safe to share.

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/safetensors.h"
#include "core/routing/sharing_map.h"

namespace strata {

class Checkpoint {
 public:
  /// Refused with one sentence: no folder, no config.json, no safetensors (pickle files are named as such), an index
  /// whose shard is no plain file name, is a symbolic link that leaves the folder (but for the blobs of a Hugging Face
  /// cache, see weight_files.h), or is not a regular file; a shard or tensor missing; a tensor of another shape than
  /// the config says; a tensor in two shards. Where model.safetensors and an index are both there, the single file
  /// counts. Unknown extra tensors are allowed and kept (rotary_emb.inv_freq of old files); integer and bool ones are
  /// left out. Of a GGUF file: what Gguf::open(), configOfGguf() and weightsOfGguf() refuse.
  static Result<Checkpoint> open(const std::filesystem::path& folder);

  /// The GGUF file itself where it is one.
  const std::filesystem::path& folder() const { return m_folder; }
  bool isGguf() const { return m_isGguf; }
  const ModelConfig& config() const { return m_config; }
  const TensorMap& tensors() const { return m_tensors; }
  /// The view of a parameter listed by parameterShapes(); a tied lm_head answers the embedding.
  const TensorView& tensor(const std::string& name) const;
  /// The dtype of most weights.
  DType storedDType() const;
  std::int64_t bytesOnDisk() const;
  /// The files that hold tensors.
  std::vector<const MappedFile*> files() const;
  /// Refused where one of them is not what was opened: MappedFile::checkUnchanged().
  Result<void> checkUnchanged() const;
  /// strata_map.json where there is one.
  const std::optional<SharingMap>& map() const { return m_map; }
  /// Hexadecimal SHA-256 over names, dtypes, shapes and data; reads everything.
  Result<std::string> hash() const;

 private:
  std::filesystem::path m_folder;
  ModelConfig m_config;
  TensorMap m_tensors;
  std::optional<SharingMap> m_map;
  bool m_isGguf = false;
};

/// eos ids of generation_config.json where it gives them, else those of the config.
Result<std::vector<std::int64_t>> eosIds(const Checkpoint& checkpoint);

/// Counts NaN and infinity per tensor (`inspect --check`): names of tensors that hold any.
Result<std::vector<std::string>> tensorsWithNonFiniteValues(const Checkpoint& checkpoint,
                                                            const std::atomic<bool>* cancel = nullptr);

/// Reads config.json of `folder`, or a GGUF's metadata, alone (training from a config).
Result<ModelConfig> readModelConfig(const std::filesystem::path& folder);

}  // namespace strata
