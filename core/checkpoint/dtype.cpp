#include "core/checkpoint/dtype.h"

#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>

namespace strata {

static_assert(std::endian::native == std::endian::little,
              "safetensors is little-endian, and so are the machines we know");

namespace {

std::uint16_t halfFromFloat(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {  // NaN: keep the upper payload, and stay a NaN where it is zero
    return static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  }
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // rounds to 2^16 or more
  if (magnitude < 0x38800000u) {                                                    // below 2^-14: subnormal
    // Adding 0.5 leaves mantissa bits worth 2^-24, the subnormal's unit; the addition itself rounds to nearest even.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  const std::uint32_t rounded = magnitude + 0xfffu + odd;
  return static_cast<std::uint16_t>(sign | ((rounded - (112u << 23)) >> 13));
}

std::uint16_t bfloatFromFloat(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace

float floatFromHalf(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu;
  const std::uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {  // zero and subnormals: mantissa x 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t biased = exponent == 31 ? 255u : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (biased << 23) | (mantissa << 13));
}

const char* safetensorsName(DType type) {
  switch (type) {
    case DType::f32:
      return "F32";
    case DType::f16:
      return "F16";
    case DType::bf16:
      return "BF16";
  }
  return "";
}

const char* configName(DType type) {
  switch (type) {
    case DType::f32:
      return "float32";
    case DType::f16:
      return "float16";
    case DType::bf16:
      return "bfloat16";
  }
  return "";
}

std::optional<DType> parseDType(std::string_view either) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
    if (either == safetensorsName(type) || either == configName(type)) return type;
  }
  return std::nullopt;
}

void convertToFloat(std::span<const std::byte> bytes, DType type, std::span<float> out) {
  assert(bytes.size() == out.size() * bytesOf(type));
  if (out.empty()) return;
  if (type == DType::f32) {
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t stored;
    std::memcpy(&stored, bytes.data() + 2 * i, 2);
    out[i] =
        type == DType::bf16 ? std::bit_cast<float>(static_cast<std::uint32_t>(stored) << 16) : floatFromHalf(stored);
  }
}

std::vector<std::byte> convertFromFloat(std::span<const float> values, DType type) {
  std::vector<std::byte> out(values.size() * bytesOf(type));
  convertFromFloat(values, type, out);
  return out;
}

void convertFromFloat(std::span<const float> values, DType type, std::span<std::byte> out) {
  assert(out.size() == values.size() * bytesOf(type));
  if (values.empty()) return;
  if (type == DType::f32) {
    std::memcpy(out.data(), values.data(), out.size());
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t stored = type == DType::bf16 ? bfloatFromFloat(values[i]) : halfFromFloat(values[i]);
    std::memcpy(out.data() + 2 * i, &stored, 2);
  }
}

}  // namespace strata
