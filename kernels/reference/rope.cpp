#include "kernels/rope.h"

#include "kernels/elements.h"

namespace strata::kernels::reference {

void rope(Element element, void* x, const float* cos, const float* sin, std::int64_t rows, std::int64_t heads,
          std::int64_t d, const Stream&) {
  const std::int64_t half = d / 2;
  withElement(element, [&](auto type) {
    using T = decltype(type);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t head = 0; head < heads; ++head) {
        const std::int64_t start = (row * heads + head) * d;
        for (std::int64_t i = 0; i < half; ++i) {
          const float c = cos[row * half + i];
          const float s = sin[row * half + i];
          const float first = loadElement<T>(x, start + i);
          const float second = loadElement<T>(x, start + half + i);
          storeElement<T>(x, start + i, first * c - second * s);
          storeElement<T>(x, start + half + i, second * c + first * s);
        }
      }
    }
  });
}

}  // namespace strata::kernels::reference
