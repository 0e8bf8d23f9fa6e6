#pragma once
// The gradient of y = x r w, r = (mean(x²) + eps)^-1/2 (rms_norm.h):
//   dx = r (dy w - x r² mean(dy w x)),  dw = sum over rows of dy x r.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

/// x, dy, dx [rows, C] (dx may be x or dy); weight [C], fp32; dWeight [C], fp32, overwritten, or nullptr where nobody
/// asks for it. dWeight is summed over fixed blocks of rows and then over the blocks in order: the same bits however
/// the stream splits the work.
void rmsNormBackward(Element element, const void* x, const float* weight, const void* dy, float eps, void* dx,
                     float* dWeight, std::int64_t rows, std::int64_t c, const Stream& stream);

namespace reference {
void rmsNormBackward(Element element, const void* x, const float* weight, const void* dy, float eps, void* dx,
                     float* dWeight, std::int64_t rows, std::int64_t c, const Stream& stream);
}

}  // namespace strata::kernels
