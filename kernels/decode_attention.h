#pragma once
// Grouped-query attention of one new token per sequence over a KV cache. A follower passes its owner's cache.
// Work is split over (sequence, KV head) and over ranges of keys, whose partial results are merged by their
// log-sum-exp (flash-decoding); the ranges depend on the lengths alone, so the result does not depend on the threads.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

/// q, out [B, H, D]; kCache, vCache [B, Hkv, capacity, D]. Query head i reads KV head i / (H / Hkv) and the keys
/// 0 … lengths[b]-1, or with a window over 0 the last `window` of them (sliding-window attention, Beltagy et al., arXiv
/// 2004.05150); lengths[b] is in 1 … capacity (0 gives zeros). `scale` multiplies q·k.
void decodeAttention(Element element, const void* q, const void* kCache, const void* vCache,
                     const std::int64_t* lengths, std::int64_t window, float scale, void* out, std::int64_t b,
                     std::int64_t h, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream& stream);

/// The first key that a query at the end of `length` keys sees.
constexpr std::int64_t firstKeySeen(std::int64_t length, std::int64_t window) {
  return window > 0 && window < length ? length - window : 0;
}

namespace reference {
void decodeAttention(Element element, const void* q, const void* kCache, const void* vCache,
                     const std::int64_t* lengths, std::int64_t window, float scale, void* out, std::int64_t b,
                     std::int64_t h, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream& stream);
}

}  // namespace strata::kernels
