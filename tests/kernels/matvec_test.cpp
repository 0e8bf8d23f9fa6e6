#include "matvec_cases.h"

namespace strata::kernels::testing {
namespace {

class Matvec : public KernelTest {
 protected:
  MatvecFunction function() const { return isReference() ? &reference::matvec : &kernels::matvec; }
  void check(std::int64_t rows, std::int64_t n, std::int64_t k, bool bias, Element outElement, std::size_t slack) {
    const TargetsScope scope(targetsOf(version()));
    checkMatvec(function(), element(), outElement, rows, n, k, bias, slack, slack == 0 ? kOneThread : kThreeThreads);
  }
};

TEST_P(Matvec, IsAsExactAsThePlainComputationForEveryShape) {
  for (std::int64_t rows = 1; rows <= 9; ++rows) {
    for (const std::int64_t k : {1, 6, 31, 32, 33, 96, 257}) check(rows, 7, k, rows % 2 == 0, element(), 0);
  }
  check(1, 40, 768, true, element(), 0);
  check(17, 5, 64, true, element(), 0);
  for (const std::int64_t rows : {1, 2, 3, 5, 8, 11}) check(rows, 19, 2600, true, element(), 0);  // longer than a block
}

/// Batches of another size, another thread's part and other prefetching give a row the same bits.
TEST_P(Matvec, ARowDoesNotDependOnWhatItIsComputedWith) {
  const TargetsScope scope(targetsOf(version()));
  constexpr std::int64_t kRows = 11, kN = 21;
  for (const std::int64_t k : {std::int64_t{70}, std::int64_t{768}, std::int64_t{2085}}) {
    std::mt19937 random(7);
    Array x(element(), kRows * k), weight(element(), kN * k), alone(Element::f32, kRows * kN);
    x.fillRandom(random);
    weight.fillRandom(random);
    MatvecTarget target;
    target.weight = weight.data();
    target.n = kN;
    const std::int64_t bytes = elementBytes(element());
    for (std::int64_t row = 0; row < kRows; ++row) {
      target.y = static_cast<float*>(alone.data()) + row * kN;
      function()(element(), Element::f32, static_cast<const char*>(x.data()) + row * k * bytes, 1, k, &target, 1,
                 kOneThread);
    }
    setMatvecPrefetch(512);
    for (std::int64_t rows = 1; rows <= kRows; ++rows) {
      for (const Stream& stream : {kOneThread, kThreeThreads}) {
        Array together(Element::f32, rows * kN);
        target.y = together.data();
        function()(element(), Element::f32, x.data(), rows, k, &target, 1, stream);
        for (std::int64_t i = 0; i < rows * kN; ++i) {
          ASSERT_EQ(together.get(i), alone.get(i)) << k << " inputs, " << rows << " rows, " << i;
        }
      }
    }
    setMatvecPrefetch(kMatvecPrefetch);
  }
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
  const TargetsScope scope(targetsOf(version()));
  checkMatvecTogether(function(), element(), kThreeThreads);
}

TEST_P(Matvec, LetsNonFiniteWeightsThrough) {
  Array x(element(), 40), weight(element(), 80), y(Element::f32, 2);
  for (std::int64_t i = 0; i < 40; ++i) x.set(i, 1);
  for (std::int64_t i = 0; i < 80; ++i) weight.set(i, 1);
  weight.set(37, std::nanf(""));
  weight.set(41, INFINITY);
  MatvecTarget target;
  target.weight = weight.data();
  target.y = y.data();
  target.n = 2;
  const TargetsScope scope(targetsOf(version()));
  function()(element(), Element::f32, x.data(), 1, 40, &target, 1, kOneThread);
  EXPECT_TRUE(std::isnan(y.get(0)));
  EXPECT_TRUE(std::isinf(y.get(1)));
}

STRATA_ALL_VERSIONS(Matvec);

}  // namespace
}  // namespace strata::kernels::testing
