#include "kernels/matvec.h"

#include <atomic>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/matvec_part.h"
#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

// Ice Lake's AVX-512: every machine with AVX-512-BF16 has it but one (Cooper Lake), so that target stands for both.
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/matvec.cpp"
#include <hwy/aligned_allocator.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

#include "kernels/cpu/matvec_tile.h"
/// fp32 products of T weights with x expanded to fp32 in pair layout.
template <class T>
struct PairEngine {
  using Stored = T;
  using Input = float;
  using Chunk = Pair;
  using Sum = FloatVector;
  static constexpr int kChains = 2, kOutputs = HWY_MAX_BYTES >= 64 ? 2 : 1, kRows = 4;
  static std::size_t step() { return 2 * lanes(); }
  static Chunk load(const T* p) { return loadPair(p); }
  static Chunk loadFirst(const T* p, std::size_t n) { return loadPairFirst(p, n); }
  static Sum zero() { return hn::Zero(FloatTag()); }
  static void add(Sum& sum, const Chunk& chunk, const float* x) {
    sum = hn::MulAdd(chunk.first, hn::Load(FloatTag(), x), sum);
    sum = hn::MulAdd(chunk.second, hn::Load(FloatTag(), x + lanes()), sum);
  }
  static Sum join(Sum a, Sum b) { return hn::Add(a, b); }
  template <int Count>
  static void totals(const Sum* sum, float* to) {
    if constexpr (Count == 4) return sumLanesOfFour(sum, to);
    const Sum four[] = {sum[0], sum[Count > 1 ? 1 : 0], sum[Count > 2 ? 2 : 0], sum[0]};
    float all[4];
    sumLanesOfFour(four, all);
    for (int i = 0; i < Count; ++i) to[i] = all[i];
  }
};

/// 32 codes of 8 bits at once: one group, or a part of one.
struct Int8Engine {
  static constexpr WeightFormat kFormat = WeightFormat::int8;
  static constexpr std::size_t kStep = 32, kRows = 4;
  static constexpr std::size_t kVectors = HWY_MAX_BYTES >= 64   ? 2
                                          : HWY_MAX_BYTES >= 32 ? 4
                                          : HWY_MAX_BYTES >= 16 ? 8
                                                                : 32;
  using Input = float;
  using Sum = FloatVector;
  using Scale = FloatVector;
  struct Chunk {
    FloatVector v[kVectors];
  };
  static HWY_INLINE Chunk load(const std::uint8_t* codes) {
    const hn::Rebind<std::int8_t, FloatTag> bytes;
    const hn::Rebind<std::int32_t, FloatTag> integers;
    Chunk chunk;
    for (std::size_t j = 0; j < kVectors; ++j) {
      const auto some = hn::LoadU(bytes, reinterpret_cast<const std::int8_t*>(codes) + j * lanes());
      chunk.v[j] = hn::ConvertTo(FloatTag(), hn::PromoteTo(integers, some));
    }
    return chunk;
  }
  template <int Groups>
  static HWY_INLINE Scale scaleOf(const std::uint16_t* scales) {
    return hn::Set(FloatTag(), toFloat(Bfloat16{*scales}));
  }
  static HWY_INLINE Sum zero() { return hn::Zero(FloatTag()); }
  static HWY_INLINE void add(Sum& sum, const Chunk& chunk, Scale scale, const float* x) {
    const FloatTag floats;
    auto even = hn::Mul(chunk.v[0], hn::Load(floats, x)), odd = hn::Mul(chunk.v[1], hn::Load(floats, x + lanes()));
    for (std::size_t j = 2; j < kVectors; j += 2) {
      even = hn::MulAdd(chunk.v[j], hn::Load(floats, x + j * lanes()), even);
      odd = hn::MulAdd(chunk.v[j + 1], hn::Load(floats, x + (j + 1) * lanes()), odd);
    }
    sum = hn::MulAdd(hn::Add(even, odd), scale, sum);
  }
  static HWY_INLINE float total(Sum sum) { return sumLanes(sum); }
};

/// A vector of words with eight codes of 4 bits each.
struct Int4Engine {
  static constexpr WeightFormat kFormat = WeightFormat::int4;
  static constexpr std::size_t kParts = 8, kLanes = hn::MaxLanes(FloatTag()), kStep = kParts * kLanes, kRows = 4;
  using Input = float;
  using Sum = FloatVector;
  using Scale = FloatVector;
  struct Chunk {
    FloatVector v[kParts];
  };
  static HWY_INLINE Chunk load(const std::uint8_t* codes) {
    const hn::Rebind<std::int32_t, FloatTag> integers;
    const auto words = hn::LoadU(integers, reinterpret_cast<const std::int32_t*>(codes));
    Chunk chunk;
    chunk.v[0] = numbers(hn::ShiftLeft<28>(words));
    chunk.v[1] = numbers(hn::ShiftLeft<24>(words));
    chunk.v[2] = numbers(hn::ShiftLeft<20>(words));
    chunk.v[3] = numbers(hn::ShiftLeft<16>(words));
    chunk.v[4] = numbers(hn::ShiftLeft<12>(words));
    chunk.v[5] = numbers(hn::ShiftLeft<8>(words));
    chunk.v[6] = numbers(hn::ShiftLeft<4>(words));
    chunk.v[7] = numbers(words);
    return chunk;
  }
  template <int Groups>
  static HWY_INLINE Scale scaleOf(const std::uint16_t* scales) {
    const FloatTag floats;
    const auto part = [&](std::size_t i) { return toFloat(Bfloat16{scales[i]}); };
#if HWY_MAX_BYTES >= 64
    const hn::Half<hn::Half<FloatTag> > quarters;
    if constexpr (Groups == 4) {
      const hn::Half<FloatTag> halves;
      return hn::Combine(floats, hn::Combine(halves, hn::Set(quarters, part(3)), hn::Set(quarters, part(2))),
                         hn::Combine(halves, hn::Set(quarters, part(1)), hn::Set(quarters, part(0))));
    }
#endif
#if HWY_MAX_BYTES >= 32
    if constexpr (Groups == 2) {
      const hn::Half<FloatTag> halves;
      return hn::Combine(floats, hn::Set(halves, part(1)), hn::Set(halves, part(0)));
    }
#endif
    return hn::Set(floats, part(0));
  }
  static HWY_INLINE Sum zero() {
    return hn::Zero(FloatTag());
  }
  static HWY_INLINE void add(Sum& sum, const Chunk& chunk, Scale scale, const float* x) {
    const FloatTag floats;
    auto even = hn::Mul(chunk.v[0], hn::Load(floats, x)), odd = hn::Mul(chunk.v[1], hn::Load(floats, x + lanes()));
    for (std::size_t j = 2; j < kParts; j += 2) {
      even = hn::MulAdd(chunk.v[j], hn::Load(floats, x + j * lanes()), even);
      odd = hn::MulAdd(chunk.v[j + 1], hn::Load(floats, x + (j + 1) * lanes()), odd);
    }
    sum = hn::MulAdd(hn::Add(even, odd), scale, sum);
  }
  static HWY_INLINE float total(Sum sum) {
    return sumLanes(sum);
  }

 private:
  /// The highest four bits of each word.
  template <class V>
  static HWY_INLINE FloatVector numbers(V words) {
    return hn::ConvertTo(FloatTag(), hn::ShiftRight<28>(words));
  }
};

bool mayHaveBf16Dot() {
#if HWY_ARCH_X86
  return HWY_TARGET == HWY_AVX3_DL;
#else
  return false;
#endif
}

std::size_t pairStride(std::size_t k) {
  return roundUp(k, 2 * lanes());
}

template <class T>
void prepareQuantized(WeightFormat format, const T* x, std::size_t k, std::size_t xStride, float* prepared) {
  HWY_ALIGN float block[Int4Engine::kStep];
  for (std::size_t i = 0; i < xStride; i += Int4Engine::kStep) {
    float* const to = format == WeightFormat::int8 ? prepared + i : block;
    for (std::size_t j = 0; j < Int4Engine::kStep; ++j)
      to[j] = i + j < k ? loadElement<T>(x, static_cast<std::int64_t>(i + j)) : 0.0f;
    if (format == WeightFormat::int4) interleaveBlock<Int4Engine::kStep, Int4Engine::kParts>(block, prepared + i);
  }
}

void prepareMatvec(WeightFormat format, Element element, const void* x, std::size_t rows, std::size_t k,
                   std::size_t xStride, float* prepared) {
  for (std::size_t row = 0; row < rows; ++row) {
    const void* from = at(element, x, static_cast<std::int64_t>(row * k));
    if (format != WeightFormat::plain) {
      if (element == Element::f32) {
        prepareQuantized(format, static_cast<const float*>(from), k, xStride, prepared + row * xStride);
      } else {
        prepareQuantized(format, static_cast<const Bfloat16*>(from), k, xStride, prepared + row * xStride);
      }
    } else if (element == Element::f32) {
      expandPairs<float>(from, k, prepared + row * xStride);
    } else {
      expandPairs<Bfloat16>(from, k, prepared + row * xStride);
    }
  }
}

void matvecPart(const cpu::MatvecWork& work, std::int64_t begin, std::int64_t end) {
  if (work.element == Element::f32) {
    matvecRows<PairEngine<float>, Int8Engine, Int4Engine>(work, begin, end);
  } else {
    matvecRows<PairEngine<Bfloat16>, Int8Engine, Int4Engine>(work, begin, end);
  }
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(mayHaveBf16Dot);
HWY_EXPORT(pairStride);
HWY_EXPORT(prepareMatvec);
HWY_EXPORT(matvecPart);

namespace {

std::atomic<std::size_t> prefetchBytes{kMatvecPrefetch};

/// This thread's, aligned for vectors; it is kept, so that a step of decoding allocates nothing.
float* scratch(std::size_t size) {
  thread_local hwy::AlignedFreeUniquePtr<float[]> memory;
  thread_local std::size_t held = 0;
  if (size > held) {
    memory = hwy::AllocateAligned<float>(size);
    held = size;
  }
  return memory.get();
}

}  // namespace

void setMatvecPrefetch(std::size_t bytes) {
  prefetchBytes.store(bytes, std::memory_order_relaxed);
}

void matvec(Element element, Element outElement, const void* x, std::int64_t rows, std::int64_t k,
            const MatvecTarget* targets, int targetCount, const Stream& stream) {
  const bool bf16Dot = element == Element::bf16 && HWY_DYNAMIC_DISPATCH(mayHaveBf16Dot)() && cpu::hasBf16Dot();
  cpu::MatvecWork work;
  work.element = element;
  work.outElement = outElement;
  work.rows = static_cast<std::size_t>(rows);
  work.k = static_cast<std::size_t>(k);
  work.targets = targets;
  work.targetCount = targetCount;
  work.prefetch = prefetchBytes.load(std::memory_order_relaxed);

  std::int64_t outputs = 0;
  bool has[cpu::kFormats] = {};
  for (int t = 0; t < targetCount; ++t) {
    outputs += targets[t].n;
    has[static_cast<int>(targets[t].format)] = true;
  }
  std::size_t places[cpu::kFormats + 1] = {};
  for (int f = 0; f < cpu::kFormats; ++f) {
    std::size_t& stride = work.x[f].stride;
    if (static_cast<WeightFormat>(f) != WeightFormat::plain) {
      stride = cpu::quantizedStride(work.k);
    } else {
      stride = bf16Dot ? cpu::bf16DotStride(work.k) : HWY_DYNAMIC_DISPATCH(pairStride)(work.k);
    }
    places[f + 1] = places[f] + (has[f] ? (work.rows * stride + 15) / 16 * 16 : 0);
  }
  float* const prepared = scratch(places[cpu::kFormats] + 1);
  for (int f = 0; f < cpu::kFormats; ++f) {
    if (!has[f]) continue;
    const auto format = static_cast<WeightFormat>(f);
    float* const to = prepared + places[f];
    work.x[f].data = to;
    if (bf16Dot) {
      cpu::prepareBf16Dot(format, x, work.rows, work.k, work.x[f].stride, to);
    } else {
      HWY_DYNAMIC_DISPATCH(prepareMatvec)(format, element, x, work.rows, work.k, work.x[f].stride, to);
    }
  }
  forEachPart(stream, outputs, grainOf(k * elementBytes(element)), [&](std::int64_t begin, std::int64_t end) {
    if (bf16Dot) {
      cpu::matvecBf16Dot(work, begin, end);
    } else {
      HWY_DYNAMIC_DISPATCH(matvecPart)(work, begin, end);
    }
  });
}

}  // namespace strata::kernels
#endif
