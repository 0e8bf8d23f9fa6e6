#pragma once
// Block formats of GGUF tensors: a few scales, then small integers that they multiply (ggml-quants.h of
// github.com/ggml-org/llama.cpp). Blocks lie along a row and never reach into the next one.

#include <cstddef>
#include <cstdint>
#include <span>

namespace strata {

/// none: elements one after another, as safetensors stores them.
enum class Blocks : std::uint8_t { none, q4_0, q5_0, q8_0, q4_k, q5_k, q6_k };

struct BlockLayout {
  const char* name;  // as ggml spells it: "Q4_K"
  std::size_t elements;
  std::size_t bytes;
};
/// Of any format but none.
const BlockLayout& layoutOf(Blocks blocks);

/// Whole blocks to floats, by the formulas of ggml's reference code; `bytes` holds out.size() elements and need not be
/// aligned.
void dequantise(std::span<const std::byte> bytes, Blocks blocks, std::span<float> out);

}  // namespace strata
