#pragma once
// The gradient of y = silu(gate) up (silu_mul.h), with s = 1 / (1 + e^-gate):
//   dGate = dy up s (1 + gate (1 - s)),  dUp = dy gate s.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

/// gate, up, dy, dGate, dUp [n]; dGate and dUp may each be one of the three inputs, not the same one.
void siluMulBackward(Element element, const void* gate, const void* up, const void* dy, void* dGate, void* dUp,
                     std::int64_t n, const Stream& stream);

namespace reference {
void siluMulBackward(Element element, const void* gate, const void* up, const void* dy, void* dGate, void* dUp,
                     std::int64_t n, const Stream& stream);
}

}  // namespace strata::kernels
