#include "core/training/schedule.h"

#include <cmath>
#include <numbers>

namespace strata {

double learningRate(const TrainConfig& config, std::int64_t step) {
  if (step < config.warmup) return config.lr * static_cast<double>(step + 1) / config.warmup;
  if (config.schedule == "constant") return config.lr;
  const std::int64_t span = config.steps - 1 - config.warmup;
  const double progress =
      span > 0 ? std::min(1.0, static_cast<double>(step - config.warmup) / static_cast<double>(span)) : 0.0;
  const double remaining =
      config.schedule == "linear" ? 1 - progress : 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return config.lr * (config.minLrRatio + (1 - config.minLrRatio) * remaining);
}

}  // namespace strata
