// kernels/matvec.h. A lane goes along K in steps of 16 bytes (bf16), kUnroll steps loaded before any is used. The few
// rows of x are read by every warp, from L1.
//
// Roofline: bound by memory, N K elements of the matrices once; 2 rows N K flops, that is up to 8 flops a byte in bf16
// at 8 rows, below what the fp32 units do (10 a byte on A100, 20 on H100). Bandwidth needs about 16 KB in flight a
// multiprocessor: a warp has 2 KB in bf16, 4 KB in fp32.

#include "kernels/cuda/matvec.cuh"

namespace strata::kernels::cuda {

constexpr int kMatvecStep = 8 * kWarp;  // elements of a row that a warp loads at once

/// Rows: at least a.rows.
template <class T, int Rows>
STRATA_KERNEL(kMatvecThreads)
matvecKernel(MatvecArguments a) {
  const MatvecPart part = partOf(a);
  if (part.first >= part.target.n) return;  // the whole warp
  const T* weights[kOutputs];
  STRATA_UNROLL
  for (int o = 0; o < kOutputs; ++o) {
    const std::int64_t n = part.first + o < part.target.n ? part.first + o : part.first;
    weights[o] = static_cast<const T*>(part.target.weight) + n * a.k;
  }
  const T* x = static_cast<const T*>(a.x);
  float sums[Rows][kOutputs] = {};
  for (std::int64_t i = threadIndex() % kWarp * 8; i < a.k; i += kMatvecStep * kUnroll) {
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
  finishOutputs<T>(a, part, sums);
}

template <class T>
int launchPlain(const MatvecArguments& a, const Launch& how) {
  if (a.rows == 1) return launch(matvecKernel<T, 1>, how, a);
  if (a.rows == 2) return launch(matvecKernel<T, 2>, how, a);
  if (a.rows <= 4) return launch(matvecKernel<T, 4>, how, a);
  return launch(matvecKernel<T, 8>, how, a);
}

inline bool isTaken(const MatvecTarget& target) {
  if (target.n < 0) return false;
  if (target.format == WeightFormat::plain) return true;
  return (target.format == WeightFormat::int8 || target.format == WeightFormat::int4) && isGroup(target.group) &&
         areAligned(0, target.weight);
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
  for (int t = 0; t < targetCount; ++t) {
    if (!isTaken(targets[t])) return kInvalidValue;
  }
  const std::int64_t rowBytes = k * (element == 0 ? 4 : 2);
  for (const WeightFormat format : {WeightFormat::plain, WeightFormat::int8, WeightFormat::int4}) {
    MatvecArguments a{};
    a.x = x;
    a.k = k;
    a.rows = static_cast<int>(rows);
    a.roundsOut = outElement == 1;
    a.aligned = areAligned(rowBytes, x);
    std::int64_t blocks = 0;
    for (int t = 0; t < targetCount; ++t) {
      if (targets[t].n == 0 || targets[t].format != format) continue;
      a.targets[a.targetCount] = targets[t];
      a.firstBlock[a.targetCount++] = static_cast<int>(blocks);
      blocks += (targets[t].n + kMatvecWarps * kOutputs - 1) / (kMatvecWarps * kOutputs);
      if (blocks > kMostBlocks) return kInvalidValue;
      if (format == WeightFormat::plain) a.aligned = a.aligned && areAligned(0, targets[t].weight);
    }
    if (blocks == 0) continue;
    const Launch how{{static_cast<int>(blocks), 1, 1}, kMatvecThreads, stream};
    const int error = format != WeightFormat::plain ? launchQuantized(format, element, a, how)
                      : element == 0                ? launchPlain<float>(a, how)
                                                    : launchPlain<Bfloat16>(a, how);
    if (error != 0) return error;
  }
  return 0;
}
