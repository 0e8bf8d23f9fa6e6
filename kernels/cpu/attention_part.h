#pragma once
// What the instruction sets of cpu/attention share: one call's arguments, and how a thread computes a range of its
// tasks.

#include <cstddef>
#include <cstdint>

#include "kernels/attention.h"

namespace strata::kernels::cpu {

struct AttentionWork {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  const std::int32_t* first = nullptr;
  float scale = 1;
  AttentionShape shape{};
  void* out = nullptr;  // forward only
  float* lse = nullptr;
  AttentionResult result{};  // backward only
  AttentionGradients gradients{};
};

/// Memory at a vector's alignment, made here so that no code of an instruction set is shared with others.
float* allocateFloats(std::size_t count);
void freeFloats(float* memory);

/// Tasks begin … end-1 of B · Hkv, by AVX-512-BF16's dot product (where hasBf16Dot(), matvec_part.h).
void attentionBf16Dot(const AttentionWork& work, std::int64_t begin, std::int64_t end);
void attentionBackwardBf16Dot(const AttentionWork& work, std::int64_t begin, std::int64_t end);

}  // namespace strata::kernels::cpu
