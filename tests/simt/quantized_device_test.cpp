// The products of 8- and 4-bit matrices: compiled for the emulation (STRATA_SIMT) and for a GPU.

#include <gmock/gmock.h>

#include "device_functions.h"
#include "kernel_test.h"
#include "kernels/elements.h"

namespace strata::kernels::testing {
namespace {

struct QuantizedCase {
  std::int64_t rows, n, k;
  int bits, group;
  Element scaleElement, outElement;
  bool bias;
};

class QuantizedMatvec : public ::testing::TestWithParam<Element> {
 protected:
  void SetUp() override {
    if (!missingDevice().empty()) GTEST_SKIP() << missingDevice();
  }
#if defined(STRATA_SIMT)
  void TearDown() override {
    EXPECT_THAT(m_session.problems(), ::testing::IsEmpty());
  }
  simt::Session m_session{3};
#endif

  void check(const QuantizedCase& shape) const {
    const auto [rows, n, k, bits, group, scaleElement, outElement, bias] = shape;
    SCOPED_TRACE(std::to_string(rows) + " rows, N " + std::to_string(n) + ", K " + std::to_string(k) + ", " +
                 std::to_string(bits) + " bits, groups of " + std::to_string(group));
    const std::int64_t groups = (k + group - 1) / group, bytes = n * k * bits / 8;
    std::mt19937 random(static_cast<unsigned>(rows * 1000003 + n * 1009 + k + bits));
    Array x(GetParam(), rows * k), scales(scaleElement, n * groups), b(GetParam(), n), y(outElement, rows * n);
    Array plain(outElement, rows * n);
    x.fillRandom(random);
    b.fillRandom(random);
    scales.fillRandom(random, 0.1f);
    std::vector<int> integers;
    std::vector<std::uint8_t> stored(static_cast<std::size_t>(bytes));
    for (std::int64_t i = 0; i < n * k; ++i) {
      const int most = bits == 8 ? 128 : 8, value = static_cast<int>(random() % static_cast<unsigned>(2 * most)) - most;
      integers.push_back(value);
      if (bits == 8) {
        stored[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value);
      } else {
        stored[static_cast<std::size_t>(i / 2)] |= static_cast<std::uint8_t>((value + 8) << (i % 2 * 4));
      }
    }
    std::vector<double> exact;
    double bound = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t out = 0; out < n; ++out) {
        double sum = bias ? b.get(out) : 0, magnitude = std::abs(sum);
        float plainSum = 0;
        for (std::int64_t i = 0; i < k; ++i) {
          const float weight = scales.get(out * groups + i / group) *
                               static_cast<float>(integers[static_cast<std::size_t>(out * k + i)]);
          const double product = static_cast<double>(x.get(row * k + i)) * scales.get(out * groups + i / group) *
                                 integers[static_cast<std::size_t>(out * k + i)];
          plainSum += x.get(row * k + i) * weight;
          sum += product;
          magnitude += std::abs(product);
        }
        if (bias) plainSum += b.get(out);
        plain.set(row * n + out, plainSum);
        exact.push_back(sum);
        bound = std::max(bound, static_cast<double>(k + 3) * 6.0e-8 * magnitude + unitOf(outElement) * std::abs(sum));
      }
    }
    const Memory xThere(x.data(), rows * k * elementBytes(GetParam()));
    const Memory scalesThere(scales.data(), n * groups * elementBytes(scaleElement));
    const Memory biasThere(b.data(), n * elementBytes(GetParam()));
    const Memory yThere(y.data(), rows * n * elementBytes(outElement)), weightThere(stored.data(), bytes);
    cuda::QuantizedTarget target;
    target.weight = weightThere.data();
    target.scales = scalesThere.data();
    target.bias = bias ? biasThere.data() : nullptr;
    target.y = yThere.data();
    target.n = n;
    ASSERT_EQ(STRATA_ENTRY(strata_cuda_quantized_matvec)(entryElement(GetParam()), entryElement(outElement), bits,
                                                         group, entryElement(scaleElement), xThere.data(), rows, k,
                                                         &target, 1, nullptr),
              0);
    yThere.copyBack(y.data());
    EXPECT_LE(largestError(y, exact), bound);
    expectAsGoodAs(y, plain, exact);
  }
};

TEST_P(QuantizedMatvec, IsAsExactAsThePlainComputationForEveryShape) {
  for (const int bits : {8, 4}) {
    for (const int group : {32, 64, 128}) {
      for (std::int64_t rows = 1; rows <= 8; ++rows) {
        const Element scaleElement = rows % 2 == 0 ? Element::f32 : Element::bf16;
        check({rows, 7, 32 * rows, bits, group, scaleElement, GetParam(), rows % 3 == 0});
      }
      check({1, 20, 768, bits, group, Element::f32, Element::f32, false});
      check({3, 9, 1056, bits, group, Element::bf16, GetParam(), true});  // K is not a multiple of the group
    }
  }
}

TEST_P(QuantizedMatvec, RefusesWhatItCannotDo) {
  alignas(16) char data[64] = {};
  cuda::QuantizedTarget target;
  target.weight = target.scales = data;
  target.y = data;
  target.n = 1;
  const auto call = [&](int bits, int group, std::int64_t k, std::int64_t rows, const void* x) {
    return STRATA_ENTRY(strata_cuda_quantized_matvec)(0, 0, bits, group, 0, x, rows, k, &target, 1, nullptr);
  };
  EXPECT_EQ(call(5, 32, 32, 1, data), 1);
  EXPECT_EQ(call(8, 48, 32, 1, data), 1);
  EXPECT_EQ(call(8, 32, 40, 1, data), 1);
  EXPECT_EQ(call(8, 32, 32, 9, data), 1);
  EXPECT_EQ(call(8, 32, 32, 1, data + 4), 1);
}

INSTANTIATE_TEST_SUITE_P(, QuantizedMatvec, ::testing::Values(Element::f32, Element::bf16),
                         [](const auto& info) { return info.param == Element::f32 ? "F32" : "Bf16"; });

}  // namespace
}  // namespace strata::kernels::testing
