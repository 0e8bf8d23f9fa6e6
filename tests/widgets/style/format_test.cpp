#include "widgets/style/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace strata {
namespace {

std::string text(const QString& words) {
  return words.toStdString();
}

TEST(Format, WhatIsNotKnownIsNotMeasured) {
  const QString unknown = notMeasured();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(text(unknown), "not measured");
  EXPECT_EQ(formatBytes({}), unknown);
  EXPECT_EQ(formatBytes(-1), unknown);
  EXPECT_EQ(formatCount(-1), unknown);
  EXPECT_EQ(formatSpeed(nan), unknown);
  EXPECT_EQ(formatSpeed(std::numeric_limits<double>::infinity()), unknown);
  EXPECT_EQ(formatSeconds({}), unknown);
  EXPECT_EQ(formatPercent(nan), unknown);
  EXPECT_EQ(formatNats({}), unknown);
  EXPECT_EQ(formatBytesOf({}, 1024), unknown);
}

TEST(Format, ZeroIsAFigure) {
  EXPECT_EQ(text(formatBytes(0)), "0 B");
  EXPECT_EQ(text(formatCount(0)), "0");
  EXPECT_EQ(text(formatPercent(0.0)), "0 %");
  EXPECT_EQ(text(formatSeconds(0.0)), "0 ms");
}

TEST(Format, BytesHaveThreeDigitsAndPowersOf1024) {
  EXPECT_EQ(text(formatBytes(512)), "512 B");
  EXPECT_EQ(text(formatBytes(1023)), "1023 B");
  EXPECT_EQ(text(formatBytes(1024)), "1.00 KiB");
  EXPECT_EQ(text(formatBytes(36864)), "36.0 KiB");
  EXPECT_EQ(text(formatBytes(384LL << 20)), "384 MiB");
  EXPECT_EQ(text(formatBytes(1213334323)), "1.13 GiB");
  EXPECT_EQ(text(formatBytes((1LL << 20) - 1)), "1.00 MiB");  // never "1024 KiB"
  EXPECT_EQ(text(formatBytes(2LL << 40)), "2.00 TiB");
}

TEST(Format, UsedAndTotalShareTheUnitWhereTheyCan) {
  EXPECT_EQ(text(formatBytesOf(1213334323, 16LL << 30)), "1.13 of 16.0 GiB");
  EXPECT_EQ(text(formatBytesOf(36LL << 20, 16LL << 30)), "36.0 MiB of 16.0 GiB");
  EXPECT_EQ(text(formatBytesOf(36LL << 20, {})), "36.0 MiB");
}

TEST(Format, CountsAreGrouped) {
  EXPECT_EQ(text(formatCount(999)), "999");
  EXPECT_EQ(text(formatCount(32768)), "32,768");
  EXPECT_EQ(text(formatCount(1000000)), "1,000,000");
}

TEST(Format, ContextsAndParametersAreShort) {
  EXPECT_EQ(text(formatContext(32768)), "32k");
  EXPECT_EQ(text(formatContext(1000)), "1,000");
  EXPECT_EQ(text(formatContext(512)), "512");
  EXPECT_EQ(text(formatParameters(260032)), "260 K");
  EXPECT_EQ(text(formatParameters(134515008)), "135 M");
  EXPECT_EQ(text(formatParameters(7241732096)), "7.24 B");
}

TEST(Format, SpeedsAndTimes) {
  EXPECT_EQ(text(formatSpeed(84.21)), "84.2 tokens/s");
  EXPECT_EQ(text(formatSpeed(1234.6)), "1,235 tokens/s");
  EXPECT_EQ(text(formatSeconds(0.0852)), "85 ms");
  EXPECT_EQ(text(formatSeconds(1.244)), "1.24 s");
  EXPECT_EQ(text(formatSeconds(12.34)), "12.3 s");
  EXPECT_EQ(text(formatSeconds(59.97)), "1 min 0 s");
  EXPECT_EQ(text(formatSeconds(200)), "3 min 20 s");
  EXPECT_EQ(text(formatSeconds(7500)), "2 h 5 min");
  EXPECT_EQ(text(formatTimeLeft(12.2)), "about 12 s");
  EXPECT_EQ(text(formatTimeLeft(0.1)), "about 1 s");
  EXPECT_EQ(text(formatTimeLeft(170)), "about 3 min");
}

TEST(Format, WhatADeviceHasFree) {
  EXPECT_EQ(formatFree(std::int64_t{12} << 30, "cpu"), "12.0 GiB free (CPU)");
  EXPECT_EQ(formatFree(std::int64_t{512} << 20, "cuda:0"), "512 MiB free (cuda:0)");
}

TEST(Format, NatsAndPercent) {
  EXPECT_EQ(text(formatNats(2.1449)), "2.145");
  EXPECT_EQ(text(formatNats(0.013, true)), "+0.013");
  EXPECT_EQ(text(formatNats(-0.013, true)), "-0.013");
  EXPECT_EQ(text(formatNats(-0.00001, true)), "+0.000");  // no negative zero
  EXPECT_EQ(text(formatPercent(0.5)), "50 %");
  EXPECT_EQ(text(formatPercent(0.1234, 1)), "12.3 %");
}

TEST(Format, TheNumberThatChoosesThePluralKeepsItsLastDigits) {
  EXPECT_EQ(pluralOf(1), 1);
  EXPECT_EQ(pluralOf(999'999), 999'999);
  EXPECT_EQ(pluralOf(1'000'001), 1'000'001);
  EXPECT_EQ(pluralOf(5'000'000'000'021), 1'000'021);
}

}  // namespace
}  // namespace strata
