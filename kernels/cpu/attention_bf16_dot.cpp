// Attention in bf16 by AVX-512-BF16, which Highway has no target for.

#include "kernels/cpu/attention_part.h"
#include "kernels/elements.h"

#if defined(__x86_64__)
#include <hwy/highway.h>
#include <immintrin.h>

#include <cmath>
#include <cstring>

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,avx2")
namespace strata::kernels {
namespace bf16_attention {

#include "kernels/cpu/attention_backward-inl.h"

/// Words are two neighbouring bf16; products are exact and summed in fp32.
struct Engine {
  using Stored = Bfloat16;
  using Word = std::uint32_t;
  using Sum = __m512;
  using Words = __m512bh;
  static constexpr std::size_t kStep = 2;
  static constexpr std::size_t kRows = 8;
  static constexpr float kLogBase = 1.44269504f;  // log2(e): powers are taken of two
  static std::size_t lanes() { return 16; }
  static Sum zero() { return _mm512_setzero_ps(); }
  static Sum set(float value) { return _mm512_set1_ps(value); }
  static Sum load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(Sum sum, float* p) { _mm512_storeu_ps(p, sum); }
  static Sum add(Sum a, Sum b) { return _mm512_add_ps(a, b); }
  static Sum sub(Sum a, Sum b) { return _mm512_sub_ps(a, b); }
  static Sum mul(Sum a, Sum b) { return _mm512_mul_ps(a, b); }
  static Sum mulSub(Sum a, Sum b, Sum c) { return _mm512_fmsub_ps(a, b, c); }
  static Sum larger(Sum a, Sum b) { return _mm512_max_ps(a, b); }
  static float highest(Sum sum) { return _mm512_reduce_max_ps(sum); }
  static float total(Sum sum) { return _mm512_reduce_add_ps(sum); }
  static Words loadWords(const Word* p) { return (__m512bh)_mm512_loadu_si512(p); }
  static Words broadcast(Word word) { return (__m512bh)_mm512_set1_epi32(static_cast<int>(word)); }
  static Sum madd(Sum sum, Words a, Words b) { return _mm512_dpbf16_ps(sum, a, b); }
  /// 2^x: 2^f, |f| <= 1/2, by a polynomial of the fifth degree that gives 1 for 0 and errs by 4.3e-7 at most and 3e-10
  /// on average (fitted by exchange). A Taylor series errs by 3e-6, always downwards, which the sum of a row would
  /// keep.
  static Sum power(Sum x) {
    const Sum whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const Sum f = _mm512_sub_ps(x, whole);
    Sum series = _mm512_set1_ps(1.11255073e-3f);
    for (const float coefficient : {9.66628268e-3f, 5.55740036e-2f, 2.40223512e-1f, 6.93142831e-1f, 1.0f}) {
      series = _mm512_fmadd_ps(series, f, _mm512_set1_ps(coefficient));
    }
    return _mm512_scalef_ps(series, whole);
  }
  static Sum keepOr(Sum sum, std::int64_t key, std::int64_t first, std::int64_t last, float other) {
    if (key >= first && key + 15 <= last) return sum;
    const __m512i keys = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(key)),
                                          _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    const __mmask16 seen = _mm512_cmpge_epi32_mask(keys, _mm512_set1_epi32(static_cast<int>(first))) &
                           _mm512_cmple_epi32_mask(keys, _mm512_set1_epi32(static_cast<int>(last)));
    return _mm512_mask_mov_ps(_mm512_set1_ps(other), seen, sum);
  }
  static __mmask32 upTo(std::size_t n) { return n >= 32 ? ~__mmask32{0} : static_cast<__mmask32>((1u << n) - 1); }
  static float dot(const Bfloat16* a, const Bfloat16* b, std::size_t d) {
    Sum sum = zero();
    for (std::size_t i = 0; i < d; i += 32) {
      sum = _mm512_dpbf16_ps(sum, (__m512bh)_mm512_maskz_loadu_epi16(upTo(d - i), a + i),
                             (__m512bh)_mm512_maskz_loadu_epi16(upTo(d - i), b + i));
    }
    return total(sum);
  }
  static void storeRow(const float* from, float factor, Bfloat16* to, std::size_t d) {
    for (std::size_t i = 0; i < d; i += 32) {
      const Sum low = _mm512_mul_ps(load(from + i), set(factor)),
                high = _mm512_mul_ps(load(from + i + 16), set(factor));
      _mm512_mask_storeu_epi16(to + i, upTo(d - i), (__m512i)_mm512_cvtne2ps_pbh(high, low));
    }
  }
  static void rowWords(Word* to, Sum low, Sum high) {
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(high, low));
  }
  static void pairWords(Word* to, Sum even, Sum odd) {
    const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even));
    const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd));
    _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
};

}  // namespace bf16_attention
}  // namespace strata::kernels
namespace strata::kernels::cpu {

void attentionBf16Dot(const AttentionWork& work, std::int64_t begin, std::int64_t end) {
  bf16_attention::attentionTasks<bf16_attention::Engine>(work, begin, end);
}

void attentionBackwardBf16Dot(const AttentionWork& work, BackwardTask kind, std::int64_t begin, std::int64_t end) {
  bf16_attention::attentionBackwardTasks<bf16_attention::Engine>(work, kind, begin, end);
}

}  // namespace strata::kernels::cpu
HWY_POP_ATTRIBUTES

#else
namespace strata::kernels::cpu {

void attentionBf16Dot(const AttentionWork&, std::int64_t, std::int64_t) {}
void attentionBackwardBf16Dot(const AttentionWork&, BackwardTask, std::int64_t, std::int64_t) {}

}  // namespace strata::kernels::cpu
#endif
