#include "kernels/quantized_weights.h"

#include <cstring>
#include <memory>

#include "quantized_cases.h"

namespace strata::kernels::testing {
namespace {

class QuantizedWeights : public KernelTest {
 protected:
  void matvec(Version version, const Array& x, std::int64_t rows, std::int64_t k,
              const std::vector<MatvecTarget>& targets, Element outElement) {
    const auto count = static_cast<int>(targets.size());
    if (version == Version::reference) {
      reference::matvec(element(), outElement, x.data(), rows, k, targets.data(), count, kOneThread);
    } else {
      const TargetsScope scope(targetsOf(version));
      kernels::matvec(element(), outElement, x.data(), rows, k, targets.data(), count, kThreeThreads);
    }
  }

  void checkProduct(WeightFormat format, std::int64_t group, std::int64_t rows, std::int64_t n, std::int64_t k) {
    const TargetsScope scope(targetsOf(version()));
    checkQuantizedMatvec(isReference() ? &reference::matvec : &kernels::matvec, element(), format, group, rows, n, k,
                         kThreeThreads);
  }
};

TEST_P(QuantizedWeights, AreMultipliedAsExactlyAsThePlainComputationDoes) {
  for (const WeightFormat format : kFormats) {
    for (const std::int64_t group : kGroups) {
      for (const std::int64_t k : {1, 31, 32, 64, 96, 172, 257, 512}) checkProduct(format, group, 1, 24, k);
      for (std::int64_t rows = 2; rows <= 9; ++rows) checkProduct(format, group, rows, 9, 160);
    }
  }
}

TEST_P(QuantizedWeights, GiveARowTheBitsThatItHasAlone) {
  constexpr std::int64_t kRows = 15, kN = 4, kK = 352;
  std::mt19937 random(11);
  Array x(element(), kRows * kK), weight(element(), kN * kK), all(Element::f32, kRows * kN), alone(Element::f32, kN);
  x.fillRandom(random);
  weight.fillRandom(random);
  for (const WeightFormat format : kFormats) {
    QuantizedMatrix matrix(format, 32, kN, kK);
    matrix.quantize(weight);
    matvec(version(), x, kRows, kK, {matrix.target(all.data())}, Element::f32);
    for (std::int64_t row = 0; row < kRows; ++row) {
      Array one(element(), kK);
      for (std::int64_t i = 0; i < kK; ++i) one.set(i, x.get(row * kK + i));
      matvec(version(), one, 1, kK, {matrix.target(alone.data())}, Element::f32);
      for (std::int64_t n = 0; n < kN; ++n) ASSERT_EQ(all.get(row * kN + n), alone.get(n)) << row << " " << n;
    }
  }
}

TEST_P(QuantizedWeights, MixWithPlainOnesInOneCall) {
  constexpr std::int64_t kN = 7, kK = 200;
  std::mt19937 random(3);
  Array x(element(), kK), weight(element(), kN * kK), y(element(), 3 * kN), alone(element(), kN);
  x.fillRandom(random);
  weight.fillRandom(random);
  QuantizedMatrix eight(WeightFormat::int8, 128, kN, kK), four(WeightFormat::int4, 32, kN, kK);
  eight.quantize(weight);
  four.quantize(weight);
  MatvecTarget plain;
  plain.weight = weight.data();
  plain.n = kN;
  std::vector<MatvecTarget> targets = {four.target(nullptr), plain, eight.target(nullptr)};
  for (std::size_t t = 0; t < 3; ++t) targets[t].y = at(element(), y.data(), static_cast<std::int64_t>(t) * kN);
  matvec(version(), x, 1, kK, targets, element());
  for (std::size_t t = 0; t < 3; ++t) {
    targets[t].y = alone.data();
    matvec(version(), x, 1, kK, {targets[t]}, element());
    for (std::int64_t n = 0; n < kN; ++n) {
      ASSERT_EQ(y.get(static_cast<std::int64_t>(t) * kN + n), alone.get(n)) << t << " " << n;
    }
  }
  EXPECT_TRUE(y.surroundingsUntouched());
}

TEST_P(QuantizedWeights, AreTheNearestCodesAndUnpackToThem) {
  constexpr std::int64_t kN = 5;
  for (const WeightFormat format : kFormats) {
    for (const std::int64_t group : kGroups) {
      for (const std::int64_t k : {1, 32, 100, 129, 384}) {
        std::mt19937 random(static_cast<unsigned>(k));
        Array weight(element(), kN * k), back(element(), kN * k), plain(element(), kN * k);
        weight.fillRandom(random, 0.02f);
        QuantizedMatrix matrix(format, group, kN, k);
        {
          const TargetsScope scope(targetsOf(version()));
          matrix.quantize(weight);
          dequantizeWeights(format, group, matrix.codes().data(), matrix.scales().data(), kN, k, element(), back.data(),
                            kThreeThreads);
        }
        reference::dequantizeWeights(format, group, matrix.codes().data(), matrix.scales().data(), kN, k, element(),
                                     plain.data(), kOneThread);
        const int most = format == WeightFormat::int8 ? 127 : 7;
        for (std::int64_t n = 0; n < kN; ++n) {
          double error = 0, norm = 0;
          for (std::int64_t i = 0; i < k; ++i) {
            ASSERT_EQ(back.get(n * k + i), plain.get(n * k + i)) << n << " " << i;
            const double value = weight.get(n * k + i), got = matrix.at(n, i);
            const double scale = std::abs(matrix.scales().get(n * groupsOf(k, group) + i / group));
            error += (value - got) * (value - got);
            norm += value * value;
            const bool atEnd = std::abs(got) >= most * scale;
            if (!atEnd) {
              ASSERT_LE(std::abs(value - got), 0.5001 * scale);
            }
          }
          EXPECT_NEAR(matrix.errors()[static_cast<std::size_t>(2 * n)], error, 1e-4 * error + 1e-12);
          EXPECT_NEAR(matrix.errors()[static_cast<std::size_t>(2 * n + 1)], norm, 1e-4 * norm);
          EXPECT_LE(std::sqrt(error / norm), format == WeightFormat::int8 ? 0.01 : 0.14);
        }
        EXPECT_TRUE(matrix.codes().surroundingsUntouched());
        EXPECT_TRUE(matrix.scales().surroundingsUntouched());
        EXPECT_TRUE(back.surroundingsUntouched());
      }
    }
  }
}

TEST_P(QuantizedWeights, OfZerosAreZerosAndOfNonFiniteOnesSaySo) {
  Array weight(element(), 3 * 40);
  for (std::int64_t i = 0; i < weight.size(); ++i) weight.set(i, i < 40 ? 0.0f : 1.0f);
  weight.set(50, INFINITY);
  weight.set(110, std::nanf(""));
  for (const WeightFormat format : kFormats) {
    QuantizedMatrix matrix(format, 32, 3, 40);
    const TargetsScope scope(targetsOf(version()));
    matrix.quantize(weight);
    for (std::int64_t i = 0; i < 40; ++i) EXPECT_EQ(matrix.at(0, i), 0);
    EXPECT_EQ(matrix.errors()[0], 0);
    EXPECT_TRUE(std::isinf(matrix.errors()[2]));
    EXPECT_TRUE(std::isinf(matrix.errors()[4]));
  }
}

STRATA_ALL_VERSIONS(QuantizedWeights);

}  // namespace
}  // namespace strata::kernels::testing
