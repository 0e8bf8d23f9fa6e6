#include "kernels/matvec.h"

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
  static std::size_t step() { return 2 * lanes(); }
  static Chunk load(const T* p) { return loadPair(p); }
  static Chunk loadFirst(const T* p, std::size_t n) { return loadPairFirst(p, n); }
  static Sum zero() { return hn::Zero(FloatTag()); }
  static constexpr std::size_t kRows = HWY_MAX_BYTES >= 64 ? 8 : 4;
  static void add(Sum& sum, const Chunk& chunk, const float* x) {
    sum = hn::MulAdd(chunk.first, hn::Load(FloatTag(), x), sum);
    sum = hn::MulAdd(chunk.second, hn::Load(FloatTag(), x + lanes()), sum);
  }
  static Sum join(Sum a, Sum b) { return hn::Add(a, b); }
  static float total(Sum sum) { return sumLanes(sum); }
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

void prepareMatvec(Element element, const void* x, std::size_t rows, std::size_t k, std::size_t xStride,
                   float* prepared) {
  for (std::size_t row = 0; row < rows; ++row) {
    const void* from = at(element, x, static_cast<std::int64_t>(row * k));
    if (element == Element::f32) {
      expandPairs<float>(from, k, prepared + row * xStride);
    } else {
      expandPairs<Bfloat16>(from, k, prepared + row * xStride);
    }
  }
}

void matvecPart(const cpu::MatvecWork& work, std::int64_t begin, std::int64_t end) {
  if (work.element == Element::f32) {
    matvecRows<PairEngine<float>>(work, begin, end);
  } else {
    matvecRows<PairEngine<Bfloat16>>(work, begin, end);
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

void matvec(Element element, Element outElement, const void* x, std::int64_t rows, std::int64_t k,
            const MatvecTarget* targets, int targetCount, const Stream& stream) {
  const bool bf16Dot = element == Element::bf16 && HWY_DYNAMIC_DISPATCH(mayHaveBf16Dot)() && cpu::hasBf16Dot();
  cpu::MatvecWork work;
  work.element = element;
  work.outElement = outElement;
  work.rows = static_cast<std::size_t>(rows);
  work.k = static_cast<std::size_t>(k);
  work.xStride = bf16Dot ? cpu::bf16DotStride(work.k) : HWY_DYNAMIC_DISPATCH(pairStride)(work.k);
  work.targets = targets;
  work.targetCount = targetCount;

  float* const prepared = scratch(work.rows * work.xStride + 1);
  work.x = prepared;
  if (bf16Dot) {
    cpu::prepareBf16Dot(x, work.rows, work.k, work.xStride, prepared);
  } else {
    HWY_DYNAMIC_DISPATCH(prepareMatvec)(element, x, work.rows, work.k, work.xStride, prepared);
  }

  std::int64_t outputs = 0;
  for (int t = 0; t < targetCount; ++t) outputs += targets[t].n;
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
