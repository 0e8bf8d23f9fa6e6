#pragma once
// The bodies of the tests of rmsNorm, addRmsNorm, rope, siluMul and kvAppend, for the CPU's versions, the emulated
// device and a real one.

#include "kernel_test.h"
#include "kernels/kv_append.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/silu_mul.h"

namespace strata::kernels::testing {

using RmsNormFunction = decltype(&kernels::rmsNorm);
using AddRmsNormFunction = decltype(&kernels::addRmsNorm);
using RopeFunction = decltype(&kernels::rope);
using SiluMulFunction = decltype(&kernels::siluMul);
using KvAppendFunction = decltype(&kernels::kvAppend);

constexpr float kNormEps = 1e-5f;

/// y = norm(x), or with addNorm x += delta first.
inline void checkRmsNorm(RmsNormFunction norm, AddRmsNormFunction addNorm, Element element, std::int64_t rows,
                         std::int64_t c, std::size_t slack, const Stream& stream) {
  SCOPED_TRACE(std::to_string(rows) + " rows of " + std::to_string(c));
  std::mt19937 random(static_cast<unsigned>(rows * 7919 + c));
  Array x(element, rows * c, slack), plainX(element, rows * c), delta(element, rows * c, slack);
  Array weight(element, c, slack), y(element, rows * c, slack), plain(element, rows * c);
  x.fillRandom(random, 3);
  plainX.copyFrom(x);
  delta.fillRandom(random);
  weight.fillRandom(random);
  if (addNorm == nullptr) {
    norm(element, x.data(), weight.data(), kNormEps, y.data(), rows, c, stream);
    reference::rmsNorm(element, plainX.data(), weight.data(), kNormEps, plain.data(), rows, c, kOneThread);
  } else {
    addNorm(element, x.data(), delta.data(), weight.data(), kNormEps, y.data(), rows, c, stream);
    reference::addRmsNorm(element, plainX.data(), delta.data(), weight.data(), kNormEps, plain.data(), rows, c,
                          kOneThread);
  }
  for (std::int64_t i = 0; i < rows * c; ++i) ASSERT_EQ(x.get(i), plainX.get(i));
  std::vector<double> exact;
  double bound = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    double squares = 0;
    for (std::int64_t i = 0; i < c; ++i) squares += static_cast<double>(x.get(row * c + i)) * x.get(row * c + i);
    const double factor = 1 / std::sqrt(squares / static_cast<double>(c) + static_cast<double>(kNormEps));
    for (std::int64_t i = 0; i < c; ++i) {
      exact.push_back(x.get(row * c + i) * factor * weight.get(i));
      bound = std::max(bound, std::abs(exact.back()) * (unitOf(element) + static_cast<double>(c + 4) * 6e-8));
    }
  }
  EXPECT_LE(largestError(y, exact), bound);
  expectAsGoodAs(y, plain, exact);
  EXPECT_TRUE(x.surroundingsUntouched());
}

/// cos and sin of `rows` positions, [rows, D/2].
struct Angles {
  std::vector<float> cos, sin;
};
inline Angles anglesOf(std::int64_t rows, std::int64_t half) {
  Angles angles;
  for (std::int64_t i = 0; i < rows * half; ++i) {
    angles.cos.push_back(std::cos(static_cast<float>(i) * 0.7f));
    angles.sin.push_back(std::sin(static_cast<float>(i) * 0.7f));
  }
  return angles;
}

inline void checkRope(RopeFunction rope, Element element, std::int64_t d, std::size_t slack, const Stream& stream) {
  SCOPED_TRACE(d);
  constexpr std::int64_t kRows = 3, kHeads = 3;
  const std::int64_t half = d / 2;
  std::mt19937 random(static_cast<unsigned>(d));
  Array x(element, kRows * kHeads * d, slack), plain(element, kRows * kHeads * d);
  x.fillRandom(random);
  plain.copyFrom(x);
  const Angles angles = anglesOf(kRows, half);
  std::vector<double> exact(static_cast<std::size_t>(x.size()));
  for (std::int64_t row = 0; row < kRows; ++row) {
    for (std::int64_t i = 0; i < kHeads * half; ++i) {
      const std::int64_t first = row * kHeads * d + i / half * d + i % half;
      const double c = angles.cos[static_cast<std::size_t>(row * half + i % half)];
      const double s = angles.sin[static_cast<std::size_t>(row * half + i % half)];
      exact[static_cast<std::size_t>(first)] = x.get(first) * c - x.get(first + half) * s;
      exact[static_cast<std::size_t>(first + half)] = x.get(first + half) * c + x.get(first) * s;
    }
  }
  reference::rope(element, plain.data(), angles.cos.data(), angles.sin.data(), kRows, kHeads, d, kOneThread);
  rope(element, x.data(), angles.cos.data(), angles.sin.data(), kRows, kHeads, d, stream);
  EXPECT_LE(largestError(x, exact), 6 * (unitOf(element) + 2e-7));
  expectAsGoodAs(x, plain, exact);
}

inline void checkSiluMul(SiluMulFunction siluMul, Element element, std::int64_t n, std::size_t slack,
                         const Stream& stream) {
  SCOPED_TRACE(n);
  std::mt19937 random(static_cast<unsigned>(n));
  Array gate(element, n, slack), up(element, n), y(element, n, slack), plain(element, n);
  gate.fillRandom(random, 4);
  up.fillRandom(random);
  gate.set(0, -200);  // e^200 overflows fp32
  if (n > 1) gate.set(1, 200);
  if (n > 2) gate.set(2, -89);
  std::vector<double> exact;
  double bound = 1e-30;
  for (std::int64_t i = 0; i < n; ++i) {
    const double a = gate.get(i);
    exact.push_back(a / (1 + std::exp(-a)) * up.get(i));
    bound = std::max(bound, std::abs(exact.back()) * (unitOf(element) + 1e-6));
  }
  reference::siluMul(element, gate.data(), up.data(), plain.data(), n, kOneThread);
  siluMul(element, gate.data(), up.data(), y.data(), n, stream);
  EXPECT_LE(largestError(y, exact), bound);
  expectAsGoodAs(y, plain, exact);
  EXPECT_NEAR(y.get(0), exact[0], 1e-30) << "silu(-200) is 0 up to rounding";
  if (n == 1) return;
  EXPECT_NEAR(y.get(1), exact[1], std::abs(exact[1]) * (unitOf(element) + 1e-6)) << "silu(200) is 200";
}

inline void checkKvAppend(KvAppendFunction kvAppend, Element element, std::int64_t d, const Stream& stream) {
  constexpr std::int64_t kB = 3, kHkv = 2, kCapacity = 5;
  const std::int64_t positions[kB] = {0, 4, 2};
  std::mt19937 random(3);
  Array k(element, kB * kHkv * d, 2), v(element, kB * kHkv * d);
  Array kCache(element, kB * kHkv * kCapacity * d), vCache(element, kB * kHkv * kCapacity * d, 2);
  k.fillRandom(random);
  v.fillRandom(random);
  for (std::int64_t i = 0; i < kCache.size(); ++i) {
    kCache.set(i, 100);
    vCache.set(i, 100);
  }
  kvAppend(element, k.data(), v.data(), kCache.data(), vCache.data(), positions, kB, kHkv, kCapacity, d, stream);
  for (std::int64_t head = 0; head < kB * kHkv; ++head) {
    for (std::int64_t position = 0; position < kCapacity; ++position) {
      const bool written = position == positions[head / kHkv];
      for (std::int64_t i = 0; i < d; ++i) {
        const std::int64_t at = (head * kCapacity + position) * d + i;
        ASSERT_EQ(kCache.get(at), written ? k.get(head * d + i) : 100);
        ASSERT_EQ(vCache.get(at), written ? v.get(head * d + i) : 100);
      }
    }
  }
  EXPECT_TRUE(kCache.surroundingsUntouched());
  EXPECT_TRUE(vCache.surroundingsUntouched());
}

}  // namespace strata::kernels::testing
