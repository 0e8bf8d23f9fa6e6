// The loops of matvec, for any instruction set. Included inside the namespace and under the target attribute of each
// (so neither `#pragma once` nor includes here: matvec_part.h and elements.h come first).
//
// An Engine has: Stored, the weights' type; Input, x's type as prepared; Chunk, step() weights in registers; Sum, a
// vector of partial sums; kRows, the rows of x whose sums fit into the registers; load, loadFirst, zero,
// add(sum, chunk, x), which adds a chunk times x, join(sum, sum) and total(sum).

/// How far ahead of its loads a thread asks for weights: more than the hardware's own prefetcher looks, and across
/// the 4 KiB pages where that one stops.
constexpr std::size_t kPrefetchBytes = 4096;

#include "kernels/cpu/quantized_tile-inl.h"

/// Sums that a dot product is gathered in: as many for one row of x as for eight, so that a row's result does not
/// depend on which others it is computed with.
constexpr int kChains = 2;

/// One chunk of weights times every row of x. (`Whole` is a template argument because with the tail's code inside the
/// loop GCC keeps no sum in a register.)
template <class Engine, int Rows, bool Whole>
inline __attribute__((always_inline)) void addChunk(typename Engine::Sum (&sum)[Rows],
                                                    const typename Engine::Stored* weight,
                                                    const typename Engine::Input* x, std::size_t xStride, std::size_t k,
                                                    std::size_t i) {
  const typename Engine::Stored* from = weight + i;
  __builtin_prefetch(reinterpret_cast<const char*>(from) + kPrefetchBytes, 0, 3);
  typename Engine::Chunk chunk;
  if constexpr (Whole) {
    chunk = Engine::load(from);
  } else {
    chunk = Engine::loadFirst(from, k - i);
  }
  for (int r = 0; r < Rows; ++r) Engine::add(sum[r], chunk, x + static_cast<std::size_t>(r) * xStride + i);
}

/// sums[row] of `Rows` rows of x with one row of weights.
template <class Engine, int Rows>
void dotTile(const typename Engine::Stored* weight, const typename Engine::Input* x, std::size_t xStride, std::size_t k,
             float* sums) {
  typename Engine::Sum sum[kChains][Rows];
  for (int chain = 0; chain < kChains; ++chain) {
    for (int r = 0; r < Rows; ++r) sum[chain][r] = Engine::zero();
  }
  const std::size_t step = Engine::step();
  std::size_t i = 0;
  for (; i + kChains * step <= k; i += kChains * step) {
    for (int chain = 0; chain < kChains; ++chain) {
      addChunk<Engine, Rows, true>(sum[chain], weight, x, xStride, k, i + static_cast<std::size_t>(chain) * step);
    }
  }
  for (; i + step <= k; i += step) addChunk<Engine, Rows, true>(sum[0], weight, x, xStride, k, i);
  if (i < k) addChunk<Engine, Rows, false>(sum[0], weight, x, xStride, k, i);
  for (int r = 0; r < Rows; ++r) {
    static_assert(kChains == 2);
    sums[r] = Engine::total(Engine::join(sum[0][r], sum[1][r]));
  }
}

/// One row of weights with `rows` (up to eight) rows of x.
template <class Engine>
void dotRows(const typename Engine::Stored* weight, const typename Engine::Input* x, std::size_t xStride,
             std::size_t rows, std::size_t k, float* sums) {
  for (; rows > Engine::kRows; rows -= Engine::kRows, x += Engine::kRows * xStride, sums += Engine::kRows) {
    dotTile<Engine, Engine::kRows>(weight, x, xStride, k, sums);
  }
  switch (rows) {
    case 1:
      return dotTile<Engine, 1>(weight, x, xStride, k, sums);
    case 2:
      return dotTile<Engine, 2>(weight, x, xStride, k, sums);
    case 3:
      return dotTile<Engine, 3>(weight, x, xStride, k, sums);
    case 4:
      return dotTile<Engine, 4>(weight, x, xStride, k, sums);
  }
  if constexpr (Engine::kRows > 4) {
    switch (rows) {
      case 5:
        return dotTile<Engine, 5>(weight, x, xStride, k, sums);
      case 6:
        return dotTile<Engine, 6>(weight, x, xStride, k, sums);
      case 7:
        return dotTile<Engine, 7>(weight, x, xStride, k, sums);
      case 8:
        return dotTile<Engine, 8>(weight, x, xStride, k, sums);
    }
  }
}

template <class Engine>
void storeRows(const cpu::MatvecWork& work, const MatvecTarget& target, std::int64_t n) {
  using Stored = typename Engine::Stored;
  const cpu::PreparedInput& input = work.x[static_cast<int>(WeightFormat::plain)];
  const auto* x = static_cast<const typename Engine::Input*>(input.data);
  const Stored* weight = static_cast<const Stored*>(target.weight) + n * static_cast<std::int64_t>(work.k);
  const float bias = target.bias == nullptr ? 0.0f : loadElement<Stored>(target.bias, n);
  for (std::size_t row = 0; row < work.rows; row += 8) {
    const std::size_t rows = work.rows - row < 8 ? work.rows - row : 8;
    float sums[8];
    dotRows<Engine>(weight, x + row * input.stride, input.stride, rows, work.k, sums);
    for (std::size_t r = 0; r < rows; ++r) {
      storeElement(work.outElement, target.y, static_cast<std::int64_t>(row + r) * target.n + n, sums[r] + bias);
    }
  }
}

/// Output rows begin … end-1 of all targets, counted through; each row of weights meets all rows of x while in L1.
template <class Engine, class Int8Engine, class Int4Engine>
void matvecRows(const cpu::MatvecWork& work, std::int64_t begin, std::int64_t end) {
  std::int64_t first = 0;
  for (int t = 0; t < work.targetCount; ++t) {
    const MatvecTarget& target = work.targets[t];
    const std::int64_t to = end - first < target.n ? end - first : target.n;
    const std::int64_t from = begin > first ? begin - first : 0;
    switch (target.format) {
      case WeightFormat::plain:
        for (std::int64_t n = from; n < to; ++n) storeRows<Engine>(work, target, n);
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
