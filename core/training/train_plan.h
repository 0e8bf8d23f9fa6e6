#pragma once
// What can be said of a training run before its data is read: memory, disk, and why it would be refused. Reads
// config.json and the headers of weight files.
//
//   const TrainPlan plan = planTraining(config);
//   if (plan.problems.empty()) show(plan.memory.total());

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/train_config.h"
#include "core/routing/memory.h"

namespace strata {

struct TrainPlan {
  MemoryEstimate memory;             // bytes; all 0 where the model cannot be read
  std::int64_t parameters = 0;       // of the model, without a LoRA
  std::int64_t trained = 0;          // parameters that are trained
  int layers = 0;                    // 0: the model cannot be read
  std::int64_t checkpointBytes = 0;  // of one checkpoint: weights or LoRA in fp32, and the moments
  std::int64_t runBytes = 0;         // on disk at most: two checkpoints, one being written, and the best
  std::vector<Error> problems;       // Error::context: the option, without dashes
};

/// The option that an error is about, without dashes; `otherwise` where its context is none (a path).
std::string optionOf(const Error& error, const char* otherwise);

/// The parameters that a LoRA of this rank has on these targets ("all-linear" or "q_proj,v_proj").
std::int64_t loraParameters(const ModelShape& shape, int rank, const std::string& targets);

/// ErrorCode::diskFull where fewer than `bytes` are free in a folder.
Result<void> checkRoom(const std::filesystem::path& folder, std::int64_t bytes);

/// Refused where a step has fewer sequences than `ranks`.
Result<void> checkRanks(const TrainConfig& config, int ranks);

/// A model is a folder or a run's path (resolveNames() has been there).
/// `ranks` that share each step: memory is one's own.
TrainPlan planTraining(const TrainConfig& config, int ranks = 1);

}  // namespace strata
