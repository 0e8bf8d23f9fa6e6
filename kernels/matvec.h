#pragma once
// y = x Wᵀ + b for the few rows of a decoding step, several matrices over the same x at once (q, k, v; gate, up).
// Reading W is all the time it takes, so each thread reads its own contiguous part of the matrices once.

#include <cstddef>
#include <cstdint>

#include "kernels/quantized_weights.h"
#include "kernels/stream.h"

namespace strata::kernels {

struct MatvecTarget {
  const void* weight = nullptr;  // [N, K], in `element`; of another format than plain: the codes
  const void* bias = nullptr;    // [N] or nullptr, in `element`
  void* y = nullptr;             // [rows, N], in `outElement`
  std::int64_t n = 0;
  WeightFormat format = WeightFormat::plain;
  const void* scales = nullptr;  // bf16 [N, groups]
  std::int64_t group = 0;        // 32, 64 or 128
};

/// x [rows, K] in `element`. Any rows, N, K and alignment. A sum's order does not depend on the number of threads.
void matvec(Element element, Element outElement, const void* x, std::int64_t rows, std::int64_t k,
            const MatvecTarget* targets, int targetCount, const Stream& stream);

/// How many bytes ahead of their use the weights of a product with one row are asked for, from here on in this process;
/// 0: left to the processor. Changes no result.
void setMatvecPrefetch(std::size_t bytes);
constexpr std::size_t kMatvecPrefetch = 4096;  // until it is set

namespace reference {
void matvec(Element element, Element outElement, const void* x, std::int64_t rows, std::int64_t k,
            const MatvecTarget* targets, int targetCount, const Stream& stream);
}

}  // namespace strata::kernels
