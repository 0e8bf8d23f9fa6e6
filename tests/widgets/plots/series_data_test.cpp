#include "widgets/plots/series_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

namespace strata {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A noisy curve with irregular steps, now and then a value that is no number or not above zero.
PlotColumns noise(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> jitter(0, 0.3);
  PlotColumns columns;
  double step = 0;
  for (std::size_t i = 0; i < count; ++i) {
    step += 1 + static_cast<double>(random() % 3);
    columns.step.push_back(step);
    columns.tokens.push_back(step * 2048);
    columns.seconds.push_back(step * 0.25);
    columns.value.push_back(random() % 97 == 0 ? kNaN : 1 + 2 * std::exp(-step / 9000) + 2 * jitter(random));
  }
  return columns;
}

struct Sum {
  double first = kNaN, last = kNaN, low = kNaN, high = kNaN;
};

/// Column n holds n * width <= x < (n + 1) * width.
std::map<double, Sum> bruteForce(const PlotColumns& columns, PlotRange range, int pixels, bool positiveOnly) {
  const double width = range.width() / pixels;
  std::map<double, Sum> sums;
  std::map<double, bool> begun;
  for (std::size_t i = 0; i < columns.value.size(); ++i) {
    double n = std::floor(columns.step[i] / width);
    while (columns.step[i] >= (n + 1) * width) ++n;
    while (columns.step[i] < n * width) --n;
    Sum& sum = sums[n];
    const double value = columns.value[i];
    const bool drawn = std::isfinite(value) && (!positiveOnly || value > 0);
    if (!std::exchange(begun[n], true)) sum.first = drawn ? value : kNaN;
    sum.last = drawn ? value : kNaN;
    if (!drawn) continue;
    if (!(sum.low <= value)) sum.low = value;
    if (!(sum.high >= value)) sum.high = value;
  }
  return sums;
}

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

TEST(SeriesData, DrawsOfEachPixelColumnExactlyWhatBruteForceFinds) {
  const PlotColumns columns = noise(40'000, 1);
  SeriesData data;
  data.assign(columns);
  std::mt19937 random(2);
  const double last = columns.step.back();
  for (int trial = 0; trial < 200; ++trial) {
    std::uniform_real_distribution<double> anywhere(-0.1 * last, 1.1 * last);
    const double a = anywhere(random), b = anywhere(random);
    const PlotRange range{std::min(a, b), std::max(a, b) + 1};
    const int pixels = 1 + static_cast<int>(random() % 900);
    const bool positiveOnly = trial % 2 == 1;
    const auto [begin, end] = data.within(PlotAxis::step, range);
    const std::vector<EnvelopeColumn> drawn =
        data.envelope(SeriesLine::raw, PlotAxis::step, range, pixels, positiveOnly);
    ASSERT_LE(drawn.size(), 2u * static_cast<unsigned>(pixels) + 2);
    if (end - begin <= 2u * static_cast<unsigned>(pixels)) {
      std::size_t i = begin > 0 ? begin - 1 : 0;
      for (const EnvelopeColumn& column : drawn) {
        ASSERT_EQ(column.x, columns.step[i]);
        const double value = columns.value[i++];
        ASSERT_TRUE(same(column.low, std::isfinite(value) && (!positiveOnly || value > 0) ? value : kNaN));
      }
      ASSERT_EQ(i, std::min(end + 1, columns.step.size()));
      continue;
    }
    ASSERT_LE(drawn.size(), static_cast<unsigned>(pixels) + 4);
    const double width = range.width() / pixels;
    const auto sums = bruteForce(columns, range, pixels, positiveOnly);
    std::size_t matched = 0;
    for (const EnvelopeColumn& column : drawn) {
      const auto found = sums.find(std::floor(column.x / width));
      if (found == sums.end() || column.x != (found->first + 0.5) * width) continue;  // the neighbours
      ASSERT_TRUE(same(column.low, found->second.low) && same(column.high, found->second.high)) << trial;
      ASSERT_TRUE(same(column.first, found->second.first) && same(column.last, found->second.last)) << trial;
      ++matched;
    }
    std::size_t inView = 0;
    for (const auto& [n, sum] : sums) inView += (n + 1) * width > range.from && n * width <= range.to;
    ASSERT_EQ(matched, inView) << trial;
  }
}

TEST(SeriesData, AppendedPointsAreSummedUpAsThoseGivenAtOnce) {
  const PlotColumns all = noise(5'000, 3);
  SeriesData whole, grown;
  whole.assign(all);
  whole.setSmoothing(0.9);
  grown.setSmoothing(0.9);
  for (std::size_t i = 0; i < all.value.size();) {
    const std::size_t end = std::min(all.value.size(), i + 1 + i % 37);
    const auto part = [&](const std::vector<double>& column) {
      return std::vector<double>(column.begin() + static_cast<std::ptrdiff_t>(i),
                                 column.begin() + static_cast<std::ptrdiff_t>(end));
    };
    grown.append({part(all.step), part(all.tokens), part(all.seconds), part(all.value), {}, {}});
    i = end;
  }
  ASSERT_EQ(grown.size(), whole.size());
  for (const SeriesLine line : {SeriesLine::raw, SeriesLine::smoothed}) {
    for (std::size_t begin = 0; begin < whole.size(); begin += 611) {
      const Extent a = whole.extent(line, begin, whole.size()), b = grown.extent(line, begin, whole.size());
      EXPECT_EQ(a.min, b.min);
      EXPECT_EQ(a.max, b.max);
      EXPECT_EQ(a.minPositive, b.minPositive);
    }
  }
}

TEST(SeriesData, AStepThatComesAgainReplacesWhatFollowedIt) {
  SeriesData data;
  data.assign({.step = {1, 2, 3, 4}, .tokens = {10, 20, 30, 40}, .value = {9, 8, 7, 6}});
  data.append({.step = {3, 5}, .tokens = {30, 50}, .value = {1, 2}});
  EXPECT_EQ(data.columns().step, (std::vector<double>{1, 2, 3, 5}));
  EXPECT_EQ(data.columns().value, (std::vector<double>{9, 8, 1, 2}));
  EXPECT_EQ(data.extent(SeriesLine::raw, 0, 4).min, 1);
  data.append({.step = {0}, .tokens = {0}, .value = {5}});
  EXPECT_EQ(data.columns().value, std::vector<double>{5});
}

TEST(SeriesData, FinerBucketsReplaceTheStretchTheyCover) {
  SeriesData data;
  data.assign({.step = {10, 20, 30, 40}, .value = {1, 2, 3, 4}, .min = {0, 1, 2, 3}, .max = {2, 3, 9, 5}});
  data.setSmoothing(0.5);
  data.refine({.step = {15, 20, 25, 30}, .value = {5, 6, 7, 8}}, PlotAxis::step);
  EXPECT_EQ(data.columns().step, (std::vector<double>{10, 15, 20, 25, 30, 40}));
  EXPECT_EQ(data.columns().value, (std::vector<double>{1, 5, 6, 7, 8, 4}));
  EXPECT_EQ(data.columns().max, (std::vector<double>{2, 5, 6, 7, 8, 5}));
  EXPECT_EQ(data.extent(SeriesLine::raw, 0, 6).max, 8);
}

TEST(SeriesData, AnAxisIsKnownWhereEveryElementHasIt) {
  SeriesData data;
  EXPECT_FALSE(data.has(PlotAxis::step));
  data.assign({.step = {1, 2}, .seconds = {0.5, 1}, .value = {3, 4}});
  EXPECT_TRUE(data.has(PlotAxis::seconds));
  EXPECT_FALSE(data.has(PlotAxis::tokens));
  EXPECT_FALSE(data.xRange(PlotAxis::tokens));
  data.append({.step = {3}, .value = {5}});
  EXPECT_TRUE(data.has(PlotAxis::step));
  EXPECT_FALSE(data.has(PlotAxis::seconds));
  EXPECT_TRUE(data.envelope(SeriesLine::raw, PlotAxis::seconds, {0, 1}, 100).empty());
}

TEST(SeriesData, XThatFallsOrIsNoNumberDoesNotBreakTheOrder) {
  SeriesData data;
  data.assign({.step = {1, 5, 3, kNaN, 6}, .value = {1, 2, 3, 4, 5}});
  EXPECT_EQ(data.columns().step, (std::vector<double>{1, 5, 5, 5, 6}));
}

TEST(SeriesData, SmoothsAsTensorBoardDoes) {
  SeriesData data;
  data.setSmoothing(0.6);
  data.assign({.step = {1, 2, 3, 4}, .value = {2, 1, kNaN, 4}});
  // s1 = .8 / .4; s2 = (.6 * .8 + .4) / .64; a gap stays one; s3 = (.6 * .88 + 1.6) / .784
  EXPECT_NEAR(data.at(SeriesLine::smoothed, 0), 2, 1e-12);
  EXPECT_NEAR(data.at(SeriesLine::smoothed, 1), 0.88 / 0.64, 1e-12);
  EXPECT_TRUE(std::isnan(data.at(SeriesLine::smoothed, 2)));
  EXPECT_NEAR(data.at(SeriesLine::smoothed, 3), 2.128 / 0.784, 1e-12);
  EXPECT_EQ(data.at(SeriesLine::raw, 3), 4);
  data.setSmoothing(0);
  EXPECT_EQ(data.at(SeriesLine::smoothed, 3), 4);
}

TEST(SeriesData, SmoothsBeforeItDecimates) {
  SeriesData data;
  const PlotColumns columns = noise(20'000, 5);
  data.assign(columns);
  data.setSmoothing(0.99);
  double average = 0, decay = 1;
  std::vector<double> smoothed;
  for (const double value : columns.value) {
    if (std::isfinite(value)) {
      average = 0.99 * average + 0.01 * value;
      decay *= 0.99;
    }
    smoothed.push_back(std::isfinite(value) ? average / (1 - decay) : kNaN);
  }
  const PlotRange range{0, columns.step.back()};
  PlotColumns expected = columns;
  expected.value = smoothed;
  const auto sums = bruteForce(expected, range, 300, false);
  const double width = range.width() / 300;
  int compared = 0;
  for (const EnvelopeColumn& column : data.envelope(SeriesLine::smoothed, PlotAxis::step, range, 300)) {
    const auto found = sums.find(std::floor(column.x / width));
    ASSERT_NE(found, sums.end());
    EXPECT_NEAR(column.low, found->second.low, 1e-12);
    EXPECT_NEAR(column.high, found->second.high, 1e-12);
    ++compared;
  }
  EXPECT_GE(compared, 300);
}

TEST(SeriesData, ALongSeriesIsSmoothedInPortions) {
  SeriesData data;
  data.assign(noise(450'000, 6));
  data.setSmoothing(0.5);
  EXPECT_EQ(data.smoothing(), 0);
  EXPECT_EQ(data.at(SeriesLine::smoothed, 7), data.at(SeriesLine::raw, 7));
  EXPECT_FALSE(data.smoothMore());
  EXPECT_TRUE(data.smoothMore());
  EXPECT_EQ(data.smoothing(), 0.5);
  EXPECT_NE(data.at(SeriesLine::smoothed, 7), data.at(SeriesLine::raw, 7));
}

TEST(SeriesData, PercentilesLeaveOutliersOut) {
  PlotColumns columns;
  for (int i = 0; i < 1001; ++i) {
    columns.step.push_back(i);
    columns.value.push_back(i == 500 ? 1e9 : i == 700 ? kNaN : i);
  }
  SeriesData data;
  data.assign(columns);
  const auto range = data.percentiles(0, 1001, 0.01, 0.99);
  ASSERT_TRUE(range);
  EXPECT_NEAR(range->from, 10, 1);
  EXPECT_NEAR(range->to, 990, 2);
  EXPECT_NEAR(data.percentiles(100, 201, 0, 1)->to, 200, 1e-9);
  EXPECT_FALSE(data.percentiles(700, 701, 0, 1));
  EXPECT_FALSE(data.percentiles(0, 1, 0, 1, true)) << "0 has no logarithm";
}

TEST(SeriesData, ALogAxisDrawsTheLeastValueAboveZero) {
  SeriesData data;
  data.assign({.step = {1, 2, 3, 4}, .value = {-1, 0, 0.5, 2}});
  const auto columns = data.envelope(SeriesLine::raw, PlotAxis::step, {0, 5}, 100, true);
  ASSERT_EQ(columns.size(), 4u);
  EXPECT_TRUE(std::isnan(columns[0].low) && std::isnan(columns[1].low));
  EXPECT_EQ(columns[2].low, 0.5);
  EXPECT_EQ(data.extent(SeriesLine::raw, 0, 4).minPositive, 0.5);
}

TEST(SeriesData, NearestIsTheElementThatIsNearest) {
  SeriesData data;
  EXPECT_FALSE(data.nearest(PlotAxis::step, 3));
  data.assign({.step = {0, 10, 11}, .value = {1, 2, 3}});
  EXPECT_EQ(data.nearest(PlotAxis::step, -5), 0u);
  EXPECT_EQ(data.nearest(PlotAxis::step, 4), 0u);
  EXPECT_EQ(data.nearest(PlotAxis::step, 6), 1u);
  EXPECT_EQ(data.nearest(PlotAxis::step, 99), 2u);
}

}  // namespace
}  // namespace strata
