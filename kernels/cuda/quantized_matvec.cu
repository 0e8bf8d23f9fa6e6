// Few-row products of x with matrices of 8 or 4 bits. As in matvec.cu a warp computes kOutputs elements of y for all
// rows of x; a lane takes 16 neighbouring elements at a time, which lie in one group, and multiplies their sum by the
// group's scale.
//
// Roofline: bound by memory, N K elements of 1 or 0.5 bytes once and N K / group scales; 2 rows N K flops and two
// instructions an element to make a float of it. At 1 row a multiprocessor of an H100 receives about 15 bytes a clock,
// that is 15 or 30 elements, and can do 128 instructions: the 4-bit product comes near that limit from 2 rows on.

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"

namespace strata::kernels::cuda {

constexpr int kQuantizedWarps = 4;
constexpr int kQuantizedThreads = kQuantizedWarps * kWarp;
constexpr int kQuantizedOutputs = 2, kQuantizedUnroll = 2;
constexpr int kChunk = 16;  // elements of a lane

struct QuantizedArguments {
  const void* x;  // [rows, K]
  QuantizedTarget targets[kMostTargets];
  int firstBlock[kMostTargets];  // of each target
  std::int64_t k;
  int rows, targetCount, group;
  bool roundsOut;    // y is bf16
  bool shortScales;  // scales are bf16
};

/// 16 elements as they lie in memory.
template <int Bits>
struct Chunk;
template <>
struct Chunk<8> {
  Words words;
};
template <>
struct Chunk<4> {
  TwoWords words;
};

STRATA_DEVICE Chunk<8> loadChunk(const Chunk<8>* p) {
  return {loadWords(p)};
}
STRATA_DEVICE Chunk<4> loadChunk(const Chunk<4>* p) {
  return {loadTwoWords(p)};
}

/// 2^23 + n as a float's bits is 0x4b000000 + n: no conversion, which would run at a quarter of the speed.
STRATA_DEVICE void expandChunk(const Chunk<8>& chunk, float (&to)[kChunk]) {
  STRATA_UNROLL
  for (int i = 0; i < kChunk; ++i) {
    const std::uint32_t shifted = chunk.words.word[i / 4] ^ 0x80808080u;  // value + 128
    to[i] = asFloat(0x4b000000u | (shifted >> 8 * (i % 4) & 0xffu)) - 8388736.0f;
  }
}
STRATA_DEVICE void expandChunk(const Chunk<4>& chunk, float (&to)[kChunk]) {
  STRATA_UNROLL
  for (int i = 0; i < kChunk; ++i) {
    to[i] = asFloat(0x4b000000u | (chunk.words.word[i / 8] >> 4 * (i % 8) & 0xfu)) - 8388616.0f;
  }
}

/// Rows: at least a.rows.
template <class T, int Bits, int Rows>
STRATA_KERNEL_OF(kQuantizedThreads, (Rows <= 2   ? 5
                                     : Rows == 4 ? 4
                                                 : 3))
quantizedMatvecKernel(QuantizedArguments a) {
  QuantizedTarget target = a.targets[0];
  int block = blockIndexX();
  STRATA_UNROLL
  for (int t = 1; t < kMostTargets; ++t) {
    if (t >= a.targetCount || blockIndexX() < a.firstBlock[t]) continue;
    target = a.targets[t];
    block = blockIndexX() - a.firstBlock[t];
  }
  const int lane = threadIndex() % kWarp;
  const std::int64_t warp = static_cast<std::int64_t>(block) * kQuantizedWarps + threadIndex() / kWarp;
  const std::int64_t first = warp * kQuantizedOutputs;
  if (first >= target.n) return;  // the whole warp

  const std::int64_t chunks = a.k / kChunk, groups = (a.k + a.group - 1) / a.group;
  std::int64_t outputs[kQuantizedOutputs];
  STRATA_UNROLL
  for (int o = 0; o < kQuantizedOutputs; ++o) outputs[o] = first + o < target.n ? first + o : first;
  const T* x = static_cast<const T*>(a.x);
  const Chunk<Bits>* weight = static_cast<const Chunk<Bits>*>(target.weight);
  float sums[Rows][kQuantizedOutputs] = {};
  for (std::int64_t c = lane; c < chunks; c += kWarp * kQuantizedUnroll) {
    Chunk<Bits> loaded[kQuantizedUnroll][kQuantizedOutputs];
    float scales[kQuantizedUnroll][kQuantizedOutputs];
    STRATA_UNROLL
    for (int u = 0; u < kQuantizedUnroll; ++u) {
      const std::int64_t at = c + u * kWarp < chunks ? c + u * kWarp : c;
      STRATA_UNROLL
      for (int o = 0; o < kQuantizedOutputs; ++o) {
        loaded[u][o] = loadChunk(weight + outputs[o] * chunks + at);
        const std::int64_t scale = outputs[o] * groups + at * kChunk / a.group;
        const float value = a.shortScales ? toFloatDevice(static_cast<const Bfloat16*>(target.scales)[scale])
                                          : static_cast<const float*>(target.scales)[scale];
        scales[u][o] = c + u * kWarp < chunks ? value : 0.0f;
      }
    }
    STRATA_UNROLL
    for (int u = 0; u < kQuantizedUnroll; ++u) {
      const std::int64_t at = c + u * kWarp < chunks ? c + u * kWarp : c;
      float wide[kQuantizedOutputs][kChunk];
      STRATA_UNROLL
      for (int o = 0; o < kQuantizedOutputs; ++o) expandChunk(loaded[u][o], wide[o]);
      STRATA_UNROLL
      for (int row = 0; row < Rows; ++row) {
        float dots[kQuantizedOutputs] = {};
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half) {
          float values[8];
          expand(loadEight(x + (row < a.rows ? row : 0) * a.k + at * kChunk + half * 8, 8, true), values);
          STRATA_UNROLL
          for (int o = 0; o < kQuantizedOutputs; ++o) {
            STRATA_UNROLL
            for (int e = 0; e < 8; ++e) dots[o] += wide[o][half * 8 + e] * values[e];
          }
        }
        STRATA_UNROLL
        for (int o = 0; o < kQuantizedOutputs; ++o) sums[row][o] += scales[u][o] * dots[o];
      }
    }
  }
  STRATA_UNROLL
  for (int row = 0; row < Rows; ++row) {
    STRATA_UNROLL
    for (int o = 0; o < kQuantizedOutputs; ++o) {
      const std::int64_t n = first + o;
      float sum = warpSum(sums[row][o]);
      if (lane != row * kQuantizedOutputs + o || row >= a.rows || n >= target.n) continue;
      if (target.bias != nullptr) sum += toFloatDevice(static_cast<const T*>(target.bias)[n]);
      if (a.roundsOut) {
        storeDevice(static_cast<Bfloat16*>(target.y) + row * target.n + n, sum);
      } else {
        storeDevice(static_cast<float*>(target.y) + row * target.n + n, sum);
      }
    }
  }
}

template <class T, int Bits>
int launchQuantized(const QuantizedArguments& a, const Launch& how) {
  if (a.rows == 1) return launch(quantizedMatvecKernel<T, Bits, 1>, how, a);
  if (a.rows == 2) return launch(quantizedMatvecKernel<T, Bits, 2>, how, a);
  if (a.rows <= 4) return launch(quantizedMatvecKernel<T, Bits, 4>, how, a);
  return launch(quantizedMatvecKernel<T, Bits, 8>, how, a);
}

}  // namespace strata::kernels::cuda

int strata_cuda_quantized_matvec(int element, int outElement, int bits, int group, int scaleElement, const void* x,
                                 std::int64_t rows, std::int64_t k,
                                 const strata::kernels::cuda::QuantizedTarget* targets, int targetCount, void* stream) {
  using namespace strata::kernels;
  using namespace strata::kernels::cuda;
  if (!isElement(element) || !isElement(outElement) || !isElement(scaleElement) || rows < 1 || rows > kMostRows ||
      (bits != 8 && bits != 4) || (group != 32 && group != 64 && group != 128) || k < 32 || k % 32 != 0 ||
      targetCount < 0 || targetCount > kMostTargets || !areAligned(0, x)) {
    return kInvalidValue;
  }
  QuantizedArguments a{};
  a.x = x;
  a.k = k;
  a.rows = static_cast<int>(rows);
  a.group = group;
  a.roundsOut = outElement == 1;
  a.shortScales = scaleElement == 1;
  std::int64_t blocks = 0;
  for (int t = 0; t < targetCount; ++t) {
    if (targets[t].n == 0) continue;
    a.targets[a.targetCount] = targets[t];
    a.firstBlock[a.targetCount++] = static_cast<int>(blocks);
    blocks += (targets[t].n + kQuantizedWarps * kQuantizedOutputs - 1) / (kQuantizedWarps * kQuantizedOutputs);
    if (targets[t].n < 0 || blocks > kMostBlocks || !areAligned(0, targets[t].weight)) return kInvalidValue;
  }
  if (blocks == 0) return 0;
  const Launch how{{static_cast<int>(blocks), 1, 1}, kQuantizedThreads, stream};
  if (element == 0) return bits == 8 ? launchQuantized<float, 8>(a, how) : launchQuantized<float, 4>(a, how);
  return bits == 8 ? launchQuantized<Bfloat16, 8>(a, how) : launchQuantized<Bfloat16, 4>(a, how);
}
