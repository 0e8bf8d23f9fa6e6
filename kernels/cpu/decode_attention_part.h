#pragma once
// How decode attention is cut into tasks, and where their partial results lie.

#include <cstddef>
#include <cstdint>

#include "kernels/decode_attention.h"
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

/// Tasks begin … end-1 on this machine's best instruction set.
void attend(const DecodeAttentionWork& work, std::int64_t begin, std::int64_t end);

}  // namespace strata::kernels::cpu
