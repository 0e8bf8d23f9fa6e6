#include "kernels/attention.h"

#include "kernels/cpu/attention_part.h"
#include "kernels/cpu/gemm_part.h"
#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

#define HWY_WANT_AVX3_DL  // for AVX-512-BF16 too: see matvec.cpp
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cpp"
#include <hwy/aligned_allocator.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

#include "kernels/cpu/attention_backward-inl.h"

/// Everything in fp32, whatever is stored.
template <class T>
struct FloatEngine {
  using Stored = T;
  using Word = float;
  using Sum = FloatVector;
  using Words = FloatVector;
  static constexpr std::size_t kStep = 1;
  static constexpr std::size_t kRows = HWY_MAX_BYTES >= 64 ? 8 : 4;
  static constexpr float kLogBase = 1;
  static std::size_t lanes() { return strata::kernels::HWY_NAMESPACE::lanes(); }
  static Sum zero() { return hn::Zero(FloatTag()); }
  static Sum set(float value) { return hn::Set(FloatTag(), value); }
  static Sum load(const float* p) { return hn::LoadU(FloatTag(), p); }
  static void store(Sum sum, float* p) { hn::StoreU(sum, FloatTag(), p); }
  static Sum add(Sum a, Sum b) { return hn::Add(a, b); }
  static Sum sub(Sum a, Sum b) { return hn::Sub(a, b); }
  static Sum mul(Sum a, Sum b) { return hn::Mul(a, b); }
  static Sum mulSub(Sum a, Sum b, Sum c) { return hn::MulSub(a, b, c); }
  static Sum larger(Sum a, Sum b) { return hn::Max(a, b); }
  static float highest(Sum sum) { return hn::GetLane(hn::MaxOfLanes(FloatTag(), sum)); }
  static float total(Sum sum) { return sumLanes(sum); }
  static Words loadWords(const float* p) { return load(p); }
  static Words broadcast(float word) { return set(word); }
  static Sum madd(Sum sum, Words a, Words b) { return hn::MulAdd(a, b, sum); }
  static Sum power(Sum sum) { return exponential(sum); }
  static Sum keepOr(Sum sum, std::int64_t key, std::int64_t first, std::int64_t last, float other) {
    if (key >= first && key + static_cast<std::int64_t>(lanes()) - 1 <= last) return sum;
    const hn::RebindToSigned<FloatTag> integers;
    const auto keys = hn::Iota(integers, static_cast<std::int32_t>(key));
    const auto seen = hn::And(hn::Gt(keys, hn::Set(integers, static_cast<std::int32_t>(first) - 1)),
                              hn::Lt(keys, hn::Set(integers, static_cast<std::int32_t>(last) + 1)));
    return hn::IfThenElse(hn::RebindMask(FloatTag(), seen), sum, set(other));
  }
  static float dot(const T* a, const T* b, std::size_t d) {
    const std::size_t step = lanes();
    Sum sum = zero();
    std::size_t i = 0;
    for (; i + step <= d; i += step) {
      sum = hn::MulAdd(strata::kernels::HWY_NAMESPACE::load(a + i), strata::kernels::HWY_NAMESPACE::load(b + i), sum);
    }
    if (i < d) sum = hn::MulAdd(loadFirst(a + i, d - i), loadFirst(b + i, d - i), sum);
    return total(sum);
  }
  static void storeRow(const float* from, float factor, T* to, std::size_t d) {
    const std::size_t step = lanes();
    std::size_t i = 0;
    for (; i + step <= d; i += step) {
      strata::kernels::HWY_NAMESPACE::store(hn::Mul(load(from + i), set(factor)), to + i);
    }
    if (i < d) storeFirst(hn::Mul(load(from + i), set(factor)), to + i, d - i);
  }
  static void rowWords(float* to, Sum low, Sum high) {
    store(low, to);
    store(high, to + lanes());
  }
  static void pairWords(float* to, Sum even, Sum) { store(even, to); }
};

bool mayDotBf16() {
#if HWY_ARCH_X86
  return HWY_TARGET == HWY_AVX3_DL;
#else
  return false;
#endif
}

void attentionPart(Element element, const cpu::AttentionWork& work, std::int64_t begin, std::int64_t end) {
  withElement(element, [&](auto type) { attentionTasks<FloatEngine<decltype(type)>>(work, begin, end); });
}

void attentionBackwardPart(Element element, const cpu::AttentionWork& work, cpu::BackwardTask kind, std::int64_t begin,
                           std::int64_t end) {
  withElement(element, [&](auto type) { attentionBackwardTasks<FloatEngine<decltype(type)>>(work, kind, begin, end); });
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
namespace cpu {

float* allocateFloats(std::size_t count) {
  return static_cast<float*>(hwy::AllocateAlignedBytes(count * sizeof(float), nullptr, nullptr));
}

void freeFloats(float* memory) {
  hwy::FreeAlignedBytes(memory, nullptr, nullptr);
}

}  // namespace cpu

HWY_EXPORT(mayDotBf16);
HWY_EXPORT(attentionPart);
HWY_EXPORT(attentionBackwardPart);

namespace {

bool dotsBf16(Element element) {
  return element == Element::bf16 && HWY_DYNAMIC_DISPATCH(mayDotBf16)() && cpu::bf16DotIsFaster();
}

}  // namespace

void attention(Element element, const void* q, const void* k, const void* v, const std::int32_t* first, float scale,
               void* out, float* lse, const AttentionShape& shape, const Stream& stream) {
  const bool bf16Dot = dotsBf16(element);
  cpu::AttentionWork work{
      .q = q, .k = k, .v = v, .first = first, .scale = scale, .shape = shape, .out = out, .lse = lse};
  if (first != nullptr) work.lowestKey = *std::min_element(first, first + shape.b * shape.t);
  const std::int64_t blocks = (shape.t + cpu::kAttentionQueries - 1) / cpu::kAttentionQueries;
  forEachPart(stream, shape.b * shape.hkv * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    if (bf16Dot) {
      cpu::attentionBf16Dot(work, begin, end);
    } else {
      HWY_DYNAMIC_DISPATCH(attentionPart)(element, work, begin, end);
    }
  });
}

void attentionBackward(Element element, const void* q, const void* k, const void* v, const std::int32_t* first,
                       float scale, const AttentionResult& result, const AttentionGradients& gradients,
                       const AttentionShape& shape, const Stream& stream) {
  constexpr std::int64_t kPartialFloats = std::int64_t{16} << 20;  // held at once
  const bool bf16Dot = dotsBf16(element);
  cpu::AttentionWork work{
      .q = q, .k = k, .v = v, .first = first, .scale = scale, .shape = shape, .result = result, .gradients = gradients};
  const auto run = [&](cpu::BackwardTask kind, std::int64_t tasks) {
    forEachPart(stream, tasks, 1, [&](std::int64_t begin, std::int64_t end) {
      if (bf16Dot) {
        cpu::attentionBackwardBf16Dot(work, kind, begin, end);
      } else {
        HWY_DYNAMIC_DISPATCH(attentionBackwardPart)(element, work, kind, begin, end);
      }
    });
  };
  const std::int64_t pairs = shape.b * shape.hkv;
  const cpu::GradientParts parts(shape);
  if (pairs >= stream.threads || parts.count == 1) return run(cpu::BackwardTask::pair, pairs);
  const std::int64_t atOnce = std::max<std::int64_t>(1, kPartialFloats / parts.floats());
  const auto sums = hwy::AllocateAligned<float>(static_cast<std::size_t>(std::min(atOnce, pairs) * parts.floats()));
  work.partialSums = sums.get();
  for (; work.firstPair < pairs; work.firstPair += atOnce) {
    const std::int64_t count = std::min(atOnce, pairs - work.firstPair);
    run(cpu::BackwardTask::part, count * parts.count);
    run(cpu::BackwardTask::sum, count * shape.d);
  }
}

}  // namespace strata::kernels
#endif
