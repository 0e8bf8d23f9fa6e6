#include "kernels/matvec.h"

#include "kernels/elements.h"

namespace strata::kernels::reference {

void matvec(Element element, Element outElement, const void* x, std::int64_t rows, std::int64_t k,
            const MatvecTarget* targets, int targetCount, const Stream&) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    for (int t = 0; t < targetCount; ++t) {
      const MatvecTarget& target = targets[t];
      const auto weightAt = [&](std::int64_t n, std::int64_t i) {
        if (target.format == WeightFormat::plain) return loadElement<T>(target.weight, n * k + i);
        const char* codes = static_cast<const char*>(target.weight) + n * codeBytes(target.format, k, target.group);
        return static_cast<float>(codeOf(target.format, codes, i)) *
               loadElement<Bfloat16>(target.scales, n * groupsOf(k, target.group) + i / target.group);
      };
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t n = 0; n < target.n; ++n) {
          float sum = 0;
          for (std::int64_t i = 0; i < k; ++i) {
            sum += loadElement<T>(x, row * k + i) * weightAt(n, i);
          }
          if (target.bias != nullptr) sum += loadElement<T>(target.bias, n);
          storeElement(outElement, target.y, row * target.n + n, sum);
        }
      }
    }
  });
}

}  // namespace strata::kernels::reference
