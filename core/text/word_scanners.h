#pragma once
// The expressions that nearly every byte-level model splits its text with, as loops: several times faster.

#include <memory>
#include <string_view>

#include "core/text/pattern.h"

namespace strata {

/// GPT-2's, Llama 3's or Qwen2's expression as a loop; nullptr for any other.
std::unique_ptr<Pattern> wordScanner(std::string_view expression);

inline constexpr std::string_view kGpt2Expression =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace strata
