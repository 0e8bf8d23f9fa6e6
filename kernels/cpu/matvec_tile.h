// The loops of matvec, for any instruction set. Included inside the namespace and under the target attribute of each
// (so neither `#pragma once` nor includes here: matvec_part.h and elements.h come first).
//
// An Engine has: Stored, the weights' type; Input, x's type as prepared; Chunk, step() weights in registers; Sum, a
// vector of partial sums; load, loadFirst, zero, join(sum, sum), total(sum), and add(sums, r, chunks, x), which adds
// each output's chunk times x to sums[output][r].

/// How far ahead of its loads a thread asks for weights: more than the hardware's own prefetcher looks, and across
/// the 4 KiB pages where that one stops.
constexpr std::size_t kPrefetchBytes = 4096;

/// One chunk of every output's weights times every row of x. (`Whole` is a template argument because with the tail's
/// code inside the loop GCC keeps no sum in a register.)
template <class Engine, int Outputs, int Rows, bool Whole>
inline __attribute__((always_inline)) void addChunk(typename Engine::Sum (&sum)[Outputs][Rows],
                                                    const typename Engine::Stored* weight,
                                                    const typename Engine::Input* x, std::size_t xStride, std::size_t k,
                                                    std::size_t i, std::size_t ahead) {
  typename Engine::Chunk chunk[Outputs];
  for (int o = 0; o < Outputs; ++o) {
    const typename Engine::Stored* from = weight + static_cast<std::size_t>(o) * k + i;
    __builtin_prefetch(reinterpret_cast<const char*>(from) + ahead, 0, 3);
    if constexpr (Whole) {
      chunk[o] = Engine::load(from);
    } else {
      chunk[o] = Engine::loadFirst(from, k - i);
    }
  }
  for (int r = 0; r < Rows; ++r) Engine::add(sum, r, chunk, x + static_cast<std::size_t>(r) * xStride + i);
}

/// sums[output][row] of `Rows` rows of x with `Outputs` rows of weights, each in `Unroll` independent chains.
template <class Engine, int Outputs, int Rows, int Unroll>
void dotTile(const typename Engine::Stored* weight, const typename Engine::Input* x, std::size_t xStride, std::size_t k,
             float (*sums)[8]) {
  typename Engine::Sum sum[Unroll][Outputs][Rows];
  for (int u = 0; u < Unroll; ++u) {
    for (int o = 0; o < Outputs; ++o) {
      for (int r = 0; r < Rows; ++r) sum[u][o][r] = Engine::zero();
    }
  }
  // With several rows of weights at once the next ones are the next tile's.
  const std::size_t ahead = Outputs == 1 ? kPrefetchBytes : Outputs * k * sizeof(typename Engine::Stored);
  const std::size_t step = Engine::step();
  std::size_t i = 0;
  for (; i + Unroll * step <= k; i += Unroll * step) {
    for (int u = 0; u < Unroll; ++u) {
      const std::size_t at = i + static_cast<std::size_t>(u) * step;
      addChunk<Engine, Outputs, Rows, true>(sum[u], weight, x, xStride, k, at, ahead);
    }
  }
  for (; i + step <= k; i += step) addChunk<Engine, Outputs, Rows, true>(sum[0], weight, x, xStride, k, i, ahead);
  if (i < k) addChunk<Engine, Outputs, Rows, false>(sum[0], weight, x, xStride, k, i, ahead);
  for (int o = 0; o < Outputs; ++o) {
    for (int r = 0; r < Rows; ++r) {
      for (int width = Unroll / 2; width > 0; width /= 2) {
        for (int u = 0; u < width; ++u) sum[u][o][r] = Engine::join(sum[u][o][r], sum[u + width][o][r]);
      }
      sums[o][r] = Engine::total(sum[0][o][r]);
    }
  }
}

/// One row of weights with up to eight rows of x. The chains of a row of x do not depend on which tile it is in, so
/// neither does its sum depend on where a thread's part begins.
template <class Engine, int Outputs>
void dotRows(const typename Engine::Stored* weight, const typename Engine::Input* x, std::size_t xStride,
             std::size_t rows, std::size_t k, float (*sums)[8]) {
  switch (rows) {
    case 1:
      return dotTile<Engine, Outputs, 1, 8>(weight, x, xStride, k, sums);
    case 2:
      return dotTile<Engine, Outputs, 2, 4>(weight, x, xStride, k, sums);
    case 3:
      return dotTile<Engine, Outputs, 3, 2>(weight, x, xStride, k, sums);
    case 4:
      return dotTile<Engine, Outputs, 4, 2>(weight, x, xStride, k, sums);
    case 5:
      return dotTile<Engine, Outputs, 5, 1>(weight, x, xStride, k, sums);
    case 6:
      return dotTile<Engine, Outputs, 6, 1>(weight, x, xStride, k, sums);
    case 7:
      return dotTile<Engine, Outputs, 7, 1>(weight, x, xStride, k, sums);
    default:
      return dotTile<Engine, Outputs, 8, 1>(weight, x, xStride, k, sums);
  }
}

template <class Engine, int Outputs>
void storeRows(const cpu::MatvecWork& work, const MatvecTarget& target, std::int64_t n) {
  using Stored = typename Engine::Stored;
  const auto* x = static_cast<const typename Engine::Input*>(work.x);
  const Stored* weight = static_cast<const Stored*>(target.weight) + n * static_cast<std::int64_t>(work.k);
  for (std::size_t row = 0; row < work.rows; row += 8) {
    const std::size_t rows = work.rows - row < 8 ? work.rows - row : 8;
    float sums[Outputs][8];
    dotRows<Engine, Outputs>(weight, x + row * work.xStride, work.xStride, rows, work.k, sums);
    for (int o = 0; o < Outputs; ++o) {
      const float bias = target.bias == nullptr ? 0.0f : loadElement<Stored>(target.bias, n + o);
      for (std::size_t r = 0; r < rows; ++r) {
        storeElement(work.outElement, target.y, static_cast<std::int64_t>(row + r) * target.n + n + o,
                     sums[o][r] + bias);
      }
    }
  }
}

/// Output rows begin … end-1 of all targets, counted through; each row of weights meets all rows of x while in L1.
/// From five rows of x on, two rows of weights share each load of x.
template <class Engine>
void matvecRows(const cpu::MatvecWork& work, std::int64_t begin, std::int64_t end) {
  std::int64_t first = 0;
  for (int t = 0; t < work.targetCount; ++t) {
    const MatvecTarget& target = work.targets[t];
    const std::int64_t to = end - first < target.n ? end - first : target.n;
    std::int64_t n = begin > first ? begin - first : 0;
    first += target.n;
    if (work.rows >= 5) {
      for (; n + 2 <= to; n += 2) storeRows<Engine, 2>(work, target, n);
    }
    for (; n < to; ++n) storeRows<Engine, 1>(work, target, n);
  }
}
