#pragma once
// Rotary position embedding, pairs (x[i], x[i + D/2]) as Hugging Face's Llama has them.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

/// x [rows, heads, D], in place; cos, sin [rows, D/2], of each row's own position. D is even.
void rope(Element element, void* x, const float* cos, const float* sin, std::int64_t rows, std::int64_t heads,
          std::int64_t d, const Stream& stream);

namespace reference {
void rope(Element element, void* x, const float* cos, const float* sin, std::int64_t rows, std::int64_t heads,
          std::int64_t d, const Stream& stream);
}

}  // namespace strata::kernels
