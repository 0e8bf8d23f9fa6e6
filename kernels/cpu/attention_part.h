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
  std::int64_t lowestKey = 0;  // of all that any query reads
  AttentionResult result{};    // backward only
  AttentionGradients gradients{};
  std::int64_t firstPair = 0;    // (sequence, KV head) of the first task
  float* partialSums = nullptr;  // [pairs of these tasks][GradientParts::floats()]
};

/// What a task of the backward pass is: all of a (sequence, KV head); or one of its GradientParts into partialSums, and
/// then one of D columns of its dk and dv from these.
enum class BackwardTask { pair, part, sum };

constexpr std::int64_t kAttentionQueries =
    32;  // of a block: whole pairs of vectors, as blocks of keys begin at multiples
constexpr std::int64_t kAttentionSegment = 256;  // queries whose part of dk and dv is summed apart

/// The parts that dk and dv of one (sequence, KV head) are summed from, in this order: one for each segment of queries.
/// A part is dk, then dv, each [D, reach] of the keys 0 … reach-1.
struct GradientParts {
  explicit GradientParts(const AttentionShape& shape)
      : t(shape.t), d(shape.d), count((shape.t + kAttentionSegment - 1) / kAttentionSegment) {}
  std::int64_t reach(std::int64_t part) const {
    const std::int64_t end = (part + 1) * kAttentionSegment < t ? (part + 1) * kAttentionSegment : t;
    return (end + kAttentionQueries - 1) / kAttentionQueries * kAttentionQueries;
  }
  /// Floats of the parts before this one; all are whole segments.
  std::int64_t at(std::int64_t part) const { return d * kAttentionSegment * part * (part + 1); }
  std::int64_t floats() const { return count > 0 ? at(count - 1) + 2 * d * reach(count - 1) : 0; }

  std::int64_t t, d, count;
};

/// Memory at a vector's alignment, made here so that no code of an instruction set is shared with others.
float* allocateFloats(std::size_t count);
void freeFloats(float* memory);

/// Tasks begin … end-1, by AVX-512-BF16's dot product (where hasBf16Dot(), matvec_part.h). A task of the forward pass
/// is a block of queries of a (sequence, KV head).
void attentionBf16Dot(const AttentionWork& work, std::int64_t begin, std::int64_t end);
void attentionBackwardBf16Dot(const AttentionWork& work, BackwardTask kind, std::int64_t begin, std::int64_t end);

}  // namespace strata::kernels::cpu
