#pragma once
// One, two and three threads with uneven parts: what a kernel writes must be the same bits under each of them.

#include <cstring>

#include "kernel_test.h"

namespace strata::kernels::testing {

inline void lopsidedParallelFor(std::int64_t tasks, std::int64_t, Stream::Body body, void* context) {
  const std::int64_t first = tasks * 2 / 7;
  std::thread other([&] {
    if (first > 0) body(context, 0, first);
  });
  if (tasks > first) body(context, first, tasks);
  other.join();
}

constexpr Stream kTwoThreads{&lopsidedParallelFor, nullptr, 2};
constexpr Stream kSplits[] = {kOneThread, kTwoThreads, kThreeThreads};

inline bool sameBits(const Array& a, const Array& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size() * elementBytes(a.element()))) == 0;
}

}  // namespace strata::kernels::testing
