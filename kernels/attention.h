#pragma once
// Causal grouped-query attention of many queries, and its gradient: what training and the prefill run. A follower
// passes its owner's keys and values. The softmax is taken over 1,024 keys at a time, with the sums of the blocks
// before rescaled to the highest score so far; the gradient recomputes the scores from the stored log-sum-exp (Dao et
// al., arXiv 2205.14135). Work is split over (sequence, KV head) and blocks of queries; what is summed in which order
// depends on the shape alone, so the result does not depend on the threads.
//
// Query t reads the keys first[t] … offset + t: packed rows and sliding windows are such ranges. Where the element is
// bf16, the probabilities and their gradients are rounded to it before they meet values, keys and queries.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

struct AttentionShape {
  std::int64_t b, t, h, hkv, d;  // query head i reads KV head i / (h / hkv)
  std::int64_t offset = 0;       // position of the first query: there are offset + t keys
  std::int64_t capacity = 0;     // over 0: k and v are a cache [B, Hkv, capacity, D]
  std::int64_t keys() const { return offset + t; }
};

/// q, out [B, T, H, D]; k, v [B, offset + T, Hkv, D] or a cache; first [B, T] in 0 … offset + t, or null: 0 everywhere;
/// `scale` over 0 multiplies q·k. lse [B, H, T], or null: the logarithm of the sum of e^(scale q·k).
void attention(Element element, const void* q, const void* k, const void* v, const std::int32_t* first, float scale,
               void* out, float* lse, const AttentionShape& shape, const Stream& stream);

/// What attention() wrote (with neither offset nor capacity), and the gradient of its out.
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
