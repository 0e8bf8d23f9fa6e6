#include "kernels/decode_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elements.h"

namespace strata::kernels::reference {

void decodeAttention(Element element, const void* q, const void* kCache, const void* vCache,
                     const std::int64_t* lengths, std::int64_t window, float scale, void* out, std::int64_t b,
                     std::int64_t h, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream&) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    for (std::int64_t sequence = 0; sequence < b; ++sequence) {
      const std::int64_t first = firstKeySeen(lengths[sequence], window);
      const std::int64_t length = lengths[sequence] - first;
      for (std::int64_t head = 0; head < h; ++head) {
        const std::int64_t query = (sequence * h + head) * d;
        const std::int64_t cache = ((sequence * hkv + head / (h / hkv)) * capacity + first) * d;
        std::vector<float> weights(static_cast<std::size_t>(length));
        float largest = -std::numeric_limits<float>::infinity();
        for (std::int64_t key = 0; key < length; ++key) {
          float score = 0;
          for (std::int64_t i = 0; i < d; ++i) {
            score += loadElement<T>(q, query + i) * loadElement<T>(kCache, cache + key * d + i);
          }
          weights[static_cast<std::size_t>(key)] = score * scale;
          largest = std::max(largest, score * scale);
        }
        float total = 0;
        for (float& weight : weights) {
          weight = std::exp(weight - largest);
          total += weight;
        }
        for (std::int64_t i = 0; i < d; ++i) {
          float sum = 0;
          for (std::int64_t key = 0; key < length; ++key) {
            sum += weights[static_cast<std::size_t>(key)] * loadElement<T>(vCache, cache + key * d + i);
          }
          storeElement<T>(out, query + i, length > 0 ? sum / total : 0.0f);
        }
      }
    }
  });
}

}  // namespace strata::kernels::reference
