// The device kernels against the test bodies of the CPU's: compiled for the emulation (STRATA_SIMT) and for a GPU.

#include <gmock/gmock.h>

#include <set>

#include "attention_cases.h"
#include "device_functions.h"
#include "elementwise_cases.h"
#include "matvec_cases.h"
#include "quantized_cases.h"
#include "softmax_cross_entropy_cases.h"

#if defined(STRATA_SIMT)
#include "core/base/philox.h"
#include "kernels/cuda/random.cuh"
#endif

namespace strata::kernels::testing {
namespace {

class DeviceKernel : public OnDevice<::testing::TestWithParam<Element>, 1> {};

TEST_P(DeviceKernel, RmsNormIsAsExactAsThePlainComputation) {
  for (const std::int64_t c : {1, 5, 16, 33, 64, 100, 768, 5000}) {
    checkRmsNorm(&rmsNormOnDevice, nullptr, GetParam(), 1, c, 0, kOneThread);
    checkRmsNorm(&rmsNormOnDevice, nullptr, GetParam(), 4, c, 4, kOneThread);
  }
}

TEST_P(DeviceKernel, RmsNormAddsTheResidualFirst) {
  for (const std::int64_t c : {1, 6, 31, 64, 130, 768, 4104}) {
    checkRmsNorm(&rmsNormOnDevice, &addRmsNormOnDevice, GetParam(), 1, c, 0, kOneThread);
    checkRmsNorm(&rmsNormOnDevice, &addRmsNormOnDevice, GetParam(), 9, c, 4, kOneThread);
  }
}

TEST_P(DeviceKernel, RopeTurnsEachPairByItsAngle) {
  for (const std::int64_t d : {2, 6, 12, 64, 96, 128}) checkRope(&ropeOnDevice, GetParam(), d, 0, kOneThread);
}

TEST_P(DeviceKernel, RopeAppendTurnsAndAppendsAtTheLengthThatItReads) {
  constexpr std::int64_t kB = 3, kH = 6, kHkv = 2, kCapacity = 5, kD = 12, kHalf = kD / 2;
  const std::vector<std::int64_t> lengths{1, 5, 3};
  const Angles angles = anglesOf(kCapacity, kHalf);
  std::mt19937 random(3);
  Array q(GetParam(), kB * kH * kD), k(GetParam(), kB * kHkv * kD), v(GetParam(), kB * kHkv * kD);
  Array kCache(GetParam(), kB * kHkv * kCapacity * kD), vCache(GetParam(), kB * kHkv * kCapacity * kD);
  Array qPlain(GetParam(), q.size()), kPlain(GetParam(), k.size()), kExpected(GetParam(), kCache.size());
  Array vExpected(GetParam(), vCache.size());
  q.fillRandom(random);
  k.fillRandom(random);
  v.fillRandom(random);
  kCache.fillRandom(random);
  vCache.fillRandom(random);
  qPlain.copyFrom(q);
  kPlain.copyFrom(k);
  kExpected.copyFrom(kCache);
  vExpected.copyFrom(vCache);
  std::vector<std::int64_t> positions;
  std::vector<float> cos, sin;  // of each sequence's position
  for (const std::int64_t length : lengths) {
    positions.push_back(length - 1);
    const auto from = static_cast<std::ptrdiff_t>((length - 1) * kHalf);
    cos.insert(cos.end(), angles.cos.begin() + from, angles.cos.begin() + from + kHalf);
    sin.insert(sin.end(), angles.sin.begin() + from, angles.sin.begin() + from + kHalf);
  }
  reference::rope(GetParam(), qPlain.data(), cos.data(), sin.data(), kB, kH, kD, kOneThread);
  reference::rope(GetParam(), kPlain.data(), cos.data(), sin.data(), kB, kHkv, kD, kOneThread);
  reference::kvAppend(GetParam(), kPlain.data(), v.data(), kExpected.data(), vExpected.data(), positions.data(), kB,
                      kHkv, kCapacity, kD, kOneThread);
  ropeAppendOnDevice(GetParam(), q.data(), k.data(), v.data(), angles.cos.data(), angles.sin.data(), kCache.data(),
                     vCache.data(), lengths.data(), kB, kH, kHkv, kCapacity, kD);
  // A multiply-add in one rounding may give the other neighbour.
  const double units = GetParam() == Element::f32 ? 4e-7 : 8e-3;
  for (std::int64_t i = 0; i < q.size(); ++i) ASSERT_NEAR(q.get(i), qPlain.get(i), 4 * units) << i;
  for (std::int64_t i = 0; i < kCache.size(); ++i) {
    const bool written = i / kD % kCapacity == positions[static_cast<std::size_t>(i / kD / kCapacity / kHkv)];
    ASSERT_NEAR(kCache.get(i), kExpected.get(i), written ? 4 * units : 0) << i;
    ASSERT_EQ(vCache.get(i), vExpected.get(i)) << i;
  }
}

TEST_P(DeviceKernel, RopeAppendLeavesASequenceWhoseLengthIsOutsideTheCache) {
  const std::vector<std::int64_t> lengths{0, 4};
  Array k(GetParam(), 2 * 7), v(GetParam(), 2 * 7), kCache(GetParam(), 2 * 3 * 7), vCache(GetParam(), 2 * 3 * 7);
  for (std::int64_t i = 0; i < kCache.size(); ++i) {
    kCache.set(i, 5);
    vCache.set(i, 5);
  }
  ropeAppendOnDevice(GetParam(), nullptr, k.data(), v.data(), nullptr, nullptr, kCache.data(), vCache.data(),
                     lengths.data(), 2, 0, 1, 3, 7);
  for (std::int64_t i = 0; i < kCache.size(); ++i) {
    ASSERT_EQ(kCache.get(i), 5);
    ASSERT_EQ(vCache.get(i), 5);
  }
}

TEST_P(DeviceKernel, KvAppendWritesEachSequenceAtItsOwnPositionAndNothingElse) {
  checkKvAppend(&kvAppendOnDevice, GetParam(), 6, kOneThread);
  checkKvAppend(&kvAppendOnDevice, GetParam(), 7, kOneThread);
}

TEST_P(DeviceKernel, SiluMulIsAsExactAsThePlainComputationOverTheWholeRange) {
  for (const std::int64_t n : {1, 15, 64, 65, 1000, 5000}) {
    checkSiluMul(&siluMulOnDevice, GetParam(), n, 0, kOneThread);
    checkSiluMul(&siluMulOnDevice, GetParam(), n, 4, kOneThread);
  }
}

TEST_P(DeviceKernel, MatvecIsAsExactAsThePlainComputationForEveryShape) {
  for (std::int64_t rows = 1; rows <= 8; ++rows) {
    for (const std::int64_t k : {1, 6, 31, 32, 33, 96, 257}) {
      checkMatvec(&matvecOnDevice, GetParam(), GetParam(), rows, 7, k, rows % 2 == 0, 0, kOneThread);
    }
  }
  checkMatvec(&matvecOnDevice, GetParam(), GetParam(), 1, 40, 768, true, 0, kOneThread);
  checkMatvec(&matvecOnDevice, GetParam(), GetParam(), 5, 9, 1032, true, 0, kOneThread);
  checkMatvec(&matvecOnDevice, GetParam(), GetParam(), 3, 23, 1032, false, 4, kOneThread);
  checkMatvec(&matvecOnDevice, GetParam(), Element::f32, 1, 65, 192, false, 0, kOneThread);
  checkMatvec(&matvecOnDevice, GetParam(), Element::f32, 4, 65, 192, true, 0, kOneThread);
}

TEST_P(DeviceKernel, MatvecRunsSeveralMatricesOverTheSameInput) {
  checkMatvecTogether(&matvecOnDevice, GetParam(), kOneThread);
}

TEST_P(DeviceKernel, MatvecTakesQuantisedWeights) {
  for (const WeightFormat format : kFormats) {
    for (const std::int64_t group : kGroups) {
      const auto check = [&](std::int64_t rows, std::int64_t n, std::int64_t k) {
        checkQuantizedMatvec(&matvecOnDevice, GetParam(), format, group, rows, n, k, kOneThread);
      };
      for (const std::int64_t k : {1, 31, 32, 64, 96, 172, 257, 1056}) check(1, 9, k);
      for (std::int64_t rows = 2; rows <= 8; ++rows) check(rows, 7, 160);
    }
  }
}

TEST_P(DeviceKernel, MatvecMixesFormatsInOneCall) {
  constexpr std::int64_t kRows = 3, kN = 6, kK = 96;
  std::mt19937 random(5);
  Array x(GetParam(), kRows * kK), weight(GetParam(), kN * kK);
  x.fillRandom(random);
  weight.fillRandom(random);
  QuantizedMatrix bytes(WeightFormat::int8, 32, kN, kK), halves(WeightFormat::int4, 64, kN, kK);
  bytes.quantize(weight);
  halves.quantize(weight);
  std::vector<std::unique_ptr<Array>> together, alone;
  for (int i = 0; i < 3; ++i) {
    together.push_back(std::make_unique<Array>(GetParam(), kRows * kN));
    alone.push_back(std::make_unique<Array>(GetParam(), kRows * kN));
  }
  MatvecTarget plain;
  plain.weight = weight.data();
  plain.y = together[1]->data();
  plain.n = kN;
  MatvecTarget targets[] = {bytes.target(together[0]->data()), plain, halves.target(together[2]->data())};
  matvecOnDevice(GetParam(), GetParam(), x.data(), kRows, kK, targets, 3, kOneThread);
  for (std::size_t i = 0; i < 3; ++i) {
    targets[i].y = alone[i]->data();
    matvecOnDevice(GetParam(), GetParam(), x.data(), kRows, kK, targets + i, 1, kOneThread);
    EXPECT_TRUE(sameBits(*together[i], *alone[i]));
  }
}

TEST_P(DeviceKernel, AddScaledAddsAndRoundsOnce) {
  const double epsilon = GetParam() == Element::f32 ? 1e-6 : 1.0 / 250;
  for (const std::int64_t n : {1, 7, 8, 33, 5000}) {
    for (const std::size_t slack : {0, 4}) {
      SCOPED_TRACE(n);
      std::mt19937 random(static_cast<unsigned>(n));
      Array x(GetParam(), n, slack), y(GetParam(), n, slack);
      x.fillRandom(random);
      y.fillRandom(random);
      std::vector<double> expected;
      for (std::int64_t i = 0; i < n; ++i) expected.push_back(y.get(i) + double{0.7f} * x.get(i));
      const std::int64_t bytes = n * elementBytes(GetParam());
      const Memory xThere(x.data(), bytes), yThere(y.data(), bytes);
      ASSERT_EQ(STRATA_ENTRY(strata_cuda_add_scaled)(entryElement(GetParam()), yThere.data(), xThere.data(), 0.7f, n,
                                                     nullptr),
                0);
      yThere.copyBack(y.data());
      for (std::int64_t i = 0; i < n; ++i) {
        const double exact = expected[static_cast<std::size_t>(i)];
        ASSERT_NEAR(y.get(i), exact, epsilon * (std::abs(exact) + 1)) << i;
      }
      EXPECT_TRUE(y.surroundingsUntouched());
    }
  }
}

TEST_P(DeviceKernel, SelectRowsCopiesRowsAndAnswersAWrongIdWithNaN) {
  constexpr std::int64_t kVocab = 9, kC = 37;
  std::mt19937 random(3);
  Array table(GetParam(), kVocab * kC), out(GetParam(), 5 * kC);
  table.fillRandom(random);
  const std::vector<std::int64_t> ids{8, 0, -1, 9, 8};
  const std::int64_t bytes = elementBytes(GetParam());
  const Memory tableThere(table.data(), kVocab * kC * bytes), idsThere(ids.data(), 5 * 8);
  const Memory outThere(out.data(), 5 * kC * bytes);
  ASSERT_EQ(STRATA_ENTRY(strata_cuda_select_rows)(entryElement(GetParam()), tableThere.data(),
                                                  static_cast<const std::int64_t*>(idsThere.data()), outThere.data(), 5,
                                                  kVocab, kC, nullptr),
            0);
  outThere.copyBack(out.data());
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const std::int64_t id = ids[static_cast<std::size_t>(i / kC)];
    if (id < 0 || id >= kVocab) {
      ASSERT_TRUE(std::isnan(out.get(i)));
    } else {
      ASSERT_EQ(out.get(i), table.get(id * kC + i % kC));
    }
  }
}

TEST_P(DeviceKernel, SoftmaxCrossEntropyIsExact) {
  const SoftmaxCases cases{&softmaxCrossEntropyOnDevice, GetParam()};
  for (const std::int64_t vocab : {1, 2, 15, 64, 65, 127, 500}) {
    cases.check(1, vocab, 0);
    cases.check(3, vocab, 4);
  }
  cases.check(2, 32000, 0);
  cases.check(1, 151937, 0);
  cases.keepsItsDigitsWhereManyAreAlike();
}

TEST_P(DeviceKernel, SoftmaxCrossEntropyAnswersWhatIsNotFinite) {
  const SoftmaxCases cases{&softmaxCrossEntropyOnDevice, GetParam()};
  cases.ofOneChoiceIsZero();
  cases.takesLogitsWhoseExponentialsOverflow();
  cases.answersNaNAndInfinityWithALossThatIsNotFinite();
  cases.givesAMaskedLogitNoProbability();
  cases.answersATargetOutOfRangeWithNaN();
}

TEST_P(DeviceKernel, DecodeAttentionIsAsExactAsThePlainComputationForEveryShape) {
  for (const AttentionCase& each : attentionCases()) checkAttention(&attentionOnDevice, GetParam(), each, kOneThread);
}

TEST_P(DeviceKernel, DecodeAttentionMergesRangesOfLongSequences) {
  checkAttention(&attentionOnDevice, GetParam(), {1, 4, 1, 64, 1100, {1100}}, kOneThread);
  checkAttention(&attentionOnDevice, GetParam(), {2, 2, 1, 128, 700, {700, 3}}, kOneThread);
}

TEST_P(DeviceKernel, DecodeAttentionDoesNotDependOnTheGrid) {
  constexpr std::int64_t kCapacity = 3000, kD = 16;
  std::mt19937 random(4);
  Array q(GetParam(), 2 * kD), k(GetParam(), kCapacity * kD), v(GetParam(), kCapacity * kD);
  Array tight(GetParam(), 2 * kD), wide(GetParam(), 2 * kD);
  q.fillRandom(random);
  k.fillRandom(random);
  v.fillRandom(random);
  for (const std::int64_t length : {0, 1, 255, 256, 257, 700, 3000}) {
    for (const std::int64_t window : {0, 300}) {
      decodeAttentionOnDevice(GetParam(), q.data(), k.data(), v.data(), &length, window, 0.25f, tight.data(), 1, 2, 1,
                              kCapacity, kD, 0);
      decodeAttentionOnDevice(GetParam(), q.data(), k.data(), v.data(), &length, window, 0.25f, wide.data(), 1, 2, 1,
                              kCapacity, kD, kCapacity);
      EXPECT_TRUE(sameBits(tight, wide)) << length << " keys, window " << window;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, DeviceKernel, ::testing::Values(Element::f32, Element::bf16),
                         [](const auto& info) { return info.param == Element::f32 ? "F32" : "Bf16"; });

class DeviceArgmax : public OnDevice<::testing::Test, 1> {
 protected:
  /// The ids of rows of logits; each length is one more than before.
  static std::vector<std::int64_t> argmax(const Array& logits, std::int64_t rows) {
    std::vector<std::int64_t> ids(static_cast<std::size_t>(rows), -7), lengths(static_cast<std::size_t>(rows), 40);
    const std::int64_t vocab = logits.size() / rows;
    const std::int64_t bytes = STRATA_ENTRY(strata_cuda_argmax_workspace)(rows, vocab);
    const Memory logitsThere(logits.data(), logits.size() * 4), idsThere(ids.data(), rows * 8);
    const Memory lengthsThere(lengths.data(), rows * 8), workspace(nullptr, bytes);
    EXPECT_EQ(STRATA_ENTRY(strata_cuda_argmax)(
                  static_cast<const float*>(logitsThere.data()), static_cast<std::int64_t*>(idsThere.data()),
                  static_cast<std::int64_t*>(lengthsThere.data()), rows, vocab, workspace.data(), bytes, nullptr),
              0);
    idsThere.copyBack(ids.data());
    lengthsThere.copyBack(lengths.data());
    EXPECT_THAT(lengths, ::testing::Each(41));
    return ids;
  }
};

TEST_F(DeviceArgmax, FindsTheLargestLogitOfEachRow) {
  for (const std::int64_t vocab : {1, 7, 8, 1000, 5001, 32000, 300000}) {
    SCOPED_TRACE(vocab);
    std::mt19937 random(static_cast<unsigned>(vocab));
    Array logits(Element::f32, 3 * vocab);
    logits.fillRandom(random);
    std::vector<std::int64_t> expected;
    for (std::int64_t row = 0; row < 3; ++row) {
      std::int64_t best = 0;
      for (std::int64_t i = 0; i < vocab; ++i) {
        if (logits.get(row * vocab + i) > logits.get(row * vocab + best)) best = i;
      }
      expected.push_back(best);
    }
    EXPECT_EQ(argmax(logits, 3), expected);
  }
}

TEST_F(DeviceArgmax, TakesTheLowestIdOnATie) {
  Array logits(Element::f32, 20000);
  for (std::int64_t i = 0; i < logits.size(); ++i) logits.set(i, -3);
  EXPECT_THAT(argmax(logits, 1), ::testing::ElementsAre(0));
  for (const std::int64_t i : {19999, 9001, 4099, 4098}) logits.set(i, 2);
  EXPECT_THAT(argmax(logits, 1), ::testing::ElementsAre(4098));
}

TEST_F(DeviceArgmax, AnswersARowThatIsNotFiniteWithNoId) {
  for (const float bad : {std::nanf(""), -std::nanf(""), INFINITY, -INFINITY}) {
    for (const std::int64_t place : {0, 4500, 9999}) {
      Array logits(Element::f32, 20000);
      for (std::int64_t i = 0; i < logits.size(); ++i) logits.set(i, i == 10001 ? 9.0f : 1.0f);
      logits.set(place, bad);
      EXPECT_THAT(argmax(logits, 2), ::testing::ElementsAre(-1, 1));
    }
  }
}

class DeviceSample : public DeviceArgmax {
 protected:
  /// Ids drawn for rows of the same logits.
  static std::vector<std::int64_t> draw(const std::vector<float>& logits, std::int64_t rows,
                                        const cuda::Sampling& how) {
    const auto vocab = static_cast<std::int64_t>(logits.size());
    std::vector<float> all;
    std::vector<std::int64_t> answers;
    for (std::int64_t row = 0; row < rows; ++row) {
      all.insert(all.end(), logits.begin(), logits.end());
      answers.push_back(row);
    }
    std::vector<std::int64_t> ids(static_cast<std::size_t>(rows)), lengths(static_cast<std::size_t>(rows), 17);
    const Memory logitsThere(all.data(), rows * vocab * 4), idsThere(ids.data(), rows * 8);
    const Memory lengthsThere(lengths.data(), rows * 8), answersThere(answers.data(), rows * 8);
    EXPECT_EQ(STRATA_ENTRY(strata_cuda_sample)(
                  static_cast<const float*>(logitsThere.data()), static_cast<std::int64_t*>(idsThere.data()),
                  static_cast<std::int64_t*>(lengthsThere.data()),
                  static_cast<const std::int64_t*>(answersThere.data()), &how, rows, vocab, nullptr),
              0);
    idsThere.copyBack(ids.data());
    lengthsThere.copyBack(lengths.data());
    EXPECT_THAT(lengths, ::testing::Each(18));
    return ids;
  }
  /// How often each id was drawn.
  static std::vector<int> counted(const std::vector<std::int64_t>& ids, std::size_t vocab) {
    std::vector<int> counts(vocab);
    for (const std::int64_t id : ids) ++counts.at(static_cast<std::size_t>(id));
    return counts;
  }
};

TEST_F(DeviceSample, DrawsEachIdAsOftenAsItsProbabilitySays) {
  constexpr std::int64_t kRows = 200;
  const std::vector<float> logits{0, 1, 2, -1, 1.5f, 0, 0, 0.5f, 2.5f, -3, 1};
  for (const double temperature : {0.5, 2.0}) {
    double total = 0;
    for (const float logit : logits) total += std::exp(logit / temperature);
    const std::vector<int> counts =
        counted(draw(logits, kRows, {.temperature = temperature, .seed = 42}), logits.size());
    for (std::size_t id = 0; id < logits.size(); ++id) {
      const double p = std::exp(logits[id] / temperature) / total;
      EXPECT_NEAR(counts[id], p * kRows, 4.5 * std::sqrt(p * (1 - p) * kRows) + 1) << id;
    }
  }
}

TEST_F(DeviceSample, LeavesOutAllButTheLikeliest) {
  constexpr std::int64_t kRows = 30;
  std::vector<float> logits(700);
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i * 37 % 700) * 0.01f;
  const auto lowest = [&](const cuda::Sampling& how) {
    float least = 100;
    for (const std::int64_t id : draw(logits, kRows, how))
      least = std::min(least, logits[static_cast<std::size_t>(id)]);
    return least;
  };
  EXPECT_FLOAT_EQ(lowest({.topK = 1}), 6.99f);
  EXPECT_GE(lowest({.topK = 3}), 6.965f);
  EXPECT_FLOAT_EQ(lowest({.topP = 0}), 6.99f);
  EXPECT_GE(lowest({.topP = 0.0995}), 6.885f) << "each holds almost 1%";
  EXPECT_GE(lowest({.minP = 0.9}), 6.99f - 0.1054f);
  EXPECT_GE(lowest({.topK = 100, .topP = 0.1, .minP = 0.5}), 6.91f) << "10% of what 100 hold";
  EXPECT_LT(lowest({}), 6.5f);
}

TEST_F(DeviceSample, KeepsTheLowestIdsOfATie) {
  std::vector<float> logits(50, 1);
  logits[20] = logits[7] = logits[33] = 2;
  const std::vector<int> counts = counted(draw(logits, 80, {.topK = 2}), 50);
  EXPECT_GT(counts[7], 20);
  EXPECT_GT(counts[20], 20);
  EXPECT_EQ(counts[7] + counts[20], 80);
}

TEST_F(DeviceSample, TakesLogitsThatAreFarApart) {
  std::vector<float> logits(3000, -3e38f);
  logits[2999] = 3e38f;
  EXPECT_THAT(draw(logits, 3, {.temperature = 0.01}), ::testing::Each(2999));
  EXPECT_THAT(draw(logits, 3, {.temperature = 100, .topK = 2000}), ::testing::Each(2999));
  EXPECT_THAT(draw({5}, 3, {.topK = 1, .topP = 0.5, .minP = 1}), ::testing::Each(0));
}

TEST_F(DeviceSample, DependsOnSeedIndexAndAnswerAlone) {
  const std::vector<float> logits(500, 1.0f);
  const std::vector<std::int64_t> ids = draw(logits, 20, {.seed = 42, .index = 3});
  EXPECT_EQ(draw(logits, 20, {.seed = 42, .index = 3}), ids);
  EXPECT_NE(draw(logits, 20, {.seed = 43, .index = 3}), ids);
  EXPECT_NE(draw(logits, 20, {.seed = 42, .index = 4}), ids);
  EXPECT_GT(std::set<std::int64_t>(ids.begin(), ids.end()).size(), 10u);
}

TEST_F(DeviceSample, AnswersARowThatIsNotFiniteWithNoId) {
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY})
    EXPECT_THAT(draw({1, bad, 2}, 2, {}), ::testing::Each(-1));
}

#if defined(STRATA_SIMT)

TEST(DeviceRandom, IsTheGeneratorOfTheEngine) {
  const std::array<std::uint32_t, 4> expected = strata::philox4x32({5, 6, 7, 8}, {0x12345678u, 0x9abcdef0u});
  const cuda::Philox got = cuda::philox(5, 6, 7, 8, 0x9abcdef012345678u);
  EXPECT_THAT(got.word, ::testing::ElementsAreArray(expected));
  EXPECT_EQ(cuda::kSamplingStream, static_cast<std::uint32_t>(strata::RandomStream::sampling));
}

#endif

}  // namespace
}  // namespace strata::kernels::testing
