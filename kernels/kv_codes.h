#pragma once
// Keys and values of a cache in 8 bits: a code for each value, and for each position of each head one bf16 scale.
//
//   codes   [Hkv, capacity, D] bytes: whole numbers -127 … 127, or E4M3 (OCP 8-bit Floating Point Specification)
//   scales  [Hkv, capacity] bf16: the largest value of the D over 127 or over 448, rounded up
// A value is code · scale, which fp32 holds exactly. A scale for each position needs no calibration, and what a
// position was rounded to depends on nothing but its own values. Values that are not finite give a NaN for a scale.

#include <bit>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/stream.h"

namespace strata::kernels {

enum class KvFormat { plain, int8, fp8 };

/// E4M3: 1 sign bit, 4 of the exponent (bias 7), 3 of the mantissa; no infinities, 0x7f and 0xff are NaN.
struct Float8 {
  std::uint8_t bits = 0;
};

inline float toFloat(Float8 value) {
  const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x80u) << 24, magnitude = value.bits & 0x7fu;
  if (magnitude == 0x7f) return std::bit_cast<float>(sign | 0x7fc00000u);
  const float number =
      magnitude < 8 ? static_cast<float>(magnitude) * 0x1p-9f : std::bit_cast<float>((magnitude << 20) + (120u << 23));
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(number) | sign);
}
/// To nearest, ties to even; ±448 for what is larger; NaN stays NaN.
template <>
inline Float8 fromFloat<Float8>(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 24 & 0x80u, magnitude = bits & 0x7fffffffu;
  if (value != value) return {static_cast<std::uint8_t>(sign | 0x7fu)};
  std::uint32_t code = 0;
  if (magnitude >= 121u << 23) {  // normal: from 2^-6
    code = ((magnitude + 0x7ffffu + (magnitude >> 20 & 1u)) >> 20) - (120u << 3);
    if (code > 0x7eu) code = 0x7eu;
  } else {  // a multiple of 2^-9: adding 2^14 leaves its count in the lowest bits
    const float shifted = std::bit_cast<float>(magnitude) + 0x1p14f;
    code = std::bit_cast<std::uint32_t>(shifted) & 0xfu;
  }
  return {static_cast<std::uint8_t>(sign | code)};
}

/// The largest code.
constexpr float largestCode(KvFormat format) {
  return format == KvFormat::fp8 ? 448.0f : 127.0f;
}

/// Caches of codes, each [B, Hkv, capacity, D], and their scales.
struct KvCodes {
  void* k = nullptr;
  void* v = nullptr;
  void* kScales = nullptr;
  void* vScales = nullptr;
};

/// Rounds the keys and values of t tokens, k, v [B, T, Hkv, D] in `element`, to codes at the positions positions[b] …
/// positions[b] + T - 1.
void kvAppendCodes(KvFormat format, Element element, const void* k, const void* v, const KvCodes& to,
                   const std::int64_t* positions, std::int64_t b, std::int64_t t, std::int64_t hkv,
                   std::int64_t capacity, std::int64_t d, const Stream& stream);

/// The values of the first n positions in `element`, rounded once: codes [rows, capacity, D] -> out [rows, n, D].
void kvReadCodes(KvFormat format, Element element, const void* codes, const void* scales, void* out, std::int64_t rows,
                 std::int64_t n, std::int64_t capacity, std::int64_t d, const Stream& stream);

}  // namespace strata::kernels
