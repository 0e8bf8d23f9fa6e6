#pragma once
// Learning rate by step: linear warm-up, then cosine (Loshchilov & Hutter, arXiv 1608.03983), linear or constant.

#include "core/config/train_config.h"

namespace strata {

/// Rate of 0-based `step`. Warm-up: lr (step+1)/warmup. Then from lr down to lr · minLrRatio, which the last step
/// reaches.
double learningRate(const TrainConfig& config, std::int64_t step);

}  // namespace strata
