#include "kernels/gemm.h"

#include "kernels/elements.h"

namespace strata::kernels::reference {

void gemm(Element element, Element outElement, std::int64_t rows, const GemmInput* inputs, int,
          const GemmTarget* targets, int targetCount, const Stream&) {
  const auto value = [&](Element stored, const void* data, std::int64_t at) {
    const float wide = withElement(stored, [&](auto type) { return loadElement<decltype(type)>(data, at); });
    return element == Element::bf16 ? toFloat(fromFloat<Bfloat16>(wide)) : wide;
  };
  const auto place = [](std::int64_t stride, bool transposed, std::int64_t i, std::int64_t s) {
    return transposed ? s * stride + i : i * stride + s;
  };
  for (int t = 0; t < targetCount; ++t) {
    const GemmTarget& target = targets[t];
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < target.n; ++j) {
        float sum = 0;
        for (int f = 0; f < target.factorCount; ++f) {
          const GemmFactor& factor = target.factors[f];
          const GemmInput& input = inputs[factor.input];
          for (std::int64_t s = 0; s < input.k; ++s) {
            sum += value(element, input.data, place(input.stride, input.transposed, i, s)) *
                   value(element == Element::f32 ? element : factor.element, factor.data,
                         place(factor.stride, factor.transposed, j, s));
          }
        }
        if (target.bias != nullptr) sum += value(element, target.bias, j);
        const std::int64_t at = i * target.n + j;
        if (target.adds) {
          sum += withElement(outElement, [&](auto type) { return loadElement<decltype(type)>(target.y, at); });
        }
        storeElement(outElement, target.y, at, sum);
      }
    }
  }
}

}  // namespace strata::kernels::reference
