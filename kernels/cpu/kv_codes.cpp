#include "kernels/kv_codes.h"

#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/kv_codes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/kv_codes_part.h"
#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {
#include "kernels/cpu/kv_codes-inl.h"

/// The largest |x| of a row, as bits: what is not finite is larger than all numbers.
template <class T>
std::uint32_t largestBits(const T* x, std::size_t d) {
  const SignedTag words;
  auto largest = hn::Zero(words);
  for (std::size_t i = 0; i < d; i += lanes()) {
    const FloatVector v = i + lanes() <= d ? load(x + i) : loadFirst(x + i, d - i);
    largest = hn::Max(largest, hn::BitCast(words, hn::Abs(v)));
  }
  return static_cast<std::uint32_t>(hn::GetLane(hn::MaxOfLanes(words, largest)));
}

inline auto toCodes(FloatVector v, std::int8_t) {
  const SignedTag words;
  const auto whole = hn::NearestInt(v);
  return hn::DemoteTo(CodeTag(), hn::Max(hn::Min(whole, hn::Set(words, 127)), hn::Set(words, -127)));
}
/// fromFloat<Float8>() of finite numbers.
inline auto toCodes(FloatVector v, Float8) {
  const FloatTag floats;
  const SignedTag words;
  const auto magnitude = hn::BitCast(words, hn::Abs(v));
  const auto odd = hn::And(hn::ShiftRight<20>(magnitude), hn::Set(words, 1));
  const auto rounded = hn::ShiftRight<20>(hn::Add(hn::Add(magnitude, hn::Set(words, 0x7ffff)), odd));
  const auto normal = hn::Min(hn::Sub(rounded, hn::Set(words, 120 << 3)), hn::Set(words, 0x7e));
  const auto small = hn::NearestInt(hn::Mul(hn::Abs(v), hn::Set(floats, 512.0f)));
  const auto code = hn::IfThenElse(hn::Lt(magnitude, hn::Set(words, 121 << 23)), small, normal);
  // As a signed byte: -128 for the sign bit, so that no code is cut off.
  const auto sign = hn::And(hn::BroadcastSignBit(hn::BitCast(words, v)), hn::Set(words, -128));
  return hn::DemoteTo(CodeTag(), hn::Add(code, sign));
}

template <class Code, class T>
void roundRow(const T* x, Code* codes, Bfloat16* scale, std::size_t d) {
  constexpr bool kFloat8 = std::is_same_v<Code, Float8>;
  const std::uint32_t largest = largestBits(x, d);
  if (largest == 0 || largest >= 0x7f800000u) {
    std::memset(static_cast<void*>(codes), 0, d);
    *scale = {static_cast<std::uint16_t>(largest == 0 ? 0 : 0x7fc0)};
    return;
  }
  const float exact = std::bit_cast<float>(largest) / largestCode(kFloat8 ? KvFormat::fp8 : KvFormat::int8);
  *scale = {static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(exact) + 0xffffu) >> 16)};
  const auto divisor = hn::Set(FloatTag(), toFloat(*scale));
  for (std::size_t i = 0; i < d; i += lanes()) {
    auto* to = reinterpret_cast<std::int8_t*>(codes + i);
    if (i + lanes() <= d) {
      hn::StoreU(toCodes(hn::Div(load(x + i), divisor), Code()), CodeTag(), to);
    } else {
      HWY_ALIGN std::int8_t buffer[hn::MaxLanes(FloatTag())];
      hn::StoreU(toCodes(hn::Div(loadFirst(x + i, d - i), divisor), Code()), CodeTag(), buffer);
      std::memcpy(to, buffer, d - i);
    }
  }
}

template <class Code, class T>
void appendRows(const cpu::AppendCodes& work, std::int64_t begin, std::int64_t end) {
  const auto d = static_cast<std::size_t>(work.d);
  for (std::int64_t row = begin; row < end; ++row) {  // (b · T + t) · Hkv + head
    const std::int64_t token = row / work.hkv, b = token / work.t;
    const std::int64_t to = (b * work.hkv + row % work.hkv) * work.capacity + work.positions[b] + token % work.t;
    const auto round = [&](const void* x, void* codes, void* scales) {
      roundRow(static_cast<const T*>(x) + row * work.d, static_cast<Code*>(codes) + to * work.d,
               static_cast<Bfloat16*>(scales) + to, d);
    };
    round(work.k, work.to.k, work.to.kScales);
    round(work.v, work.to.v, work.to.vScales);
  }
}

template <class Code, class T>
void readRows(const cpu::ReadCodes& work, std::int64_t begin, std::int64_t end) {
  const auto d = static_cast<std::size_t>(work.d);
  for (std::int64_t row = begin; row < end; ++row) {  // head · n + position
    const std::int64_t from = row / work.n * work.capacity + row % work.n;
    const Code* codes = static_cast<const Code*>(work.codes) + from * work.d;
    T* out = static_cast<T*>(work.out) + row * work.d;
    const auto scale = hn::Set(FloatTag(), toFloat(static_cast<const Bfloat16*>(work.scales)[from]));
    std::size_t i = 0;
    for (; i + lanes() <= d; i += lanes()) store(hn::Mul(load(codes + i), scale), out + i);
    if (i < d) storeFirst(hn::Mul(loadCodesFirst(codes + i, d - i), scale), out + i, d - i);
  }
}

template <class Work, class F>
void withTypes(KvFormat format, const Work& work, F&& f) {
  const bool isFloat = work.element == Element::f32;
  if (format == KvFormat::int8) {
    isFloat ? f(std::int8_t(), float()) : f(std::int8_t(), Bfloat16());
  } else {
    isFloat ? f(Float8(), float()) : f(Float8(), Bfloat16());
  }
}

void appendPart(KvFormat format, const cpu::AppendCodes& work, std::int64_t begin, std::int64_t end) {
  withTypes(format, work,
            [&](auto code, auto element) { appendRows<decltype(code), decltype(element)>(work, begin, end); });
}
void readPart(KvFormat format, const cpu::ReadCodes& work, std::int64_t begin, std::int64_t end) {
  withTypes(format, work,
            [&](auto code, auto element) { readRows<decltype(code), decltype(element)>(work, begin, end); });
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(appendPart);
HWY_EXPORT(readPart);

void kvAppendCodes(KvFormat format, Element element, const void* k, const void* v, const KvCodes& to,
                   const std::int64_t* positions, std::int64_t b, std::int64_t t, std::int64_t hkv,
                   std::int64_t capacity, std::int64_t d, const Stream& stream) {
  const cpu::AppendCodes work{element, k, v, to, positions, t, hkv, capacity, d};
  forEachPart(stream, b * t * hkv, grainOf(2 * d * elementBytes(element)), [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(appendPart)(format, work, begin, end);
  });
}

void kvReadCodes(KvFormat format, Element element, const void* codes, const void* scales, void* out, std::int64_t rows,
                 std::int64_t n, std::int64_t capacity, std::int64_t d, const Stream& stream) {
  const cpu::ReadCodes work{element, codes, scales, out, n, capacity, d};
  forEachPart(stream, rows * n, grainOf(d * elementBytes(element)), [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(readPart)(format, work, begin, end);
  });
}

}  // namespace strata::kernels
#endif
