#include "kernels/softmax_cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/elements.h"

namespace strata::kernels::reference {

void softmaxCrossEntropy(Element element, void* logits, const std::int64_t* targets, float scale, float* losses,
                         std::int64_t rows, std::int64_t vocab, const Stream&) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  withElement(element, [&](auto type) {
    using T = decltype(type);
    for (std::int64_t row = 0; row < rows; ++row) {
      void* const values = at(element, logits, row * vocab);
      const bool inRange = targets[row] >= 0 && targets[row] < vocab;
      float most = -std::numeric_limits<float>::infinity();
      for (std::int64_t i = 0; i < vocab; ++i) most = std::max(most, loadElement<T>(values, i));
      float sum = 0;
      for (std::int64_t i = 0; i < vocab; ++i) sum += std::exp(loadElement<T>(values, i) - most);
      losses[row] = inRange ? std::log(sum) + (most - loadElement<T>(values, targets[row])) : kNaN;
      for (std::int64_t i = 0; i < vocab; ++i) {
        const float probability = inRange ? std::exp(loadElement<T>(values, i) - most) / sum : kNaN;
        storeElement<T>(values, i, (probability - (i == targets[row] ? 1.0f : 0.0f)) * scale);
      }
    }
  });
}

}  // namespace strata::kernels::reference
