#include "kernels/gemm.h"

#include "splits.h"

namespace strata::kernels::testing {
namespace {

/// A matrix [rows, K] in either layout, with gaps between its lines.
struct Matrix {
  Matrix(Element element, std::int64_t rows, std::int64_t k, bool transposed, std::mt19937& random)
      : transposed(transposed),
        stride((transposed ? rows : k) + 3),
        values(element, ((transposed ? k : rows) - 1) * stride + (transposed ? rows : k), 2) {
    values.fillRandom(random);
  }
  float get(std::int64_t i, std::int64_t s) const { return values.get(transposed ? s * stride + i : i * stride + s); }
  bool transposed;
  std::int64_t stride;
  Array values;
};

class Gemm : public KernelTest {
 protected:
  void run(bool plain, Element out, std::int64_t rows, const std::vector<GemmInput>& inputs,
           const std::vector<GemmTarget>& targets, const Stream& stream) const {
    const TargetsScope scope(targetsOf(version()));
    (plain || isReference() ? reference::gemm : kernels::gemm)(element(), out, rows, inputs.data(),
                                                               static_cast<int>(inputs.size()), targets.data(),
                                                               static_cast<int>(targets.size()), stream);
  }

  /// One product, its sides in the given layouts, against fp64 and the reference, the same bits for any split.
  void check(std::int64_t rows, std::int64_t n, std::int64_t k, bool inputTransposed, bool factorTransposed,
             Element factorElement, Element out, bool bias, bool adds) {
    SCOPED_TRACE(::testing::Message() << rows << " x " << k << " x " << n << (inputTransposed ? ", input" : "")
                                      << (factorTransposed ? ", factor" : "") << (bias ? ", bias" : "")
                                      << (adds ? ", adds" : ""));
    std::mt19937 random(static_cast<unsigned>(rows * 1000003 + n * 1009 + k));
    const Matrix a(element(), rows, k, inputTransposed, random), b(factorElement, n, k, factorTransposed, random);
    Array offset(element(), n), y(out, rows * n, 6), plain(out, rows * n), before(out, rows * n);
    offset.fillRandom(random);
    before.fillRandom(random);
    std::vector<double> exact;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = bias ? offset.get(j) : 0;
        if (adds) sum += before.get(i * n + j);
        for (std::int64_t s = 0; s < k; ++s) {
          const float other = b.get(j, s);
          sum += static_cast<double>(a.get(i, s)) *
                 (element() == Element::bf16 ? toFloat(fromFloat<Bfloat16>(other)) : other);
        }
        exact.push_back(sum);
      }
    }
    const GemmFactor factor{0, b.values.data(), b.stride, b.transposed, factorElement};
    const std::vector<GemmInput> inputs{{a.values.data(), a.stride, a.transposed, k}};
    GemmTarget target{&factor, 1, bias ? offset.data() : nullptr, plain.data(), n, adds};
    plain.copyFrom(before);
    run(true, out, rows, inputs, {target}, kOneThread);
    target.y = y.data();
    y.copyFrom(before);
    run(false, out, rows, inputs, {target}, kOneThread);
    expectAsGoodAs(y, plain, exact);
    EXPECT_TRUE(y.surroundingsUntouched());
    if (isReference()) return;
    target.y = plain.data();
    for (const Stream& stream : kSplits) {
      plain.copyFrom(before);
      run(false, out, rows, inputs, {target}, stream);
      EXPECT_TRUE(sameBits(y, plain));
    }
  }
};

TEST_P(Gemm, IsAsExactAsThePlainComputationInEveryLayout) {
  const std::int64_t shapes[][3] = {{1, 1, 1}, {3, 7, 5}, {9, 48, 32}, {16, 50, 33}, {37, 100, 66}, {70, 17, 130}};
  for (const auto& shape : shapes) {
    for (const bool input : {false, true}) {
      for (const bool factor : {false, true}) {
        check(shape[0], shape[1], shape[2], input, factor, element(), element(), input, false);
      }
    }
  }
}

TEST_P(Gemm, RoundsFp32FactorsOfABf16ProductAndGivesFp32) {
  for (const bool factor : {false, true}) {
    check(21, 53, 45, false, factor, Element::f32, Element::f32, false, true);
    check(21, 53, 44, true, factor, Element::f32, element(), false, true);
  }
}

TEST_P(Gemm, SplitsManyRowsAndLongSums) {
  check(1040, 5, 3, false, false, element(), element(), false, false);
  check(5, 3, 9000, false, true, element(), element(), true, true);
  check(430, 60, 70, false, false, element(), Element::f32, false, false);
}

TEST_P(Gemm, GivesARowTheSameBitsHoweverManyThereAre) {
  std::mt19937 random(5);
  const std::int64_t rows = 41, n = 29, k = 71;
  const Matrix x(element(), rows, k, false, random), w(element(), n, k, false, random);
  const GemmFactor factor{0, w.values.data(), w.stride, false, element()};
  Array all(element(), rows * n), some(element(), rows * n);
  const std::vector<GemmInput> inputs{{x.values.data(), x.stride, false, k}};
  run(false, element(), rows, inputs, {{&factor, 1, nullptr, all.data(), n}}, kOneThread);
  for (std::int64_t count = 1; count < rows; count += 6) {
    run(false, element(), count, inputs, {{&factor, 1, nullptr, some.data(), n}}, kOneThread);
    for (std::int64_t i = 0; i < count * n; ++i) ASSERT_EQ(all.get(i), some.get(i));
  }
}

TEST_P(Gemm, SumsSeveralFactorsForSeveralTargets) {
  std::mt19937 random(6);
  const std::int64_t rows = 20, k = 40, rank = 3;
  const Matrix x(element(), rows, k, false, random), reduced(element(), rank, rows, false, random);
  const Matrix w(element(), 50, k, false, random), b(element(), 50, rank, false, random);
  const Matrix other(element(), 9, k, false, random);
  Array y(element(), rows * 50), yPlain(element(), rows * 50), z(element(), rows * 9), zPlain(element(), rows * 9);
  const std::vector<GemmInput> inputs{{reduced.values.data(), reduced.stride, true, rank},
                                      {x.values.data(), x.stride, false, k}};
  const GemmFactor factors[] = {{1, w.values.data(), w.stride, false, element()},
                                {0, b.values.data(), b.stride, false, element()}};
  const GemmFactor alone{1, other.values.data(), other.stride, false, element()};
  run(true, element(), rows, inputs, {{factors, 2, nullptr, yPlain.data(), 50}, {&alone, 1, nullptr, zPlain.data(), 9}},
      kOneThread);
  run(false, element(), rows, inputs, {{factors, 2, nullptr, y.data(), 50}, {&alone, 1, nullptr, z.data(), 9}},
      kThreeThreads);
  std::vector<double> exactY, exactZ;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < 50; ++j) {
      double sum = 0;
      for (std::int64_t s = 0; s < k; ++s) sum += static_cast<double>(x.get(i, s)) * w.get(j, s);
      for (std::int64_t s = 0; s < rank; ++s) sum += static_cast<double>(reduced.get(s, i)) * b.get(j, s);
      exactY.push_back(sum);
    }
    for (std::int64_t j = 0; j < 9; ++j) {
      double sum = 0;
      for (std::int64_t s = 0; s < k; ++s) sum += static_cast<double>(x.get(i, s)) * other.get(j, s);
      exactZ.push_back(sum);
    }
  }
  expectAsGoodAs(y, yPlain, exactY);
  expectAsGoodAs(z, zPlain, exactZ);
}

TEST_P(Gemm, LetsNonFiniteValuesThrough) {
  Array x(element(), 40), w(Element::f32, 80), y(Element::f32, 2);
  for (std::int64_t i = 0; i < 40; ++i) x.set(i, 1);
  for (std::int64_t i = 0; i < 80; ++i) w.set(i, 1);
  w.set(37, std::bit_cast<float>(0x7fffffffu));
  w.set(41, INFINITY);
  const GemmFactor factor{0, w.data(), 40, false, Element::f32};
  run(false, Element::f32, 1, {{x.data(), 40, false, 40}}, {{&factor, 1, nullptr, y.data(), 2}}, kOneThread);
  EXPECT_TRUE(std::isnan(y.get(0)));
  EXPECT_TRUE(std::isinf(y.get(1)));
}

STRATA_ALL_VERSIONS(Gemm);

}  // namespace
}  // namespace strata::kernels::testing
