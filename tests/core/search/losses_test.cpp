#include "core/search/losses.h"

#include <gtest/gtest.h>

#include <cmath>

namespace strata {
namespace {

TEST(Losses, AMeanIsTheSumOverTheTokensOfMeasuredWindows) {
  const MeanLoss mean = meanOf({{30, 10}, {0, 0}, {10, 10}});
  EXPECT_DOUBLE_EQ(mean.mean, 2);
  EXPECT_EQ(mean.tokens, 20);
  // Residuals 10 and -10; s² of the ratio = (200 · 2 / 1) / 20²; t of one degree of freedom 12.706.
  ASSERT_TRUE(mean.halfWidth);
  EXPECT_NEAR(*mean.halfWidth, 12.706 * std::sqrt(400.0) / 20, 1e-9);
}

TEST(Losses, OneWindowHasNoInterval) {
  EXPECT_FALSE(meanOf({{30, 10}}).halfWidth);
  EXPECT_EQ(meanOf({}).tokens, 0);
}

TEST(Losses, ADifferenceIsPairedByWindow) {
  // The windows differ by far more than the maps: only pairs show the difference.
  const Losses a = {{101, 10}, {11, 10}, {51, 10}}, b = {{100, 10}, {10, 10}, {50, 10}};
  const MeanLoss difference = meanDifference(a, b);
  EXPECT_NEAR(difference.mean, .1, 1e-12);
  EXPECT_NEAR(*difference.halfWidth, 0, 1e-12);
  EXPECT_GT(*meanOf(a).halfWidth, 1);
  EXPECT_EQ(meanDifference(a, {{100, 10}}).tokens, 10) << "a window that one lacks does not count";
}

TEST(Losses, StudentsQuantileFallsToTheNormalOne) {
  // Windows of ±1 around 0: half-width = t · sqrt(n · n/(n-1)) / n for n windows of one token.
  const auto quantile = [](std::size_t n) {
    Losses losses;
    for (std::size_t i = 0; i < n; ++i) losses.push_back({i % 2 == 0 ? 1.0 : -1.0, 1});
    const auto windows = static_cast<double>(n);
    return *meanOf(losses).halfWidth * std::sqrt(windows - 1);
  };
  EXPECT_NEAR(quantile(4), 3.182, 1e-3);
  EXPECT_NEAR(quantile(8), 2.365, 2e-3);
  EXPECT_NEAR(quantile(20), 2.093, 1e-3);
  EXPECT_NEAR(quantile(1000), 1.962, 1e-3);
}

}  // namespace
}  // namespace strata
