// bf16 matvec by AVX-512-BF16, which Highway has no target for.

#include <cstring>

#include "kernels/cpu/matvec_part.h"
#include "kernels/elements.h"

#if defined(__x86_64__)
#include <hwy/highway.h>
#include <immintrin.h>

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,avx2")
namespace strata::kernels {
namespace bf16_dot {

#include "kernels/cpu/matvec_tile.h"

struct Engine {
  using Stored = Bfloat16;
  using Input = Bfloat16;
  using Chunk = __m512bh;
  using Sum = __m512;
  static std::size_t step() { return 32; }
  static Chunk load(const Bfloat16* p) { return (__m512bh)_mm512_loadu_si512(p); }
  static Chunk loadFirst(const Bfloat16* p, std::size_t n) {
    return (__m512bh)_mm512_maskz_loadu_epi16(static_cast<__mmask32>((1ull << n) - 1), p);
  }
  static Sum zero() { return _mm512_setzero_ps(); }
  static constexpr std::size_t kRows = 8;
  static void add(Sum& sum, Chunk chunk, const Bfloat16* x) {
    sum = _mm512_dpbf16_ps(sum, chunk, (__m512bh)_mm512_load_si512(x));
  }
  static Sum join(Sum a, Sum b) { return _mm512_add_ps(a, b); }
  static float total(Sum sum) { return _mm512_reduce_add_ps(sum); }
};

void rows(const cpu::MatvecWork& work, std::int64_t begin, std::int64_t end) {
  matvecRows<Engine>(work, begin, end);
}

}  // namespace bf16_dot
}  // namespace strata::kernels
HWY_POP_ATTRIBUTES

namespace strata::kernels::cpu {

bool hasBf16Dot() {
  return __builtin_cpu_supports("avx512bf16") != 0;
}

void matvecBf16Dot(const MatvecWork& work, std::int64_t begin, std::int64_t end) {
  bf16_dot::rows(work, begin, end);
}

}  // namespace strata::kernels::cpu

#else
namespace strata::kernels::cpu {

bool hasBf16Dot() {
  return false;
}
void matvecBf16Dot(const MatvecWork&, std::int64_t, std::int64_t) {}

}  // namespace strata::kernels::cpu
#endif

namespace strata::kernels::cpu {

std::size_t bf16DotStride(std::size_t k) {
  return (k + 31) / 32 * 32;
}

void prepareBf16Dot(const void* x, std::size_t rows, std::size_t k, std::size_t xStride, void* prepared) {
  auto* to = static_cast<Bfloat16*>(prepared);
  for (std::size_t row = 0; row < rows; ++row, to += xStride) {
    std::memcpy(static_cast<void*>(to), static_cast<const char*>(x) + row * k * sizeof(Bfloat16), k * sizeof(Bfloat16));
    std::memset(static_cast<void*>(to + k), 0, (xStride - k) * sizeof(Bfloat16));
  }
}

}  // namespace strata::kernels::cpu
