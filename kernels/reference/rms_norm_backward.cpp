#include "kernels/rms_norm_backward.h"

#include <algorithm>
#include <cmath>

#include "kernels/elements.h"

namespace strata::kernels::reference {

void rmsNormBackward(Element element, const void* x, const float* weight, const void* dy, float eps, void* dx,
                     float* dWeight, std::int64_t rows, std::int64_t c, const Stream&) {
  if (dWeight != nullptr) std::fill_n(dWeight, c, 0.0f);
  withElement(element, [&](auto type) {
    using T = decltype(type);
    for (std::int64_t row = 0; row < rows; ++row) {
      float squares = 0, product = 0;
      for (std::int64_t i = 0; i < c; ++i) {
        const float value = loadElement<T>(x, row * c + i);
        squares += value * value;
        product += loadElement<T>(dy, row * c + i) * weight[i] * value;
      }
      const float factor = 1.0f / std::sqrt(squares / static_cast<float>(c) + eps);
      const float along = factor * factor * (product / static_cast<float>(c));
      for (std::int64_t i = 0; i < c; ++i) {
        const float value = loadElement<T>(x, row * c + i), gradient = loadElement<T>(dy, row * c + i);
        if (dWeight != nullptr) dWeight[i] += gradient * value * factor;
        storeElement<T>(dx, row * c + i, factor * (gradient * weight[i] - value * along));
      }
    }
  });
}

}  // namespace strata::kernels::reference
