#pragma once
// The run's questions answered with the weights of now: what an evaluation while training says beside the loss.

#include <functional>
#include <vector>

#include "core/base/error.h"
#include "core/metrics/bootstrap.h"
#include "core/project/run_database.h"
#include "core/training/run_setup.h"

namespace strata {

struct AnswerScores {
  double f1 = 0, em = 0;  // 0 … 1
  double nll = 0;         // of the expected answers, nats per token
  Interval interval;      // of f1
  std::vector<RunAnswer> answers;
};

/// Greedy answers to all of setup.questions under a map, as `strata eval` answers. The weights are read where they are:
/// the fp32 masters of a full fine-tune, or a LoRA over its base. Nothing of the trainer changes. `goOn` is asked
/// between batches and tokens; where it says no: ErrorCode::cancelled.
Result<AnswerScores> scoreAnswers(const RunSetup& setup, const NamedMap& map, const std::function<bool()>& goOn);

}  // namespace strata
