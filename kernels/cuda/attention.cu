// Causal attention of many queries (kernels/attention.h, forward) without a mask in memory. bf16: a block is four warps
// with 16 queries of one head each, and goes over tiles of 64 keys; both products run on the tensor cores, the softmax
// is rescaled from tile to tile (Dao, arXiv 2307.08691). fp32: the kernel of decode attention with every query a row of
// its own.
//
// Roofline: bound by arithmetic, 4 D flops for each of the T (T + 1) / 2 pairs of a head, at most the bf16 peak of the
// tensor cores; reads q and writes out once, K and V once for each 64 queries of each head of the group, from L2.

#include "kernels/cuda/decode_attention.cuh"
#include "kernels/cuda/entries.h"

namespace strata::kernels::cuda {

constexpr int kPrefillThreads = 128;
constexpr int kPrefillQueries = 64;  // of a block
constexpr int kPrefillKeys = 64;     // of a tile

struct PrefillArguments {
  const void* q;  // [B, T, H, D]
  const void* k;
  const void* v;
  const std::int64_t* lengths;                         // [B], or null: T
  void* out;                                           // [B, T, H, D]
  std::int64_t sequenceStride, headStride, rowStride;  // of K and V, in elements
  std::int64_t t, window;
  float scale;
  int heads, kvHeads, d, tiles;  // tiles: of queries
};

/// Two neighbouring elements of a row of q; zeros where there are none.
STRATA_DEVICE std::uint32_t loadPair(const Bfloat16* row, int column, bool exists) {
  std::uint32_t pair = 0;
  if (exists) memcpy(&pair, row + column, sizeof pair);
  return pair;
}

/// MostD: 64 or 128, at least a.d. Grid: (tiles of queries, H, B).
template <int MostD>
STRATA_KERNEL(kPrefillThreads)
prefillAttentionKernel(PrefillArguments a) {
  constexpr int kStride =
      MostD / 2 + 4;  // words of a row in shared memory; keeps the lanes of a tile on their own banks
  constexpr int kKeyTiles = kPrefillKeys / 8, kWideSteps = MostD / 16, kOutTiles = MostD / 8;
  STRATA_SHARED(std::uint32_t, keys, kPrefillKeys * kStride);
  STRATA_SHARED(std::uint32_t, values, kPrefillKeys * kStride);

  const int lane = threadIndex() % kWarp, group = lane / 4, pair = lane % 4;
  const std::int64_t tile = a.tiles - 1 - blockIndexX();  // the longest first
  const int head = blockIndexY(), sequence = blockIndexZ();
  const std::int64_t before = (a.lengths == nullptr ? a.t : a.lengths[sequence]) - a.t;  // keys before query 0
  const std::int64_t firstQuery = tile * kPrefillQueries;
  const std::int64_t endQuery = firstQuery + kPrefillQueries < a.t ? firstQuery + kPrefillQueries : a.t;
  const std::int64_t kv = sequence * a.sequenceStride + head / (a.heads / a.kvHeads) * a.headStride;
  const Bfloat16* kRows = static_cast<const Bfloat16*>(a.k) + kv;
  const Bfloat16* vRows = static_cast<const Bfloat16*>(a.v) + kv;

  // This lane's two queries.
  std::int64_t queries[2], rows[2];
  std::uint32_t q[kWideSteps][4];
  STRATA_UNROLL
  for (int r = 0; r < 2; ++r) {
    queries[r] = firstQuery + threadIndex() / kWarp * 16 + group + 8 * r;
    const bool exists = queries[r] < a.t;
    rows[r] = ((sequence * a.t + (exists ? queries[r] : 0)) * a.heads + head) * a.d;
    const Bfloat16* row = static_cast<const Bfloat16*>(a.q) + rows[r];
    STRATA_UNROLL
    for (int step = 0; step < kWideSteps; ++step) {
      const int column = step * 16 + pair * 2;
      q[step][r] = loadPair(row, column, exists && column < a.d);
      q[step][r + 2] = loadPair(row, column + 8, exists && column + 8 < a.d);
    }
  }

  float sums[kOutTiles][4] = {}, largest[2] = {-INFINITY, -INFINITY}, totals[2] = {};
  const std::int64_t endKey = before + endQuery;
  const std::int64_t firstSeen = before + firstQuery + 1 - a.window;
  for (std::int64_t first = a.window > 0 && firstSeen > 0 ? firstSeen : 0; first < endKey; first += kPrefillKeys) {
    barrier();  // nobody reads the tile before any longer
    for (int i = threadIndex(); i < kPrefillKeys * MostD / 8; i += kPrefillThreads) {
      const int key = i / (MostD / 8), column = i % (MostD / 8) * 8;
      const int count = first + key < endKey && column < a.d ? 8 : 0;
      const std::int64_t from = (first + key) * a.rowStride + column;
      storeShared(keys, key * kStride + column / 2, loadEight(kRows + from, count, true).words[0]);
      storeShared(values, key * kStride + column / 2, loadEight(vRows + from, count, true).words[0]);
    }
    barrier();

    float scores[kKeyTiles][4];
    float most[2] = {largest[0], largest[1]};
    STRATA_UNROLL
    for (int n = 0; n < kKeyTiles; ++n) {
      STRATA_UNROLL
      for (int i = 0; i < 4; ++i) scores[n][i] = 0;
      STRATA_UNROLL
      for (int step = 0; step < kWideSteps; ++step) {
        const int at = (n * 8 + group) * kStride + step * 8 + pair;
        const std::uint32_t k[2] = {keys[at], keys[at + 4]};
        multiplyTile(scores[n], q[step], k);
      }
      STRATA_UNROLL
      for (int i = 0; i < 4; ++i) {
        const std::int64_t key = first + n * 8 + pair * 2 + i % 2, own = before + queries[i / 2];
        const bool seen = key <= own && (a.window <= 0 || key > own - a.window);
        scores[n][i] = seen ? scores[n][i] * a.scale : -INFINITY;
        most[i / 2] = fmaxf(most[i / 2], scores[n][i]);
      }
    }
    float factors[2];
    STRATA_UNROLL
    for (int r = 0; r < 2; ++r) {
      most[r] = fmaxf(most[r], shuffleXor(most[r], 1));
      most[r] = fmaxf(most[r], shuffleXor(most[r], 2));
      if (most[r] == -INFINITY) most[r] = 0;  // no key seen yet
      factors[r] = expf(largest[r] - most[r]);
      largest[r] = most[r];
      totals[r] *= factors[r];
    }
    STRATA_UNROLL
    for (int n = 0; n < kKeyTiles; ++n) {
      STRATA_UNROLL
      for (int i = 0; i < 4; ++i) {
        scores[n][i] = expf(scores[n][i] - most[i / 2]);
        totals[i / 2] += scores[n][i];
      }
    }
    STRATA_UNROLL
    for (int n = 0; n < kOutTiles; ++n) {
      STRATA_UNROLL
      for (int i = 0; i < 4; ++i) sums[n][i] *= factors[i / 2];
    }
    STRATA_UNROLL
    for (int step = 0; step < kPrefillKeys / 16; ++step) {
      const float(&low)[4] = scores[2 * step], (&high)[4] = scores[2 * step + 1];
      const std::uint32_t p[4] = {roundPair(low[0], low[1]), roundPair(low[2], low[3]), roundPair(high[0], high[1]),
                                  roundPair(high[2], high[3])};
      STRATA_UNROLL
      for (int n = 0; n < kOutTiles; ++n) {
        const int at = (step * 16 + pair * 2) * kStride + (n * 8 + group) / 2, half = group % 2 * 16;
        std::uint32_t v[2];
        STRATA_UNROLL
        for (int i = 0; i < 2; ++i) {  // one column of two neighbouring rows
          const std::uint32_t upper = values[at + i * 8 * kStride] >> half & 0xffffu;
          v[i] = upper | values[at + (i * 8 + 1) * kStride] >> half << 16;
        }
        multiplyTile(sums[n], p, v);
      }
    }
  }

  STRATA_UNROLL
  for (int r = 0; r < 2; ++r) {
    totals[r] += shuffleXor(totals[r], 1);
    totals[r] += shuffleXor(totals[r], 2);
    if (queries[r] >= a.t) continue;
    const float inverse = totals[r] == 0 ? 0.0f : 1 / totals[r];
    Bfloat16* out = static_cast<Bfloat16*>(a.out) + rows[r];
    STRATA_UNROLL
    for (int n = 0; n < kOutTiles; ++n) {
      const int column = n * 8 + pair * 2;
      if (column >= a.d) continue;
      const std::uint32_t stored = roundPair(sums[n][2 * r] * inverse, sums[n][2 * r + 1] * inverse);
      memcpy(static_cast<void*>(out + column), &stored, sizeof stored);
    }
  }
}

}  // namespace strata::kernels::cuda

int strata_cuda_attention(int element, const void* q, const void* k, const void* v, const std::int64_t* lengths,
                          std::int64_t window, float scale, void* out, std::int64_t b, std::int64_t t, std::int64_t h,
                          std::int64_t hkv, std::int64_t capacity, std::int64_t d, void* stream) {
  using namespace strata::kernels;
  using namespace strata::kernels::cuda;
  if (!isElement(element) || b < 0 || t < 0 || hkv < 1 || h < hkv || h % hkv != 0 || d < 1 || capacity < 0) {
    return kInvalidValue;
  }
  if (b == 0 || t == 0) return 0;
  const std::int64_t sequenceStride = hkv * d * (capacity > 0 ? capacity : t);
  const std::int64_t headStride = capacity > 0 ? capacity * d : d, rowStride = capacity > 0 ? d : hkv * d;
  if (element == 0) {
    if (d > kAttentionMaxD || b * t > kMostBlocksY) return kInvalidValue;
    AttentionArguments a;
    a.q = q;
    a.kCache = k;
    a.vCache = v;
    a.lengths = lengths;
    a.out = out;
    a.sequenceStride = sequenceStride;
    a.headStride = headStride;
    a.rowStride = rowStride;
    a.window = window;
    a.scale = scale;
    a.heads = static_cast<int>(h);
    a.kvHeads = static_cast<int>(hkv);
    a.d = static_cast<int>(d);
    a.queries = static_cast<int>(t);
    a.parts = attentionParts(h, hkv);
    a.aligned = areAligned(d * 4, q, k, v);
    return launchAttention<float>(a, b * t, stream);
  }
  const std::int64_t tiles = (t + kPrefillQueries - 1) / kPrefillQueries;
  if (d > kMostPrefillHeadSize || d % 8 != 0 || !areAligned(d * 2, q, k, v, out) || b > kMostBlocksY ||
      h > kMostBlocksY || tiles > kMostBlocks) {
    return kInvalidValue;
  }
  const PrefillArguments a{q,
                           k,
                           v,
                           lengths,
                           out,
                           sequenceStride,
                           headStride,
                           rowStride,
                           t,
                           window,
                           scale,
                           static_cast<int>(h),
                           static_cast<int>(hkv),
                           static_cast<int>(d),
                           static_cast<int>(tiles)};
  const Launch how{{static_cast<int>(tiles), static_cast<int>(h), static_cast<int>(b)}, kPrefillThreads, stream};
  return d <= 64 ? launch(prefillAttentionKernel<64>, how, a) : launch(prefillAttentionKernel<128>, how, a);
}
