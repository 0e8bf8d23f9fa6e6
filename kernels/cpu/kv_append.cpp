#include "kernels/kv_append.h"

#include "kernels/elements.h"

namespace strata::kernels {

void kvAppend(Element element, const void* k, const void* v, void* kCache, void* vCache, const std::int64_t* positions,
              std::int64_t b, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream&) {
  // A few kilobytes: not worth waking threads.
  const auto bytes = static_cast<std::size_t>(d * elementBytes(element));
  for (std::int64_t head = 0; head < b * hkv; ++head) {
    const std::int64_t to = (head * capacity + positions[head / hkv]) * d;
    std::memcpy(at(element, kCache, to), at(element, k, head * d), bytes);
    std::memcpy(at(element, vCache, to), at(element, v, head * d), bytes);
  }
}

}  // namespace strata::kernels
