#pragma once
// What the few-row products of plain and of quantised matrices share: a warp computes kOutputs elements of y for all
// rows of x, several matrices over one x in one launch.

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"
#include "kernels/matvec.h"

namespace strata::kernels::cuda {

constexpr int kMatvecWarps = 4;
constexpr int kMatvecThreads = kMatvecWarps * kWarp;
constexpr int kOutputs = 2, kUnroll = 2;

struct MatvecArguments {
  const void* x;  // [rows, K]
  MatvecTarget targets[kMostTargets];
  int firstBlock[kMostTargets];  // of each target
  std::int64_t k;
  int rows, targetCount;
  bool aligned;    // rows of x start at multiples of 16 bytes, and of matrices that are not quantised
  bool roundsOut;  // y is bf16
};

/// The matrix that this block is for, and the first of its warp's outputs.
struct MatvecPart {
  MatvecTarget target;
  std::int64_t first;
};
STRATA_DEVICE MatvecPart partOf(const MatvecArguments& a) {
  MatvecPart part{a.targets[0], blockIndexX()};
  STRATA_UNROLL
  for (int t = 1; t < kMostTargets; ++t) {
    if (t >= a.targetCount || blockIndexX() < a.firstBlock[t]) continue;
    part = {a.targets[t], blockIndexX() - a.firstBlock[t]};
  }
  part.first = (part.first * kMatvecWarps + threadIndex() / kWarp) * kOutputs;
  return part;
}

/// Sums over the lanes, bias, and y.
template <class T, int Rows>
STRATA_DEVICE void finishOutputs(const MatvecArguments& a, const MatvecPart& part,
                                 const float (&sums)[Rows][kOutputs]) {
  STRATA_UNROLL
  for (int row = 0; row < Rows; ++row) {
    STRATA_UNROLL
    for (int o = 0; o < kOutputs; ++o) {
      const std::int64_t n = part.first + o;
      float sum = warpSum(sums[row][o]);
      if (threadIndex() % kWarp != row * kOutputs + o || row >= a.rows || n >= part.target.n) continue;
      if (part.target.bias != nullptr) sum += toFloatDevice(static_cast<const T*>(part.target.bias)[n]);
      if (a.roundsOut) {
        storeDevice(static_cast<Bfloat16*>(part.target.y) + row * part.target.n + n, sum);
      } else {
        storeDevice(static_cast<float*>(part.target.y) + row * part.target.n + n, sum);
      }
    }
  }
}

/// Products whose matrices are all of this format, int8 or int4.
int launchQuantized(WeightFormat format, int element, const MatvecArguments& a, const Launch& how);

}  // namespace strata::kernels::cuda
