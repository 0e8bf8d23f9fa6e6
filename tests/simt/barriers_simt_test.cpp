// What the device kernels' barriers are for: without them the results come out wrong.

#include <gmock/gmock.h>

#include <functional>

#include "device_functions.h"
#include "kernel_test.h"
#include "simt.h"

namespace strata::kernels::testing {
namespace {

/// How many elements of `out` differ, over some orders of the threads, once the barriers do nothing.
int wrongWithoutBarriers(Array& out, const std::function<void()>& run) {
  int wrong = 0;
  Array right(out.element(), out.size());
  for (std::uint32_t seed = 0; seed < 4; ++seed) {
    {
      simt::Session session(seed);
      run();
      EXPECT_THAT(session.problems(), ::testing::IsEmpty());
    }
    right.copyFrom(out);
    simt::Session session(seed);
    session.ignoreBarriers();
    run();
    for (std::int64_t i = 0; i < out.size(); ++i) wrong += out.get(i) == right.get(i) ? 0 : 1;
  }
  return wrong;
}

TEST(Barriers, AreNeededByRmsNorm) {
  constexpr std::int64_t kC = 768;
  std::mt19937 random(1);
  Array x(Element::f32, kC), weight(Element::f32, kC), y(Element::f32, kC);
  x.fillRandom(random);
  weight.fillRandom(random);
  EXPECT_GT(wrongWithoutBarriers(
                y, [&] { rmsNormOnDevice(Element::f32, x.data(), weight.data(), 1e-5f, y.data(), 1, kC, kOneThread); }),
            kC);
}

TEST(Barriers, AreNeededBySoftmaxCrossEntropy) {
  constexpr std::int64_t kVocab = 2000;
  std::mt19937 random(1);
  Array logits(Element::f32, kVocab), work(Element::f32, kVocab), loss(Element::f32, 1);
  logits.fillRandom(random);
  const std::int64_t target = 7;
  EXPECT_GT(wrongWithoutBarriers(work,
                                 [&] {
                                   work.copyFrom(logits);
                                   softmaxCrossEntropyOnDevice(Element::f32, work.data(), &target, 1,
                                                               static_cast<float*>(loss.data()), 1, kVocab, kOneThread);
                                 }),
            kVocab);
}

TEST(Barriers, AreNeededByDecodeAttention) {
  constexpr std::int64_t kD = 64, kLength = 90;
  std::mt19937 random(1);
  Array q(Element::bf16, 4 * kD), k(Element::bf16, kLength * kD), v(Element::bf16, kLength * kD);
  Array out(Element::bf16, 4 * kD);
  q.fillRandom(random);
  k.fillRandom(random);
  v.fillRandom(random);
  const std::int64_t length = kLength;
  EXPECT_GT(wrongWithoutBarriers(out,
                                 [&] {
                                   attentionOnDevice(Element::bf16, q.data(), k.data(), v.data(), &length, 0, 0.125f,
                                                     out.data(), 1, 4, 1, kLength, kD, kOneThread);
                                 }),
            100);
}

TEST(Barriers, AreNeededByPrefillAttention) {
  constexpr std::int64_t kT = 130, kD = 16;
  std::mt19937 random(1);
  Array q(Element::bf16, kT * kD), k(Element::bf16, kT * kD), v(Element::bf16, kT * kD), out(Element::bf16, kT * kD);
  q.fillRandom(random);
  k.fillRandom(random);
  v.fillRandom(random);
  EXPECT_GT(wrongWithoutBarriers(out,
                                 [&] {
                                   prefillOnDevice(Element::bf16, q.data(), k.data(), v.data(), {}, 0, 0.25f,
                                                   out.data(), 1, kT, 1, 1, 0, kD);
                                 }),
            100);
}

}  // namespace
}  // namespace strata::kernels::testing
