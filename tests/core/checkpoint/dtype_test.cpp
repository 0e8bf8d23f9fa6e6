#include "core/checkpoint/dtype.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

namespace strata {
namespace {

std::vector<std::uint16_t> allPatterns() {
  std::vector<std::uint16_t> patterns(65536);
  std::iota(patterns.begin(), patterns.end(), std::uint16_t{0});
  return patterns;
}

std::vector<float> widen(const std::vector<std::uint16_t>& stored, DType type) {
  std::vector<float> out(stored.size());
  convertToFloat(std::as_bytes(std::span(stored)), type, out);
  return out;
}

std::uint16_t narrow(float value, DType type) {
  const std::vector<std::byte> bytes = convertFromFloat(std::span(&value, 1), type);
  std::uint16_t out = 0;
  std::memcpy(&out, bytes.data(), 2);
  return out;
}

/// What a half or bfloat16 of this pattern is worth, from the definition of the formats.
double valueOf(std::uint16_t pattern, int exponentBits, int mantissaBits) {
  const int bias = (1 << (exponentBits - 1)) - 1;
  const int mantissa = pattern & ((1 << mantissaBits) - 1);
  const int exponent = (pattern >> mantissaBits) & ((1 << exponentBits) - 1);
  const double sign = (pattern & 0x8000) != 0 ? -1 : 1;
  if (exponent == (1 << exponentBits) - 1) {
    return mantissa != 0 ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  }
  const double fraction = std::ldexp(mantissa, -mantissaBits);
  return sign * (exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias));
}

struct Format {
  DType type;
  int exponentBits;
  int mantissaBits;
};
constexpr std::array<Format, 2> kFormats = {{{DType::f16, 5, 10}, {DType::bf16, 8, 7}}};

TEST(DType, ReadsEveryPatternOfHalfAndBfloatExactly) {
  for (const Format& format : kFormats) {
    const std::vector<float> values = widen(allPatterns(), format.type);
    for (int i = 0; i < 65536; ++i) {
      const double expected = valueOf(static_cast<std::uint16_t>(i), format.exponentBits, format.mantissaBits);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(values[i])) << i;
      } else {
        ASSERT_EQ(values[i], expected) << i;
        ASSERT_EQ(std::signbit(values[i]), std::signbit(expected)) << i;
      }
    }
  }
}

TEST(DType, WritesBackEveryPatternThatItRead) {
  for (const Format& format : kFormats) {
    const std::vector<float> values = widen(allPatterns(), format.type);
    for (int i = 0; i < 65536; ++i) {
      const std::uint16_t back = narrow(values[i], format.type);
      if (std::isnan(values[i])) {
        const std::uint16_t exponent = format.type == DType::f16 ? 0x7c00 : 0x7f80;
        ASSERT_TRUE((back & 0x7fff) > exponent) << i;
        ASSERT_EQ(back & 0x8000, i & 0x8000) << i;
      } else {
        ASSERT_EQ(back, i);
      }
    }
  }
}

TEST(DType, RoundsHalfWayToEvenBetweenEveryTwoNeighbours) {
  for (const Format& format : kFormats) {
    const std::uint16_t infinity = format.type == DType::f16 ? 0x7c00 : 0x7f80;
    for (std::uint16_t low = 0; low + 1 < infinity; ++low) {
      const double below = valueOf(low, format.exponentBits, format.mantissaBits);
      const double above = valueOf(static_cast<std::uint16_t>(low + 1), format.exponentBits, format.mantissaBits);
      const float middle = static_cast<float>((below + above) / 2);      // exact: one bit more than the format has
      if (static_cast<double>(middle) != (below + above) / 2) continue;  // under the smallest float
      const std::uint16_t even = (low & 1) == 0 ? low : static_cast<std::uint16_t>(low + 1);
      ASSERT_EQ(narrow(middle, format.type), even) << low;
      ASSERT_EQ(narrow(-middle, format.type), even | 0x8000) << low;
      ASSERT_EQ(narrow(std::nextafter(middle, 0.0F), format.type), low) << low;
      ASSERT_EQ(narrow(std::nextafter(middle, std::numeric_limits<float>::infinity()), format.type), low + 1) << low;
    }
  }
}

TEST(DType, TurnsWhatIsTooLargeIntoInfinity) {
  EXPECT_EQ(narrow(65519.996F, DType::f16), 0x7bff);
  EXPECT_EQ(narrow(65520.0F, DType::f16), 0x7c00);
  EXPECT_EQ(narrow(-1e30F, DType::f16), 0xfc00);
  EXPECT_EQ(narrow(std::numeric_limits<float>::max(), DType::bf16), 0x7f80);
  EXPECT_EQ(narrow(std::numeric_limits<float>::infinity(), DType::bf16), 0x7f80);
}

TEST(DType, KeepsANanWhosePayloadLiesInTheLowBits) {
  const float nan = std::bit_cast<float>(0x7f800001U);
  EXPECT_EQ(narrow(nan, DType::f16) & 0x7e00, 0x7e00);
  EXPECT_EQ(narrow(nan, DType::bf16) & 0x7fc0, 0x7fc0);
}

TEST(DType, CopiesFloatsBitByBit) {
  std::mt19937 random(1);
  std::vector<std::uint32_t> bits(1000);
  for (auto& word : bits) word = static_cast<std::uint32_t>(random());
  std::vector<float> values(bits.size());
  convertToFloat(std::as_bytes(std::span(bits)), DType::f32, values);
  const std::vector<std::byte> back = convertFromFloat(values, DType::f32);
  EXPECT_EQ(std::memcmp(back.data(), bits.data(), back.size()), 0);
}

TEST(DType, ReadsBytesThatAreNotAligned) {
  const std::vector<float> values = {1.5F, -2.25F, 3.0F};
  for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
    std::vector<std::byte> bytes = convertFromFloat(values, type);
    bytes.insert(bytes.begin(), std::byte{0xff});
    std::vector<float> out(3);
    convertToFloat(std::span(bytes).subspan(1), type, out);
    EXPECT_EQ(out, values);
  }
}

TEST(DType, HasTwoSpellings) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
    EXPECT_EQ(parseDType(safetensorsName(type)), type);
    EXPECT_EQ(parseDType(configName(type)), type);
  }
  EXPECT_FALSE(parseDType("float64"));
  EXPECT_FALSE(parseDType(""));
}

}  // namespace
}  // namespace strata
