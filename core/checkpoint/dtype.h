#pragma once
// Element types of safetensors that Strata reads.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace strata {

enum class DType { f32, f16, bf16 };

inline std::size_t bytesOf(DType type) {
  return type == DType::f32 ? 4 : 2;
}
/// The spelling of safetensors: "F32", "F16", "BF16".
const char* safetensorsName(DType type);
/// The spelling of config.json and of --dtype: "float32", "float16", "bfloat16".
const char* configName(DType type);
std::optional<DType> parseDType(std::string_view either);

/// IEEE 754 binary16, exactly.
float floatFromHalf(std::uint16_t half);

/// Little-endian elements of `type` to floats, exactly; `bytes` holds out.size() elements and need not be aligned.
void convertToFloat(std::span<const std::byte> bytes, DType type, std::span<float> out);
/// Rounds once, to nearest even; what is too large becomes infinity, a NaN stays a NaN.
std::vector<std::byte> convertFromFloat(std::span<const float> values, DType type);
/// The same into `out`, which holds values.size() elements.
void convertFromFloat(std::span<const float> values, DType type, std::span<std::byte> out);

}  // namespace strata
