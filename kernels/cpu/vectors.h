// Vectors of either storage format as fp32. Included once per instruction set (Highway's foreach_target): no `#pragma
// once`, the toggle below is the guard.
//
// A Pair is two vectors that hold 2 N consecutive elements. f32: first half, second half. bf16: the even elements and
// the odd ones, because a 32-bit word's two bf16 become fp32 by one shift and one mask. What is multiplied with
// pairs is laid out the same way beforehand (pairSlot).
#if defined(STRATA_KERNELS_CPU_VECTORS_H) == defined(HWY_TARGET_TOGGLE)
#ifdef STRATA_KERNELS_CPU_VECTORS_H
#undef STRATA_KERNELS_CPU_VECTORS_H
#else
#define STRATA_KERNELS_CPU_VECTORS_H
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/elements.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using WordTag = hn::RebindToUnsigned<FloatTag>;
using HalfWordTag = hn::Rebind<std::uint16_t, FloatTag>;
using FloatVector = hn::Vec<FloatTag>;

inline std::size_t lanes() {
  return hn::Lanes(FloatTag());
}

struct Pair {
  // Not "= default", nor an aggregate: g++ gives what it makes itself none of the target's attributes.
  Pair() {}  // NOLINT(modernize-use-equals-default)
  Pair(FloatVector one, FloatVector other) : first(one), second(other) {}
  FloatVector first, second;
};

inline FloatVector load(const float* p) {
  return hn::LoadU(FloatTag(), p);
}
inline FloatVector load(const Bfloat16* p) {
  const auto half = hn::LoadU(HalfWordTag(), reinterpret_cast<const std::uint16_t*>(p));
  return hn::BitCast(FloatTag(), hn::ShiftLeft<16>(hn::PromoteTo(WordTag(), half)));
}

inline void store(FloatVector v, float* p) {
  hn::StoreU(v, FloatTag(), p);
}
/// To nearest, ties to even; NaN stays NaN.
inline void store(FloatVector v, Bfloat16* p) {
  const WordTag words;
  const auto bits = hn::BitCast(words, v);
  const auto high = hn::ShiftRight<16>(bits);
  const auto odd = hn::And(high, hn::Set(words, 1u));
  const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(bits, hn::Set(words, 0x7fffu)), odd));
  const auto quiet = hn::Or(high, hn::Set(words, 0x40u));
  const auto result = hn::IfThenElse(hn::RebindMask(words, hn::IsNaN(v)), quiet, rounded);
  const hn::RebindToSigned<WordTag> integers;
  hn::StoreU(hn::DemoteTo(HalfWordTag(), hn::BitCast(integers, result)), HalfWordTag(),
             reinterpret_cast<std::uint16_t*>(p));
}

/// The first n < lanes() elements, zeros after them.
template <class T>
FloatVector loadFirst(const T* p, std::size_t n) {
  HWY_ALIGN T buffer[hn::MaxLanes(FloatTag())] = {};
  std::memcpy(static_cast<void*>(buffer), static_cast<const void*>(p), n * sizeof(T));
  return load(buffer);
}
template <class T>
void storeFirst(FloatVector v, T* p, std::size_t n) {
  HWY_ALIGN T buffer[hn::MaxLanes(FloatTag())];
  store(v, buffer);
  std::memcpy(static_cast<void*>(p), static_cast<const void*>(buffer), n * sizeof(T));
}

inline Pair splitWords(hn::Vec<WordTag> words) {
  const FloatTag floats;
  return {hn::BitCast(floats, hn::ShiftLeft<16>(words)),
          hn::BitCast(floats, hn::And(words, hn::Set(WordTag(), 0xffff0000u)))};
}

inline Pair loadPair(const float* p) {
  return {load(p), load(p + lanes())};
}
inline Pair loadPair(const Bfloat16* p) {
  return splitWords(hn::LoadU(WordTag(), reinterpret_cast<const std::uint32_t*>(p)));
}

/// The first n < 2 lanes() elements, zeros after them; reads nothing beyond them.
template <class T>
Pair loadPairFirst(const T* p, std::size_t n) {
#if !HWY_MEM_OPS_MIGHT_FAULT
  if constexpr (std::is_same_v<T, Bfloat16>) {
    const WordTag words;
    if (n % 2 == 0) {
      return splitWords(hn::MaskedLoad(hn::FirstN(words, n / 2), words, reinterpret_cast<const std::uint32_t*>(p)));
    }
  }
  if constexpr (std::is_same_v<T, float>) {
    const FloatTag floats;
    if (n <= lanes()) return {hn::MaskedLoad(hn::FirstN(floats, n), floats, p), hn::Zero(floats)};
    return {load(p), hn::MaskedLoad(hn::FirstN(floats, n - lanes()), floats, p + lanes())};
  }
#endif
  HWY_ALIGN T buffer[2 * hn::MaxLanes(FloatTag())] = {};
  std::memcpy(static_cast<void*>(buffer), static_cast<const void*>(p), n * sizeof(T));
  return loadPair(buffer);
}

/// Where element i of an array stands once its chunks of 2 lanes() are laid out as pairs.
template <class T>
std::size_t pairSlot(std::size_t i) {
  if constexpr (std::is_same_v<T, float>) return i;
  const std::size_t within = i % (2 * lanes());
  return i - within + within % 2 * lanes() + within / 2;
}

/// n elements from any address as fp32 in pair layout; `to` holds a multiple of 2 lanes(), zeros after element n.
template <class T>
void expandPairs(const void* from, std::size_t n, float* to) {
  const T* p = static_cast<const T*>(from);
  const std::size_t step = 2 * lanes();
  for (std::size_t i = 0; i < n; i += step) {
    const Pair pair = i + step <= n ? loadPair(p + i) : loadPairFirst(p + i, n - i);
    store(pair.first, to + i);
    store(pair.second, to + i + lanes());
  }
}

/// The first n elements of an array in pair layout, in their own order.
template <class T>
void collectPairs(const float* from, std::size_t n, float* to) {
  const FloatTag floats;
  const std::size_t step = 2 * lanes();
  std::size_t i = 0;
  for (; i + step <= n; i += step) {
    const auto first = hn::Load(floats, from + i);
    const auto second = hn::Load(floats, from + i + lanes());
    if constexpr (std::is_same_v<T, float>) {
      hn::StoreU(first, floats, to + i);
      hn::StoreU(second, floats, to + i + lanes());
    } else {
      hn::StoreInterleaved2(first, second, floats, to + i);
    }
  }
  for (; i < n; ++i) to[i] = from[pairSlot<T>(i)];
}

inline std::size_t roundUp(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

inline float sumLanes(FloatVector v) {
  return hn::GetLane(hn::SumOfLanes(FloatTag(), v));
}

/// e^v, to 1 ulp, for v up to 88 (above it e^88); 0 below -104; NaN stays NaN. Highway's Exp alone gives 0 for NaN and
/// is undefined where v / ln 2 is no 32-bit integer.
inline FloatVector exponential(FloatVector v) {
  const FloatTag floats;
  const auto isNaN = hn::IsNaN(v);
  const auto number = hn::IfThenElse(isNaN, hn::Zero(floats), v);
  const auto bounded = hn::Min(hn::Max(number, hn::Set(floats, -105.0f)), hn::Set(floats, 88.0f));
  return hn::IfThenElse(isNaN, v, hn::Exp(floats, bounded));
}

/// to[i] = sum of v[i]'s lanes: four at once take half the shuffles of one by one.
inline void sumLanesOfFour(const FloatVector* v, float* to) {
#if HWY_TARGET == HWY_SCALAR || HWY_HAVE_SCALABLE
  for (int i = 0; i < 4; ++i) to[i] = sumLanes(v[i]);
#else
  const FloatTag floats;
  const hn::RepartitionToWide<WordTag> wide;
  // In each block of four lanes: a02 b02 a13 b13, c02 d02 c13 d13, then a b c d.
  const auto ab = hn::Add(hn::InterleaveLower(floats, v[0], v[1]), hn::InterleaveUpper(floats, v[0], v[1]));
  const auto cd = hn::Add(hn::InterleaveLower(floats, v[2], v[3]), hn::InterleaveUpper(floats, v[2], v[3]));
  const auto wideAb = hn::BitCast(wide, ab), wideCd = hn::BitCast(wide, cd);
  const auto blocks = hn::Add(hn::BitCast(floats, hn::InterleaveLower(wide, wideAb, wideCd)),
                              hn::BitCast(floats, hn::InterleaveUpper(wide, wideAb, wideCd)));
#if HWY_MAX_BYTES == 64
  const hn::Half<FloatTag> halves;
  const auto half = hn::Add(hn::LowerHalf(halves, blocks), hn::UpperHalf(halves, blocks));
  const hn::Half<hn::Half<FloatTag> > quarters;
  hn::StoreU(hn::Add(hn::LowerHalf(quarters, half), hn::UpperHalf(quarters, half)), quarters, to);
#elif HWY_MAX_BYTES == 32
  const hn::Half<FloatTag> halves;
  hn::StoreU(hn::Add(hn::LowerHalf(halves, blocks), hn::UpperHalf(halves, blocks)), halves, to);
#else
  hn::StoreU(blocks, floats, to);
#endif
#endif
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
