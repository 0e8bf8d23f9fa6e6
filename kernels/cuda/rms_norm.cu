// kernels/rms_norm.h. A block for each row; a thread takes eight elements at a time and reads them again for the second
// pass, from L1.
//
// Roofline: bound by memory. Reads x and delta, writes x and y (rms norm alone: reads x, writes y), 8 or 16 bytes an
// element of fp32 without or with delta, half of that in bf16; some 6 flops an element. The few rows of a decoding step
// occupy as many multiprocessors and cost a launch.

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"

namespace strata::kernels::cuda {

constexpr int kNormThreads = 512;

struct NormArguments {
  void* x;
  const void* delta;
  const void* weight;
  void* y;
  std::int64_t c;
  float eps;
  bool aligned;
};

/// Grid: (rows, 1, 1). x may be y.
template <class T, bool Adds>
STRATA_KERNEL(kNormThreads)
addRmsNormKernel(NormArguments a) {
  const std::int64_t row = blockIndexX() * a.c, step = blockThreads() * 8;
  T* x = static_cast<T*>(a.x) + row;
  float squares = 0;
  for (std::int64_t i = threadIndex() * 8; i < a.c; i += step) {
    const int count = eightOf(i, a.c);
    Eight<T> eight = loadWrittenEight(x + i, count, a.aligned);
    float values[8];
    expand(eight, values);
    if (Adds) {
      float delta[8];
      expand(loadEight(static_cast<const T*>(a.delta) + row + i, count, a.aligned), delta);
      STRATA_UNROLL
      for (int e = 0; e < 8; ++e) values[e] += delta[e];
      pack(values, eight);
      storeEight(x + i, eight, count, a.aligned);
      expand(eight, values);  // as rounded
    }
    STRATA_UNROLL
    for (int e = 0; e < 8; ++e) squares += values[e] * values[e];
  }
  const float factor = 1.0f / sqrtf(blockSum(squares) / static_cast<float>(a.c) + a.eps);
  for (std::int64_t i = threadIndex() * 8; i < a.c; i += step) {
    const int count = eightOf(i, a.c);
    float values[8], weight[8];
    expand(loadWrittenEight(x + i, count, a.aligned), values);
    expand(loadEight(static_cast<const T*>(a.weight) + i, count, a.aligned), weight);
    STRATA_UNROLL
    for (int e = 0; e < 8; ++e) values[e] = values[e] * factor * weight[e];
    Eight<T> eight;
    pack(values, eight);
    storeEight(static_cast<T*>(a.y) + row + i, eight, count, a.aligned);
  }
}

}  // namespace strata::kernels::cuda

int strata_cuda_add_rms_norm(int element, void* x, const void* delta, const void* weight, float eps, void* y,
                             std::int64_t rows, std::int64_t c, void* stream) {
  using namespace strata::kernels;
  using namespace strata::kernels::cuda;
  if (!isElement(element) || rows < 0 || rows > kMostBlocks || c < 1) return kInvalidValue;
  if (rows == 0) return 0;
  const bool aligned = areAligned(c * (element == 0 ? 4 : 2), x, delta, weight, y);
  const NormArguments a{x, delta, weight, y, c, eps, aligned};
  const Launch how{{static_cast<int>(rows), 1, 1}, threadsFor(c, kNormThreads), stream};
  if (element == 0) {
    return delta == nullptr ? launch(addRmsNormKernel<float, false>, how, a)
                            : launch(addRmsNormKernel<float, true>, how, a);
  }
  return delta == nullptr ? launch(addRmsNormKernel<Bfloat16, false>, how, a)
                          : launch(addRmsNormKernel<Bfloat16, true>, how, a);
}
