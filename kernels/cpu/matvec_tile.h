// The loops of matvec, for any instruction set. Included inside the namespace and under the target attribute of each
// (so neither `#pragma once` nor includes here: matvec_part.h and elements.h come first).
//
// An Engine has: Stored, the weights' type; Input, x's type as prepared; Chunk, step() weights in registers; Sum, a
// vector of partial sums; kOutputs, the rows of weights whose sums with four rows of x fit into the registers; load,
// loadFirst, zero, add(sum, chunk, x), which adds a chunk times x, join(sum, sum) and totals<Count>(sums, to), the sums
// of up to four vectors' lanes.

/// How far ahead of its loads a thread asks for weights: more than the hardware's own prefetcher looks, and across
/// the 4 KiB pages where that one stops.
constexpr std::size_t kPrefetchBytes = 4096;

#include "kernels/cpu/quantized_tile-inl.h"

/// Sums that a dot product is gathered in: as many for one row of x as for eight, so that a row's result does not
/// depend on which others it is computed with.
constexpr int kChains = 2;

/// One chunk of each output's weights times every row of x. (`Whole` is a template argument because with the tail's
/// code inside the loop GCC keeps no sum in a register.)
template <class Engine, int Outputs, int Rows, bool Whole>
inline __attribute__((always_inline)) void addChunk(typename Engine::Sum (&sum)[Outputs][Rows],
                                                    const typename Engine::Stored* weight,
                                                    const typename Engine::Input* x, std::size_t xStride, std::size_t k,
                                                    std::size_t i) {
  typename Engine::Chunk chunk[Outputs];
  for (int o = 0; o < Outputs; ++o) {
    const typename Engine::Stored* from = weight + static_cast<std::size_t>(o) * k + i;
    __builtin_prefetch(reinterpret_cast<const char*>(from) + kPrefetchBytes, 0, 3);
    if constexpr (Whole) {
      chunk[o] = Engine::load(from);
    } else {
      chunk[o] = Engine::loadFirst(from, k - i);
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int o = 0; o < Outputs; ++o) {
      Engine::add(sum[o][r], chunk[o], x + static_cast<std::size_t>(r) * xStride + i);
    }
  }
}

/// sums[output][row] of `Rows` rows of x with `Outputs` rows of weights.
template <class Engine, int Outputs, int Rows>
void dotTile(const typename Engine::Stored* weight, const typename Engine::Input* x, std::size_t xStride, std::size_t k,
             float (*sums)[8]) {
  typename Engine::Sum sum[kChains][Outputs][Rows];
  for (int chain = 0; chain < kChains; ++chain) {
    for (int o = 0; o < Outputs; ++o) {
      for (int r = 0; r < Rows; ++r) sum[chain][o][r] = Engine::zero();
    }
  }
  const std::size_t step = Engine::step();
  std::size_t i = 0;
  for (; i + kChains * step <= k; i += kChains * step) {
    for (int chain = 0; chain < kChains; ++chain) {
      addChunk<Engine, Outputs, Rows, true>(sum[chain], weight, x, xStride, k,
                                            i + static_cast<std::size_t>(chain) * step);
    }
  }
  for (; i + step <= k; i += step) addChunk<Engine, Outputs, Rows, true>(sum[0], weight, x, xStride, k, i);
  if (i < k) addChunk<Engine, Outputs, Rows, false>(sum[0], weight, x, xStride, k, i);
  for (int o = 0; o < Outputs; ++o) {
    for (int r = 0; r < Rows; ++r) {
      static_assert(kChains == 2);
      sum[0][o][r] = Engine::join(sum[0][o][r], sum[1][o][r]);
    }
    Engine::template totals<Rows>(sum[0][o], sums[o]);
  }
}

/// `Outputs` rows of weights with `rows` (up to eight) rows of x.
template <class Engine, int Outputs>
void dotRows(const typename Engine::Stored* weight, const typename Engine::Input* x, std::size_t xStride,
             std::size_t rows, std::size_t k, float (*sums)[8]) {
  std::size_t done = 0;
  const auto tile = [&](auto count) {
    dotTile<Engine, Outputs, decltype(count)::value>(weight, x + done * xStride, xStride, k,
                                                     reinterpret_cast<float(*)[8]>(&sums[0][done]));
  };
  for (; rows - done > 4; done += 4) tile(std::integral_constant<int, 4>());
  switch (rows - done) {
    case 1:
      return tile(std::integral_constant<int, 1>());
    case 2:
      return tile(std::integral_constant<int, 2>());
    case 3:
      return tile(std::integral_constant<int, 3>());
    default:
      return tile(std::integral_constant<int, 4>());
  }
}

template <class Engine, int Outputs>
void storeRows(const cpu::MatvecWork& work, const MatvecTarget& target, std::int64_t n) {
  using Stored = typename Engine::Stored;
  const cpu::PreparedInput& input = work.x[static_cast<int>(WeightFormat::plain)];
  const auto* x = static_cast<const typename Engine::Input*>(input.data);
  const Stored* weight = static_cast<const Stored*>(target.weight) + n * static_cast<std::int64_t>(work.k);
  for (std::size_t row = 0; row < work.rows; row += 8) {
    const std::size_t rows = work.rows - row < 8 ? work.rows - row : 8;
    float sums[Outputs][8];
    dotRows<Engine, Outputs>(weight, x + row * input.stride, input.stride, rows, work.k, sums);
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
template <class Engine, class Int8Engine, class Int4Engine>
void matvecRows(const cpu::MatvecWork& work, std::int64_t begin, std::int64_t end) {
  std::int64_t first = 0;
  for (int t = 0; t < work.targetCount; ++t) {
    const MatvecTarget& target = work.targets[t];
    const std::int64_t to = end - first < target.n ? end - first : target.n;
    const std::int64_t from = begin > first ? begin - first : 0;
    switch (target.format) {
      case WeightFormat::plain: {
        std::int64_t n = from;
        if (work.rows > 2) {  // rows of weights share each load of x
          for (; n + Engine::kOutputs <= to; n += Engine::kOutputs)
            storeRows<Engine, Engine::kOutputs>(work, target, n);
        }
        for (; n < to; ++n) storeRows<Engine, 1>(work, target, n);
        break;
      }
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
