#include "kernels/exponentials.h"

#include "kernel_test.h"

namespace strata::kernels::testing {
namespace {

class Exponentials : public ::testing::TestWithParam<Version> {};

TEST_P(Exponentials, AreExactToTwoUnitsInTheLastPlaceForEveryLength) {
  const TargetsScope scope(targetsOf(GetParam()));
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(-40, 0);
  for (const std::int64_t n : {1, 2, 3, 4, 7, 8, 9, 16, 31, 1000}) {
    Array x(Element::f32, n);
    for (std::int64_t i = 0; i < n; ++i) x.set(i, uniform(random));
    for (const double scale : {.1, 1.0, 3.7}) {
      std::vector<double> out(static_cast<std::size_t>(n) + 1, -1);
      const double sum = exponentials(static_cast<const float*>(x.data()), n, scale, 2, out.data());
      double exactSum = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const double exact = std::exp((static_cast<double>(x.get(i)) - 2) * scale);
        EXPECT_NEAR(out[static_cast<std::size_t>(i)], exact, exact * 2 * 2.3e-16);
        exactSum += exact;
      }
      EXPECT_NEAR(sum, exactSum, exactSum * static_cast<double>(n) * 2.3e-16);
      EXPECT_EQ(out.back(), -1) << "written past the end";
    }
  }
}

TEST_P(Exponentials, OfFarSmallerLogitsAreNearlyNothing) {
  const TargetsScope scope(targetsOf(GetParam()));
  const float x[] = {0, -1e30F, -800};
  double out[3];
  EXPECT_DOUBLE_EQ(exponentials(x, 3, 100, 0, out), 1);
  EXPECT_EQ(out[0], 1);
  EXPECT_GT(out[1], 0);
  EXPECT_LT(out[1], 1e-300);
  EXPECT_EQ(out[1], out[2]);
}

INSTANTIATE_TEST_SUITE_P(Versions, Exponentials,
                         ::testing::Values(Version::cpuScalar, Version::cpuAvx2, Version::cpuAvx512, Version::cpuBest),
                         [](const auto& info) { return std::string(nameOf(info.param)); });

}  // namespace
}  // namespace strata::kernels::testing
