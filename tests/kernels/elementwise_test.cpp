// rmsNorm, addRmsNorm, rope, siluMul, kvAppend.

#include "kernel_test.h"
#include "kernels/kv_append.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/silu_mul.h"

namespace strata::kernels::testing {
namespace {

class RmsNorm : public KernelTest {
 protected:
  /// x += delta where given; y = norm.
  void run(Version version, Array& x, const Array* delta, const Array& weight, Array& y, std::int64_t rows,
           std::int64_t c) {
    const TargetsScope scope(targetsOf(version));
    if (version == Version::reference) {
      if (delta == nullptr)
        reference::rmsNorm(element(), x.data(), weight.data(), 1e-5f, y.data(), rows, c, kOneThread);
      else
        reference::addRmsNorm(element(), x.data(), delta->data(), weight.data(), 1e-5f, y.data(), rows, c, kOneThread);
    } else {
      if (delta == nullptr)
        rmsNorm(element(), x.data(), weight.data(), 1e-5f, y.data(), rows, c, kThreeThreads);
      else
        addRmsNorm(element(), x.data(), delta->data(), weight.data(), 1e-5f, y.data(), rows, c, kThreeThreads);
    }
  }

  void check(std::int64_t rows, std::int64_t c, std::size_t slack, bool add) {
    SCOPED_TRACE(std::to_string(rows) + " rows of " + std::to_string(c));
    std::mt19937 random(static_cast<unsigned>(rows * 7919 + c));
    Array x(element(), rows * c, slack), plainX(element(), rows * c), delta(element(), rows * c, slack);
    Array weight(element(), c, slack), y(element(), rows * c, slack), plain(element(), rows * c);
    x.fillRandom(random, 3);
    plainX.copyFrom(x);
    delta.fillRandom(random);
    weight.fillRandom(random);
    run(version(), x, add ? &delta : nullptr, weight, y, rows, c);
    run(Version::reference, plainX, add ? &delta : nullptr, weight, plain, rows, c);
    for (std::int64_t i = 0; i < rows * c; ++i) ASSERT_EQ(x.get(i), plainX.get(i));
    std::vector<double> exact;
    double bound = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
      double squares = 0;
      for (std::int64_t i = 0; i < c; ++i) squares += static_cast<double>(x.get(row * c + i)) * x.get(row * c + i);
      const double factor = 1 / std::sqrt(squares / static_cast<double>(c) + static_cast<double>(1e-5f));
      for (std::int64_t i = 0; i < c; ++i) {
        exact.push_back(x.get(row * c + i) * factor * weight.get(i));
        bound = std::max(bound, std::abs(exact.back()) * (unitOf(element()) + static_cast<double>(c + 4) * 6e-8));
      }
    }
    EXPECT_LE(largestError(y, exact), bound);
    if (!isReference()) expectAsGoodAs(y, plain, exact);
    EXPECT_TRUE(x.surroundingsUntouched());
  }
};

TEST_P(RmsNorm, IsAsExactAsThePlainComputation) {
  for (const std::int64_t c : {1, 5, 16, 33, 64, 100, 768}) {
    check(1, c, 0, false);
    check(4, c, 2, false);
  }
}

TEST_P(RmsNorm, AddsTheResidualFirst) {
  for (const std::int64_t c : {1, 6, 31, 64, 130, 768}) {
    check(1, c, 0, true);
    check(9, c, 1, true);
  }
}

TEST_P(RmsNorm, MayWriteOverItsInput) {
  std::mt19937 random(1);
  Array x(element(), 70), y(element(), 70), weight(element(), 35);
  x.fillRandom(random);
  weight.fillRandom(random);
  run(version(), x, nullptr, weight, y, 2, 35);
  run(version(), x, nullptr, weight, x, 2, 35);
  for (std::int64_t i = 0; i < 70; ++i) EXPECT_EQ(x.get(i), y.get(i));
}

STRATA_ALL_VERSIONS(RmsNorm);

class Rope : public KernelTest {};

TEST_P(Rope, TurnsEachPairByItsAngle) {
  for (const std::int64_t d : {2, 6, 12, 64, 96, 128}) {
    for (const std::size_t slack : {std::size_t{0}, std::size_t{2}}) {
      SCOPED_TRACE(d);
      constexpr std::int64_t kRows = 3, kHeads = 3;
      const std::int64_t half = d / 2;
      std::mt19937 random(static_cast<unsigned>(d));
      Array x(element(), kRows * kHeads * d, slack), plain(element(), kRows * kHeads * d);
      x.fillRandom(random);
      plain.copyFrom(x);
      std::vector<float> cos, sin;
      for (std::int64_t i = 0; i < kRows * half; ++i) {
        cos.push_back(std::cos(static_cast<float>(i) * 0.7f));
        sin.push_back(std::sin(static_cast<float>(i) * 0.7f));
      }
      std::vector<double> exact(static_cast<std::size_t>(x.size()));
      for (std::int64_t row = 0; row < kRows; ++row) {
        for (std::int64_t i = 0; i < kHeads * half; ++i) {
          const std::int64_t first = row * kHeads * d + i / half * d + i % half;
          const double c = cos[static_cast<std::size_t>(row * half + i % half)];
          const double s = sin[static_cast<std::size_t>(row * half + i % half)];
          exact[static_cast<std::size_t>(first)] = x.get(first) * c - x.get(first + half) * s;
          exact[static_cast<std::size_t>(first + half)] = x.get(first + half) * c + x.get(first) * s;
        }
      }
      const TargetsScope scope(targetsOf(version()));
      reference::rope(element(), plain.data(), cos.data(), sin.data(), kRows, kHeads, d, kOneThread);
      if (isReference()) {
        EXPECT_LE(largestError(plain, exact), 6 * (unitOf(element()) + 2e-7));
        continue;
      }
      rope(element(), x.data(), cos.data(), sin.data(), kRows, kHeads, d, kThreeThreads);
      expectAsGoodAs(x, plain, exact);
    }
  }
}

STRATA_ALL_VERSIONS(Rope);

class SiluMul : public KernelTest {};

TEST_P(SiluMul, IsAsExactAsThePlainComputationOverTheWholeRange) {
  for (const std::int64_t n : {1, 15, 64, 65, 1000, 5000}) {
    SCOPED_TRACE(n);
    std::mt19937 random(static_cast<unsigned>(n));
    Array gate(element(), n, 2), up(element(), n), y(element(), n, 2), plain(element(), n);
    gate.fillRandom(random, 4);
    up.fillRandom(random);
    gate.set(0, -200);  // e^200 overflows fp32
    if (n > 1) gate.set(1, 200);
    if (n > 2) gate.set(2, -89);
    std::vector<double> exact;
    double bound = 1e-30;
    for (std::int64_t i = 0; i < n; ++i) {
      const double a = gate.get(i);
      exact.push_back(a / (1 + std::exp(-a)) * up.get(i));
      bound = std::max(bound, std::abs(exact.back()) * (unitOf(element()) + 1e-6));
    }
    const TargetsScope scope(targetsOf(version()));
    reference::siluMul(element(), gate.data(), up.data(), plain.data(), n, kOneThread);
    if (isReference()) {
      EXPECT_LE(largestError(plain, exact), bound);
      continue;
    }
    siluMul(element(), gate.data(), up.data(), y.data(), n, n % 2 == 0 ? kThreeThreads : kOneThread);
    expectAsGoodAs(y, plain, exact);
    EXPECT_NEAR(y.get(0), exact[0], 1e-30) << "silu(-200) is 0 up to rounding";
    if (n == 1) continue;
    EXPECT_NEAR(y.get(1), exact[1], std::abs(exact[1]) * (unitOf(element()) + 1e-6)) << "silu(200) is 200";
  }
}

TEST_P(SiluMul, KeepsNaN) {
  Array gate(element(), 3), up(element(), 3), y(element(), 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    gate.set(i, i == 1 ? std::nanf("") : 1.0f);
    up.set(i, 2);
  }
  const TargetsScope scope(targetsOf(version()));
  (isReference() ? reference::siluMul : kernels::siluMul)(element(), gate.data(), up.data(), y.data(), 3, kOneThread);
  EXPECT_FALSE(std::isnan(y.get(0)));
  EXPECT_TRUE(std::isnan(y.get(1)));
}

STRATA_ALL_VERSIONS(SiluMul);

class KvAppend : public KernelTest {};

TEST_P(KvAppend, WritesEachSequenceAtItsOwnPositionAndNothingElse) {
  constexpr std::int64_t kB = 3, kHkv = 2, kCapacity = 5, kD = 6;
  const std::int64_t positions[kB] = {0, 4, 2};
  std::mt19937 random(3);
  Array k(element(), kB * kHkv * kD, 2), v(element(), kB * kHkv * kD);
  Array kCache(element(), kB * kHkv * kCapacity * kD), vCache(element(), kB * kHkv * kCapacity * kD, 2);
  k.fillRandom(random);
  v.fillRandom(random);
  for (std::int64_t i = 0; i < kCache.size(); ++i) {
    kCache.set(i, 100);
    vCache.set(i, 100);
  }
  const TargetsScope scope(targetsOf(version()));
  (isReference() ? reference::kvAppend : kernels::kvAppend)(element(), k.data(), v.data(), kCache.data(), vCache.data(),
                                                            positions, kB, kHkv, kCapacity, kD, kThreeThreads);
  for (std::int64_t head = 0; head < kB * kHkv; ++head) {
    for (std::int64_t position = 0; position < kCapacity; ++position) {
      const bool written = position == positions[head / kHkv];
      for (std::int64_t i = 0; i < kD; ++i) {
        const std::int64_t at = (head * kCapacity + position) * kD + i;
        ASSERT_EQ(kCache.get(at), written ? k.get(head * kD + i) : 100);
        ASSERT_EQ(vCache.get(at), written ? v.get(head * kD + i) : 100);
      }
    }
  }
  EXPECT_TRUE(kCache.surroundingsUntouched());
  EXPECT_TRUE(vCache.surroundingsUntouched());
}

STRATA_ALL_VERSIONS(KvAppend);

TEST(Bfloat16, RoundsToNearestEvenAndKeepsNaN) {
  EXPECT_EQ(fromFloat<Bfloat16>(1.0f).bits, 0x3f80);
  EXPECT_EQ(fromFloat<Bfloat16>(std::bit_cast<float>(0x3f808000u)).bits, 0x3f80);  // a tie goes to the even neighbour
  EXPECT_EQ(fromFloat<Bfloat16>(std::bit_cast<float>(0x3f818000u)).bits, 0x3f82);
  EXPECT_EQ(fromFloat<Bfloat16>(std::bit_cast<float>(0x3f808001u)).bits, 0x3f81);
  EXPECT_EQ(fromFloat<Bfloat16>(INFINITY).bits, 0x7f80);
  EXPECT_TRUE(std::isnan(toFloat(fromFloat<Bfloat16>(std::bit_cast<float>(0x7fffffffu)))));
  EXPECT_TRUE(std::isnan(toFloat(fromFloat<Bfloat16>(std::bit_cast<float>(0xff800001u)))));
}

}  // namespace
}  // namespace strata::kernels::testing
