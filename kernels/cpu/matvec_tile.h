// The loops of matvec, for any instruction set. Included inside the namespace and under the target attribute of each
// (so neither `#pragma once` nor includes here: matvec_part.h and elements.h come first).
//
// An Engine has: Stored, the weights' type; Input, x's type as prepared; Chunk, step() weights in registers; Sum, a
// vector of partial sums; kChains, the sums that one dot product is gathered in; kOutputs and kRows, the rows of
// weights and of x whose sums fit into the registers; load, loadFirst, zero, add(sum, chunk, x), which adds a chunk
// times x, join(sum, sum) and totals<Count>(sums, to), the sums of up to four vectors' lanes.
//
// A dot product is gathered in the same order whatever the tile, so a row's result does not depend on which others it
// is computed with.

/// How far ahead of its loads a thread asks for rounded weights: more than the hardware's own prefetcher looks, and
/// across the 4 KiB pages where that one stops.
constexpr std::size_t kPrefetchBytes = 4096;

#include "kernels/cpu/quantized_tile-inl.h"

/// Rows of weights whose products with one block of x are gathered before the next block's.
constexpr int kGroup = 8;
/// Rows of x in one pass over a group.
constexpr int kMostRows = 8;
/// What the rows of x of one block take: half of a first-level cache, beside weights and sums.
constexpr std::size_t kMatvecBlockBytes = 16 * 1024;

/// One chunk of each output's weights times every row of x. (`Whole` is a template argument because with the tail's
/// code inside the loop GCC keeps no sum in a register.) As many weights are asked for from `next` on; for several rows
/// into the second-level cache: the first, which holds x, has no room for all that arrives while these products are
/// made.
template <class Engine, int Outputs, int Rows, bool Whole>
inline __attribute__((always_inline)) void addChunk(typename Engine::Sum (&sum)[Outputs][Rows],
                                                    const typename Engine::Stored* weight,
                                                    const typename Engine::Input* x, std::size_t xStride, std::size_t k,
                                                    std::size_t i, const char* next) {
  typename Engine::Chunk chunk[Outputs];
#pragma GCC unroll 8
  for (int o = 0; o < Outputs; ++o) {
    const typename Engine::Stored* from = weight + static_cast<std::size_t>(o) * k + i;
    __builtin_prefetch(next + static_cast<std::size_t>(o) * 64, 0, Rows == 1 ? 3 : 2);
    if constexpr (Whole) {
      chunk[o] = Engine::load(from);
    } else {
      chunk[o] = Engine::loadFirst(from, k - i);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; ++o) {
      Engine::add(sum[o][r], chunk[o], x + static_cast<std::size_t>(r) * xStride + i);
    }
  }
}

/// Elements begin … end-1 of the dot products: `begin` is 0 or where the tile before ended, with its sums in `carried`.
struct Range {
  std::size_t begin, end;
};

/// sums[output][row] of `Rows` rows of x with `Outputs` rows of weights; before the end of K
/// carried[chain][output][row].
template <class Engine, int Outputs, int Rows>
void dotTile(const typename Engine::Stored* weight, const typename Engine::Input* x, std::size_t xStride, std::size_t k,
             Range range, const char* next, typename Engine::Sum* carried, float (*sums)[kMostRows]) {
  constexpr int kChains = Engine::kChains;
  typename Engine::Sum sum[kChains][Outputs][Rows];
#pragma GCC unroll 2
  for (int chain = 0; chain < kChains; ++chain) {
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; ++o) {
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) {
        sum[chain][o][r] = range.begin == 0 ? Engine::zero() : carried[(chain * Outputs + o) * Rows + r];
      }
    }
  }
  const std::size_t step = Engine::step();
  std::size_t i = range.begin;
  const std::size_t bytes = Outputs * step * sizeof(typename Engine::Stored);  // of a chunk
  for (; i + kChains * step <= range.end; i += kChains * step) {
#pragma GCC unroll 2
    for (int chain = 0; chain < kChains; ++chain) {
      addChunk<Engine, Outputs, Rows, true>(sum[chain], weight, x, xStride, k,
                                            i + static_cast<std::size_t>(chain) * step, next);
      next += bytes;
    }
  }
  if (range.end < k) {
#pragma GCC unroll 2
    for (int chain = 0; chain < kChains; ++chain) {
#pragma GCC unroll 8
      for (int o = 0; o < Outputs; ++o) {
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) carried[(chain * Outputs + o) * Rows + r] = sum[chain][o][r];
      }
    }
    return;
  }
  if constexpr (kChains > 1) {
    for (; i + step <= k; i += step) addChunk<Engine, Outputs, Rows, true>(sum[0], weight, x, xStride, k, i, next);
  }
  if (i < k) addChunk<Engine, Outputs, Rows, false>(sum[0], weight, x, xStride, k, i, next);
#pragma GCC unroll 8
  for (int o = 0; o < Outputs; ++o) {
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      if constexpr (kChains == 2) sum[0][o][r] = Engine::join(sum[0][o][r], sum[1][o][r]);
    }
    constexpr int kFours = Rows / 4 * 4;
#pragma GCC unroll 2
    for (int r = 0; r < kFours; r += 4) Engine::template totals<4>(sum[0][o] + r, sums[o] + r);
    if constexpr (Rows > kFours) Engine::template totals<Rows - kFours>(sum[0][o] + kFours, sums[o] + kFours);
  }
}

/// `Rows` rows of x with `outputs` (at most kGroup) rows of weights. Where a row of each takes more than the
/// first-level cache holds, in blocks of K.
template <class Engine, int Rows>
void dotGroup(const typename Engine::Stored* weight, int outputs, const typename Engine::Input* x, std::size_t xStride,
              std::size_t k, std::size_t prefetch, float (*sums)[kMostRows]) {
  constexpr int kOutputs = Rows == 1 ? 1 : Engine::kOutputs;
  const std::size_t unit = Engine::kChains * Engine::step();
  const std::size_t block = Rows == 1 ? k : kMatvecBlockBytes / (sizeof(typename Engine::Input) * Rows) / unit * unit;
  const char* next =
      reinterpret_cast<const char*>(weight) + (Rows == 1 ? prefetch : kGroup * k * sizeof(typename Engine::Stored));
  typename Engine::Sum carried[kGroup][Engine::kChains * Rows];
  for (std::size_t begin = 0; begin < k; begin += block) {
    const Range range{begin, k - begin < block ? k : begin + block};
    int o = 0;
    for (; o + kOutputs <= outputs; o += kOutputs) {
      dotTile<Engine, kOutputs, Rows>(weight + static_cast<std::size_t>(o) * k, x, xStride, k, range, next, carried[o],
                                      sums + o);
      next += (range.end - range.begin) * kOutputs * sizeof(typename Engine::Stored);
    }
    for (; o < outputs; ++o) {
      dotTile<Engine, 1, Rows>(weight + static_cast<std::size_t>(o) * k, x, xStride, k, range, next, carried[o],
                               sums + o);
    }
  }
}

/// `rows` (1 … Rows) rows of x.
template <class Engine, int Rows = Engine::kRows>
void dotRows(const typename Engine::Stored* weight, int outputs, const typename Engine::Input* x, std::size_t xStride,
             int rows, std::size_t k, std::size_t prefetch, float (*sums)[kMostRows]) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return dotRows<Engine, Rows - 1>(weight, outputs, x, xStride, rows, k, prefetch, sums);
  }
  dotGroup<Engine, Rows>(weight, outputs, x, xStride, k, prefetch, sums);
}

/// Output rows n … n+outputs-1; they meet all rows of x while in the caches.
template <class Engine>
void storeRows(const cpu::MatvecWork& work, const MatvecTarget& target, std::int64_t n, int outputs) {
  using Stored = typename Engine::Stored;
  const cpu::PreparedInput& input = work.x[static_cast<int>(WeightFormat::plain)];
  const auto* x = static_cast<const typename Engine::Input*>(input.data);
  const Stored* weight = static_cast<const Stored*>(target.weight) + n * static_cast<std::int64_t>(work.k);
  for (std::size_t row = 0; row < work.rows; row += Engine::kRows) {
    const std::size_t left = work.rows - row;
    const int rows = left < std::size_t{Engine::kRows} ? static_cast<int>(left) : Engine::kRows;
    float sums[kGroup][kMostRows];
    dotRows<Engine>(weight, outputs, x + row * input.stride, input.stride, rows, work.k, work.prefetch, sums);
    for (int o = 0; o < outputs; ++o) {
      const float bias = target.bias == nullptr ? 0.0f : loadElement<Stored>(target.bias, n + o);
      for (int r = 0; r < rows; ++r) {
        storeElement(work.outElement, target.y, (static_cast<std::int64_t>(row) + r) * target.n + n + o,
                     sums[o][r] + bias);
      }
    }
  }
}

/// Output rows begin … end-1 of all targets, counted through.
template <class Engine, class Int8Engine, class Int4Engine>
void matvecRows(const cpu::MatvecWork& work, std::int64_t begin, std::int64_t end) {
  std::int64_t first = 0;
  for (int t = 0; t < work.targetCount; ++t) {
    const MatvecTarget& target = work.targets[t];
    const std::int64_t to = end - first < target.n ? end - first : target.n;
    const std::int64_t from = begin > first ? begin - first : 0;
    switch (target.format) {
      case WeightFormat::plain:
        for (std::int64_t n = from; n < to; n += kGroup)
          storeRows<Engine>(work, target, n, to - n < kGroup ? static_cast<int>(to - n) : kGroup);
        break;
      case WeightFormat::int8:
        for (std::int64_t n = from; n < to; ++n) storeQuantizedRows<Int8Engine>(work, target, n);
        break;
      case WeightFormat::int4:
        for (std::int64_t n = from; n < to; ++n) storeQuantizedRows<Int4Engine>(work, target, n);
        break;
    }
    first += target.n;
  }
}
