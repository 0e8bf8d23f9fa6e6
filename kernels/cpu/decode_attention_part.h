#pragma once
// How decode attention is cut into tasks, and where their partial results lie.

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/matvec_part.h"
#include "kernels/decode_attention.h"
#include "kernels/elements.h"
#include "kernels/stream.h"

namespace strata::kernels::cpu {

constexpr std::size_t kMaxHeadsAtOnce = 8;  // query heads of one task; a larger group is several tasks

/// One task: some query heads of one KV head over the keys begin … end-1 of one sequence.
struct KeyRange {
  std::size_t sequence = 0, kvHead = 0;
  std::size_t headBegin = 0, headEnd = 0;  // query heads
  std::size_t begin = 0, end = 0;          // keys
  std::size_t partial = 0;                 // its first head's row in `partial`; one row per head follows
};

struct DecodeAttentionWork {
  Element element = Element::f32;
  const void* q = nullptr;  // [B, H, D]
  const SequenceCache* caches = nullptr;
  float scale = 1;
  std::size_t h = 0, d = 0;
  const KeyRange* tasks = nullptr;
  float* partial = nullptr;  // [rows, 2 + D]: largest score, sum of e^(score - largest), the same sum of values
};

/// One query head over one block of keys, as AVX-512-BF16 takes it.
struct HeadOfBlock {
  const Bfloat16* q = nullptr;  // [D], unscaled
  float* sum = nullptr;         // [D] in pair layout
  float* weights = nullptr;     // [keys, rounded up to 16]
  Bfloat16* rounded = nullptr;  // the same, for the kernel's use
};
/// Whether the two below may be called for heads of this size.
inline bool takesBf16Dot(std::size_t d) {
  return d % 32 == 0 && hasBf16Dot();
}
/// weights = scale · q · k of up to `count` heads; asks for the values.
void scoreBf16Dot(const HeadOfBlock* heads, std::size_t count, const Bfloat16* k, const Bfloat16* v, std::size_t keys,
                  std::size_t d, float scale);
/// sum += weights · v, the weights rounded to bf16; asks for the keys that come next.
void gatherBf16Dot(const HeadOfBlock* heads, std::size_t count, const Bfloat16* v, const Bfloat16* nextK,
                   std::size_t keys, std::size_t d);

/// Tasks begin … end-1 on this machine's best instruction set.
void attend(const DecodeAttentionWork& work, std::int64_t begin, std::int64_t end);

}  // namespace strata::kernels::cpu
