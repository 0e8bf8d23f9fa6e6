#include "core/checkpoint/blocks.h"

#include <array>
#include <cassert>
#include <cstring>

#include "core/checkpoint/dtype.h"

namespace strata {
namespace {

using Bytes = const std::uint8_t*;

constexpr std::array<BlockLayout, 7> kLayouts = {{{"", 1, 0},
                                                  {"Q4_0", 32, 2 + 16},
                                                  {"Q5_0", 32, 2 + 4 + 16},
                                                  {"Q8_0", 32, 2 + 32},
                                                  {"Q4_K", 256, 2 + 2 + 12 + 128},
                                                  {"Q5_K", 256, 2 + 2 + 12 + 32 + 128},
                                                  {"Q6_K", 256, 128 + 64 + 16 + 2}}};

float halfAt(Bytes at) {
  return floatFromHalf(static_cast<std::uint16_t>(at[0] | at[1] << 8));
}

/// d, then 16 bytes: low nibbles are the first half of the block, high ones the second.
void q4_0(Bytes block, float* out) {
  const float d = halfAt(block);
  const Bytes quants = block + 2;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((quants[i] & 15) - 8);
    out[i + 16] = d * static_cast<float>((quants[i] >> 4) - 8);
  }
}

/// d, 32 fifth bits, then nibbles as in Q4_0.
void q5_0(Bytes block, float* out) {
  const float d = halfAt(block);
  std::uint32_t high = 0;
  std::memcpy(&high, block + 2, 4);
  const Bytes quants = block + 6;
  for (int i = 0; i < 16; ++i) {
    const int first = (quants[i] & 15) | static_cast<int>(high >> i & 1) << 4;
    const int second = (quants[i] >> 4) | static_cast<int>(high >> (i + 16) & 1) << 4;
    out[i] = d * static_cast<float>(first - 16);
    out[i + 16] = d * static_cast<float>(second - 16);
  }
}

/// d, then 32 signed bytes.
void q8_0(Bytes block, float* out) {
  const float d = halfAt(block);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(static_cast<std::int8_t>(block[2 + i]));
}

/// Scale and minimum of one of the eight groups of a K block: 6 bits each, packed in 12 bytes.
struct GroupScale {
  int scale, minimum;
};
GroupScale groupScale(Bytes packed, int group) {
  if (group < 4) return {packed[group] & 63, packed[group + 4] & 63};
  return {(packed[group + 4] & 15) | (packed[group - 4] >> 6) << 4, (packed[group + 4] >> 4) | (packed[group] >> 6)
                                                                                                   << 4};
}

/// d, dmin, packed scales, for Q5_K 32 bytes of fifth bits, then nibbles; a group of 32 is d·scale·q - dmin·minimum.
/// `fifth`: nullptr for Q4_K.
void kBlock(Bytes block, Bytes fifth, Bytes quants, float* out) {
  const float d = halfAt(block), dmin = halfAt(block + 2);
  for (int group = 0; group < 8; ++group) {
    const auto [scale, minimum] = groupScale(block + 4, group);
    const float step = d * static_cast<float>(scale), offset = dmin * static_cast<float>(minimum);
    const Bytes from = quants + 32 * (group / 2);
    for (int i = 0; i < 32; ++i) {
      int q = group % 2 == 0 ? from[i] & 15 : from[i] >> 4;
      if (fifth != nullptr) q |= (fifth[i] >> group & 1) << 4;
      out[32 * group + i] = step * static_cast<float>(q) - offset;
    }
  }
}

void q4_k(Bytes block, float* out) {
  kBlock(block, nullptr, block + 16, out);
}

void q5_k(Bytes block, float* out) {
  kBlock(block, block + 16, block + 48, out);
}

/// Low nibbles, upper two bits, 16 signed scales, d: groups of 16 are d·scale·(q - 32).
void q6_k(Bytes block, float* out) {
  const float d = halfAt(block + 208);
  for (int half = 0; half < 2; ++half) {
    const Bytes low = block + 64 * half, high = block + 128 + 32 * half, scales = block + 192 + 8 * half;
    for (int quarter = 0; quarter < 4; ++quarter) {
      for (int i = 0; i < 32; ++i) {
        const int nibbles = low[32 * (quarter % 2) + i];
        const int q = (quarter < 2 ? nibbles & 15 : nibbles >> 4) | (high[i] >> (2 * quarter) & 3) << 4;
        const float step = d * static_cast<float>(static_cast<std::int8_t>(scales[2 * quarter + i / 16]));
        out[128 * half + 32 * quarter + i] = step * static_cast<float>(q - 32);
      }
    }
  }
}

using Decode = void (*)(Bytes, float*);
constexpr std::array<Decode, 7> kDecoders = {nullptr, q4_0, q5_0, q8_0, q4_k, q5_k, q6_k};

}  // namespace

const BlockLayout& layoutOf(Blocks blocks) {
  assert(blocks != Blocks::none);
  return kLayouts.at(static_cast<std::size_t>(blocks));
}

void dequantise(std::span<const std::byte> bytes, Blocks blocks, std::span<float> out) {
  const BlockLayout& layout = layoutOf(blocks);
  assert(out.size() % layout.elements == 0 && bytes.size() == out.size() / layout.elements * layout.bytes);
  const Decode decode = kDecoders.at(static_cast<std::size_t>(blocks));
  const auto* block = reinterpret_cast<Bytes>(bytes.data());
  for (std::size_t at = 0; at < out.size(); at += layout.elements, block += layout.bytes) decode(block, &out[at]);
}

}  // namespace strata
