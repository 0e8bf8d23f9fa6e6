#pragma once
// manifest.json of a run's checkpoint: the step, and each file's size and SHA-256. A checkpoint holds what its manifest
// lists and nothing else.
//
//   STRATA_CHECK(verifyCheckpoint(checkpointFolder(run, 40)));   // before anything of it is used
// Thread-safe.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace strata {

struct CheckpointManifest {
  struct File {
    std::uint64_t bytes = 0;
    std::string sha256;
    bool operator==(const File&) const = default;
  };
  std::int64_t step = 0;
  std::map<std::string, File> files;  // by the path in the checkpoint, with slashes
};

/// `where` names the file in errors. Refused: no files, paths that leave the checkpoint, what is no SHA-256.
Result<CheckpointManifest> parseManifest(std::string_view text, const std::string& where);
std::string printManifest(const CheckpointManifest& manifest);

/// Adds the manifest of what a folder holds.
Result<void> writeManifest(const std::filesystem::path& folder, std::int64_t step);

/// "step-<n>", and its n.
std::string checkpointName(std::int64_t step);
std::optional<std::int64_t> stepOfName(const std::string& name);

/// Compares the names and sizes of the files, and the step in the folder's name, with the manifest; the error names the
/// file. Nothing but the manifest is read.
Result<void> checkCheckpoint(const std::filesystem::path& checkpoint);
/// Compares the SHA-256 of each file too. A process remembers what it verified by inode, size and times of change, so
/// that files which did not change are read once.
Result<void> verifyCheckpoint(const std::filesystem::path& checkpoint);
/// verifyCheckpoint where a model's or an adapter's folder is the checkpoint of a run.
Result<void> verifyIfCheckpoint(const std::filesystem::path& folder);

}  // namespace strata
