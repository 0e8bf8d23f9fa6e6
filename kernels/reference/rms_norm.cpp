#include "kernels/rms_norm.h"

#include <cmath>

#include "kernels/elements.h"

namespace strata::kernels::reference {

void rmsNorm(Element element, const void* x, const void* weight, float eps, void* y, std::int64_t rows, std::int64_t c,
             const Stream&) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    for (std::int64_t row = 0; row < rows; ++row) {
      float squares = 0;
      for (std::int64_t i = 0; i < c; ++i) {
        const float value = loadElement<T>(x, row * c + i);
        squares += value * value;
      }
      const float factor = 1.0f / std::sqrt(squares / static_cast<float>(c) + eps);
      for (std::int64_t i = 0; i < c; ++i) {
        storeElement<T>(y, row * c + i, loadElement<T>(x, row * c + i) * factor * loadElement<T>(weight, i));
      }
    }
  });
}

void addRmsNorm(Element element, void* x, const void* delta, const void* weight, float eps, void* y, std::int64_t rows,
                std::int64_t c, const Stream& stream) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    for (std::int64_t i = 0; i < rows * c; ++i) {
      storeElement<T>(x, i, loadElement<T>(x, i) + loadElement<T>(delta, i));
    }
  });
  reference::rmsNorm(element, x, weight, eps, y, rows, c, stream);
}

}  // namespace strata::kernels::reference
