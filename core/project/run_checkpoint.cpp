#include "core/project/run_checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/json.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kPrefix = "step-";

fs::path checkpointsFolder(const fs::path& runFolder) {
  return runFolder / "checkpoints";
}

std::optional<std::int64_t> stepOf(const std::string& name) {
  if (!name.starts_with(kPrefix)) return {};
  const char* first = name.data() + std::strlen(kPrefix);
  const char* last = name.data() + name.size();
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(first, last, step);
  if (error != std::errc() || end != last || step < 0 || name != kPrefix + std::to_string(step)) return {};
  return step;
}

Result<void> writeManifest(const fs::path& folder, std::int64_t step) {
  Json files = Json::object();
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_symlink() || !(entry.is_regular_file() || entry.is_directory())) {
      return fail(ErrorCode::internal,
                  "A checkpoint holds files and folders alone, but " + entry.path().string() + " is neither.",
                  entry.path().string());
    }
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    STRATA_TRY(const std::string hash, sha256OfFile(path));
    files[path.lexically_relative(folder).generic_string()] = {{"bytes", fs::file_size(path)}, {"sha256", hash}};
  }
  const Json manifest = {{"format", "strata-run-checkpoint"}, {"version", 1}, {"step", step}, {"files", files}};
  return writeFile(folder / kManifest, manifest.dump(1) + "\n");
}

/// Takes the name away first: a removal that a kill cuts short must not leave a checkpoint with files missing.
void removeFolder(const fs::path& folder) {
  std::error_code ignored;
  const fs::path hidden = folder.parent_path() / (".removed-" + folder.filename().string());
  fs::remove_all(hidden, ignored);
  fs::rename(folder, hidden, ignored);
  fs::remove_all(hidden, ignored);
}

void removeLeftovers(const fs::path& checkpoints) {
  std::error_code ignored;
  std::vector<fs::path> leftovers;
  for (const fs::directory_entry& entry : fs::directory_iterator(checkpoints, ignored)) {
    if (entry.path().filename().string().starts_with('.')) leftovers.push_back(entry.path());
  }
  for (const fs::path& each : leftovers) fs::remove_all(each, ignored);
}

void removeOld(const fs::path& runFolder, std::int64_t saved, std::optional<std::int64_t> best) {
  const std::optional<std::int64_t> recorded = readBest(runFolder);
  std::vector<std::int64_t> steps = checkpointSteps(runFolder);
  const auto later = std::upper_bound(steps.begin(), steps.end(), saved);
  for (auto each = later; each != steps.end(); ++each) removeFolder(checkpointFolder(runFolder, *each));
  steps.erase(later, steps.end());
  for (std::size_t i = 0; i + 2 < steps.size(); ++i) {
    if (steps[i] != best && steps[i] != recorded) removeFolder(checkpointFolder(runFolder, steps[i]));
  }
}

Result<void> save(const fs::path& runFolder, std::int64_t step,
                  const std::function<Result<void>(const fs::path& folder)>& write, std::optional<std::int64_t> best) {
  const fs::path checkpoints = checkpointsFolder(runFolder);
  fs::create_directories(checkpoints);
  removeLeftovers(checkpoints);
  const fs::path destination = checkpointFolder(runFolder, step);
  if (fs::exists(destination)) {
    if (verifyCheckpoint(destination)) {
      removeOld(runFolder, step, best);
      return {};
    }
    removeFolder(destination);
  }
  STRATA_TRY(StagedFolder staged, StagedFolder::create(destination));
  STRATA_CHECK(write(staged.path()));
  STRATA_CHECK(writeManifest(staged.path(), step));
  STRATA_CHECK(staged.commit());
  removeOld(runFolder, step, best);
  return {};
}

Result<void> verifyFile(const fs::path& checkpoint, const std::string& name, const Json& expected) {
  const fs::path relative = name;
  const fs::path path = checkpoint / relative;
  if (relative.is_absolute() || std::find(relative.begin(), relative.end(), "..") != relative.end()) {
    return fail(ErrorCode::invalidData,
                "The manifest of the checkpoint " + checkpoint.string() + " names a file outside it: " + name + ".",
                path.string());
  }
  if (!expected.is_object() || !expected.contains("bytes") || !expected["bytes"].is_number_unsigned() ||
      !expected.contains("sha256") || !expected["sha256"].is_string()) {
    return fail(
        ErrorCode::invalidData,
        "The manifest of the checkpoint " + checkpoint.string() + " gives no size and SHA-256 for " + name + ".",
        path.string());
  }
  if (!fs::is_regular_file(fs::symlink_status(path))) {
    return fail(ErrorCode::invalidData,
                "The checkpoint " + checkpoint.string() + " lacks " + name + "; use an older one.", path.string());
  }
  const std::uint64_t bytes = fs::file_size(path);
  const std::uint64_t expectedBytes = expected["bytes"].get<std::uint64_t>();
  if (bytes != expectedBytes) {
    return fail(ErrorCode::invalidData,
                "The checkpoint file " + path.string() + " has " + std::to_string(bytes) + " bytes instead of " +
                    std::to_string(expectedBytes) + "; use an older checkpoint.",
                path.string());
  }
  STRATA_TRY(const std::string hash, sha256OfFile(path));
  if (hash != expected["sha256"].get<std::string>()) {
    return fail(ErrorCode::invalidData,
                "The checkpoint file " + path.string() +
                    " is damaged: its SHA-256 is not the manifest's; use an older checkpoint.",
                path.string());
  }
  return {};
}

}  // namespace

std::filesystem::path checkpointFolder(const std::filesystem::path& runFolder, std::int64_t step) {
  return checkpointsFolder(runFolder) / (kPrefix + std::to_string(step));
}

Result<void> saveCheckpoint(const std::filesystem::path& runFolder, std::int64_t step,
                            const std::function<Result<void>(const std::filesystem::path& folder)>& write,
                            std::optional<std::int64_t> best) {
  if (step < 0) return fail(ErrorCode::internal, "A checkpoint's step is 0 or more, not " + std::to_string(step) + ".");
  try {
    return save(runFolder, step, write, best);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, "Memory ran out while a checkpoint was written.", runFolder.string());
  } catch (const fs::filesystem_error& error) {
    return systemFailure(error.code().value(), "write a checkpoint in", runFolder);
  } catch (const std::exception& error) {
    return fail(ErrorCode::io, "Cannot write the checkpoint in " + runFolder.string() + ": " + error.what() + ".",
                runFolder.string());
  }
}

std::vector<std::int64_t> checkpointSteps(const std::filesystem::path& runFolder) {
  std::vector<std::int64_t> steps;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(checkpointsFolder(runFolder), ignored)) {
    const std::optional<std::int64_t> step = stepOf(entry.path().filename().string());
    if (step && entry.is_directory(ignored)) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

Result<void> verifyCheckpoint(const std::filesystem::path& checkpoint) {
  const fs::path path = checkpoint / kManifest;
  STRATA_TRY(const Json manifest, readJson(path));
  if (!manifest.is_object() || !manifest.contains("files") || !manifest["files"].is_object()) {
    return fail(ErrorCode::invalidData, path.string() + " is no manifest of a checkpoint: it has no \"files\".",
                path.string());
  }
  try {
    for (const auto& [name, expected] : manifest["files"].items()) STRATA_CHECK(verifyFile(checkpoint, name, expected));
  } catch (const std::exception& error) {
    return fail(ErrorCode::io, "Cannot read the checkpoint " + checkpoint.string() + ": " + error.what() + ".",
                checkpoint.string());
  }
  return {};
}

Result<std::optional<std::int64_t>> newestGoodCheckpoint(const std::filesystem::path& runFolder,
                                                         const std::function<void(const Error&)>& warn) {
  std::vector<std::int64_t> steps = checkpointSteps(runFolder);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const Result<void> verified = verifyCheckpoint(checkpointFolder(runFolder, *step));
    if (verified) return *step;
    if (warn) warn(verified.error());
  }
  return std::optional<std::int64_t>();
}

Result<void> writeBest(const std::filesystem::path& runFolder, std::int64_t step) {
  return writeFile(runFolder / "best.json", Json{{"step", step}}.dump() + "\n");
}

std::optional<std::int64_t> readBest(const std::filesystem::path& runFolder) {
  const Result<Json> best = readJson(runFolder / "best.json");
  if (!best || !best->is_object() || !best->contains("step") || !(*best)["step"].is_number_integer()) return {};
  return (*best)["step"].get<std::int64_t>();
}

Result<std::filesystem::path> resolveCheckpoint(const std::filesystem::path& runFolder,
                                                std::optional<std::int64_t> step) {
  const std::vector<std::int64_t> steps = checkpointSteps(runFolder);
  const auto has = [&](std::int64_t wanted) { return std::binary_search(steps.begin(), steps.end(), wanted); };
  if (steps.empty()) {
    return fail(ErrorCode::notFound, "The run " + runFolder.string() + " has no checkpoint yet.", runFolder.string());
  }
  if (step) {
    if (has(*step)) return checkpointFolder(runFolder, *step);
    std::string known;
    for (const std::int64_t each : steps) known += (known.empty() ? "" : ", ") + std::to_string(each);
    return fail(ErrorCode::notFound,
                "The run " + runFolder.string() + " has no checkpoint of step " + std::to_string(*step) +
                    "; it has those of " + known + ".",
                runFolder.string());
  }
  const std::optional<std::int64_t> best = readBest(runFolder);
  return checkpointFolder(runFolder, best && has(*best) ? *best : steps.back());
}

}  // namespace strata
