#include "kernels/silu_mul_backward.h"

#include <cmath>

#include "kernels/elements.h"

namespace strata::kernels::reference {

void siluMulBackward(Element element, const void* gate, const void* up, const void* dy, void* dGate, void* dUp,
                     std::int64_t n, const Stream&) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    for (std::int64_t i = 0; i < n; ++i) {
      const float a = loadElement<T>(gate, i), b = loadElement<T>(up, i), gradient = loadElement<T>(dy, i);
      const float s = 1.0f / (1.0f + std::exp(-a));
      storeElement<T>(dGate, i, gradient * b * s * (1.0f + a * (1.0f - s)));
      storeElement<T>(dUp, i, gradient * a * s);
    }
  });
}

}  // namespace strata::kernels::reference
