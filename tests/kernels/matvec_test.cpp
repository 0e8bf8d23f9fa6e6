#include "kernels/matvec.h"

#include "kernel_test.h"

namespace strata::kernels::testing {
namespace {

class Matvec : public KernelTest {
 protected:
  void run(Version version, Element outElement, const Array& x, std::int64_t rows, std::int64_t k,
           const std::vector<MatvecTarget>& targets, const Stream& stream) {
    const auto count = static_cast<int>(targets.size());
    if (version == Version::reference) {
      reference::matvec(element(), outElement, x.data(), rows, k, targets.data(), count, stream);
    } else {
      const TargetsScope scope(targetsOf(version));
      kernels::matvec(element(), outElement, x.data(), rows, k, targets.data(), count, stream);
    }
  }

  /// y of x and w by this version, against fp64 and the reference.
  void check(std::int64_t rows, std::int64_t n, std::int64_t k, bool bias, Element outElement, std::size_t slack) {
    SCOPED_TRACE(std::to_string(rows) + " rows, N " + std::to_string(n) + ", K " + std::to_string(k));
    std::mt19937 random(static_cast<unsigned>(rows * 1000003 + n * 1009 + k));
    Array x(element(), rows * k, slack), weight(element(), n * k, slack), b(element(), n, slack);
    Array y(outElement, rows * n, slack), plain(outElement, rows * n);
    x.fillRandom(random);
    weight.fillRandom(random);
    b.fillRandom(random);
    MatvecTarget target{weight.data(), bias ? b.data() : nullptr, y.data(), n};
    run(version(), outElement, x, rows, k, {target}, slack == 0 ? kOneThread : kThreeThreads);
    target.y = plain.data();
    run(Version::reference, outElement, x, rows, k, {target}, kOneThread);

    std::vector<double> exact;
    double bound = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t out = 0; out < n; ++out) {
        double sum = bias ? b.get(out) : 0;
        double magnitude = std::abs(sum);
        for (std::int64_t i = 0; i < k; ++i) {
          const double product = static_cast<double>(x.get(row * k + i)) * weight.get(out * k + i);
          sum += product;
          magnitude += std::abs(product);
        }
        exact.push_back(sum);
        bound = std::max(bound, static_cast<double>(k + 2) * 6.0e-8 * magnitude + unitOf(outElement) * std::abs(sum));
      }
    }
    EXPECT_LE(largestError(y, exact), bound);
    if (isReference()) return;
    expectAsGoodAs(y, plain, exact);
  }
};

TEST_P(Matvec, IsAsExactAsThePlainComputationForEveryShape) {
  for (std::int64_t rows = 1; rows <= 9; ++rows) {
    for (const std::int64_t k : {1, 6, 31, 32, 33, 96, 257}) check(rows, 7, k, rows % 2 == 0, element(), 0);
  }
  check(1, 40, 768, true, element(), 0);
  check(17, 5, 64, true, element(), 0);
}

TEST_P(Matvec, TakesUnalignedArraysAndUnevenThreads) {
  for (const std::size_t slack : {std::size_t{1}, std::size_t{2}, std::size_t{6}, std::size_t{12}}) {
    check(1, 23, 100, true, element(), slack);
    check(3, 23, 515, false, element(), slack);
    check(8, 9, 34, true, element(), slack);
  }
}

TEST_P(Matvec, GivesFp32LogitsOfABf16Model) {
  check(1, 65, 192, false, Element::f32, 0);
  check(4, 65, 192, true, Element::f32, 0);
}

TEST_P(Matvec, RunsSeveralMatricesOverTheSameInput) {
  constexpr std::int64_t kRows = 2, kK = 96;
  std::mt19937 random(5);
  Array x(element(), kRows * kK);
  x.fillRandom(random);
  const std::int64_t sizes[] = {64, 1, 0, 33};
  std::vector<std::unique_ptr<Array>> weights, together, alone;
  std::vector<MatvecTarget> targets;
  for (const std::int64_t n : sizes) {
    weights.push_back(std::make_unique<Array>(element(), n * kK));
    weights.back()->fillRandom(random);
    together.push_back(std::make_unique<Array>(element(), kRows * n));
    alone.push_back(std::make_unique<Array>(element(), kRows * n));
    targets.push_back({weights.back()->data(), nullptr, together.back()->data(), n});
  }
  run(version(), element(), x, kRows, kK, targets, kThreeThreads);
  for (std::size_t t = 0; t < targets.size(); ++t) {
    MatvecTarget target = targets[t];
    target.y = alone[t]->data();
    run(version(), element(), x, kRows, kK, {target}, kOneThread);
    for (std::int64_t i = 0; i < alone[t]->size(); ++i)
      ASSERT_EQ(together[t]->get(i), alone[t]->get(i)) << t << " " << i;
    EXPECT_TRUE(together[t]->surroundingsUntouched());
  }
}

TEST_P(Matvec, LetsNonFiniteWeightsThrough) {
  Array x(element(), 40), weight(element(), 80), y(Element::f32, 2);
  for (std::int64_t i = 0; i < 40; ++i) x.set(i, 1);
  for (std::int64_t i = 0; i < 80; ++i) weight.set(i, 1);
  weight.set(37, std::nanf(""));
  weight.set(41, INFINITY);
  run(version(), Element::f32, x, 1, 40, {{weight.data(), nullptr, y.data(), 2}}, kOneThread);
  EXPECT_TRUE(std::isnan(y.get(0)));
  EXPECT_TRUE(std::isinf(y.get(1)));
}

STRATA_ALL_VERSIONS(Matvec);

}  // namespace
}  // namespace strata::kernels::testing
