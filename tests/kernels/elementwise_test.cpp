// rmsNorm, addRmsNorm, rope, siluMul, kvAppend.

#include "elementwise_cases.h"

namespace strata::kernels::testing {
namespace {

class RmsNorm : public KernelTest {
 protected:
  void check(std::int64_t rows, std::int64_t c, std::size_t slack, bool add) {
    const TargetsScope scope(targetsOf(version()));
    checkRmsNorm(norm(), add ? (isReference() ? &reference::addRmsNorm : &kernels::addRmsNorm) : nullptr, element(),
                 rows, c, slack, kThreeThreads);
  }
  RmsNormFunction norm() const { return isReference() ? &reference::rmsNorm : &kernels::rmsNorm; }
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
  const TargetsScope scope(targetsOf(version()));
  std::mt19937 random(1);
  Array x(element(), 70), y(element(), 70), weight(element(), 35);
  x.fillRandom(random);
  weight.fillRandom(random);
  norm()(element(), x.data(), weight.data(), kNormEps, y.data(), 2, 35, kThreeThreads);
  norm()(element(), x.data(), weight.data(), kNormEps, x.data(), 2, 35, kThreeThreads);
  for (std::int64_t i = 0; i < 70; ++i) EXPECT_EQ(x.get(i), y.get(i));
}

STRATA_ALL_VERSIONS(RmsNorm);

class Rope : public KernelTest {};

TEST_P(Rope, TurnsEachPairByItsAngle) {
  const TargetsScope scope(targetsOf(version()));
  for (const std::int64_t d : {2, 6, 12, 64, 96, 128}) {
    for (const std::size_t slack : {std::size_t{0}, std::size_t{2}}) {
      checkRope(isReference() ? &reference::rope : &kernels::rope, element(), d, slack, kThreeThreads);
    }
  }
}

STRATA_ALL_VERSIONS(Rope);

class SiluMul : public KernelTest {
 protected:
  SiluMulFunction function() const { return isReference() ? &reference::siluMul : &kernels::siluMul; }
};

TEST_P(SiluMul, IsAsExactAsThePlainComputationOverTheWholeRange) {
  const TargetsScope scope(targetsOf(version()));
  for (const std::int64_t n : {1, 15, 64, 65, 1000, 5000}) {
    checkSiluMul(function(), element(), n, 2, n % 2 == 0 ? kThreeThreads : kOneThread);
  }
}

TEST_P(SiluMul, KeepsNaN) {
  Array gate(element(), 3), up(element(), 3), y(element(), 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    gate.set(i, i == 1 ? std::nanf("") : 1.0f);
    up.set(i, 2);
  }
  const TargetsScope scope(targetsOf(version()));
  function()(element(), gate.data(), up.data(), y.data(), 3, kOneThread);
  EXPECT_FALSE(std::isnan(y.get(0)));
  EXPECT_TRUE(std::isnan(y.get(1)));
}

STRATA_ALL_VERSIONS(SiluMul);

class KvAppend : public KernelTest {};

TEST_P(KvAppend, WritesEachSequenceAtItsOwnPositionAndNothingElse) {
  const TargetsScope scope(targetsOf(version()));
  checkKvAppend(isReference() ? &reference::kvAppend : &kernels::kvAppend, element(), 6, kThreeThreads);
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
