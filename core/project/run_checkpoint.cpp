#include "core/project/run_checkpoint.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/project/project_files.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

fs::path checkpointsFolder(const fs::path& runFolder) {
  return runFolder / "checkpoints";
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

/// Puts a whole folder in the place of another. The names change at once where the file system can.
Result<void> exchangeFolders(const fs::path& fresh, const fs::path& old) {
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, old.c_str(), RENAME_EXCHANGE) != 0) {
    removeFolder(old);
    if (::rename(fresh.c_str(), old.c_str()) != 0) return systemFailure(errno, "replace", old);
  }
  STRATA_CHECK(syncFolder(old.parent_path()));
  std::error_code ignored;
  fs::remove_all(fresh, ignored);
  return {};
}

Result<void> save(const fs::path& runFolder, std::int64_t step,
                  const std::function<Result<void>(const fs::path& folder)>& write, std::optional<std::int64_t> best,
                  SameStep sameStep) {
  const fs::path checkpoints = checkpointsFolder(runFolder);
  STRATA_CHECK(makeFolder(inRun(runFolder, "checkpoints")));
  removeLeftovers(checkpoints);
  const fs::path destination = checkpointFolder(runFolder, step);
  const bool exists = fs::exists(fs::symlink_status(destination));
  const bool replaces = sameStep == SameStep::replace && exists;
  if (exists && !replaces) {
    if (verifyCheckpoint(destination)) {
      removeOld(runFolder, step, best);
      return {};
    }
    removeFolder(destination);
  }
  const fs::path whole = replaces ? checkpoints / (".new-" + destination.filename().string()) : destination;
  STRATA_TRY(StagedFolder staged, StagedFolder::create(whole));
  STRATA_CHECK(write(staged.path()));
  STRATA_CHECK(writeManifest(staged.path(), step));
  STRATA_CHECK(staged.commit());
  if (replaces) STRATA_CHECK(exchangeFolders(whole, destination));
  removeOld(runFolder, step, best);
  return {};
}

}  // namespace

std::filesystem::path checkpointFolder(const std::filesystem::path& runFolder, std::int64_t step) {
  return checkpointsFolder(runFolder) / checkpointName(step);
}

Result<void> saveCheckpoint(const std::filesystem::path& runFolder, std::int64_t step,
                            const std::function<Result<void>(const std::filesystem::path& folder)>& write,
                            std::optional<std::int64_t> best, SameStep sameStep) {
  if (step < 0) return fail(ErrorCode::internal, "A checkpoint's step is 0 or more, not " + std::to_string(step) + ".");
  try {
    return save(runFolder, step, write, best, sameStep);
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
  std::error_code error, ignored;
  fs::directory_iterator entry(checkpointsFolder(runFolder), error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    const std::optional<std::int64_t> step = stepOfName(entry->path().filename().string());
    if (step && entry->is_directory(ignored)) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
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
  const Result<std::string> text = readInProject(inRun(runFolder, "best.json"));
  const Result<Json> best = text ? parseJson(*text, "best.json") : tl::unexpected(text.error());
  if (!best || !best->is_object() || !best->contains("step") || !(*best)["step"].is_number_integer()) return {};
  return (*best)["step"].get<std::int64_t>();
}

Result<std::filesystem::path> resolveCheckpoint(const std::filesystem::path& runFolder,
                                                std::optional<std::int64_t> step) {
  if (const Result<void> there = requireFolder(inRun(runFolder, "checkpoints"));
      !there && there.error().code != ErrorCode::notFound) {
    return tl::unexpected(there.error());
  }
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
