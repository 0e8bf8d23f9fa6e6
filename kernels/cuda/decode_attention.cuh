#pragma once
// decodeAttention on a GPU, see kernels/decode_attention.h. A block is four warps and takes up to four query heads of
// one KV head over one range of keys. `RowThreads` neighbouring threads hold one row of K or V, eight elements each;
// such a team goes through its own keys with its own running maximum and sums, without barriers. At the end the
// teams of a warp merge by shuffles, the warps through shared memory, and the ranges in a second kernel.

#include <cmath>
#include <cstdint>

#include "kernels/cuda/device.cuh"

namespace strata::kernels::cuda {

constexpr int kAttentionThreads = 128;
constexpr int kAttentionWarps = kAttentionThreads / kWarp;
constexpr int kAttentionMaxHeads = 4;     // query heads of a block
constexpr int kAttentionMaxD = 256;       // eight elements for each thread of a warp
constexpr int kAttentionKeysAtOnce = 4;   // keys that a team loads before it looks at any: loads in flight
constexpr int kAttentionRangeKeys = 256;  // a range's keys at least
constexpr int kAttentionMaxRanges = 64;

struct AttentionArguments {
  const void* q = nullptr;  // [B, queries, H, D]
  const void* kCache = nullptr;
  const void* vCache = nullptr;
  const std::int64_t* lengths = nullptr;  // [B]; null: `queries`
  void* out = nullptr;                    // [B, queries, H, D]
  float* partial = nullptr;               // [B, queries, H, ranges, 2 + D]: largest, total, sums; where ranges > 1
  std::int64_t sequenceStride = 0, headStride = 0, rowStride = 0;  // of K and V, in elements
  std::int64_t window = 0;                                         // over 0: the last keys that are seen
  float scale = 1;
  int heads = 0, kvHeads = 0, d = 0;
  int queries = 1;       // of each sequence, whose last sees all keys
  int ranges = 1;        // of keys, for each sequence at most
  int parts = 1;         // blocks that share the query heads of one KV head
  bool aligned = false;  // rows start at multiples of 16 bytes
};

/// Ranges that this many keys are cut into: no more than the grid has, none much shorter than the others are. What is
/// computed depends on the length alone, so that one grid serves all lengths.
STRATA_DEVICE int rangesOf(std::int64_t length, int most) {
  const std::int64_t ranges = (length + kAttentionRangeKeys - 1) / kAttentionRangeKeys;
  return ranges < 1 ? 1 : ranges < most ? static_cast<int>(ranges) : most;
}

/// The end of the keys that a query sees; `row` of B · queries.
STRATA_DEVICE std::int64_t endOfKeys(const AttentionArguments& a, int row) {
  const std::int64_t all = a.lengths == nullptr ? a.queries : a.lengths[row / a.queries];
  return all - (a.queries - 1 - row % a.queries);
}
STRATA_DEVICE std::int64_t lengthSeen(const AttentionArguments& a, std::int64_t end) {
  return a.window > 0 && a.window < end ? a.window : end;
}

/// What one query head gathers over keys: the largest score, and e^(score - largest) summed alone and times v.
struct Gathering {
  float largest, total, sum[8];
};

/// Scales what was gathered to a new largest score.
STRATA_DEVICE void rescale(Gathering& state, float largest) {
  const float factor = state.largest == largest ? 1.0f : expf(state.largest - largest);
  state.largest = largest;
  state.total *= factor;
  STRATA_UNROLL
  for (int i = 0; i < 8; ++i) state.sum[i] *= factor;
}

/// Adds what the thread `mask` away gathered.
STRATA_DEVICE void mergeAcross(Gathering& state, int mask) {
  Gathering other;
  other.largest = shuffleXor(state.largest, mask);
  other.total = shuffleXor(state.total, mask);
  STRATA_UNROLL
  for (int i = 0; i < 8; ++i) other.sum[i] = shuffleXor(state.sum[i], mask);
  const float largest = fmaxf(state.largest, other.largest);
  rescale(state, largest);
  rescale(other, largest);
  state.total += other.total;
  STRATA_UNROLL
  for (int i = 0; i < 8; ++i) state.sum[i] += other.sum[i];
}

/// Takes keysAtOnce keys of K and V into the sums of `Heads` query heads; `valid` says which of them exist.
template <class T, int Heads, int RowThreads>
STRATA_DEVICE void gatherKeys(Gathering (&states)[Heads], const float (&q)[Heads][8],
                              const Eight<T> (&k)[kAttentionKeysAtOnce], const Eight<T> (&v)[kAttentionKeysAtOnce],
                              const bool (&valid)[kAttentionKeysAtOnce]) {
  float scores[Heads][kAttentionKeysAtOnce];
  STRATA_UNROLL
  for (int n = 0; n < kAttentionKeysAtOnce; ++n) {
    float row[8];
    expand(k[n], row);
    STRATA_UNROLL
    for (int h = 0; h < Heads; ++h) {
      float dot = 0;
      STRATA_UNROLL
      for (int i = 0; i < 8; ++i) dot += q[h][i] * row[i];
      STRATA_UNROLL
      for (int mask = RowThreads / 2; mask > 0; mask /= 2) dot += shuffleXor(dot, mask);
      scores[h][n] = valid[n] ? dot : -INFINITY;
    }
  }
  STRATA_UNROLL
  for (int h = 0; h < Heads; ++h) {
    float largest = states[h].largest;
    STRATA_UNROLL
    for (int n = 0; n < kAttentionKeysAtOnce; ++n) largest = fmaxf(largest, scores[h][n]);
    rescale(states[h], largest);
    STRATA_UNROLL
    for (int n = 0; n < kAttentionKeysAtOnce; ++n) {
      scores[h][n] = valid[n] ? expf(scores[h][n] - largest) : 0.0f;
      states[h].total += scores[h][n];
    }
  }
  STRATA_UNROLL
  for (int n = 0; n < kAttentionKeysAtOnce; ++n) {
    float row[8];
    expand(v[n], row);
    STRATA_UNROLL
    for (int h = 0; h < Heads; ++h) {
      STRATA_UNROLL
      for (int i = 0; i < 8; ++i) states[h].sum[i] += scores[h][n] * row[i];
    }
  }
}

/// Blocks of a multiprocessor, as many as fit without spills.
template <class T, int Heads>
constexpr int attentionBlocks() {
  return sizeof(T) == 2 ? 7 - Heads : Heads == 1 ? 4 : 3;
}

/// Grid: (ranges, Hkv · parts, B · queries).
template <class T, int Heads, int RowThreads>
STRATA_KERNEL_OF(kAttentionThreads, (attentionBlocks<T, Heads>()))
decodeAttentionKernel(AttentionArguments a) {
  constexpr int kTeams = kAttentionThreads / RowThreads;
  constexpr int kWidth = RowThreads * 8 + 2;
  STRATA_SHARED(float, merged, kAttentionWarps* Heads* kWidth);

  const int queryRow = blockIndexZ();
  const std::int64_t keysEnd = endOfKeys(a, queryRow), length = lengthSeen(a, keysEnd);
  const int ranges = rangesOf(length, a.ranges);
  if (blockIndexX() >= ranges) return;  // the whole block
  const int kvHead = blockIndexY() / a.parts, part = blockIndexY() % a.parts;
  const int group = a.heads / a.kvHeads;
  const int headBegin = kvHead * group + part * group / a.parts;
  const int headCount = kvHead * group + (part + 1) * group / a.parts - headBegin;
  const int thread = threadIndex();
  const int team = thread / RowThreads;
  const int first = thread % RowThreads * 8;  // of the row's elements
  const int count = a.d - first < 0 ? 0 : a.d - first < 8 ? a.d - first : 8;

  float q[Heads][8];
  Gathering states[Heads];
  STRATA_UNROLL
  for (int h = 0; h < Heads; ++h) {
    states[h] = {-INFINITY, 0, {}};
    const std::int64_t query = static_cast<std::int64_t>(queryRow) * a.heads + headBegin + (h < headCount ? h : 0);
    expand(loadEight(static_cast<const T*>(a.q) + query * a.d + first, count, a.aligned), q[h]);
    STRATA_UNROLL
    for (int i = 0; i < 8; ++i) q[h][i] *= a.scale;
  }

  // The rows start where the window does.
  const std::int64_t start =
      queryRow / a.queries * a.sequenceStride + kvHead * a.headStride + (keysEnd - length) * a.rowStride + first;
  const T* kRows = static_cast<const T*>(a.kCache) + start;
  const T* vRows = static_cast<const T*>(a.vCache) + start;
  const std::int64_t begin = length * blockIndexX() / ranges, end = length * (blockIndexX() + 1) / ranges;
  for (std::int64_t key = begin; key < end; key += kTeams * kAttentionKeysAtOnce) {
    Eight<T> k[kAttentionKeysAtOnce], v[kAttentionKeysAtOnce];
    bool valid[kAttentionKeysAtOnce];
    STRATA_UNROLL
    for (int n = 0; n < kAttentionKeysAtOnce; ++n) {
      const std::int64_t own = key + n * kTeams + team;
      valid[n] = own < end;
      k[n] = loadEight(kRows + own * a.rowStride, valid[n] ? count : 0, a.aligned);
      v[n] = loadEight(vRows + own * a.rowStride, valid[n] ? count : 0, a.aligned);
    }
    gatherKeys<T, Heads, RowThreads>(states, q, k, v, valid);
  }

  STRATA_UNROLL
  for (int h = 0; h < Heads; ++h) {
    STRATA_UNROLL
    for (int mask = RowThreads; mask < kWarp; mask *= 2) mergeAcross(states[h], mask);
  }
  if (thread % kWarp < RowThreads) {
    STRATA_UNROLL
    for (int h = 0; h < Heads; ++h) {
      const int row = (thread / kWarp * Heads + h) * kWidth;
      if (thread % kWarp == 0) {
        merged[row] = states[h].largest;
        merged[row + 1] = states[h].total;
      }
      STRATA_UNROLL
      for (int i = 0; i < 8; ++i) merged[row + 2 + first + i] = states[h].sum[i];
    }
  }
  barrier();

  for (int index = thread; index < headCount * a.d; index += kAttentionThreads) {
    const int h = index / a.d, i = index % a.d;
    float largest = -INFINITY;
    for (int warp = 0; warp < kAttentionWarps; ++warp) largest = fmaxf(largest, merged[(warp * Heads + h) * kWidth]);
    float total = 0, sum = 0;
    for (int warp = 0; warp < kAttentionWarps; ++warp) {
      const int row = (warp * Heads + h) * kWidth;
      const float factor = merged[row] == largest ? 1.0f : expf(merged[row] - largest);
      total += factor * merged[row + 1];
      sum += factor * merged[row + 2 + i];
    }
    const std::int64_t query = static_cast<std::int64_t>(queryRow) * a.heads + headBegin + h;
    if (a.ranges == 1) {
      storeDevice(static_cast<T*>(a.out) + query * a.d + i, length > 0 ? sum / total : 0.0f);
      continue;
    }
    float* partial = a.partial + (query * a.ranges + blockIndexX()) * (a.d + 2);
    partial[2 + i] = sum;
    if (i == 0) {
      partial[0] = largest;
      partial[1] = total;
    }
  }
}

/// Merges the ranges. Grid: (H, B · queries, 1).
template <class T>
STRATA_KERNEL(kAttentionThreads)
mergeRangesKernel(AttentionArguments a) {
  const std::int64_t query = static_cast<std::int64_t>(blockIndexY()) * a.heads + blockIndexX();
  const float* rows = a.partial + query * a.ranges * (a.d + 2);
  const std::int64_t length = lengthSeen(a, endOfKeys(a, blockIndexY()));
  const int ranges = rangesOf(length, a.ranges);
  float largest = -INFINITY;
  for (int range = 0; range < ranges; ++range) largest = fmaxf(largest, rows[range * (a.d + 2)]);
  for (int i = threadIndex(); i < a.d; i += kAttentionThreads) {
    float total = 0, sum = 0;
    for (int range = 0; range < ranges; ++range) {
      const float* row = rows + range * (a.d + 2);
      const float factor = row[0] == largest ? 1.0f : expf(row[0] - largest);
      total += factor * row[1];
      sum += factor * row[2 + i];
    }
    storeDevice(static_cast<T*>(a.out) + query * a.d + i, length > 0 ? sum / total : 0.0f);
  }
}

/// Key ranges that keep a device with this many processors busy twice over.
inline int attentionRanges(std::int64_t b, std::int64_t kvHeads, int parts, std::int64_t maxLength, int processors) {
  const std::int64_t blocks = b * kvHeads * parts;
  const std::int64_t wanted = (2 * processors + blocks - 1) / blocks;
  const std::int64_t most = (maxLength + kAttentionRangeKeys - 1) / kAttentionRangeKeys;
  const std::int64_t ranges = wanted < most ? wanted : most;
  return static_cast<int>(ranges < 1 ? 1 : ranges > kAttentionMaxRanges ? kAttentionMaxRanges : ranges);
}

/// Blocks that share the query heads of one KV head.
inline int attentionParts(std::int64_t heads, std::int64_t kvHeads) {
  const std::int64_t group = heads / kvHeads;
  return static_cast<int>((group + kAttentionMaxHeads - 1) / kAttentionMaxHeads);
}

template <class T, int Heads>
int launchAttentionHeads(const AttentionArguments& a, const Launch& how) {
  if (a.d <= 64) return launch(decodeAttentionKernel<T, Heads, 8>, how, a);
  if (a.d <= 128) return launch(decodeAttentionKernel<T, Heads, 16>, how, a);
  return launch(decodeAttentionKernel<T, Heads, 32>, how, a);
}

/// rows: B · queries. kept: of Launch.
template <class T>
int launchAttention(const AttentionArguments& a, std::int64_t rows, void* stream, const void* kept = nullptr,
                    std::int64_t keptBytes = 0) {
  const Launch how{{a.ranges, a.kvHeads * a.parts, static_cast<int>(rows)}, kAttentionThreads, stream, kept, keptBytes};
  const int group = a.heads / a.kvHeads;
  const int headsAtOnce = (group + a.parts - 1) / a.parts;
  int error = 0;
  if (headsAtOnce == 1) error = launchAttentionHeads<T, 1>(a, how);
  if (headsAtOnce == 2) error = launchAttentionHeads<T, 2>(a, how);
  if (headsAtOnce == 3) error = launchAttentionHeads<T, 3>(a, how);
  if (headsAtOnce == 4) error = launchAttentionHeads<T, 4>(a, how);
  if (error != 0 || a.ranges == 1) return error;
  return launch(mergeRangesKernel<T>, Launch{{a.heads, static_cast<int>(rows), 1}, kAttentionThreads, stream}, a);
}

}  // namespace strata::kernels::cuda
