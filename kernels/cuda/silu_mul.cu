// kernels/silu_mul.h, y += scale · x, and rows of a table: element-wise kernels, eight elements a thread.
//
// Roofline: bound by memory. siluMul reads 2 and writes 1 element (12 bytes of fp32, 6 of bf16) and takes an
// exponential and a division for it; addScaled reads 2 and writes 1; selectRows reads 1 and writes 1.

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"

namespace strata::kernels::cuda {

constexpr int kElementwiseThreads = 256;

struct SiluMulArguments {
  const void* gate;
  const void* up;
  void* y;  // may be gate or up
  std::int64_t n;
  bool aligned;
};

template <class T>
STRATA_KERNEL(kElementwiseThreads)
siluMulKernel(SiluMulArguments a) {
  const std::int64_t i = (static_cast<std::int64_t>(blockIndexX()) * kElementwiseThreads + threadIndex()) * 8;
  const int count = eightOf(i, a.n);
  if (count == 0) return;
  float gate[8], up[8];
  expand(loadWrittenEight(static_cast<const T*>(a.gate) + i, count, a.aligned), gate);
  expand(loadWrittenEight(static_cast<const T*>(a.up) + i, count, a.aligned), up);
  STRATA_UNROLL
  for (int e = 0; e < 8; ++e) gate[e] = gate[e] / (1.0f + expf(-gate[e])) * up[e];
  Eight<T> eight;
  pack(gate, eight);
  storeEight(static_cast<T*>(a.y) + i, eight, count, a.aligned);
}

struct AddScaledArguments {
  void* y;
  const void* x;
  float scale;
  std::int64_t n;
  bool aligned;
};

template <class T>
STRATA_KERNEL(kElementwiseThreads)
addScaledKernel(AddScaledArguments a) {
  const std::int64_t i = (static_cast<std::int64_t>(blockIndexX()) * kElementwiseThreads + threadIndex()) * 8;
  const int count = eightOf(i, a.n);
  if (count == 0) return;
  float sum[8], x[8];
  expand(loadWrittenEight(static_cast<T*>(a.y) + i, count, a.aligned), sum);
  expand(loadEight(static_cast<const T*>(a.x) + i, count, a.aligned), x);
  STRATA_UNROLL
  for (int e = 0; e < 8; ++e) sum[e] += a.scale * x[e];
  Eight<T> eight;
  pack(sum, eight);
  storeEight(static_cast<T*>(a.y) + i, eight, count, a.aligned);
}

struct SelectArguments {
  const void* table;
  const std::int64_t* ids;
  void* out;
  std::int64_t vocab, c;
  bool aligned;
};

/// Grid: (rows, blocks of a row, 1).
template <class T>
STRATA_KERNEL(kElementwiseThreads)
selectRowsKernel(SelectArguments a) {
  const std::int64_t i = (static_cast<std::int64_t>(blockIndexY()) * blockThreads() + threadIndex()) * 8;
  const int count = eightOf(i, a.c);
  if (count == 0) return;
  const std::int64_t id = a.ids[blockIndexX()];
  Eight<T> eight;
  if (id >= 0 && id < a.vocab) {
    eight = loadEight(static_cast<const T*>(a.table) + id * a.c + i, count, a.aligned);
  } else {
    memset(&eight, 0xff, sizeof eight);  // NaN
  }
  storeEight(static_cast<T*>(a.out) + blockIndexX() * a.c + i, eight, count, a.aligned);
}

}  // namespace strata::kernels::cuda

int strata_cuda_silu_mul(int element, const void* gate, const void* up, void* y, std::int64_t n, void* stream) {
  using namespace strata::kernels;
  using namespace strata::kernels::cuda;
  const std::int64_t blocks = (n + 8 * kElementwiseThreads - 1) / (8 * kElementwiseThreads);
  if (!isElement(element) || n < 0 || blocks > kMostBlocks) return kInvalidValue;
  if (n == 0) return 0;
  const SiluMulArguments a{gate, up, y, n, areAligned(0, gate, up, y)};
  const Launch how{{static_cast<int>(blocks), 1, 1}, kElementwiseThreads, stream};
  return element == 0 ? launch(siluMulKernel<float>, how, a) : launch(siluMulKernel<Bfloat16>, how, a);
}

int strata_cuda_add_scaled(int element, void* y, const void* x, float scale, std::int64_t n, void* stream) {
  using namespace strata::kernels;
  using namespace strata::kernels::cuda;
  const std::int64_t blocks = (n + 8 * kElementwiseThreads - 1) / (8 * kElementwiseThreads);
  if (!isElement(element) || n < 0 || blocks > kMostBlocks) return kInvalidValue;
  if (n == 0) return 0;
  const AddScaledArguments a{y, x, scale, n, areAligned(0, x, y)};
  const Launch how{{static_cast<int>(blocks), 1, 1}, kElementwiseThreads, stream};
  return element == 0 ? launch(addScaledKernel<float>, how, a) : launch(addScaledKernel<Bfloat16>, how, a);
}

int strata_cuda_select_rows(int element, const void* table, const std::int64_t* ids, void* out, std::int64_t rows,
                            std::int64_t vocab, std::int64_t c, void* stream) {
  using namespace strata::kernels;
  using namespace strata::kernels::cuda;
  const int threads = threadsFor(c, kElementwiseThreads);
  const std::int64_t blocks = (c + 8 * threads - 1) / (8 * threads);
  if (!isElement(element) || rows < 0 || rows > kMostBlocks || c < 1 || blocks > kMostBlocksY) return kInvalidValue;
  if (rows == 0) return 0;
  const SelectArguments a{table, ids, out, vocab, c, areAligned(c * (element == 0 ? 4 : 2), table, out)};
  const Launch how{{static_cast<int>(rows), static_cast<int>(blocks), 1}, threads, stream};
  return element == 0 ? launch(selectRowsKernel<float>, how, a) : launch(selectRowsKernel<Bfloat16>, how, a);
}
