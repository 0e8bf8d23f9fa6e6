#pragma once
// y = x Wᵀ + b for the few rows of a decoding step, several matrices over the same x at once (q, k, v; gate, up).
// Reading W is all the time it takes, so each thread reads its own contiguous part of the matrices once.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

struct MatvecTarget {
  const void* weight = nullptr;  // [N, K], in `element`
  const void* bias = nullptr;    // [N] or nullptr, in `element`
  void* y = nullptr;             // [rows, N], in `outElement`
  std::int64_t n = 0;
};

/// x [rows, K] in `element`. Any rows, N, K and alignment. A sum's order does not depend on the number of threads.
void matvec(Element element, Element outElement, const void* x, std::int64_t rows, std::int64_t k,
            const MatvecTarget* targets, int targetCount, const Stream& stream);

namespace reference {
void matvec(Element element, Element outElement, const void* x, std::int64_t rows, std::int64_t k,
            const MatvecTarget* targets, int targetCount, const Stream& stream);
}

}  // namespace strata::kernels
