// Scores and weighted sums of decode attention in bf16 by AVX-512-BF16, which Highway has no target for: a fused
// product of two neighbouring dimensions for q·k, and of two neighbouring keys for the sum of values.

#include "kernels/cpu/decode_attention_part.h"
#include "kernels/elements.h"

#if defined(__x86_64__)
#include <hwy/highway.h>
#include <immintrin.h>

#include <cstring>
#include <utility>

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,avx2")
namespace strata::kernels::cpu {
namespace {

#include "kernels/cpu/avx512_sums-inl.h"

constexpr std::size_t kChunk = 32;  // elements of a vector

inline __m512bh load(const Bfloat16* p) {
  return (__m512bh)_mm512_loadu_si512(p);
}

inline void prefetchRow(const Bfloat16* p, std::size_t d) {
  for (std::size_t i = 0; i < d; i += kChunk) __builtin_prefetch(p + i, 0, 3);
}

/// Scores of four keys, at k[0] … k[3], for `Heads` query heads.
template <std::size_t... H>
inline void scoreFour(std::index_sequence<H...>, const HeadOfBlock* heads, const Bfloat16* const (&k)[4],
                      std::size_t key, std::size_t d, float scale) {
  constexpr std::size_t kHeads = sizeof...(H);
  __m512 dot[kHeads][4];
  ((dot[H][0] = dot[H][1] = dot[H][2] = dot[H][3] = _mm512_setzero_ps()), ...);
  for (std::size_t i = 0; i < d; i += kChunk) {
    const __m512bh k0 = load(k[0] + i), k1 = load(k[1] + i), k2 = load(k[2] + i), k3 = load(k[3] + i);
    const auto head = [&](__m512(&sum)[4], const Bfloat16* q) {
      const __m512bh part = load(q + i);
      sum[0] = _mm512_dpbf16_ps(sum[0], part, k0);
      sum[1] = _mm512_dpbf16_ps(sum[1], part, k1);
      sum[2] = _mm512_dpbf16_ps(sum[2], part, k2);
      sum[3] = _mm512_dpbf16_ps(sum[3], part, k3);
    };
    (head(dot[H], heads[H].q), ...);
  }
  (_mm_storeu_ps(heads[H].weights + key,
                 _mm_mul_ps(sumsOfFour(dot[H][0], dot[H][1], dot[H][2], dot[H][3]), _mm_set1_ps(scale))),
   ...);
}

template <std::size_t Heads>
void scoreBlock(const HeadOfBlock* heads, const Bfloat16* k, const Bfloat16* v, std::size_t keys, std::size_t d,
                float scale) {
  for (std::size_t key = 0; key < keys; key += 4) {
    const Bfloat16* four[4];
    for (std::size_t n = 0; n < 4; ++n) {
      const std::size_t at = key + n < keys ? key + n : keys - 1;  // a block's array of weights has room for four more
      four[n] = k + at * d;
      prefetchRow(v + at * d, d);
    }
    scoreFour(std::make_index_sequence<Heads>(), heads, four, key, d, scale);
  }
}

/// sum += weights · v over one chunk of 32 dimensions, laid out as pairs: even dimensions, then odd ones.
template <std::size_t... H>
inline void gatherChunk(std::index_sequence<H...>, const HeadOfBlock* heads, const Bfloat16* v, const Bfloat16* nextK,
                        std::size_t keys, std::size_t i, std::size_t d) {
  __m512 even[] = {_mm512_loadu_ps(heads[H].sum + i)...};
  __m512 odd[] = {_mm512_loadu_ps(heads[H].sum + i + kChunk / 2)...};
  for (std::size_t key = 0; key < keys; key += 2) {
    const std::size_t next = key + 1 < keys ? key + 1 : key;  // its weight is 0 where there is none
    __builtin_prefetch(nextK + key * d + i, 0, 3);
    __builtin_prefetch(nextK + next * d + i, 0, 3);
    const __m512i first = _mm512_loadu_si512(v + key * d + i), second = _mm512_loadu_si512(v + next * d + i);
    constexpr __mmask32 kHigh = 0xaaaaaaaa;
    const auto evens = (__m512bh)_mm512_mask_blend_epi16(kHigh, first, _mm512_slli_epi32(second, 16));
    const auto odds = (__m512bh)_mm512_mask_blend_epi16(kHigh, _mm512_srli_epi32(first, 16), second);
    const auto head = [&](std::size_t h) {
      std::int32_t pair;
      std::memcpy(&pair, heads[h].rounded + key, sizeof(pair));
      const auto weights = (__m512bh)_mm512_set1_epi32(pair);
      even[h] = _mm512_dpbf16_ps(even[h], evens, weights);
      odd[h] = _mm512_dpbf16_ps(odd[h], odds, weights);
    };
    (head(H), ...);
  }
  (_mm512_storeu_ps(heads[H].sum + i, even[H]), ...);
  (_mm512_storeu_ps(heads[H].sum + i + kChunk / 2, odd[H]), ...);
}

template <std::size_t Heads>
void gatherBlock(const HeadOfBlock* heads, const Bfloat16* v, const Bfloat16* nextK, std::size_t keys, std::size_t d) {
  for (std::size_t h = 0; h < Heads; ++h) {
    std::size_t key = 0;
    for (; key < keys; key += 16) {
      const __m512 weights = _mm512_loadu_ps(heads[h].weights + key);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(heads[h].rounded + key), (__m256i)_mm512_cvtneps_pbh(weights));
    }
    if (keys % 2 != 0) heads[h].rounded[keys] = {};
  }
  for (std::size_t i = 0; i < d; i += kChunk) {
    gatherChunk(std::make_index_sequence<Heads>(), heads, v, nextK, keys, i, d);
  }
}

/// f(integral_constant) of up to four heads at a time.
template <class F>
void byFours(std::size_t count, F&& f) {
  std::size_t done = 0;
  for (; count - done >= 4; done += 4) f(std::integral_constant<std::size_t, 4>(), done);
  switch (count - done) {
    case 3:
      return f(std::integral_constant<std::size_t, 3>(), done);
    case 2:
      return f(std::integral_constant<std::size_t, 2>(), done);
    case 1:
      return f(std::integral_constant<std::size_t, 1>(), done);
    default:
      return;
  }
}

}  // namespace

void scoreBf16Dot(const HeadOfBlock* heads, std::size_t count, const Bfloat16* k, const Bfloat16* v, std::size_t keys,
                  std::size_t d, float scale) {
  byFours(count, [&](auto size, std::size_t first) {
    scoreBlock<decltype(size)::value>(heads + first, k, v, keys, d, scale);
  });
}

void gatherBf16Dot(const HeadOfBlock* heads, std::size_t count, const Bfloat16* v, const Bfloat16* nextK,
                   std::size_t keys, std::size_t d) {
  byFours(count,
          [&](auto size, std::size_t first) { gatherBlock<decltype(size)::value>(heads + first, v, nextK, keys, d); });
}

}  // namespace strata::kernels::cpu
HWY_POP_ATTRIBUTES

#else
namespace strata::kernels::cpu {
void scoreBf16Dot(const HeadOfBlock*, std::size_t, const Bfloat16*, const Bfloat16*, std::size_t, std::size_t, float) {}
void gatherBf16Dot(const HeadOfBlock*, std::size_t, const Bfloat16*, const Bfloat16*, std::size_t, std::size_t) {}
}  // namespace strata::kernels::cpu
#endif
