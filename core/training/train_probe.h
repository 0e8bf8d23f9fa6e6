#pragma once
// Two steps of a training run, measured: for a process of its own, as memory is counted from its start. Nothing is
// stored.
//
//   STRATA_TRY(const TrainProbe probe, probeTraining(config, [&] { return cancelled.load(); }));

#include <cstdint>
#include <functional>

#include "core/base/error.h"
#include "core/config/train_config.h"
#include "core/routing/memory.h"

namespace strata {

struct TrainProbe {
  double startSeconds = 0;       // reading data and weights
  double stepSeconds = 0;        // of the faster step
  double tokensPerSecond = 0;    // trained tokens
  double padding = 0;            // share of the positions without a token
  double evaluationSeconds = 0;  // of one evaluation under all maps; 0: none is asked for
  double seconds = 0;            // of the whole run with its evaluations, without checkpoints
  std::int64_t steps = 0;        // of the run
  std::int64_t sequences = 0;    // of an epoch
  MemoryEstimate peak;           // bytes; each part at its own highest moment, the total resident
};

/// The same code as a run up to what it stores. `stop` is asked between the parts: ErrorCode::cancelled.
Result<TrainProbe> probeTraining(TrainConfig config, const std::function<bool()>& stop = {});

}  // namespace strata
