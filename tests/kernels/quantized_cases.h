#pragma once
// The body of the test of matvec with quantised weights, for the CPU's versions, the emulated device and a real one.

#include "kernel_test.h"
#include "kernels/matvec.h"
#include "kernels/quantized_weights.h"
#include "matvec_cases.h"

namespace strata::kernels::testing {

/// A matrix of codes and scales, each in an array that ends at an unreadable page.
class QuantizedMatrix {
 public:
  QuantizedMatrix(WeightFormat format, std::int64_t group, std::int64_t n, std::int64_t k)
      : m_format(format),
        m_group(group),
        m_n(n),
        m_k(k),
        // The arrays' elements are bf16: two bytes. A row has an even number of them.
        m_codes(Element::bf16, n * codeBytes(format, k, group) / 2),
        m_scales(Element::bf16, n * groupsOf(k, group)),
        m_errors(static_cast<std::size_t>(2 * n)) {}

  void quantize(const Array& weight) {
    quantizeWeights(m_format, m_group, weight.element(), weight.data(), m_n, m_k, m_codes.data(), m_scales.data(),
                    m_errors.data(), kThreeThreads);
  }
  MatvecTarget target(void* y) const {
    MatvecTarget target;
    target.weight = m_codes.data();
    target.y = y;
    target.n = m_n;
    target.format = m_format;
    target.scales = m_scales.data();
    target.group = m_group;
    return target;
  }
  double at(std::int64_t n, std::int64_t i) const {
    const char* row = static_cast<const char*>(m_codes.data()) + n * codeBytes(m_format, m_k, m_group);
    return static_cast<double>(reference::codeOf(m_format, row, i)) *
           static_cast<double>(m_scales.get(n * groupsOf(m_k, m_group) + i / m_group));
  }
  const Array& codes() const { return m_codes; }
  const Array& scales() const { return m_scales; }
  const std::vector<double>& errors() const { return m_errors; }

 private:
  WeightFormat m_format;
  std::int64_t m_group, m_n, m_k;
  Array m_codes, m_scales;
  std::vector<double> m_errors;
};

constexpr WeightFormat kFormats[] = {WeightFormat::int8, WeightFormat::int4};
constexpr std::int64_t kGroups[] = {32, 64, 128};

/// A product with quantised weights against fp64 over the very weights that codes and scales stand for.
inline void checkQuantizedMatvec(MatvecFunction matvec, Element element, WeightFormat format, std::int64_t group,
                                 std::int64_t rows, std::int64_t n, std::int64_t k, const Stream& stream) {
  SCOPED_TRACE("format " + std::to_string(static_cast<int>(format)) + " group " + std::to_string(group) + ", " +
               std::to_string(rows) + " rows, N " + std::to_string(n) + ", K " + std::to_string(k));
  std::mt19937 random(static_cast<unsigned>(rows * 1000003 + n * 1009 + k));
  Array x(element, rows * k), weight(element, n * k), bias(element, n);
  Array y(element, rows * n), plain(element, rows * n);
  for (Array* each : {&x, &weight, &bias}) each->fillRandom(random);
  QuantizedMatrix matrix(format, group, n, k);
  matrix.quantize(weight);
  MatvecTarget target = matrix.target(y.data());
  target.bias = bias.data();
  matvec(element, element, x.data(), rows, k, &target, 1, stream);
  target.y = plain.data();
  reference::matvec(element, element, x.data(), rows, k, &target, 1, kOneThread);
  std::vector<double> exact;
  double bound = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t out = 0; out < n; ++out) {
      double sum = bias.get(out), magnitude = std::abs(sum);
      for (std::int64_t i = 0; i < k; ++i) {
        const double product = static_cast<double>(x.get(row * k + i)) * matrix.at(out, i);
        sum += product;
        magnitude += std::abs(product);
      }
      exact.push_back(sum);
      // Twice: the halves of an 8-bit code may be multiplied one by one.
      bound = std::max(bound, static_cast<double>(2 * k + 4) * 6.0e-8 * magnitude + unitOf(element) * std::abs(sum));
    }
  }
  EXPECT_LE(largestError(y, exact), bound);
  expectAsGoodAs(y, plain, exact);
}

}  // namespace strata::kernels::testing
