#include "core/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "support.h"

namespace strata {
namespace {

TEST(Bootstrap, AnIntervalHoldsTheMeanAndIsAsWideAsTheNormalOne) {
  constexpr int kScores = 400;
  std::vector<double> scores;
  for (int i = 0; i < kScores; ++i) scores.push_back(i % 4 == 0 ? 1.0 : 0.0);
  const Interval interval = bootstrapMean(scores, 1, 0);
  const double half = 1.96 * std::sqrt(0.25 * 0.75 / kScores);
  EXPECT_NEAR(interval.low, 0.25 - half, 0.006);
  EXPECT_NEAR(interval.high, 0.25 + half, 0.006);
}

TEST(Bootstrap, TheSameSeedAndStepGiveTheSameInterval) {
  const std::vector<double> scores = {0, 0.2, 0.5, 1, 1, 0.3, 0};
  const auto bounds = [&](std::uint64_t seed, std::uint32_t step) {
    const Interval interval = bootstrapMean(scores, seed, step);
    return std::pair(interval.low, interval.high);
  };
  EXPECT_EQ(bounds(3, 10), bounds(3, 10));
  EXPECT_NE(bounds(3, 10), bounds(4, 10));
  EXPECT_NE(bounds(3, 10), bounds(3, 20));
}

TEST(Bootstrap, EqualScoresLeaveNoDoubtAndNoneNoInterval) {
  const Interval equal = bootstrapMean({0.5, 0.5, 0.5}, 1, 0);
  EXPECT_EQ(equal.low, 0.5);
  EXPECT_EQ(equal.high, 0.5);
  const Interval none = bootstrapMean({}, 1, 0);
  EXPECT_EQ(none.low, 0);
  EXPECT_EQ(none.high, 0);
}

}  // namespace
}  // namespace strata
