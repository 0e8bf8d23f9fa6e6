#pragma once
// The bodies of the tests of softmaxCrossEntropy, for the CPU's versions, the emulated device and a real one.

#include <limits>

#include "kernels/softmax_cross_entropy.h"
#include "splits.h"

namespace strata::kernels::testing {

using SoftmaxFunction = decltype(&kernels::softmaxCrossEntropy);

struct SoftmaxCases {
  static constexpr float kInfinity = std::numeric_limits<float>::infinity();
  static constexpr float kScale = 0.75f;

  SoftmaxFunction function;
  Element storage;
  bool isPlain = false;  // sums one by one: the error of a sum grows with its length, the kernels' may not

  Element element() const { return storage; }

  void run(Array& logits, const std::vector<std::int64_t>& targets, Array& losses, const Stream& stream) const {
    const auto rows = static_cast<std::int64_t>(targets.size());
    function(element(), logits.data(), targets.data(), kScale, static_cast<float*>(losses.data()), rows,
             logits.size() / rows, stream);
  }

  /// Against fp64.
  void expectExact(const Array& logits, const std::vector<std::int64_t>& targets, const Array& gradient,
                   const Array& losses) const {
    const auto rows = static_cast<std::int64_t>(targets.size());
    const std::int64_t vocab = logits.size() / rows;
    const double sumError = isPlain ? static_cast<double>(vocab) * 6e-8 : 1e-6;
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto logit = [&](std::int64_t i) { return static_cast<double>(logits.get(row * vocab + i)); };
      const std::int64_t target = targets[static_cast<std::size_t>(row)];
      double most = logit(0), sum = 0;
      for (std::int64_t i = 1; i < vocab; ++i) most = std::max(most, logit(i));
      for (std::int64_t i = 0; i < vocab; ++i) sum += std::exp(logit(i) - most);
      const double loss = std::log(sum) + (most - logit(target));
      ASSERT_NEAR(losses.get(row), loss, 3e-7 * std::abs(loss) + sumError + 2e-7) << "row " << row;
      for (std::int64_t i = 0; i < vocab; ++i) {
        const double p = std::exp(logit(i) - most) / sum, share = i == target ? 1 : 0;
        const double exact = (p - share) * static_cast<double>(kScale);
        const double relative = 1e-6 + sumError + std::abs(logit(i) - most) * 6e-8;
        ASSERT_NEAR(gradient.get(row * vocab + i), exact,
                    unitOf(element()) * std::abs(exact) + (p * relative + share * 2e-7) + 1e-37)
            << "row " << row << " value " << i;
      }
    }
  }

  void check(std::int64_t rows, std::int64_t vocab, std::size_t slack) const {
    SCOPED_TRACE(std::to_string(rows) + " rows of " + std::to_string(vocab));
    std::mt19937 random(static_cast<unsigned>(rows * 7919 + vocab));
    Array logits(element(), rows * vocab, slack), work(element(), rows * vocab, slack);
    Array again(element(), rows * vocab, slack), losses(Element::f32, rows), againLosses(Element::f32, rows);
    logits.fillRandom(random, 4);
    std::vector<std::int64_t> targets;
    for (std::int64_t row = 0; row < rows; ++row) {
      targets.push_back(row == 0 ? vocab - 1 : static_cast<std::int64_t>(random()) % vocab);
    }
    work.copyFrom(logits);
    run(work, targets, losses, kOneThread);
    expectExact(logits, targets, work, losses);
    EXPECT_TRUE(work.surroundingsUntouched());
    EXPECT_TRUE(losses.surroundingsUntouched());
    if (isPlain) return;
    for (const Stream& stream : kSplits) {
      again.copyFrom(logits);
      run(again, targets, againLosses, stream);
      EXPECT_TRUE(sameBits(work, again));
      EXPECT_TRUE(sameBits(losses, againLosses));
    }
  }

  void keepsItsDigitsWhereManyAreAlike() const {
    constexpr std::int64_t kVocab = 151936;
    Array logits(element(), kVocab), work(element(), kVocab), losses(Element::f32, 1);
    for (std::int64_t i = 0; i < kVocab; ++i) logits.set(i, i == 0 ? 2.5f : 0.25f);
    work.copyFrom(logits);
    run(work, {77}, losses, kOneThread);
    expectExact(logits, {77}, work, losses);
  }

  void ofOneChoiceIsZero() const {
    Array logits(element(), 1), losses(Element::f32, 1);
    logits.set(0, 123);
    run(logits, {0}, losses, kOneThread);
    EXPECT_EQ(losses.get(0), 0);
    EXPECT_EQ(logits.get(0), 0);
  }

  void takesLogitsWhoseExponentialsOverflow() const {
    Array logits(element(), 6), work(element(), 6), losses(Element::f32, 2);
    const float values[] = {3000, 2999, -3000, -3e38f, -3e38f, -3.1e38f};
    for (std::int64_t i = 0; i < 6; ++i) logits.set(i, values[i]);
    work.copyFrom(logits);
    run(work, {1, 0}, losses, kThreeThreads);
    expectExact(logits, {1, 0}, work, losses);
  }

  void answersNaNAndInfinityWithALossThatIsNotFinite() const {
    for (const float bad : {std::nanf(""), -std::nanf(""), kInfinity}) {
      for (const std::int64_t place : {0, 1, 47, 64, 100, 130}) {
        Array logits(element(), 3 * 131), losses(Element::f32, 3);
        std::mt19937 random(7);
        logits.fillRandom(random);
        logits.set(131 + place, bad);
        run(logits, {1, 2, 3}, losses, kThreeThreads);
        EXPECT_TRUE(std::isfinite(losses.get(0)));
        EXPECT_TRUE(std::isnan(losses.get(1)));
        EXPECT_TRUE(std::isfinite(losses.get(2)));
        for (std::int64_t i = 0; i < 3 * 131; ++i) ASSERT_EQ(std::isnan(logits.get(i)), i / 131 == 1) << i;
      }
    }
  }

  void givesAMaskedLogitNoProbability() const {
    Array logits(element(), 3 * 40), losses(Element::f32, 3);
    for (std::int64_t i = 0; i < 3 * 40; ++i) logits.set(i, i % 40 < 36 || i >= 80 ? -kInfinity : 1.0f);
    run(logits, {37, 3, 37}, losses, kThreeThreads);
    EXPECT_NEAR(losses.get(0), std::log(4.0f), 1e-6);
    EXPECT_EQ(logits.get(0), 0);
    EXPECT_EQ(logits.get(36), 0.25f * kScale);
    EXPECT_EQ(logits.get(37), -0.75f * kScale);
    EXPECT_EQ(losses.get(1), kInfinity);     // the target itself is masked
    EXPECT_TRUE(std::isnan(losses.get(2)));  // everything is
    EXPECT_TRUE(std::isnan(logits.get(80 + 37)));
  }

  void answersATargetOutOfRangeWithNaN() const {
    Array logits(element(), 2 * 20), losses(Element::f32, 2);
    std::mt19937 random(7);
    logits.fillRandom(random);
    run(logits, {-1, 20}, losses, kOneThread);
    for (std::int64_t row = 0; row < 2; ++row) EXPECT_TRUE(std::isnan(losses.get(row)));
    for (std::int64_t i = 0; i < 40; ++i) EXPECT_TRUE(std::isnan(logits.get(i)));
    EXPECT_TRUE(logits.surroundingsUntouched());
  }
};

}  // namespace strata::kernels::testing
