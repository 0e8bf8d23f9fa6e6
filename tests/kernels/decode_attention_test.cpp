#include "kernels/decode_attention.h"

#include "attention_cases.h"
#include "kernel_test.h"

namespace strata::kernels::testing {
namespace {

class DecodeAttention : public KernelTest {
 protected:
  AttentionFunction function() const { return isReference() ? &reference::decodeAttention : &kernels::decodeAttention; }
};

TEST_P(DecodeAttention, IsAsExactAsThePlainComputationForEveryShape) {
  const TargetsScope scope(targetsOf(version()));
  for (const AttentionCase& each : attentionCases()) checkAttention(function(), element(), each, kOneThread);
}

TEST_P(DecodeAttention, TakesUnalignedArraysAndUnevenThreads) {
  const TargetsScope scope(targetsOf(version()));
  for (AttentionCase each : attentionCases()) {
    each.slack = 2;
    checkAttention(function(), element(), each, kThreeThreads);
  }
}

TEST_P(DecodeAttention, MergesRangesOfLongSequences) {
  const TargetsScope scope(targetsOf(version()));
  checkAttention(function(), element(), {1, 4, 1, 64, 1100, {1100}}, kThreeThreads);
  checkAttention(function(), element(), {2, 6, 2, 48, 700, {700, 513}}, kThreeThreads);
  checkAttention(function(), element(), {2, 4, 2, 32, 1500, {1500, 900}, 700}, kThreeThreads);
}

TEST_P(DecodeAttention, DoesNotDependOnTheThreads) {
  const TargetsScope scope(targetsOf(version()));
  std::mt19937 random(11);
  Array q(element(), 8 * 64), k(element(), 2 * 600 * 64), v(element(), 2 * 600 * 64);
  Array one(element(), 8 * 64), three(element(), 8 * 64);
  q.fillRandom(random);
  k.fillRandom(random);
  v.fillRandom(random);
  const std::int64_t length = 600;
  function()(element(), q.data(), k.data(), v.data(), &length, 0, 0.125f, one.data(), 1, 8, 2, 600, 64, kOneThread);
  function()(element(), q.data(), k.data(), v.data(), &length, 0, 0.125f, three.data(), 1, 8, 2, 600, 64,
             kThreeThreads);
  for (std::int64_t i = 0; i < one.size(); ++i) ASSERT_EQ(one.get(i), three.get(i));
}

TEST_P(DecodeAttention, StaysFiniteWhereScoresAreHuge) {
  const TargetsScope scope(targetsOf(version()));
  Array q(element(), 16), k(element(), 300 * 16), v(element(), 300 * 16), out(element(), 16);
  for (std::int64_t i = 0; i < 16; ++i) q.set(i, 100);
  for (std::int64_t i = 0; i < k.size(); ++i) {
    k.set(i, i / 16 == 290 ? 50.0f : static_cast<float>(i / 16) * 0.1f - 60.0f);
    v.set(i, i / 16 == 290 ? 7.0f : -3.0f);
  }
  const std::int64_t length = 300;
  function()(element(), q.data(), k.data(), v.data(), &length, 0, 1.0f, out.data(), 1, 1, 1, 300, 16, kOneThread);
  for (std::int64_t i = 0; i < 16; ++i) EXPECT_EQ(out.get(i), 7.0f);
}

TEST_P(DecodeAttention, LetsNaNInTheCacheThrough) {
  const TargetsScope scope(targetsOf(version()));
  Array q(element(), 32), k(element(), 100 * 32), v(element(), 100 * 32), out(element(), 32);
  for (std::int64_t i = 0; i < 32; ++i) q.set(i, 1);
  for (std::int64_t i = 0; i < k.size(); ++i) {
    k.set(i, 1);
    v.set(i, 1);
  }
  k.set(70 * 32 + 3, std::nanf(""));
  const std::int64_t length = 100;
  function()(element(), q.data(), k.data(), v.data(), &length, 0, 1.0f, out.data(), 1, 1, 1, 100, 32, kOneThread);
  EXPECT_TRUE(std::isnan(out.get(0)));
}

TEST_P(DecodeAttention, GivesZerosForAnEmptySequence) {
  const TargetsScope scope(targetsOf(version()));
  Array q(element(), 8), k(element(), 8), v(element(), 8), out(element(), 8);
  for (std::int64_t i = 0; i < 8; ++i) q.set(i, 1);
  const std::int64_t length = 0;
  function()(element(), q.data(), k.data(), v.data(), &length, 0, 1.0f, out.data(), 1, 1, 1, 1, 8, kOneThread);
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(out.get(i), 0.0f);
}

STRATA_ALL_VERSIONS(DecodeAttention);

}  // namespace
}  // namespace strata::kernels::testing
