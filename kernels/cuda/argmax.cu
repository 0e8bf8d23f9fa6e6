// The next id, on the device: of the largest logit, or drawn at a temperature, which is the largest of logit /
// temperature + Gumbel noise (Maddison et al., arXiv 1411.0030), so that neither needs a sum. Blocks take parts of a
// row; one warp for each row merges them and counts the new token.
//
// Roofline: bound by memory, 4 bytes a logit once (0.6 MB for 151,936); a draw takes ten rounds of Philox for four
// logits and two logarithms for each.

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"
#include "kernels/cuda/random.cuh"

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
  std::uint64_t seed;
  float inverseTemperature;
  int parts;
  bool aligned;
};

/// -log(-log(u)) of a uniform u inside (0, 1) with 24 bits.
STRATA_DEVICE float gumbel(std::uint32_t bits) {
  return -logf(-logf((static_cast<float>(bits >> 8) + 0.5f) * 0x1p-24f));
}

/// Grid: (parts, rows, 1).
template <bool Draws>
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
    Philox random[2];
    if (Draws) {
      const auto length = static_cast<std::uint32_t>(a.lengths[blockIndexY()]);
      const auto sequence = static_cast<std::uint32_t>(blockIndexY());
      STRATA_UNROLL
      for (int half = 0; half < 2; ++half) {
        random[half] = philox(length, sequence, static_cast<std::uint32_t>(i / 4) + half, kSamplingStream, a.seed);
      }
    }
    STRATA_UNROLL
    for (int e = 0; e < 8; ++e) {
      if (e >= count) continue;
      const bool isFinite = fabsf(row[e]) < INFINITY;
      if (Draws) row[e] = row[e] * a.inverseTemperature + gumbel(random[e / 4].word[e % 4]);
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

namespace {

template <bool Draws>
int choose(const float* logits, std::int64_t* ids, std::int64_t* lengths, float temperature, std::uint64_t seed,
           std::int64_t rows, std::int64_t vocab, void* workspace, std::int64_t workspaceBytes, void* stream) {
  using namespace strata::kernels::cuda;
  if (rows < 0 || rows > kMostBlocksY || vocab < 1 || vocab > kMostBlocks ||
      workspaceBytes < strata_cuda_argmax_workspace(rows, vocab)) {
    return kInvalidValue;
  }
  if (rows == 0) return 0;
  const ArgmaxArguments a{logits,
                          static_cast<Best*>(workspace),
                          ids,
                          lengths,
                          vocab,
                          seed,
                          1 / temperature,
                          argmaxParts(vocab),
                          areAligned(vocab * 4, logits)};
  const int error =
      launch(argmaxPartKernel<Draws>, Launch{{a.parts, static_cast<int>(rows), 1}, kArgmaxThreads, stream}, a);
  if (error != 0) return error;
  return launch(argmaxMergeKernel, Launch{{static_cast<int>(rows), 1, 1}, kWarp, stream}, a);
}

}  // namespace

int strata_cuda_argmax(const float* logits, std::int64_t* ids, std::int64_t* lengths, std::int64_t rows,
                       std::int64_t vocab, void* workspace, std::int64_t workspaceBytes, void* stream) {
  return choose<false>(logits, ids, lengths, 1, 0, rows, vocab, workspace, workspaceBytes, stream);
}

int strata_cuda_sample(const float* logits, std::int64_t* ids, std::int64_t* lengths, float temperature,
                       std::uint64_t seed, std::int64_t rows, std::int64_t vocab, void* workspace,
                       std::int64_t workspaceBytes, void* stream) {
  if (!(temperature > 0) || lengths == nullptr) return strata::kernels::cuda::kInvalidValue;
  return choose<true>(logits, ids, lengths, temperature, seed, rows, vocab, workspace, workspaceBytes, stream);
}
