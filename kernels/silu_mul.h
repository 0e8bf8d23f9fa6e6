#pragma once
// y = silu(gate) * up, silu(a) = a / (1 + e^-a): the gated feed-forward of Llama, between its two products.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

/// gate, up, y [n]; y may be gate or up.
void siluMul(Element element, const void* gate, const void* up, void* y, std::int64_t n, const Stream& stream);

namespace reference {
void siluMul(Element element, const void* gate, const void* up, void* y, std::int64_t n, const Stream& stream);
}

}  // namespace strata::kernels
