// The id of the largest logit, on the device. Blocks take parts of a row; one warp for each row merges them and counts
// the new token.
//
// Roofline: bound by memory, 4 bytes a logit once (0.6 MB for 151,936).

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"

namespace strata::kernels::cuda {

constexpr int kArgmaxThreads = 256;
constexpr int kArgmaxPart = 4096;  // logits of a block at least
constexpr int kArgmaxMostParts = 64;

/// Largest value, and lowest id of it; {inf, -1} beats all: a logit that is not finite.
struct Best {
  float value;
  int id;
};

STRATA_DEVICE Best better(Best a, Best b) {
  return b.value > a.value || (b.value == a.value && b.id < a.id) ? b : a;
}
STRATA_DEVICE Best bestOfWarp(Best best) {
  STRATA_UNROLL
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    best = better(best, {shuffleXor(best.value, mask), shuffleXor(best.id, mask)});
  }
  return best;
}

struct ArgmaxArguments {
  const float* logits;  // [rows, V]
  Best* partial;        // [rows, parts]
  std::int64_t* ids;
  std::int64_t* lengths;
  std::int64_t vocab;
  int parts;
  bool aligned;
};

/// Grid: (parts, rows, 1).
STRATA_KERNEL(kArgmaxThreads)
argmaxPartKernel(ArgmaxArguments a) {
  constexpr int kWarps = kArgmaxThreads / kWarp;
  STRATA_SHARED(float, values, kWarps);
  STRATA_SHARED(int, ids, kWarps);
  const float* logits = a.logits + blockIndexY() * a.vocab;
  Best best{-INFINITY, 0x7fffffff};
  const std::int64_t step = static_cast<std::int64_t>(a.parts) * kArgmaxThreads * 8;
  for (std::int64_t i = (static_cast<std::int64_t>(blockIndexX()) * kArgmaxThreads + threadIndex()) * 8; i < a.vocab;
       i += step) {
    const int count = eightOf(i, a.vocab);
    float row[8];
    expand(loadEight(logits + i, count, a.aligned), row);
    STRATA_UNROLL
    for (int e = 0; e < 8; ++e) {
      if (e >= count) continue;
      const bool isFinite = fabsf(row[e]) < INFINITY;
      best = better(best, isFinite ? Best{row[e], static_cast<int>(i + e)} : Best{INFINITY, -1});
    }
  }
  best = bestOfWarp(best);
  if (threadIndex() % kWarp == 0) {
    values[threadIndex() / kWarp] = best.value;
    ids[threadIndex() / kWarp] = best.id;
  }
  barrier();
  if (threadIndex() != 0) return;
  for (int warp = 1; warp < kWarps; ++warp) best = better(best, {values[warp], ids[warp]});
  a.partial[blockIndexY() * a.parts + blockIndexX()] = best;
}

/// Grid: (rows, 1, 1), a warp each.
STRATA_KERNEL(kWarp)
argmaxMergeKernel(ArgmaxArguments a) {
  const int row = blockIndexX();
  Best best{-INFINITY, 0x7fffffff};
  for (int part = threadIndex(); part < a.parts; part += kWarp) best = better(best, a.partial[row * a.parts + part]);
  best = bestOfWarp(best);
  if (threadIndex() != 0) return;
  a.ids[row] = best.id;
  if (a.lengths != nullptr) ++a.lengths[row];
}

inline int argmaxParts(std::int64_t vocab) {
  const std::int64_t parts = (vocab + kArgmaxPart - 1) / kArgmaxPart;
  return static_cast<int>(parts < kArgmaxMostParts ? parts : kArgmaxMostParts);
}

}  // namespace strata::kernels::cuda

std::int64_t strata_cuda_argmax_workspace(std::int64_t rows, std::int64_t vocab) {
  using namespace strata::kernels::cuda;
  return rows * argmaxParts(vocab) * static_cast<std::int64_t>(sizeof(Best));
}

int strata_cuda_argmax(const float* logits, std::int64_t* ids, std::int64_t* lengths, std::int64_t rows,
                       std::int64_t vocab, void* workspace, std::int64_t workspaceBytes, void* stream) {
  using namespace strata::kernels::cuda;
  if (rows < 0 || rows > kMostBlocksY || vocab < 1 || vocab > kMostBlocks ||
      workspaceBytes < strata_cuda_argmax_workspace(rows, vocab)) {
    return kInvalidValue;
  }
  if (rows == 0) return 0;
  const ArgmaxArguments a{
      logits, static_cast<Best*>(workspace), ids, lengths, vocab, argmaxParts(vocab), areAligned(vocab * 4, logits)};
  const int error = launch(argmaxPartKernel, Launch{{a.parts, static_cast<int>(rows), 1}, kArgmaxThreads, stream}, a);
  if (error != 0) return error;
  return launch(argmaxMergeKernel, Launch{{static_cast<int>(rows), 1, 1}, kWarp, stream}, a);
}
