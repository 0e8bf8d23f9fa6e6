#pragma once
// The body of the test of matvec, for the CPU's versions, the emulated device and a real one.

#include "kernel_test.h"
#include "kernels/matvec.h"

namespace strata::kernels::testing {

using MatvecFunction = decltype(&kernels::matvec);

/// One matrix [N, K] against fp64 and the reference.
inline void checkMatvec(MatvecFunction matvec, Element element, Element outElement, std::int64_t rows, std::int64_t n,
                        std::int64_t k, bool bias, std::size_t slack, const Stream& stream) {
  SCOPED_TRACE(std::to_string(rows) + " rows, N " + std::to_string(n) + ", K " + std::to_string(k));
  std::mt19937 random(static_cast<unsigned>(rows * 1000003 + n * 1009 + k));
  Array x(element, rows * k, slack), weight(element, n * k, slack), b(element, n, slack);
  Array y(outElement, rows * n, slack), plain(outElement, rows * n);
  x.fillRandom(random);
  weight.fillRandom(random);
  b.fillRandom(random);
  MatvecTarget target;
  target.weight = weight.data();
  target.bias = bias ? b.data() : nullptr;
  target.n = n;
  target.y = y.data();
  matvec(element, outElement, x.data(), rows, k, &target, 1, stream);
  target.y = plain.data();
  reference::matvec(element, outElement, x.data(), rows, k, &target, 1, kOneThread);

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
  expectAsGoodAs(y, plain, exact);
}

/// Several matrices over one x give the bits that each gives alone.
inline void checkMatvecTogether(MatvecFunction matvec, Element element, const Stream& stream) {
  constexpr std::int64_t kRows = 2, kK = 96;
  std::mt19937 random(5);
  Array x(element, kRows * kK);
  x.fillRandom(random);
  const std::int64_t sizes[] = {64, 1, 0, 33};
  std::vector<std::unique_ptr<Array>> weights, together, alone;
  std::vector<MatvecTarget> targets;
  for (const std::int64_t n : sizes) {
    weights.push_back(std::make_unique<Array>(element, n * kK));
    weights.back()->fillRandom(random);
    together.push_back(std::make_unique<Array>(element, kRows * n));
    alone.push_back(std::make_unique<Array>(element, kRows * n));
    MatvecTarget target;
    target.weight = weights.back()->data();
    target.y = together.back()->data();
    target.n = n;
    targets.push_back(target);
  }
  matvec(element, element, x.data(), kRows, kK, targets.data(), static_cast<int>(targets.size()), stream);
  for (std::size_t t = 0; t < targets.size(); ++t) {
    MatvecTarget target = targets[t];
    target.y = alone[t]->data();
    matvec(element, element, x.data(), kRows, kK, &target, 1, kOneThread);
    for (std::int64_t i = 0; i < alone[t]->size(); ++i)
      ASSERT_EQ(together[t]->get(i), alone[t]->get(i)) << t << " " << i;
    EXPECT_TRUE(together[t]->surroundingsUntouched());
  }
}

}  // namespace strata::kernels::testing
