#pragma once
// Causal grouped-query attention of whole sequences, and its gradient: what training runs. A follower passes its
// owner's keys and values. Rows of scores are whole, so the softmax is exact; the gradient recomputes them from the
// stored log-sum-exp (Dao et al., arXiv 2205.14135). Work is split over (sequence, KV head), so the result does not
// depend on the threads.
//
// Query t reads the keys first[t] … t: packed rows and sliding windows are such ranges. Where the element is bf16, the
// probabilities and their gradients are rounded to it before they meet values, keys and queries.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

struct AttentionShape {
  std::int64_t b, t, h, hkv, d;  // query head i reads KV head i / (h / hkv)
};

/// q, out [B, T, H, D]; k, v [B, T, Hkv, D]; first [B, T] in 0 … t, or null: 0 everywhere; `scale` over 0 multiplies
/// q·k. lse [B, H, T]: the logarithm of the sum of e^(scale q·k).
void attention(Element element, const void* q, const void* k, const void* v, const std::int32_t* first, float scale,
               void* out, float* lse, const AttentionShape& shape, const Stream& stream);

/// What attention() wrote, and the gradient of its out.
struct AttentionResult {
  const void* out;   // [B, T, H, D]
  const float* lse;  // [B, H, T]
  const void* dOut;  // [B, T, H, D]
};
struct AttentionGradients {
  void* dq;  // [B, T, H, D]
  void* dk;  // [B, T, Hkv, D]
  void* dv;  // [B, T, Hkv, D]
};
void attentionBackward(Element element, const void* q, const void* k, const void* v, const std::int32_t* first,
                       float scale, const AttentionResult& result, const AttentionGradients& gradients,
                       const AttentionShape& shape, const Stream& stream);

namespace reference {
void attention(Element element, const void* q, const void* k, const void* v, const std::int32_t* first, float scale,
               void* out, float* lse, const AttentionShape& shape, const Stream& stream);
void attentionBackward(Element element, const void* q, const void* k, const void* v, const std::int32_t* first,
                       float scale, const AttentionResult& result, const AttentionGradients& gradients,
                       const AttentionShape& shape, const Stream& stream);
}  // namespace reference

}  // namespace strata::kernels
