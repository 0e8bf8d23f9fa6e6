#pragma once
// How often each layer read another one's keys and values in the steps that a run has done, from its own draws: those
// are counter-based, so that they can be drawn again.
//
//   STRATA_TRY(const BorrowedReads reads, countBorrowedReads(config, layers, steps));

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/config/train_config.h"

namespace strata {

struct BorrowedReads {
  std::vector<double> share;  // [L] of the groups' reads at layer l, those that went to another layer; 0 … 1
  std::int64_t counted = 0;   // steps, spread evenly over all
  bool replayed = false;      // the routings were those of a file (config.routings)
};

/// Of steps 0 … `steps` - 1, at most 100,000 of them and as many as 20 million draws of a layer allow. A step that was
/// drawn again after it had failed counts with its first draw.
Result<BorrowedReads> countBorrowedReads(const TrainConfig& config, int layers, std::int64_t steps);

}  // namespace strata
