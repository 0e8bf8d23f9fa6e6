#pragma once
// Which safetensors files of a folder hold the model: model.safetensors, else the shards that
// model.safetensors.index.json names. The index is foreign text that names paths, so each is checked before it is
// opened.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

inline constexpr const char* kSingleFile = "model.safetensors";
inline constexpr const char* kIndexFile = "model.safetensors.index.json";

struct WeightFiles {
  std::vector<std::string> names;              // in the folder, sorted; a GGUF file's own absolute path
  std::map<std::string, std::string> shardOf;  // tensor -> file name; empty for a single file
  bool sharded() const { return !shardOf.empty(); }
};

/// Like transformers, prefers the single file where both are there. A shard's name must be a plain file name. It may be
/// a symbolic link only to a regular file inside the folder or, for a snapshot of the Hugging Face cache
/// (…/snapshots/<revision>), inside the cache's …/blobs. A folder with pickle files alone is refused saying so.
Result<WeightFiles> findWeightFiles(const std::filesystem::path& folder);

/// The rule for shards, for a file that is copied out of a model's folder: a regular file, or a link to one that stays
/// inside.
Result<void> requireOwnFile(const std::filesystem::path& folder, const std::string& name);

/// Refuses what is not there and what is not a regular file, by a sentence that names it.
Result<void> requireRegularFile(const std::filesystem::path& path);

/// .bin, .pt, .pth, .ckpt, .pkl, .pickle, .npz and .npy.
bool hasPickleName(const std::filesystem::path& path);

}  // namespace strata
