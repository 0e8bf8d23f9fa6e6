// bf16 matvec by AVX-512-BF16, which Highway has no target for.

#include <bit>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/matvec_part.h"
#include "kernels/elements.h"

#if defined(__x86_64__)
#include <hwy/highway.h>
#include <immintrin.h>

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,avx2")
namespace strata::kernels {
namespace bf16_dot {

#include "kernels/cpu/avx512_sums-inl.h"
#include "kernels/cpu/matvec_tile.h"
struct Engine {
  using Stored = Bfloat16;
  using Input = Bfloat16;
  using Chunk = __m512bh;
  using Sum = __m512;
  static constexpr int kChains = 1, kOutputs = 2, kRows = 8;
  static std::size_t step() { return 32; }
  static Chunk load(const Bfloat16* p) { return (__m512bh)_mm512_loadu_si512(p); }
  static Chunk loadFirst(const Bfloat16* p, std::size_t n) {
    return (__m512bh)_mm512_maskz_loadu_epi16(static_cast<__mmask32>((1ull << n) - 1), p);
  }
  static Sum zero() { return _mm512_setzero_ps(); }
  static void add(Sum& sum, Chunk chunk, const Bfloat16* x) {
    sum = _mm512_dpbf16_ps(sum, chunk, (__m512bh)_mm512_load_si512(x));
  }
  static Sum join(Sum a, Sum b) { return _mm512_add_ps(a, b); }
  template <int Count>
  static void totals(const Sum* sum, float* to) {
    const Sum& b = sum[Count > 1 ? 1 : 0];
    const __m128 quarter = sumsOfFour(sum[0], b, sum[Count > 2 ? 2 : 0], Count > 3 ? sum[3] : b);
    if constexpr (Count == 1) {
      _mm_store_ss(to, quarter);
    } else {
      float all[4];
      _mm_storeu_ps(all, quarter);
      for (int i = 0; i < Count; ++i) to[i] = all[i];
    }
  }
};

/// The bf16 numbers that the low four bits of an index stand for; twice, for a 16-bit word's index has five.
struct CodeTable {
  alignas(64) std::uint16_t words[32];
};
constexpr CodeTable tableOf(bool isSigned, int factor) {
  CodeTable table{};
  for (int i = 0; i < 32; ++i) {
    const int code = isSigned && i % 16 >= 8 ? i % 16 - 16 : i % 16;
    table.words[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(factor * code)) >> 16);
  }
  return table;
}
constexpr CodeTable kCodes = tableOf(true, 1), kLowHalves = tableOf(false, 1), kHighHalves = tableOf(true, 16);

HWY_INLINE __m512bh numbers(__m512i words, const CodeTable& table) {
  return (__m512bh)_mm512_permutexvar_epi16(words, _mm512_load_si512(table.words));
}

/// What the engines for int8 and int4 share: four vectors of numbers out of 64 bytes by shifts and a look-up each.
struct QuantizedEngine {
  static constexpr std::size_t kRows = 8;
  using Input = Bfloat16;
  using Sum = __m512;
  using Scale = __m512;
  struct Chunk {
    __m512bh v[4];
  };
  /// Lane i has the scale of group i · groups / 16.
  template <int Groups>
  static HWY_INLINE Scale scaleOf(const std::uint16_t* scales) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, scales, Groups * sizeof(std::uint16_t));
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i from = _mm512_slli_epi32(_mm512_srli_epi32(lane, Groups == 4 ? 2 : Groups == 2 ? 3 : 4), 16);
    const __m512i all = _mm512_set1_epi64(static_cast<long long>(bits));
    return _mm512_castsi512_ps(_mm512_maskz_permutexvar_epi16(0xaaaaaaaa, from, all));  // bf16 is fp32's upper half
  }
  static HWY_INLINE Sum zero() { return _mm512_setzero_ps(); }
  static HWY_INLINE float total(Sum sum) { return _mm512_reduce_add_ps(sum); }
  static HWY_INLINE __m512bh at(const Bfloat16* x) { return (__m512bh)_mm512_load_si512(x); }
};

struct Int8Engine : QuantizedEngine {
  static constexpr WeightFormat kFormat = WeightFormat::int8;
  static constexpr std::size_t kStep = 64, kParts = 2;
  static HWY_INLINE Chunk split(__m512i words) {
    return {{numbers(words, kLowHalves), numbers(_mm512_srli_epi16(words, 4), kHighHalves),
             numbers(_mm512_srli_epi16(words, 8), kLowHalves), numbers(_mm512_srli_epi16(words, 12), kHighHalves)}};
  }
  static HWY_INLINE Chunk load(const std::uint8_t* codes) { return split(_mm512_loadu_si512(codes)); }
  static HWY_INLINE void add(Sum& sum, const Chunk& chunk, Scale scale, const Bfloat16* x) {
    const __m512bh even = at(x), odd = at(x + 32);
    __m512 part = _mm512_dpbf16_ps(_mm512_setzero_ps(), chunk.v[0], even);
    part = _mm512_dpbf16_ps(part, chunk.v[1], even);
    part = _mm512_dpbf16_ps(part, chunk.v[2], odd);
    part = _mm512_dpbf16_ps(part, chunk.v[3], odd);
    sum = _mm512_fmadd_ps(part, scale, sum);
  }
};

struct Int4Engine : QuantizedEngine {
  static constexpr WeightFormat kFormat = WeightFormat::int4;
  static constexpr std::size_t kStep = 128, kParts = 4;
  static HWY_INLINE Chunk split(__m512i words) {
    return {{numbers(words, kCodes), numbers(_mm512_srli_epi16(words, 4), kCodes),
             numbers(_mm512_srli_epi16(words, 8), kCodes), numbers(_mm512_srli_epi16(words, 12), kCodes)}};
  }
  static HWY_INLINE Chunk load(const std::uint8_t* codes) { return split(_mm512_loadu_si512(codes)); }
  static HWY_INLINE void add(Sum& sum, const Chunk& chunk, Scale scale, const Bfloat16* x) {
    __m512 part = _mm512_dpbf16_ps(_mm512_setzero_ps(), chunk.v[0], at(x));
    part = _mm512_dpbf16_ps(part, chunk.v[1], at(x + 32));
    part = _mm512_dpbf16_ps(part, chunk.v[2], at(x + 64));
    part = _mm512_dpbf16_ps(part, chunk.v[3], at(x + 96));
    sum = _mm512_fmadd_ps(part, scale, sum);
  }
};

void rows(const cpu::MatvecWork& work, std::int64_t begin, std::int64_t end) {
  matvecRows<Engine, Int8Engine, Int4Engine>(work, begin, end);
}

/// One row of x, copied in zeros to its end.
template <class QuantizedEngine>
void prepareQuantized(const Bfloat16* x, std::size_t k, std::size_t xStride, Bfloat16* prepared) {
  constexpr std::size_t kStep = QuantizedEngine::kStep, kParts = QuantizedEngine::kParts;
  std::size_t i = 0;
  for (; i + kStep <= k; i += kStep) interleaveBlock<kStep, kParts>(x + i, prepared + i);
  for (; i < xStride; i += kStep) {
    Bfloat16 block[kStep];
    if (i < k) std::memcpy(static_cast<void*>(block), x + i, (k - i) * sizeof(Bfloat16));
    interleaveBlock<kStep, kParts>(block, prepared + i);
  }
}

void prepare(WeightFormat format, const Bfloat16* x, std::size_t k, std::size_t xStride, Bfloat16* prepared) {
  if (format == WeightFormat::int8) {
    prepareQuantized<Int8Engine>(x, k, xStride, prepared);
  } else {
    prepareQuantized<Int4Engine>(x, k, xStride, prepared);
  }
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

void prepareBf16Dot(WeightFormat format, const void* x, std::size_t rows, std::size_t k, std::size_t xStride,
                    void* prepared) {
  auto* to = static_cast<Bfloat16*>(prepared);
  for (std::size_t row = 0; row < rows; ++row, to += xStride) {
    const auto* from = static_cast<const Bfloat16*>(x) + row * k;
    if (format != WeightFormat::plain) {
      bf16_dot::prepare(format, from, k, xStride, to);
      continue;
    }
    std::memcpy(static_cast<void*>(to), static_cast<const void*>(from), k * sizeof(Bfloat16));
    std::memset(static_cast<void*>(to + k), 0, (xStride - k) * sizeof(Bfloat16));
  }
}

}  // namespace strata::kernels::cpu

#else
namespace strata::kernels::cpu {

bool hasBf16Dot() {
  return false;
}
void matvecBf16Dot(const MatvecWork&, std::int64_t, std::int64_t) {}
void prepareBf16Dot(WeightFormat, const void*, std::size_t, std::size_t, std::size_t, void*) {}

}  // namespace strata::kernels::cpu
#endif

namespace strata::kernels::cpu {

std::size_t bf16DotStride(std::size_t k) {
  const std::size_t stride = (k + 31) / 32 * 32;
  // Rows a page apart would share a few sets of the first-level cache.
  constexpr std::size_t kPage = 2048, kClose = 128;
  return (stride + kClose) % kPage < 2 * kClose ? stride + kPage / 2 : stride;
}

}  // namespace strata::kernels::cpu
