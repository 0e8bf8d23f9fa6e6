#include "kernels/kv_append.h"

#include "kernels/elements.h"

namespace strata::kernels::reference {

void kvAppend(Element element, const void* k, const void* v, void* kCache, void* vCache, const std::int64_t* positions,
              std::int64_t b, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream&) {
  const auto bytes = static_cast<std::size_t>(elementBytes(element));
  for (std::int64_t sequence = 0; sequence < b; ++sequence) {
    for (std::int64_t head = 0; head < hkv; ++head) {
      for (std::int64_t i = 0; i < d; ++i) {
        const std::int64_t from = (sequence * hkv + head) * d + i;
        const std::int64_t to = ((sequence * hkv + head) * capacity + positions[sequence]) * d + i;
        std::memcpy(at(element, kCache, to), at(element, k, from), bytes);
        std::memcpy(at(element, vCache, to), at(element, v, from), bytes);
      }
    }
  }
}

}  // namespace strata::kernels::reference
