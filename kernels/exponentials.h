#pragma once
// What drawing a token needs of a whole vocabulary: the weights of a softmax, in fp64.

#include <cstdint>

namespace strata::kernels {

/// out[i] = e^(scale · (x[i] - most)) for finite x[i] <= most and scale > 0, and their sum. On the calling thread. At
/// most 2 ulp from the exact value; below e^-700 that much.
double exponentials(const float* x, std::int64_t n, double scale, float most, double* out);

}  // namespace strata::kernels
