#include "core/base/philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace strata {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The known answers that the paper's authors publish with their Random123 library (kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswerForZeros) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}

TEST(Philox, GivesTheKnownAnswerForOnes) {
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(Philox, GivesTheKnownAnswerForDigitsOfPi) {
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, DrawsDifferWhereAnyPartOfThePositionDiffers) {
  const DrawPosition at{7, 1, 2, 3, RandomStream::source};
  std::vector<DrawPosition> positions(8, at);
  positions[1].seed = 8;
  positions[2].seed = 7 + (1ull << 32);
  positions[3].step = 2;
  positions[4].group = 1;
  positions[5].layer = 4;
  positions[6].stream = RandomStream::coin;
  positions[7].attempt = 1;
  std::set<std::uint64_t> bits;
  for (const auto& position : positions) bits.insert(randomBits(position));
  EXPECT_EQ(bits.size(), positions.size());
  EXPECT_EQ(randomBits(at), randomBits(at));
}

TEST(Philox, UniformDrawsStayBelowOneWithTheRightMoments) {
  constexpr int kDraws = 20000;
  double sum = 0;
  double squares = 0;
  for (std::uint32_t step = 0; step < kDraws; ++step) {
    const double value = randomUniform({1, step, 0, 0, RandomStream::coin});
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.01);
  EXPECT_NEAR(squares / kDraws, 1.0 / 3.0, 0.01);
}

TEST(Philox, BelowCoversItsRangeEvenlyAndReachesBothEndsOfLargeOnes) {
  constexpr int kDraws = 30000;
  std::array<int, 3> counts{};
  std::uint64_t largest = 0;
  for (std::uint32_t step = 0; step < kDraws; ++step) {
    ++counts[randomBelow({2, step, 0, 0, RandomStream::source}, 3)];
    largest = std::max(largest, randomBelow({2, step, 0, 0, RandomStream::source}, 1ull << 63));
    ASSERT_EQ(randomBelow({2, step, 0, 0, RandomStream::source}, 1), 0u);
  }
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 3, 400);  // about five standard deviations
  EXPECT_LT(largest, 1ull << 63);
  EXPECT_GT(largest, (1ull << 63) / 1000 * 995);
}

TEST(Philox, NormalsAreStandardAndIndependent) {
  constexpr int kDraws = 20000;
  double sum = 0;
  double squares = 0;
  double products = 0;
  for (std::uint32_t step = 0; step < kDraws; ++step) {
    const auto [a, b] = randomNormals({3, step, 0, 0, RandomStream::weightInit});
    ASSERT_TRUE(std::isfinite(a) && std::isfinite(b));
    sum += a + b;
    squares += a * a + b * b;
    products += a * b;
  }
  EXPECT_NEAR(sum / (2 * kDraws), 0, 0.03);
  EXPECT_NEAR(squares / (2 * kDraws), 1, 0.04);
  EXPECT_NEAR(products / kDraws, 0, 0.04);
}

}  // namespace
}  // namespace strata
