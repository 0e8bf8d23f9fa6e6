#include "kernels/silu_mul_backward.h"

#include "splits.h"

namespace strata::kernels::testing {
namespace {

class SiluMulBackward : public KernelTest {
 protected:
  void run(const Array& gate, const Array& up, const Array& dy, void* dGate, void* dUp, const Stream& stream) const {
    const TargetsScope scope(targetsOf(version()));
    (isReference() ? reference::siluMulBackward : kernels::siluMulBackward)(element(), gate.data(), up.data(),
                                                                            dy.data(), dGate, dUp, gate.size(), stream);
  }
};

TEST_P(SiluMulBackward, IsAsExactAsThePlainComputationAndTheSameForAnySplit) {
  for (const std::int64_t n : {1, 3, 15, 64, 65, 300, 1000, 5001}) {
    SCOPED_TRACE(n);
    std::mt19937 random(static_cast<unsigned>(n));
    Array gate(element(), n, 2), up(element(), n), dy(element(), n, 2);
    gate.fillRandom(random, 4);
    up.fillRandom(random);
    dy.fillRandom(random);
    gate.set(0, -200);  // e^200 overflows fp32
    if (n > 1) gate.set(1, 200);
    if (n > 2) gate.set(2, -89);
    Array dGate(element(), n, 2), dUp(element(), n), plainGate(element(), n), plainUp(element(), n);
    std::vector<double> exactGate, exactUp;
    for (std::int64_t i = 0; i < n; ++i) {
      const double a = gate.get(i), s = 1 / (1 + std::exp(-a));
      exactGate.push_back(static_cast<double>(dy.get(i)) * up.get(i) * s * (1 + a * (1 - s)));
      exactUp.push_back(static_cast<double>(dy.get(i)) * a * s);
    }
    run(gate, up, dy, dGate.data(), dUp.data(), kOneThread);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double a = gate.get(i), s = 1 / (1 + std::exp(-a));
      // 1 + a (1 - s) crosses zero at a = -1.28: the error is one of its parts, not of what is left.
      const double parts = std::abs(static_cast<double>(dy.get(i)) * up.get(i)) * s * (1 + std::abs(a) * (1 - s));
      const double lost = isReference() ? std::abs(static_cast<double>(dy.get(i)) * up.get(i) * a) * 1.2e-7 : 0;
      ASSERT_NEAR(dGate.get(i), exactGate[at],
                  unitOf(element()) * std::abs(exactGate[at]) + 2e-6 * parts + lost + 1e-30)
          << "gate " << a;
      ASSERT_NEAR(dUp.get(i), exactUp[at], (unitOf(element()) + 2e-6) * std::abs(exactUp[at]) + 1e-30) << "gate " << a;
    }
    if (isReference()) continue;
    reference::siluMulBackward(element(), gate.data(), up.data(), dy.data(), plainGate.data(), plainUp.data(), n,
                               kOneThread);
    expectAsGoodAs(dGate, plainGate, exactGate);
    expectAsGoodAs(dUp, plainUp, exactUp);
    for (const Stream& stream : kSplits) {
      run(gate, up, dy, plainGate.data(), plainUp.data(), stream);
      EXPECT_TRUE(sameBits(dGate, plainGate));
      EXPECT_TRUE(sameBits(dUp, plainUp));
    }
  }
}

TEST_P(SiluMulBackward, IsTheDerivativeOfTheGate) {
  Array gate(element(), 9), up(element(), 9), dy(element(), 9), dGate(element(), 9), dUp(element(), 9);
  for (std::int64_t i = 0; i < 9; ++i) {
    gate.set(i, static_cast<float>(i - 4));
    up.set(i, 0.5f + static_cast<float>(i));
    dy.set(i, 2);
  }
  run(gate, up, dy, dGate.data(), dUp.data(), kOneThread);
  const auto value = [](double a, double b) { return a / (1 + std::exp(-a)) * b; };
  for (std::int64_t i = 0; i < 9; ++i) {
    const double a = gate.get(i), b = up.get(i), h = 1e-5;
    const double byGate = (value(a + h, b) - value(a - h, b)) / h, byUp = (value(a, b + h) - value(a, b - h)) / h;
    EXPECT_NEAR(dGate.get(i), byGate, 5e-6 + 1.01 * unitOf(element()) * std::abs(byGate));
    EXPECT_NEAR(dUp.get(i), byUp, 5e-6 + 1.01 * unitOf(element()) * std::abs(byUp));
  }
}

TEST_P(SiluMulBackward, MayWriteOverItsInputs) {
  std::mt19937 random(5);
  Array gate(element(), 133), up(element(), 133), dy(element(), 133), dGate(element(), 133), dUp(element(), 133);
  gate.fillRandom(random);
  up.fillRandom(random);
  dy.fillRandom(random);
  run(gate, up, dy, dGate.data(), dUp.data(), kOneThread);
  run(gate, up, dy, gate.data(), up.data(), kThreeThreads);
  EXPECT_TRUE(sameBits(gate, dGate));
  EXPECT_TRUE(sameBits(up, dUp));
}

TEST_P(SiluMulBackward, KeepsNaN) {
  Array gate(element(), 3), up(element(), 3), dy(element(), 3), dGate(element(), 3), dUp(element(), 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    gate.set(i, i == 1 ? std::nanf("") : 1.0f);
    up.set(i, 2);
    dy.set(i, i == 2 ? std::nanf("") : 1.0f);
  }
  run(gate, up, dy, dGate.data(), dUp.data(), kOneThread);
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(std::isnan(dGate.get(i)), i > 0);
    EXPECT_EQ(std::isnan(dUp.get(i)), i > 0);
  }
}

STRATA_ALL_VERSIONS(SiluMulBackward);

}  // namespace
}  // namespace strata::kernels::testing
