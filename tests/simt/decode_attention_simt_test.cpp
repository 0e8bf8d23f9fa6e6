// The GPU's decode attention, compiled for the emulation; the test body is the CPU's.

#include <gmock/gmock.h>

#include "attention_cases.h"
#include "kernels/cuda/entries.h"
#include "simt.h"

namespace strata::kernels::testing {
namespace {

using ::testing::IsEmpty;

void attentionOnSimt(Element element, const void* q, const void* kCache, const void* vCache,
                     const std::int64_t* lengths, std::int64_t window, float scale, void* out, std::int64_t b,
                     std::int64_t h, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream&) {
  std::int64_t longest = *std::max_element(lengths, lengths + b);
  if (window > 0) longest = std::min(longest, window);
  const std::int64_t bytes = strata_cuda_decode_attention_workspace(b, h, hkv, d, longest);
  Array workspace(Element::f32, bytes / 4);  // an unreadable page follows
  const int error =
      strata_cuda_decode_attention(element == Element::f32 ? 0 : 1, q, kCache, vCache, lengths, window, scale, out, b,
                                   h, hkv, capacity, d, longest, nullptr, 0, workspace.data(), bytes, nullptr);
  ASSERT_EQ(error, 0);
  EXPECT_TRUE(workspace.surroundingsUntouched());
}

class DecodeAttentionOnSimt : public ::testing::TestWithParam<Element> {
 protected:
  void check(const AttentionCase& each, std::uint32_t seed) {
    simt::Session session(seed);
    checkAttention(&attentionOnSimt, GetParam(), each, kOneThread);
    EXPECT_THAT(session.problems(), IsEmpty());
  }
};

TEST_P(DecodeAttentionOnSimt, IsAsExactAsThePlainComputationForEveryShape) {
  std::uint32_t seed = 0;
  for (const AttentionCase& each : attentionCases()) check(each, ++seed);
}

TEST_P(DecodeAttentionOnSimt, TakesRowsThatAreNotAligned) {
  for (AttentionCase each : attentionCases()) {
    each.slack = static_cast<std::size_t>(elementBytes(GetParam()));
    check(each, 7);
  }
}

TEST_P(DecodeAttentionOnSimt, MergesRangesOfLongSequences) {
  check({1, 4, 1, 64, 1100, {1100}}, 1);
  check({1, 5, 1, 16, 1030, {1025}}, 2);
  check({2, 2, 1, 128, 700, {700, 3}}, 3);  // the second sequence leaves ranges empty
  check({2, 2, 1, 32, 1500, {1500, 900}, 700}, 4);
}

TEST_P(DecodeAttentionOnSimt, LetsNaNInTheCacheThrough) {
  simt::Session session(1);
  Array q(GetParam(), 32), k(GetParam(), 100 * 32), v(GetParam(), 100 * 32), out(GetParam(), 32);
  for (std::int64_t i = 0; i < 32; ++i) q.set(i, 1);
  for (std::int64_t i = 0; i < k.size(); ++i) {
    k.set(i, 1);
    v.set(i, 1);
  }
  k.set(70 * 32 + 3, std::nanf(""));
  const std::int64_t length = 100;
  attentionOnSimt(GetParam(), q.data(), k.data(), v.data(), &length, 0, 1, out.data(), 1, 1, 1, 100, 32, kOneThread);
  EXPECT_TRUE(std::isnan(out.get(0)));
}

TEST_P(DecodeAttentionOnSimt, GivesZerosForAnEmptySequence) {
  simt::Session session(1);
  Array q(GetParam(), 8), k(GetParam(), 8), v(GetParam(), 8), out(GetParam(), 8);
  for (std::int64_t i = 0; i < 8; ++i) q.set(i, 1);
  const std::int64_t length = 0;
  attentionOnSimt(GetParam(), q.data(), k.data(), v.data(), &length, 0, 1, out.data(), 1, 1, 1, 1, 8, kOneThread);
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(out.get(i), 0.0f);
}

TEST(DecodeAttentionEntry, RefusesWhatItCannotDo) {
  simt::Session session(1);
  float value = 0;
  const std::int64_t length = 1;
  const auto call = [&](int element, std::int64_t h, std::int64_t hkv, std::int64_t d, std::int64_t maxLength) {
    return strata_cuda_decode_attention(element, &value, &value, &value, &length, 0, 1, &value, 1, h, hkv, 100000, d,
                                        maxLength, nullptr, 0, nullptr, 0, nullptr);
  };
  EXPECT_EQ(call(2, 1, 1, 64, 1), 1);
  EXPECT_EQ(call(0, 3, 2, 64, 1), 1);
  EXPECT_EQ(call(0, 1, 1, 257, 1), 1);
  EXPECT_EQ(call(0, 1, 1, 64, 100000), 1);  // needs a workspace
}

INSTANTIATE_TEST_SUITE_P(, DecodeAttentionOnSimt, ::testing::Values(Element::f32, Element::bf16),
                         [](const auto& info) { return info.param == Element::f32 ? "F32" : "Bf16"; });

}  // namespace
}  // namespace strata::kernels::testing
