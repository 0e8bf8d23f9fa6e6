#pragma once
// Puts one token's keys and values of each sequence into an owner's cache.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

/// k, v [B, Hkv, D] go to kCache, vCache [B, Hkv, capacity, D] at positions[b], which is in 0 … capacity-1.
void kvAppend(Element element, const void* k, const void* v, void* kCache, void* vCache, const std::int64_t* positions,
              std::int64_t b, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream& stream);

namespace reference {
void kvAppend(Element element, const void* k, const void* v, void* kCache, void* vCache, const std::int64_t* positions,
              std::int64_t b, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream& stream);
}

}  // namespace strata::kernels
