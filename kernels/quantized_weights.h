#pragma once
// Weights of 8 or 4 bits: whole numbers ("codes") with one scale for each group of consecutive inputs of an output.
//
// A row of N has ceil(K / group) groups and is stored to the end of its last one, with codes 0 after K:
//   codes   int8: one byte each, two's complement. int4: two in a byte, two's complement, element i in the low half of
//           byte i / 2 where i is even, else in the high half; so a 16-bit word holds four consecutive elements from
//           its lowest bits up, a 32-bit word eight, and a vector of words is taken apart by shifts and masks
//   scales  bf16 [N, groups]; a weight is code · scale, which fp32 holds exactly

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

enum class WeightFormat { plain, int8, int4 };

constexpr bool isGroup(std::int64_t group) {
  return group == 32 || group == 64 || group == 128;
}
constexpr std::int64_t groupsOf(std::int64_t k, std::int64_t group) {
  return (k + group - 1) / group;
}
/// Bytes of the codes of one row.
constexpr std::int64_t codeBytes(WeightFormat format, std::int64_t k, std::int64_t group) {
  return groupsOf(k, group) * group / (format == WeightFormat::int4 ? 2 : 1);
}

/// Rounds weight [N, K] in `element` to codes and scales, the nearest code to each weight. int8: scale = largest / 127.
/// int4: the scale with the smallest squared error of 16 candidates. errors [N, 2]: the squared error and the squared
/// norm of each row; not finite where a weight is not.
void quantizeWeights(WeightFormat format, std::int64_t group, Element element, const void* weight, std::int64_t n,
                     std::int64_t k, void* codes, void* scales, double* errors, const Stream& stream);

/// The weights of `n` rows in `element`, rounded once: out [N, K].
void dequantizeWeights(WeightFormat format, std::int64_t group, const void* codes, const void* scales, std::int64_t n,
                       std::int64_t k, Element element, void* out, const Stream& stream);

namespace reference {
/// Code i of a row.
int codeOf(WeightFormat format, const void* rowCodes, std::int64_t i);
void dequantizeWeights(WeightFormat format, std::int64_t group, const void* codes, const void* scales, std::int64_t n,
                       std::int64_t k, Element element, void* out, const Stream& stream);
}  // namespace reference

}  // namespace strata::kernels
