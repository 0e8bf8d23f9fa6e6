// kernels/matvec.h for matrices of codes (kernels/quantized_weights.h). A lane takes 16 neighbouring codes at a time,
// which lie in one group, and multiplies their sum with x by the group's scale.
//
// Roofline: bound by memory, N K codes of 1 or 0.5 bytes once and N K / group scales of 2; 2 rows N K flops and two
// instructions a code to make a float of it. At 1 row a multiprocessor of an H100 receives about 15 bytes a clock, that
// is 15 or 30 codes, and can do 128 instructions: the 4-bit product comes near that limit from 2 rows on.

#include "kernels/cuda/matvec.cuh"

namespace strata::kernels::cuda {

constexpr int kChunk = 16;  // codes of a lane

/// 16 codes as they lie in memory.
template <WeightFormat>
struct Chunk;
template <>
struct Chunk<WeightFormat::int8> {
  Words words;
};
template <>
struct Chunk<WeightFormat::int4> {
  TwoWords words;
};

STRATA_DEVICE Chunk<WeightFormat::int8> loadChunk(const Chunk<WeightFormat::int8>* p) {
  return {loadWords(p)};
}
STRATA_DEVICE Chunk<WeightFormat::int4> loadChunk(const Chunk<WeightFormat::int4>* p) {
  return {loadTwoWords(p)};
}

/// 2^23 + n as a float's bits is 0x4b000000 + n: no conversion, which would run at a quarter of the speed. The codes'
/// highest bits are turned over first, which adds 128 or 8.
STRATA_DEVICE void expandChunk(const Chunk<WeightFormat::int8>& chunk, float (&to)[kChunk]) {
  STRATA_UNROLL
  for (int i = 0; i < kChunk; ++i) {
    const std::uint32_t shifted = chunk.words.word[i / 4] ^ 0x80808080u;
    to[i] = asFloat(0x4b000000u | (shifted >> 8 * (i % 4) & 0xffu)) - 8388736.0f;
  }
}
STRATA_DEVICE void expandChunk(const Chunk<WeightFormat::int4>& chunk, float (&to)[kChunk]) {
  STRATA_UNROLL
  for (int i = 0; i < kChunk; ++i) {
    const std::uint32_t shifted = chunk.words.word[i / 8] ^ 0x88888888u;
    to[i] = asFloat(0x4b000000u | (shifted >> 4 * (i % 8) & 0xfu)) - 8388616.0f;
  }
}

/// Rows: at least a.rows.
template <class T, WeightFormat Format, int Rows>
STRATA_KERNEL_OF(kMatvecThreads, (Rows <= 2   ? 5
                                  : Rows == 4 ? 4
                                              : 3))
quantizedMatvecKernel(MatvecArguments a) {
  const MatvecPart part = partOf(a);
  if (part.first >= part.target.n) return;  // the whole warp
  const int group = static_cast<int>(part.target.group);
  const std::int64_t groups = (a.k + group - 1) / group, rowChunks = groups * (group / kChunk);
  const std::int64_t chunks = (a.k + kChunk - 1) / kChunk;  // that hold codes of x's elements
  std::int64_t outputs[kOutputs];
  STRATA_UNROLL
  for (int o = 0; o < kOutputs; ++o) outputs[o] = part.first + o < part.target.n ? part.first + o : part.first;
  const T* x = static_cast<const T*>(a.x);
  const auto* codes = static_cast<const Chunk<Format>*>(part.target.weight);
  const auto* allScales = static_cast<const Bfloat16*>(part.target.scales);
  float sums[Rows][kOutputs] = {};
  for (std::int64_t c = threadIndex() % kWarp; c < chunks; c += kWarp * kUnroll) {
    Chunk<Format> loaded[kUnroll][kOutputs];
    float scales[kUnroll][kOutputs];
    STRATA_UNROLL
    for (int u = 0; u < kUnroll; ++u) {
      const bool exists = c + u * kWarp < chunks;
      const std::int64_t at = exists ? c + u * kWarp : c;
      STRATA_UNROLL
      for (int o = 0; o < kOutputs; ++o) {
        loaded[u][o] = loadChunk(codes + outputs[o] * rowChunks + at);
        const float scale = toFloatDevice(allScales[outputs[o] * groups + at / (group / kChunk)]);
        scales[u][o] = exists ? scale : 0.0f;
      }
    }
    STRATA_UNROLL
    for (int u = 0; u < kUnroll; ++u) {
      const std::int64_t first = (c + u * kWarp) * kChunk;
      float wide[kOutputs][kChunk];
      STRATA_UNROLL
      for (int o = 0; o < kOutputs; ++o) expandChunk(loaded[u][o], wide[o]);
      STRATA_UNROLL
      for (int row = 0; row < Rows; ++row) {
        float dots[kOutputs] = {};
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half) {
          const std::int64_t at = first + half * 8;
          float values[8];
          expand(loadEight(x + (row < a.rows ? row : 0) * a.k + at, eightOf(at, a.k), a.aligned), values);
          STRATA_UNROLL
          for (int o = 0; o < kOutputs; ++o) {
            STRATA_UNROLL
            for (int e = 0; e < 8; ++e) dots[o] += wide[o][half * 8 + e] * values[e];
          }
        }
        STRATA_UNROLL
        for (int o = 0; o < kOutputs; ++o) sums[row][o] += scales[u][o] * dots[o];
      }
    }
  }
  finishOutputs<T>(a, part, sums);
}

template <class T, WeightFormat Format>
int launchFormat(const MatvecArguments& a, const Launch& how) {
  if (a.rows == 1) return launch(quantizedMatvecKernel<T, Format, 1>, how, a);
  if (a.rows == 2) return launch(quantizedMatvecKernel<T, Format, 2>, how, a);
  if (a.rows <= 4) return launch(quantizedMatvecKernel<T, Format, 4>, how, a);
  return launch(quantizedMatvecKernel<T, Format, 8>, how, a);
}

int launchQuantized(WeightFormat format, int element, const MatvecArguments& a, const Launch& how) {
  if (format == WeightFormat::int8) {
    return element == 0 ? launchFormat<float, WeightFormat::int8>(a, how)
                        : launchFormat<Bfloat16, WeightFormat::int8>(a, how);
  }
  return element == 0 ? launchFormat<float, WeightFormat::int4>(a, how)
                      : launchFormat<Bfloat16, WeightFormat::int4>(a, how);
}

}  // namespace strata::kernels::cuda
