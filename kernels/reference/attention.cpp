#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elements.h"

namespace strata::kernels::reference {
namespace {

/// One sequence's heads, as arrays of fp32.
template <class T>
struct Reader {
  const AttentionShape& shape;
  float operator()(const void* tensor, std::int64_t heads, std::int64_t b, std::int64_t t, std::int64_t head,
                   std::int64_t i) const {
    return loadElement<T>(tensor, ((b * shape.t + t) * heads + head) * shape.d + i);
  }
};

/// Where element 0 of a key or value lies.
std::int64_t keyAt(const AttentionShape& shape, std::int64_t b, std::int64_t key, std::int64_t kvHead) {
  if (shape.capacity > 0) return ((b * shape.hkv + kvHead) * shape.capacity + key) * shape.d;
  return ((b * shape.keys() + key) * shape.hkv + kvHead) * shape.d;
}

template <class T>
float rounded(float value) {
  return toFloat(fromFloat<T>(value));
}

}  // namespace

void attention(Element element, const void* q, const void* k, const void* v, const std::int32_t* first, float scale,
               void* out, float* lse, const AttentionShape& shape, const Stream&) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    const Reader<T> read{shape};
    std::vector<float> scores(static_cast<std::size_t>(shape.keys()));
    for (std::int64_t task = 0; task < shape.b * shape.h * shape.t; ++task) {
      const std::int64_t b = task / shape.t / shape.h, head = task / shape.t % shape.h, t = task % shape.t;
      const std::int64_t kvHead = head / (shape.h / shape.hkv), begin = first == nullptr ? 0 : first[b * shape.t + t];
      float most = -std::numeric_limits<float>::infinity(), sum = 0;
      for (std::int64_t key = begin; key <= shape.offset + t; ++key) {
        float score = 0;
        for (std::int64_t i = 0; i < shape.d; ++i) {
          score += read(q, shape.h, b, t, head, i) * loadElement<T>(k, keyAt(shape, b, key, kvHead) + i);
        }
        scores[static_cast<std::size_t>(key)] = score * scale;
        most = std::max(most, score * scale);
      }
      for (std::int64_t key = begin; key <= shape.offset + t; ++key) {
        float& p = scores[static_cast<std::size_t>(key)];
        p = std::exp(p - most);
        sum += p;
      }
      for (std::int64_t i = 0; i < shape.d; ++i) {
        float value = 0;
        for (std::int64_t key = begin; key <= shape.offset + t; ++key) {
          value +=
              rounded<T>(scores[static_cast<std::size_t>(key)]) * loadElement<T>(v, keyAt(shape, b, key, kvHead) + i);
        }
        storeElement<T>(out, ((b * shape.t + t) * shape.h + head) * shape.d + i, value / sum);
      }
      if (lse != nullptr) lse[(b * shape.h + head) * shape.t + t] = most + std::log(sum);
    }
  });
}

void attentionBackward(Element element, const void* q, const void* k, const void* v, const std::int32_t* first,
                       float scale, const AttentionResult& result, const AttentionGradients& gradients,
                       const AttentionShape& shape, const Stream&) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    const Reader<T> read{shape};
    const auto size = static_cast<std::size_t>(shape.b * shape.t * shape.hkv * shape.d);
    std::vector<float> dk(size), dv(size), dq(static_cast<std::size_t>(shape.d));
    for (std::int64_t task = 0; task < shape.b * shape.h * shape.t; ++task) {
      const std::int64_t b = task / shape.t / shape.h, head = task / shape.t % shape.h, t = task % shape.t;
      const std::int64_t kvHead = head / (shape.h / shape.hkv), begin = first == nullptr ? 0 : first[b * shape.t + t];
      std::fill(dq.begin(), dq.end(), 0.0f);
      float delta = 0;
      for (std::int64_t i = 0; i < shape.d; ++i) {
        delta += read(result.out, shape.h, b, t, head, i) * read(result.dOut, shape.h, b, t, head, i);
      }
      for (std::int64_t key = begin; key <= t; ++key) {
        float score = 0, dp = 0;
        for (std::int64_t i = 0; i < shape.d; ++i) {
          score += read(q, shape.h, b, t, head, i) * read(k, shape.hkv, b, key, kvHead, i);
          dp += read(result.dOut, shape.h, b, t, head, i) * read(v, shape.hkv, b, key, kvHead, i);
        }
        const float p = std::exp(score * scale - result.lse[(b * shape.h + head) * shape.t + t]);
        const float ds = rounded<T>(p * (dp - delta) * scale);
        const auto at = static_cast<std::size_t>(((b * shape.t + key) * shape.hkv + kvHead) * shape.d);
        for (std::int64_t i = 0; i < shape.d; ++i) {
          const auto index = static_cast<std::size_t>(i);
          dq[index] += ds * read(k, shape.hkv, b, key, kvHead, i);
          dk[at + index] += ds * read(q, shape.h, b, t, head, i);
          dv[at + index] += rounded<T>(p) * read(result.dOut, shape.h, b, t, head, i);
        }
      }
      for (std::int64_t i = 0; i < shape.d; ++i) {
        storeElement<T>(gradients.dq, ((b * shape.t + t) * shape.h + head) * shape.d + i,
                        dq[static_cast<std::size_t>(i)]);
      }
    }
    for (std::size_t i = 0; i < size; ++i) {
      storeElement<T>(gradients.dk, static_cast<std::int64_t>(i), dk[i]);
      storeElement<T>(gradients.dv, static_cast<std::int64_t>(i), dv[i]);
    }
  });
}

}  // namespace strata::kernels::reference
