#include "core/model/quantized_weight.h"

#include <ATen/ATen.h>

#include "core/model/threads.h"
#include "kernels/quantized_weights.h"

namespace strata {
namespace {

constexpr std::int64_t kInt8Group = 128, kInt4Group = 32;

kernels::WeightFormat formatOf(const Quantization& quantization) {
  return quantization.bits == 8 ? kernels::WeightFormat::int8 : kernels::WeightFormat::int4;
}

kernels::Element elementOf(at::ScalarType dtype) {
  TORCH_INTERNAL_ASSERT(dtype == at::kFloat || dtype == at::kBFloat16);
  return dtype == at::kFloat ? kernels::Element::f32 : kernels::Element::bf16;
}

}  // namespace

Result<Quantization> parseQuantization(const std::string& text) {
  if (text.empty()) return Quantization();
  for (const auto& [bits, group] : {std::pair(8, kInt8Group), std::pair(4, kInt4Group)}) {
    const std::string name = "int" + std::to_string(bits);
    if (text == name) return Quantization{bits, group};
    for (const std::int64_t other : {32, 64, 128}) {
      if (text == name + ":" + std::to_string(other)) return Quantization{bits, other};
    }
  }
  return fail(ErrorCode::usage,
              "The weights \"" + text +
                  "\" are unknown; give int8 or int4, or with the inputs that share a scale int4:32, :64 or :128.",
              "--weights");
}

std::string printQuantization(const Quantization& quantization) {
  if (quantization.bits == 0) return {};
  return "int" + std::to_string(quantization.bits) + ":" + std::to_string(quantization.group);
}

Quantization headQuantization(const Quantization& quantization) {
  return quantization.bits == 4 ? Quantization{8, kInt8Group} : quantization;
}

QuantizedWeight quantizeWeight(const at::Tensor& weight, const Quantization& as) {
  const at::Tensor from = weight.contiguous();
  const std::int64_t n = from.size(0), k = from.size(1);
  const kernels::WeightFormat format = formatOf(as);
  QuantizedWeight result;
  result.as = as;
  result.inputs = k;
  result.codes = at::empty({n, kernels::codeBytes(format, k, as.group)}, at::kByte);
  result.scales = at::empty({n, kernels::groupsOf(k, as.group)}, at::kBFloat16);
  std::vector<double> errors(static_cast<std::size_t>(2 * n));
  kernels::quantizeWeights(format, as.group, elementOf(from.scalar_type()), from.const_data_ptr(), n, k,
                           result.codes.mutable_data_ptr(), result.scales.mutable_data_ptr(), errors.data(),
                           poolStream());
  for (std::size_t row = 0; row < static_cast<std::size_t>(n); ++row) {
    result.squaredError += errors[2 * row];
    result.squaredNorm += errors[2 * row + 1];
  }
  return result;
}

at::Tensor dequantizeRows(const QuantizedWeight& weight, std::int64_t begin, std::int64_t count, at::ScalarType dtype) {
  if (!weight.codes.is_cpu()) return dequantizeByOperators(weight, begin, count, dtype);
  at::Tensor out = at::empty({count, weight.inputs}, dtype);
  const at::Tensor codes = weight.codes.narrow(0, begin, count), scales = weight.scales.narrow(0, begin, count);
  kernels::dequantizeWeights(formatOf(weight.as), weight.as.group, codes.const_data_ptr(), scales.const_data_ptr(),
                             count, weight.inputs, elementOf(dtype), out.mutable_data_ptr(), poolStream());
  return out;
}

at::Tensor dequantizeByOperators(const QuantizedWeight& weight, std::int64_t begin, std::int64_t count,
                                 at::ScalarType dtype) {
  const at::Tensor codes = weight.codes.narrow(0, begin, count);
  const at::Tensor scales = weight.scales.narrow(0, begin, count).to(at::kFloat).unsqueeze(2);  // [count, groups, 1]
  at::Tensor values;
  if (weight.as.bits == 8) {
    values = codes.view(at::kChar).to(at::kFloat);
  } else {  // the lower half of a byte first, both in two's complement
    const at::Tensor halves = at::stack({codes.bitwise_and(15), codes.bitwise_right_shift(4)}, 2);
    values = halves.bitwise_xor(8).to(at::kFloat).sub_(8);
  }
  return values.view({count, scales.size(1), weight.as.group})
      .mul_(scales)
      .view({count, scales.size(1) * weight.as.group})
      .narrow(1, 0, weight.inputs)
      .to(dtype)
      .contiguous();
}

}  // namespace strata
