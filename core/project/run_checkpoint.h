#pragma once
// runs/<id>/checkpoints/step-<n>/: a staged folder with manifest.json (sizes and SHA-256), renamed into place when
// whole. What is in it is the caller's; this file knows names and which to keep. A process may be killed at
// any moment: what has the name step-<n> is whole, and leftovers (names that begin with a dot) are removed by the next
// save. Writing is for the process that holds the run's lock; reading is for anyone.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/project/checkpoint_manifest.h"

namespace strata {

/// Fills a staging folder by `write`, adds the manifest, renames. Then removes checkpoints other than the last two,
/// `best` and the one that best.json names. Those of later steps go too: the run went back behind them. A whole
/// checkpoint of the same step stays as it is, or with SameStep::replace is exchanged for the new one; a damaged one is
/// replaced.
enum class SameStep { keep, replace };
Result<void> saveCheckpoint(const std::filesystem::path& runFolder, std::int64_t step,
                            const std::function<Result<void>(const std::filesystem::path& folder)>& write,
                            std::optional<std::int64_t> best = {}, SameStep sameStep = SameStep::keep);

/// Steps with a whole checkpoint folder (renamed into place), ascending. Leftover staging folders are not listed.
std::vector<std::int64_t> checkpointSteps(const std::filesystem::path& runFolder);
std::filesystem::path checkpointFolder(const std::filesystem::path& runFolder, std::int64_t step);
/// The newest checkpoint that verifies; none: nullopt. Damaged ones are reported through `warn`.
Result<std::optional<std::int64_t>> newestGoodCheckpoint(const std::filesystem::path& runFolder,
                                                         const std::function<void(const Error&)>& warn);
/// best.json {"step": n}: kept where early stop chose one.
Result<void> writeBest(const std::filesystem::path& runFolder, std::int64_t step);
std::optional<std::int64_t> readBest(const std::filesystem::path& runFolder);
/// What RUN means: the given step, else the best, else the last.
Result<std::filesystem::path> resolveCheckpoint(const std::filesystem::path& runFolder,
                                                std::optional<std::int64_t> step);

}  // namespace strata
