#include "kernels/quantized_weights.h"

#include "kernels/elements.h"

namespace strata::kernels::reference {

int codeOf(WeightFormat format, const void* rowCodes, std::int64_t i) {
  const auto* bytes = static_cast<const std::int8_t*>(rowCodes);
  if (format == WeightFormat::int8) return bytes[i];
  const int both = static_cast<std::uint8_t>(bytes[i / 2]), half = i % 2 == 0 ? both & 15 : both >> 4;
  return half < 8 ? half : half - 16;
}

void dequantizeWeights(WeightFormat format, std::int64_t group, const void* codes, const void* scales, std::int64_t n,
                       std::int64_t k, Element element, void* out, const Stream&) {
  const std::int64_t groups = groupsOf(k, group);
  for (std::int64_t row = 0; row < n; ++row) {
    const char* rowCodes = static_cast<const char*>(codes) + row * codeBytes(format, k, group);
    for (std::int64_t i = 0; i < k; ++i) {
      const float scale = loadElement<Bfloat16>(scales, row * groups + i / group);
      storeElement(element, out, row * k + i, static_cast<float>(codeOf(format, rowCodes, i)) * scale);
    }
  }
}

}  // namespace strata::kernels::reference
