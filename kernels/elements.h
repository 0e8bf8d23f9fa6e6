#pragma once
// The two storage formats as C++ types, and reading and writing them at any alignment: weights lie in memory-mapped
// files, where a tensor starts at any byte that its header's length gives.

#include <bit>
#include <cstdint>
#include <cstring>

#include "kernels/stream.h"

namespace strata::kernels {

struct Bfloat16 {
  std::uint16_t bits = 0;
};

inline float toFloat(float value) {
  return value;
}
inline float toFloat(Bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

template <class T>
T fromFloat(float value);
template <>
inline float fromFloat<float>(float value) {
  return value;
}
/// To nearest, ties to even; NaN stays NaN.
template <>
inline Bfloat16 fromFloat<Bfloat16>(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (value != value) return {static_cast<std::uint16_t>((bits >> 16) | 0x40u)};
  return {static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

template <class T>
float loadElement(const void* base, std::int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char*>(base) + index * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
  return toFloat(value);
}

template <class T>
void storeElement(void* base, std::int64_t index, float value) {
  const T stored = fromFloat<T>(value);
  std::memcpy(static_cast<char*>(base) + index * static_cast<std::int64_t>(sizeof(T)), &stored, sizeof(T));
}

inline void storeElement(Element element, void* base, std::int64_t index, float value) {
  if (element == Element::f32) {
    storeElement<float>(base, index, value);
  } else {
    storeElement<Bfloat16>(base, index, value);
  }
}

inline std::int64_t elementBytes(Element element) {
  return element == Element::f32 ? 4 : 2;
}

/// Element `index` of an array, as an address.
inline const void* at(Element element, const void* base, std::int64_t index) {
  return static_cast<const char*>(base) + index * elementBytes(element);
}
inline void* at(Element element, void* base, std::int64_t index) {
  return static_cast<char*>(base) + index * elementBytes(element);
}

/// f(T{}) with the C++ type of the element.
template <class F>
auto withElement(Element element, F&& f) {
  return element == Element::f32 ? f(float{}) : f(Bfloat16{});
}

}  // namespace strata::kernels
