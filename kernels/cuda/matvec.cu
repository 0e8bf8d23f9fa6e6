// kernels/matvec.h. A warp computes kOutputs elements of y for all rows of x: its lanes go along K in steps of 16 bytes
// (bf16), kUnroll steps loaded before any is used. The few rows of x are read by every warp, from L1.
//
// Roofline: bound by memory, N K elements of the matrices once; 2 rows N K flops, that is up to 8 flops a byte in bf16
// at 8 rows, far below what the fp32 units do (20 a byte on A100 and H100). Bandwidth needs about 16 KB in flight a
// multiprocessor: a warp has 2 KB in bf16, 4 KB in fp32.

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"

namespace strata::kernels::cuda {

constexpr int kMatvecWarps = 4;
constexpr int kMatvecThreads = kMatvecWarps * kWarp;
constexpr int kOutputs = 2, kUnroll = 2;
constexpr int kMatvecStep = 8 * kWarp;  // elements of a row that a warp loads at once

struct MatvecArguments {
  const void* x;  // [rows, K]
  MatvecTarget targets[kMostTargets];
  int firstBlock[kMostTargets];  // of each target
  std::int64_t k;
  int rows, targetCount;
  bool aligned, roundsOut;  // roundsOut: y is bf16
};

/// Rows: at least a.rows.
template <class T, int Rows>
STRATA_KERNEL(kMatvecThreads)
matvecKernel(MatvecArguments a) {
  MatvecTarget target = a.targets[0];
  int block = blockIndexX();
  STRATA_UNROLL
  for (int t = 1; t < kMostTargets; ++t) {
    if (t >= a.targetCount || blockIndexX() < a.firstBlock[t]) continue;
    target = a.targets[t];
    block = blockIndexX() - a.firstBlock[t];
  }
  const int lane = threadIndex() % kWarp;
  const std::int64_t first = (static_cast<std::int64_t>(block) * kMatvecWarps + threadIndex() / kWarp) * kOutputs;
  if (first >= target.n) return;  // the whole warp

  const T* weights[kOutputs];
  STRATA_UNROLL
  for (int o = 0; o < kOutputs; ++o) {
    const std::int64_t n = first + o < target.n ? first + o : first;
    weights[o] = static_cast<const T*>(target.weight) + n * a.k;
  }
  const T* x = static_cast<const T*>(a.x);
  float sums[Rows][kOutputs] = {};
  for (std::int64_t i = lane * 8; i < a.k; i += kMatvecStep * kUnroll) {
    Eight<T> weight[kUnroll][kOutputs];
    STRATA_UNROLL
    for (int u = 0; u < kUnroll; ++u) {
      const std::int64_t at = i + u * kMatvecStep;
      STRATA_UNROLL
      for (int o = 0; o < kOutputs; ++o) weight[u][o] = loadEight(weights[o] + at, eightOf(at, a.k), a.aligned);
    }
    STRATA_UNROLL
    for (int u = 0; u < kUnroll; ++u) {
      const std::int64_t at = i + u * kMatvecStep;
      float wide[kOutputs][8];
      STRATA_UNROLL
      for (int o = 0; o < kOutputs; ++o) expand(weight[u][o], wide[o]);
      STRATA_UNROLL
      for (int row = 0; row < Rows; ++row) {
        float values[8];
        expand(loadEight(x + (row < a.rows ? row : 0) * a.k + at, eightOf(at, a.k), a.aligned), values);
        STRATA_UNROLL
        for (int o = 0; o < kOutputs; ++o) {
          STRATA_UNROLL
          for (int e = 0; e < 8; ++e) sums[row][o] += wide[o][e] * values[e];
        }
      }
    }
  }
  STRATA_UNROLL
  for (int row = 0; row < Rows; ++row) {
    STRATA_UNROLL
    for (int o = 0; o < kOutputs; ++o) {
      const std::int64_t n = first + o;
      float sum = warpSum(sums[row][o]);
      if (lane != row * kOutputs + o || row >= a.rows || n >= target.n) continue;
      if (target.bias != nullptr) sum += toFloatDevice(static_cast<const T*>(target.bias)[n]);
      if (a.roundsOut) {
        storeDevice(static_cast<Bfloat16*>(target.y) + row * target.n + n, sum);
      } else {
        storeDevice(static_cast<float*>(target.y) + row * target.n + n, sum);
      }
    }
  }
}

template <class T>
int launchMatvec(const MatvecArguments& a, const Launch& how) {
  if (a.rows == 1) return launch(matvecKernel<T, 1>, how, a);
  if (a.rows == 2) return launch(matvecKernel<T, 2>, how, a);
  if (a.rows <= 4) return launch(matvecKernel<T, 4>, how, a);
  return launch(matvecKernel<T, 8>, how, a);
}

}  // namespace strata::kernels::cuda

int strata_cuda_matvec(int element, int outElement, const void* x, std::int64_t rows, std::int64_t k,
                       const strata::kernels::MatvecTarget* targets, int targetCount, void* stream) {
  using namespace strata::kernels;
  using namespace strata::kernels::cuda;
  if (!isElement(element) || !isElement(outElement) || rows < 1 || rows > kMostRows || k < 1 || targetCount < 0 ||
      targetCount > kMostTargets) {
    return kInvalidValue;
  }
  MatvecArguments a{};
  a.x = x;
  a.k = k;
  a.rows = static_cast<int>(rows);
  a.roundsOut = outElement == 1;
  const std::int64_t rowBytes = k * (element == 0 ? 4 : 2);
  a.aligned = areAligned(rowBytes, x);
  std::int64_t blocks = 0;
  for (int t = 0; t < targetCount; ++t) {
    if (targets[t].n == 0) continue;
    a.targets[a.targetCount] = targets[t];
    a.firstBlock[a.targetCount++] = static_cast<int>(blocks);
    blocks += (targets[t].n + kMatvecWarps * kOutputs - 1) / (kMatvecWarps * kOutputs);
    if (targets[t].n < 0 || blocks > kMostBlocks) return kInvalidValue;
    a.aligned = a.aligned && areAligned(rowBytes, targets[t].weight);
  }
  if (blocks == 0) return 0;
  const Launch how{{static_cast<int>(blocks), 1, 1}, kMatvecThreads, stream};
  return element == 0 ? launchMatvec<float>(a, how) : launchMatvec<Bfloat16>(a, how);
}
