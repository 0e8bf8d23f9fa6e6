#include "core/training/borrowed_reads.h"

#include <algorithm>

#include "core/training/trainer.h"

namespace strata {
namespace {

constexpr std::int64_t kMostSteps = 100'000;
constexpr std::int64_t kMostDraws = 20'000'000;  // of a layer: about half a second

}  // namespace

Result<BorrowedReads> countBorrowedReads(const TrainConfig& given, int layers, std::int64_t steps) {
  BorrowedReads reads;
  reads.share.assign(static_cast<std::size_t>(layers), 0);
  reads.replayed = !given.routings.empty();
  if (steps <= 0) return reads;
  STRATA_TRY(const RoutingSampler sampler, RoutingSampler::parse(given.sampler));
  const TrainConfig config = resolved(given);
  const int groups = config.routingGroups;
  RoutingScript script;
  if (reads.replayed) {
    STRATA_TRY(script, readRoutings(config.routings, layers, groups, config.steps));
    steps = std::min(steps, static_cast<std::int64_t>(script.size()));
  }
  reads.counted =
      std::min({steps, kMostSteps, std::max<std::int64_t>(1, kMostDraws / (std::int64_t{groups} * layers))});
  const auto borrows = [&](const SharingMap& map) {
    for (int layer = 0; layer < layers; ++layer) {
      if (map.src()[static_cast<std::size_t>(layer)] != layer) reads.share[static_cast<std::size_t>(layer)] += 1;
    }
  };
  for (std::int64_t i = 0; i < reads.counted; ++i) {
    const std::int64_t step = i * steps / reads.counted;
    const auto drawn = static_cast<std::uint32_t>(step);
    const double pCross = warmedPCross(*config.pCross, drawn, static_cast<std::uint32_t>(config.pCrossWarmup));
    for (int group = 0; group < groups; ++group) {
      borrows(reads.replayed ? script[static_cast<std::size_t>(step)][static_cast<std::size_t>(group)]
                             : sampler.draw(layers, pCross, config.seed, drawn, static_cast<std::uint32_t>(group)));
    }
  }
  for (double& each : reads.share) each /= static_cast<double>(reads.counted * groups);
  return reads;
}

}  // namespace strata
