// bf16 gemm by AVX-512-BF16, which Highway has no target for.

#include "kernels/cpu/attention_part.h"
#include "kernels/cpu/gemm_part.h"
#include "kernels/elements.h"

#if defined(__x86_64__)
#include <hwy/highway.h>
#include <immintrin.h>

#include <bit>
#include <chrono>
#include <cstring>

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,avx2")
namespace strata::kernels {
namespace bf16_gemm {

#include "kernels/cpu/gemm_tile.h"

/// Words are two neighbouring bf16; products are exact and summed in fp32.
struct Engine {
  using Stored = Bfloat16;
  using Word = std::uint32_t;
  using Sum = __m512;
  using Words = __m512bh;
  static constexpr std::size_t kStep = 2;
  static constexpr std::size_t kRows = 8;
  static constexpr std::size_t kBlocks = 3;
  static constexpr std::size_t lanes() { return 16; }
  static Sum zero() { return _mm512_setzero_ps(); }
  static void storeSum(Sum sum, float* p) { _mm512_storeu_ps(p, sum); }
  static Words loadWords(const Word* p) { return (__m512bh)_mm512_load_si512(p); }
  static Words broadcast(const Word* p) { return (__m512bh)_mm512_set1_epi32(static_cast<int>(*p)); }
  static Sum madd(Sum sum, Words a, Words b) { return _mm512_dpbf16_ps(sum, a, b); }
  static void storeRow(const float* from, std::size_t n, char* to) {
    for (std::size_t i = 0; i < n; i += 16) {
      const __mmask16 own = n - i >= 16 ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << (n - i)) - 1);
      _mm256_mask_storeu_epi16(to + 2 * i, own, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(own, from + i)));
    }
  }
};

void pack(const cpu::GemmStep& step, std::int64_t begin, std::int64_t end) {
  gemmPack<Engine>(step, begin, end);
}

void run(const cpu::GemmStep& step) {
  gemmRun<Engine>(step);
}

/// Sums in registers, at the most a processor does: the seconds of `rounds` times 12 instructions.
template <bool Dot>
double secondsOf(int rounds) {
  __m512 sum[12];
  for (__m512& each : sum) each = _mm512_setzero_ps();
  __m512 factor = _mm512_set1_ps(1.0f);
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    for (int j = 0; j < 12; ++j) {
      sum[j] =
          Dot ? _mm512_dpbf16_ps(sum[j], (__m512bh)factor, (__m512bh)factor) : _mm512_fmadd_ps(factor, factor, sum[j]);
    }
    __asm__ volatile("" : "+v"(factor));
  }
  for (int j = 1; j < 12; ++j) sum[0] = _mm512_add_ps(sum[0], sum[j]);
  __asm__ volatile("" : : "v"(sum[0]));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

/// A dot product does twice the work of a multiply-add. Each is measured at its best of several tries; what is near
/// the limit of 1.25 times is no difference.
bool measureDot() {
  double dot = 1, fma = 1;
  for (int i = 0; i < 9; ++i) {
    const double one = secondsOf<true>(2000), other = secondsOf<false>(2000);
    if (i == 0) continue;  // the processor wakes its wide registers
    dot = one < dot ? one : dot;
    fma = other < fma ? other : fma;
  }
  return dot < 1.6 * fma;
}

}  // namespace bf16_gemm
}  // namespace strata::kernels
HWY_POP_ATTRIBUTES

namespace strata::kernels::cpu {

GemmEngine bf16DotGemm() {
  return {2, &bf16_gemm::pack, &bf16_gemm::run};
}

bool bf16DotIsFaster() {
  static const bool isFaster = __builtin_cpu_supports("avx512bf16") != 0 && bf16_gemm::measureDot();
  return isFaster;
}

}  // namespace strata::kernels::cpu

#else
namespace strata::kernels::cpu {

GemmEngine bf16DotGemm() {
  return {};
}
bool bf16DotIsFaster() {
  return false;
}

}  // namespace strata::kernels::cpu
#endif
