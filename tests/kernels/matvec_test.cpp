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
