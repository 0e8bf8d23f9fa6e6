#pragma once
// A matrix of weights in 8 or 4 bits beside the scales of its groups; the layout is that of
// kernels/quantized_weights.h.
//
//   STRATA_TRY(const Quantization as, parseQuantization("int4:64"));
//   const QuantizedWeight weight = quantizeWeight(linear.weight, as);

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "core/base/error.h"

namespace strata {

/// How weights are kept; bits 0: as they are stored.
struct Quantization {
  int bits = 0;
  std::int64_t group = 0;
  bool operator==(const Quantization&) const = default;
};

/// "", "int8", "int4", or with the inputs that share a scale: "int8:32", "int4:128".
Result<Quantization> parseQuantization(const std::string& text);
std::string printQuantization(const Quantization& quantization);

/// Of `quantization`, what the head is kept in: never less than 8 bits, for its errors go to the logits as they are.
Quantization headQuantization(const Quantization& quantization);

struct QuantizedWeight {
  at::Tensor codes;   // bytes [N, bytes of a row]
  at::Tensor scales;  // BF16 [N, groups]
  Quantization as;
  std::int64_t inputs = 0;                   // K
  double squaredError = 0, squaredNorm = 0;  // beside the weights that it was made of, and theirs

  std::int64_t outputs() const { return codes.size(0); }
  std::int64_t bytes() const { return static_cast<std::int64_t>(codes.nbytes() + scales.nbytes()); }
};

/// Of weight [N, K], F32 or BF16, on the CPU. Not finite weights give a squaredError that is not finite.
QuantizedWeight quantizeWeight(const at::Tensor& weight, const Quantization& as);
/// The rows begin … begin+count-1 in `dtype` (F32 or BF16): [count, K].
at::Tensor dequantizeRows(const QuantizedWeight& weight, std::int64_t begin, std::int64_t count, at::ScalarType dtype);
/// The same by LibTorch's operators: what dequantizeRows() does on a GPU.
at::Tensor dequantizeByOperators(const QuantizedWeight& weight, std::int64_t begin, std::int64_t count,
                                 at::ScalarType dtype);

}  // namespace strata
