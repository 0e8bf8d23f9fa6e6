#include "kernels/decode_attention.h"

#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

// Of machines with AVX-512-BF16, see matvec.cpp.
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/decode_attention.cpp"
#include <hwy/aligned_allocator.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "kernels/cpu/decode_attention_part.h"
#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {
#include "kernels/cpu/kv_codes-inl.h"

constexpr std::size_t kBlockKeys = 64;  // keys between two looks at the running maximum; a multiple of lanes()

inline void prefetch(const void* p, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(p) + i, 0, 3);
}

/// How pairs of T are laid out: codes as fp32.
template <class T>
using LayoutOf = std::conditional_t<std::is_same_v<T, Bfloat16>, Bfloat16, float>;

/// What one query head gathers over its keys.
struct Gathered {
  float* q = nullptr;        // [D], fp32 in pair layout, scaled
  float* sum = nullptr;      // [D], fp32 in pair layout: sum of e^(score - largest) v
  float* weights = nullptr;  // [kBlockKeys]
  float largest = -std::numeric_limits<float>::infinity();
  float total = 0;  // sum of e^(score - largest)
};

template <class T, bool Whole>
Pair loadChunk(const T* p, std::size_t left) {
  if constexpr (Whole) {
    return loadPair(p);
  } else {
    return loadPairFirst(p, left);
  }
}

/// One chunk of q·k. (A template, not a branch: with the tail's code inside the loop GCC keeps no sum in a register.)
template <class T, int Heads, int Keys, bool Whole>
HWY_INLINE void scoreChunk(FloatVector (&dot)[Heads][Keys], const float* const (&q)[Heads], const T* k, std::size_t i,
                           std::size_t d) {
  for (int n = 0; n < Keys; ++n) {
    const Pair pair = loadChunk<T, Whole>(k + static_cast<std::size_t>(n) * d + i, d - i);
    for (int h = 0; h < Heads; ++h) {
      dot[h][n] = hn::MulAdd(pair.first, hn::Load(FloatTag(), q[h] + i), dot[h][n]);
      dot[h][n] = hn::MulAdd(pair.second, hn::Load(FloatTag(), q[h] + i + lanes()), dot[h][n]);
    }
  }
}

/// Scores of `Keys` (1 or 4) keys for `Heads` query heads that share them.
template <class T, int Heads, int Keys>
HWY_INLINE void scoreKeys(Gathered* heads, const T* k, std::size_t key, std::size_t d) {
  const std::size_t step = 2 * lanes();
  FloatVector dot[Heads][Keys];
  const float* q[Heads];
  for (int h = 0; h < Heads; ++h) {
    q[h] = heads[h].q;
    for (int n = 0; n < Keys; ++n) dot[h][n] = hn::Zero(FloatTag());
  }
  std::size_t i = 0;
  for (; i + step <= d; i += step) scoreChunk<T, Heads, Keys, true>(dot, q, k, i, d);
  if (i < d) scoreChunk<T, Heads, Keys, false>(dot, q, k, i, d);
  for (int h = 0; h < Heads; ++h) {
    if constexpr (Keys == 4) {
      sumLanesOfFour(dot[h], heads[h].weights + key);
    } else {
      heads[h].weights[key] = sumLanes(dot[h][0]);
    }
  }
}

/// Scores of `keys` keys; asks for the values that come next.
template <class T, int Heads>
void score(Gathered* heads, const T* k, const T* v, std::size_t keys, std::size_t d) {
  std::size_t key = 0;
  for (; key + 4 <= keys; key += 4) {
    prefetch(v + key * d, 4 * d * sizeof(T));
    scoreKeys<T, Heads, 4>(heads, k + key * d, key, d);
  }
  for (; key < keys; ++key) scoreKeys<T, Heads, 1>(heads, k + key * d, key, d);
}

/// Scores become e^(score - largest); what was gathered so far is rescaled where the largest has grown.
inline void weigh(Gathered& head, std::size_t keys, std::size_t paddedD) {
  const FloatTag floats;
  const std::size_t padded = roundUp(keys, lanes());
  std::fill(head.weights + keys, head.weights + padded, -std::numeric_limits<float>::infinity());
  auto largestOfLanes = hn::Set(floats, head.largest);
  for (std::size_t i = 0; i < padded; i += lanes()) {
    largestOfLanes = hn::Max(largestOfLanes, hn::Load(floats, head.weights + i));
  }
  const float largest = hn::GetLane(hn::MaxOfLanes(floats, largestOfLanes));
  if (largest > head.largest) {
    const float factor = std::exp(head.largest - largest);
    for (std::size_t i = 0; i < paddedD; i += lanes()) {
      hn::Store(hn::Mul(hn::Load(floats, head.sum + i), hn::Set(floats, factor)), floats, head.sum + i);
    }
    head.total *= factor;
    head.largest = largest;
  }
  auto total = hn::Zero(floats);
  for (std::size_t i = 0; i < padded; i += lanes()) {
    const auto weight = exponential(hn::Sub(hn::Load(floats, head.weights + i), hn::Set(floats, largest)));
    hn::Store(weight, floats, head.weights + i);
    total = hn::Add(total, weight);
  }
  head.total += sumLanes(total);
}

/// One chunk of sum += weights · v; asks for the same chunk of the keys that come next. (Heads by fold expressions:
/// with loops over them GCC stores every sum in every turn.)
template <class T, bool Whole, std::size_t... H>
void gatherChunk(std::index_sequence<H...>, Gathered* heads, const T* v, const T* nextK, std::size_t keys,
                 std::size_t i, std::size_t d) {
  const FloatTag floats;
  FloatVector first[] = {hn::Load(floats, heads[H].sum + i)...};
  FloatVector second[] = {hn::Load(floats, heads[H].sum + i + lanes())...};
  const float* const weights[] = {heads[H].weights...};
  for (std::size_t key = 0; key < keys; ++key) {
    __builtin_prefetch(nextK + key * d + i, 0, 3);
    const Pair pair = loadChunk<T, Whole>(v + key * d + i, d - i);
    ((first[H] = hn::MulAdd(hn::Set(floats, weights[H][key]), pair.first, first[H]),
      second[H] = hn::MulAdd(hn::Set(floats, weights[H][key]), pair.second, second[H])),
     ...);
  }
  (hn::Store(first[H], floats, heads[H].sum + i), ...);
  (hn::Store(second[H], floats, heads[H].sum + i + lanes()), ...);
}

/// sum += weights · v.
template <class T, int Heads>
void gather(Gathered* heads, const T* v, const T* nextK, std::size_t keys, std::size_t d) {
  const std::size_t step = 2 * lanes();
  std::size_t i = 0;
  for (; i + step <= d; i += step) gatherChunk<T, true>(std::make_index_sequence<Heads>(), heads, v, nextK, keys, i, d);
  if (i < d) gatherChunk<T, false>(std::make_index_sequence<Heads>(), heads, v, nextK, keys, i, d);
}

/// A block of keys and values; the scales are those of codes.
template <class T>
struct Block {
  const T *k, *v;
  const Bfloat16 *kScales, *vScales;
  std::size_t keys;
};

/// weights *= scales.
inline void multiply(float* weights, const Bfloat16* scales, std::size_t keys) {
  const FloatTag floats;
  std::size_t i = 0;
  for (; i + lanes() <= keys; i += lanes()) {
    hn::Store(hn::Mul(hn::Load(floats, weights + i), load(scales + i)), floats, weights + i);
  }
  for (; i < keys; ++i) weights[i] *= toFloat(scales[i]);
}

/// One block of keys for `Heads` query heads.
template <class T, int Heads>
void attendBlock(Gathered* heads, const Block<T>& block, std::size_t d) {
  constexpr bool kCodes = !std::is_same_v<T, float> && !std::is_same_v<T, Bfloat16>;
  score<T, Heads>(heads, block.k, block.v, block.keys, d);
  for (int h = 0; h < Heads; ++h) {
    if constexpr (kCodes) multiply(heads[h].weights, block.kScales, block.keys);
    weigh(heads[h], block.keys, roundUp(d, 2 * lanes()));
    if constexpr (kCodes) multiply(heads[h].weights, block.vScales, block.keys);
  }
  gather<T, Heads>(heads, block.v, block.k + block.keys * d, block.keys, d);
}

/// Heads that share a load of k or v: four keys' scores of each have to fit into the registers.
constexpr std::size_t kHeadsAtOnce = HWY_MAX_BYTES >= 64 ? 4 : 2;

template <class T>
void attendHeads(Gathered* heads, std::size_t count, const Block<T>& block, std::size_t d) {
  for (; count >= kHeadsAtOnce; count -= kHeadsAtOnce, heads += kHeadsAtOnce) {
    attendBlock<T, static_cast<int>(kHeadsAtOnce)>(heads, block, d);
  }
  if (count == 3) attendBlock<T, 3>(heads, block, d);
  if (count == 2) attendBlock<T, 2>(heads, block, d);
  if (count == 1) attendBlock<T, 1>(heads, block, d);
}

/// One block of keys by AVX-512-BF16.
inline void attendBlockBf16Dot(Gathered* heads, const cpu::HeadOfBlock* asBf16, std::size_t count, const Bfloat16* k,
                               const Bfloat16* v, std::size_t keys, std::size_t d, float scale) {
  cpu::scoreBf16Dot(asBf16, count, k, v, keys, d, scale);
  for (std::size_t h = 0; h < count; ++h) weigh(heads[h], keys, d);
  cpu::gatherBf16Dot(asBf16, count, v, k + keys * d, keys, d);
}

/// Whether this target runs where that is; what it is asked to run on decides.
inline bool usesBf16Dot(std::size_t d) {
#if HWY_ARCH_X86
  return HWY_TARGET == HWY_AVX3_DL && cpu::takesBf16Dot(d);
#else
  return d == 0;
#endif
}

/// Queries and outputs of T over a cache of C: T itself, or codes.
template <class T, class C>
void attend(const cpu::DecodeAttentionWork& work, const cpu::KeyRange& task, float* scratch) {
  const std::size_t d = work.d;
  const std::size_t paddedD = roundUp(d, 2 * lanes());
  Gathered heads[cpu::kMaxHeadsAtOnce];
  const std::size_t group = task.headEnd - task.headBegin;
  const auto query = [&](std::size_t g) {
    return static_cast<const T*>(work.q) + (task.sequence * work.h + task.headBegin + g) * d;
  };
  for (std::size_t g = 0; g < group; ++g, scratch += 2 * paddedD + kBlockKeys) {
    heads[g].q = scratch;
    heads[g].sum = scratch + paddedD;
    heads[g].weights = scratch + 2 * paddedD;
    if constexpr (std::is_same_v<LayoutOf<C>, T>) {
      expandPairs<T>(query(g), d, heads[g].q);
    } else {
      std::fill(heads[g].q + d, heads[g].q + paddedD, 0.0f);
      for (std::size_t i = 0; i < d; ++i) heads[g].q[i] = toFloat(query(g)[i]);
    }
    for (std::size_t i = 0; i < paddedD; ++i) heads[g].q[i] *= work.scale;
    std::fill(heads[g].sum, heads[g].sum + paddedD, 0.0f);
  }
  const auto storePartial = [&] {
    for (std::size_t g = 0; g < group; ++g) {
      float* partial = work.partial + (task.partial + g) * (d + 2);
      partial[0] = heads[g].largest;
      partial[1] = heads[g].total;
      collectPairs<LayoutOf<C>>(heads[g].sum, d, partial + 2);
    }
  };
  const SequenceCache& cache = work.caches[task.sequence];
  const std::size_t first = task.kvHead * static_cast<std::size_t>(cache.capacity);
  const C* k = static_cast<const C*>(cache.k) + first * d;
  const C* v = static_cast<const C*>(cache.v) + first * d;
  if constexpr (std::is_same_v<C, Bfloat16>) {
    if (usesBf16Dot(d)) {
      cpu::HeadOfBlock asBf16[cpu::kMaxHeadsAtOnce];
      Bfloat16 rounded[cpu::kMaxHeadsAtOnce][kBlockKeys + 2];
      for (std::size_t g = 0; g < group; ++g) asBf16[g] = {query(g), heads[g].sum, heads[g].weights, rounded[g]};
      for (std::size_t key = task.begin; key < task.end; key += kBlockKeys) {
        attendBlockBf16Dot(heads, asBf16, group, k + key * d, v + key * d, std::min(kBlockKeys, task.end - key), d,
                           work.scale);
      }
      return storePartial();
    }
  }
  Block<C> block{};
  for (std::size_t key = task.begin; key < task.end; key += kBlockKeys) {
    block = {k + key * d, v + key * d, nullptr, nullptr, std::min(kBlockKeys, task.end - key)};
    if (cache.format != KvFormat::plain) {
      block.kScales = static_cast<const Bfloat16*>(cache.kScales) + first + key;
      block.vScales = static_cast<const Bfloat16*>(cache.vScales) + first + key;
    }
    attendHeads<C>(heads, group, block, d);
  }
  storePartial();
}

template <class T>
void attendTask(const cpu::DecodeAttentionWork& work, std::size_t index, float* scratch) {
  const cpu::KeyRange& task = work.tasks[index];
  switch (work.caches[task.sequence].format) {
    case KvFormat::plain:
      return attend<T, T>(work, task, scratch);
    case KvFormat::int8:
      return attend<T, std::int8_t>(work, task, scratch);
    case KvFormat::fp8:
      return attend<T, Float8>(work, task, scratch);
  }
}

void attendPart(const cpu::DecodeAttentionWork& work, std::int64_t begin, std::int64_t end) {
  const std::size_t paddedD = roundUp(work.d, 2 * lanes());
  constexpr std::size_t kMostD = 256;  // whose scratch needs no allocation
  const std::size_t scratchSize = cpu::kMaxHeadsAtOnce * (2 * paddedD + kBlockKeys);
  HWY_ALIGN float own[cpu::kMaxHeadsAtOnce * (2 * kMostD + kBlockKeys)];
  const auto larger = paddedD > kMostD ? hwy::AllocateAligned<float>(scratchSize) : nullptr;
  float* scratch = paddedD > kMostD ? larger.get() : own;
  for (std::int64_t task = begin; task < end; ++task) {
    if (work.element == Element::f32) {
      attendTask<float>(work, static_cast<std::size_t>(task), scratch);
    } else {
      attendTask<Bfloat16>(work, static_cast<std::size_t>(task), scratch);
    }
  }
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(attendPart);

namespace cpu {
void attend(const DecodeAttentionWork& work, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(attendPart)(work, begin, end);
}
}  // namespace cpu

}  // namespace strata::kernels
#endif
