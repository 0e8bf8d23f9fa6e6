#include "kernels/silu_mul.h"

#include <cmath>

#include "kernels/elements.h"

namespace strata::kernels::reference {

void siluMul(Element element, const void* gate, const void* up, void* y, std::int64_t n, const Stream&) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    for (std::int64_t i = 0; i < n; ++i) {
      const float a = loadElement<T>(gate, i);
      storeElement<T>(y, i, a / (1.0f + std::exp(-a)) * loadElement<T>(up, i));
    }
  });
}

}  // namespace strata::kernels::reference
