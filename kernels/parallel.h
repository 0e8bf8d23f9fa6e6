#pragma once
// forEachPart(stream, tasks, grain, body): body(begin, end) over disjoint parts of 0 … tasks-1 on the stream's threads.

#include <cstdint>
#include <type_traits>

#include "kernels/stream.h"

namespace strata::kernels {

template <class Body>
void forEachPart(const Stream& stream, std::int64_t tasks, std::int64_t grain, Body&& body) {
  if (tasks <= 0) return;
  if (stream.parallelFor == nullptr) {
    body(std::int64_t{0}, tasks);
    return;
  }
  using Plain = std::remove_reference_t<Body>;
  stream.parallelFor(
      tasks, grain,
      [](void* context, std::int64_t begin, std::int64_t end) { (*static_cast<Plain*>(context))(begin, end); }, &body);
}

/// Tasks that together move about `bytes`: fewer are not worth waking a thread for.
inline std::int64_t grainOf(std::int64_t bytesPerTask, std::int64_t bytes = 64 * 1024) {
  return bytesPerTask >= bytes ? 1 : bytes / (bytesPerTask > 0 ? bytesPerTask : 1);
}

}  // namespace strata::kernels
