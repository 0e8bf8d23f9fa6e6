#include "kernels/rms_norm_backward.h"

#include "splits.h"

namespace strata::kernels::testing {
namespace {

constexpr float kEps = 1e-5f;

/// Inputs, fp64 gradients and how far fp32 may be from them.
struct Problem {
  Problem(Element element, std::int64_t rows, std::int64_t c, std::size_t slack)
      : rows(rows), c(c), x(element, rows * c, slack), dy(element, rows * c, slack), weight(Element::f32, c) {
    std::mt19937 random(static_cast<unsigned>(rows * 7919 + c));
    x.fillRandom(random, 3);
    dy.fillRandom(random);
    weight.fillRandom(random);
    solve();
  }

  void solve() {
    dx.clear();
    dxBound = 0;
    dWeight.assign(static_cast<std::size_t>(c), 0.0);
    std::vector<double> magnitude(dWeight.size(), 0.0);
    for (std::int64_t row = 0; row < rows; ++row) {
      double squares = 0, product = 0, size = 0;
      for (std::int64_t i = row * c; i < (row + 1) * c; ++i) {
        squares += static_cast<double>(x.get(i)) * x.get(i);
        product += static_cast<double>(dy.get(i)) * weight.get(i - row * c) * x.get(i);
        size += std::abs(static_cast<double>(dy.get(i)) * weight.get(i - row * c) * x.get(i));
      }
      const double count = static_cast<double>(c);
      const double r = 1 / std::sqrt(squares / count + static_cast<double>(kEps));
      for (std::int64_t i = 0; i < c; ++i) {
        const double value = x.get(row * c + i), gradient = dy.get(row * c + i), scaled = gradient * weight.get(i);
        dx.push_back(r * (scaled - value * r * r * product / count));
        dxBound = std::max(dxBound, std::abs(dx.back()) * unitOf(x.element()) +
                                        r * (std::abs(scaled) + std::abs(value) * r * r * size / count) *
                                            static_cast<double>(c + 8) * 6e-8);
        dWeight[static_cast<std::size_t>(i)] += gradient * value * r;
        magnitude[static_cast<std::size_t>(i)] += std::abs(gradient * value * r);
      }
    }
    dWeightBound = *std::max_element(magnitude.begin(), magnitude.end()) * static_cast<double>(rows + c + 8) * 6e-8;
  }

  std::int64_t rows, c;
  Array x, dy, weight;
  std::vector<double> dx, dWeight;
  double dxBound = 0, dWeightBound = 0;
};

class RmsNormBackward : public KernelTest {
 protected:
  void run(const Problem& p, void* dx, Array* dWeight, const Stream& stream) const {
    const TargetsScope scope(targetsOf(version()));
    (isReference() ? reference::rmsNormBackward : kernels::rmsNormBackward)(
        element(), p.x.data(), static_cast<const float*>(p.weight.data()), p.dy.data(), kEps, dx,
        dWeight == nullptr ? nullptr : static_cast<float*>(dWeight->data()), p.rows, p.c, stream);
  }

  void check(std::int64_t rows, std::int64_t c, std::size_t slack) {
    SCOPED_TRACE(std::to_string(rows) + " rows of " + std::to_string(c));
    const Problem p(element(), rows, c, slack);
    Array dx(element(), rows * c, slack), plain(element(), rows * c), again(element(), rows * c);
    Array dWeight(Element::f32, c), plainWeight(Element::f32, c), againWeight(Element::f32, c);
    run(p, dx.data(), &dWeight, kOneThread);
    EXPECT_LE(largestError(dx, p.dx), p.dxBound);
    EXPECT_LE(largestError(dWeight, p.dWeight), p.dWeightBound);
    EXPECT_TRUE(dx.surroundingsUntouched());
    EXPECT_TRUE(dWeight.surroundingsUntouched());
    if (isReference()) return;
    reference::rmsNormBackward(element(), p.x.data(), static_cast<const float*>(p.weight.data()), p.dy.data(), kEps,
                               plain.data(), static_cast<float*>(plainWeight.data()), rows, c, kOneThread);
    if (rows * c >= 32) expectAsGoodAs(dx, plain, p.dx);
    if (c >= 32) expectAsGoodAs(dWeight, plainWeight, p.dWeight);
    for (const Stream& stream : kSplits) {
      againWeight.set(0, 5);  // what was there is overwritten, not added to
      run(p, again.data(), &againWeight, stream);
      EXPECT_TRUE(sameBits(dx, again));
      EXPECT_TRUE(sameBits(dWeight, againWeight));
    }
    run(p, again.data(), nullptr, kThreeThreads);
    EXPECT_TRUE(sameBits(dx, again));
  }
};

TEST_P(RmsNormBackward, IsAsExactAsThePlainComputationAndTheSameForAnySplit) {
  for (const std::int64_t c : {1, 5, 16, 33, 64, 100, 768}) {
    check(1, c, 0);
    check(3, c, 2);
    check(300, c, 2);
  }
  check(2500, 35, 0);  // more than 128 blocks of the least size
}

TEST_P(RmsNormBackward, IsTheDerivativeOfTheNorm) {
  Problem p(element(), 1, 7, 0);
  Array dx(element(), 7), dWeight(Element::f32, 7);
  run(p, dx.data(), &dWeight, kOneThread);
  std::vector<double> x, w;
  for (std::int64_t i = 0; i < 7; ++i) {
    x.push_back(p.x.get(i));
    w.push_back(p.weight.get(i));
  }
  const auto loss = [&] {
    double squares = 0, sum = 0;
    for (const double value : x) squares += value * value;
    const double r = 1 / std::sqrt(squares / 7 + static_cast<double>(kEps));
    for (std::size_t i = 0; i < 7; ++i) sum += p.dy.get(static_cast<std::int64_t>(i)) * x[i] * r * w[i];
    return sum;
  };
  const auto slope = [&](double& variable) {
    const double kept = variable, h = 1e-5;
    variable = kept + h;
    const double above = loss();
    variable = kept - h;
    const double below = loss();
    variable = kept;
    return (above - below) / (2 * h);
  };
  for (std::size_t i = 0; i < 7; ++i) {
    const double expected = slope(x[i]);
    EXPECT_NEAR(dx.get(static_cast<std::int64_t>(i)), expected, 1e-6 + 1.01 * unitOf(element()) * std::abs(expected));
    EXPECT_NEAR(dWeight.get(static_cast<std::int64_t>(i)), slope(w[i]), 3e-6);
  }
}

TEST_P(RmsNormBackward, MayWriteOverEitherInput) {
  Problem p(element(), 20, 35, 2);
  Array dx(element(), 700), dWeight(Element::f32, 35), kept(element(), 700);
  run(p, dx.data(), &dWeight, kThreeThreads);
  kept.copyFrom(p.x);
  run(p, p.x.data(), &dWeight, kThreeThreads);
  EXPECT_TRUE(sameBits(dx, p.x));
  p.x.copyFrom(kept);
  run(p, p.dy.data(), &dWeight, kThreeThreads);
  EXPECT_TRUE(sameBits(dx, p.dy));
}

TEST_P(RmsNormBackward, OfNoRowsIsZero) {
  const Problem p(element(), 1, 4, 0);
  Array dWeight(Element::f32, 4);
  const TargetsScope scope(targetsOf(version()));
  (isReference() ? reference::rmsNormBackward : kernels::rmsNormBackward)(
      element(), p.x.data(), static_cast<const float*>(p.weight.data()), p.dy.data(), kEps, nullptr,
      static_cast<float*>(dWeight.data()), 0, 4, kThreeThreads);
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_EQ(dWeight.get(i), 0);
}

STRATA_ALL_VERSIONS(RmsNormBackward);

}  // namespace
}  // namespace strata::kernels::testing
