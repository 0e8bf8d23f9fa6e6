#pragma once
// y = x / sqrt(mean(x²) + eps) * weight, over the last dimension; rounded to storage once, at the end.

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

/// x, y [rows, C] (may be the same array), weight [C].
void rmsNorm(Element element, const void* x, const void* weight, float eps, void* y, std::int64_t rows, std::int64_t c,
             const Stream& stream);

/// x += delta, rounded to storage; y = rmsNorm(x). x, delta, y [rows, C].
void addRmsNorm(Element element, void* x, const void* delta, const void* weight, float eps, void* y, std::int64_t rows,
                std::int64_t c, const Stream& stream);

namespace reference {
void rmsNorm(Element element, const void* x, const void* weight, float eps, void* y, std::int64_t rows, std::int64_t c,
             const Stream& stream);
void addRmsNorm(Element element, void* x, const void* delta, const void* weight, float eps, void* y, std::int64_t rows,
                std::int64_t c, const Stream& stream);
}  // namespace reference

}  // namespace strata::kernels
