#include "widgets/plots/plot_ticks.h"

#include <gtest/gtest.h>

#include <QStringList>
#include <cmath>
#include <random>

namespace strata {
namespace {

QStringList labels(const std::vector<double>& ticks) {
  QStringList all;
  for (const double tick : ticks) all.append(formatTick(tick, ticks.size() > 1 ? ticks[1] - ticks[0] : 0));
  return all;
}

TEST(PlotTicks, AreFewAndRound) {
  EXPECT_EQ(labels(linearTicks({0, 6000}, 6)), (QStringList{"0", "2,000", "4,000", "6,000"}));
  EXPECT_EQ(labels(linearTicks({1.98, 2.31}, 6)), (QStringList{"2.0", "2.1", "2.2", "2.3"}));
  EXPECT_EQ(labels(linearTicks({-0.012, 0.012}, 6)), (QStringList{"-0.010", "-0.005", "0", "0.005", "0.010"}));
  EXPECT_EQ(labels(linearTicks({2, 5}, 6, true)), (QStringList{"2", "3", "4", "5"}));
  EXPECT_EQ(labels(linearTicks({2.2, 2.6}, 6, true)), QStringList{});
  EXPECT_TRUE(linearTicks({1, 1}, 6).empty());
  EXPECT_TRUE(linearTicks({0, std::numeric_limits<double>::infinity()}, 6).empty());
}

TEST(PlotTicks, AreAtLeastTwoInANarrowPlot) {
  EXPECT_EQ(labels(linearTicks({0, 40}, 2)), (QStringList{"0", "20", "40"}));
  EXPECT_EQ(labels(linearTicks({400, 499}, 2)), (QStringList{"400", "450"}));
  EXPECT_EQ(labels(linearTicks({4000, 4999}, 2)), (QStringList{"4,000", "4,500"}));
  for (int to = 1; to < 2000; ++to) {
    const auto ticks = linearTicks({0, to * 1.0}, 2, true).size();
    ASSERT_TRUE(ticks >= 2 && ticks <= 4) << to;
  }
}

TEST(PlotTicks, AreInsideAnyRangeAndNeverMoreThanAskedFor) {
  std::mt19937 random(4);
  std::uniform_real_distribution<double> power(-12, 12);
  for (int i = 0; i < 2000; ++i) {
    const double a = std::pow(10, power(random)), b = a + std::pow(10, power(random));
    for (const std::vector<double>& ticks : {linearTicks({a, b}, 6), logTicks({a, b}, 6)}) {
      ASSERT_LE(ticks.size(), 6u);
      for (const double tick : ticks) {
        ASSERT_GE(tick, a - (b - a) * 1e-6);
        ASSERT_LE(tick, b + (b - a) * 1e-6);
      }
    }
  }
}

TEST(PlotTicks, OfALogAxisArePowersOfTenOrTheirMultiples) {
  EXPECT_EQ(logTicks({0.9, 12}, 6), (std::vector<double>{1, 2, 5, 10}));
  EXPECT_EQ(logTicks({1e-3, 2e3}, 7).size(), 7u);
  EXPECT_LE(logTicks({1e-12, 1e12}, 6).size(), 6u);
  EXPECT_GE(logTicks({2.1, 2.4}, 6).size(), 3u) << "a short range has linear ticks";
  EXPECT_TRUE(logTicks({0, 5}, 6).empty());
}

TEST(PlotTicks, FiguresHaveFourDigits) {
  EXPECT_EQ(formatFigure(2.14512), "2.145");
  EXPECT_EQ(formatFigure(12.3456), "12.35");
  EXPECT_EQ(formatFigure(1234.4), "1,234");
  EXPECT_EQ(formatFigure(0.0123456), "0.01235");
  EXPECT_EQ(formatFigure(0.0003), "3.000e-4");
  EXPECT_EQ(formatFigure(-2.5), "-2.500");
  EXPECT_EQ(formatFigure(2.5, true), "+2.500");
  EXPECT_EQ(formatFigure(0), "0");
  EXPECT_EQ(formatFigure(std::nan("")), "not measured");
}

TEST(PlotTicks, XIsSaidInItsUnit) {
  EXPECT_EQ(formatX(PlotAxis::step, 12340), "step 12,340");
  EXPECT_EQ(formatX(PlotAxis::tokens, 8192), "8,192 tokens");
  EXPECT_EQ(formatX(PlotAxis::seconds, 200), "3 min 20 s");
  EXPECT_EQ(unitOf(PlotAxis::seconds, {0, 600}).name, "minutes");
  EXPECT_EQ(unitOf(PlotAxis::seconds, {0, 90}).size, 1);
  EXPECT_EQ(unitOf(PlotAxis::seconds, {0, 1e5}).name, "hours");
  EXPECT_EQ(unitOf(PlotAxis::tokens, {0, 5e7}).size, 1e6);
}

}  // namespace
}  // namespace strata
