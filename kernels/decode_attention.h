#pragma once
// Grouped-query attention of one new token per sequence over a KV cache. A follower passes its owner's cache.
// Work is split over (sequence, KV head) and over ranges of keys, whose partial results are merged by their
// log-sum-exp (flash-decoding); the ranges depend on the lengths alone, so the result does not depend on the threads.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

/// q, out [B, H, D]; kCache, vCache [B, Hkv, capacity, D]. Query head i reads KV head i / (H / Hkv) and the keys
/// 0 … lengths[b]-1; lengths[b] is in 1 … capacity (0 gives zeros). `scale` multiplies q·k.
void decodeAttention(Element element, const void* q, const void* kCache, const void* vCache,
                     const std::int64_t* lengths, float scale, void* out, std::int64_t b, std::int64_t h,
                     std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream& stream);

namespace reference {
void decodeAttention(Element element, const void* q, const void* kCache, const void* vCache,
                     const std::int64_t* lengths, float scale, void* out, std::int64_t b, std::int64_t h,
                     std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream& stream);
}

}  // namespace strata::kernels
