// Attention over the tiles of attention_tile.h, for any instruction set; included as that is.

#include "kernels/cpu/attention_tile.h"

constexpr std::size_t kQueries = cpu::kAttentionQueries;
constexpr std::size_t kSegment = cpu::kAttentionSegment;
constexpr std::size_t kSoftmaxKeys = 1024;  // whose scores of a block of queries are held at once

/// The sizes of a call, and those that packing rounds up.
template <class Engine>
struct AttentionSizes {
  AttentionSizes(const AttentionShape& shape, std::int64_t lowestKey)
      : t(static_cast<std::size_t>(shape.t)),
        d(static_cast<std::size_t>(shape.d)),
        h(static_cast<std::size_t>(shape.h)),
        hkv(static_cast<std::size_t>(shape.hkv)),
        offset(static_cast<std::size_t>(shape.offset)),
        lowest(static_cast<std::size_t>(lowestKey) / kQueries * kQueries),
        held(static_cast<std::size_t>(shape.keys()) - lowest),
        keys(up(held, kKeys())),
        dLanes(up(d, 2 * Engine::lanes())),
        dWords(dLanes / Engine::kStep),
        keyWords(keys / Engine::kStep) {}
  static std::size_t up(std::size_t n, std::size_t multiple) { return (n + multiple - 1) / multiple * multiple; }
  /// Keys of a block of the backward pass: whole pairs of vectors, whole blocks of queries.
  static std::size_t kKeys() { return 64; }

  std::size_t t, d, h, hkv, offset;
  std::size_t lowest, held;  // keys lowest … lowest+held-1 are packed
  std::size_t keys, dLanes, dWords, keyWords;
};

/// Aligned memory that one thread uses for all its tasks.
class Scratch {
 public:
  explicit Scratch(std::size_t floats) : m_memory(cpu::allocateFloats(floats)), m_next(m_memory) {}
  ~Scratch() { cpu::freeFloats(m_memory); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  template <class Word>
  Word* take(std::size_t words) {
    static_assert(sizeof(Word) == sizeof(float));
    float* const taken = m_next;
    m_next += (words + 15) / 16 * 16;
    return reinterpret_cast<Word*>(taken);
  }

 private:
  float* m_memory;
  float* m_next;
};

/// Where each query of a sequence begins to read.
struct FirstKeys {
  const std::int32_t* first;  // [T] or null
  std::int64_t of(std::size_t query) const { return first == nullptr ? 0 : first[query]; }
  std::size_t least(std::size_t begin, std::size_t end) const {
    std::int64_t least = of(begin);
    for (std::size_t query = begin; query < end; ++query) least = of(query) < least ? of(query) : least;
    return static_cast<std::size_t>(least);
  }
};

template <class Stored>
HeadRows<Stored> headOf(const void* tensor, std::size_t b, std::size_t t, std::size_t heads, std::size_t head,
                        std::size_t d) {
  return {static_cast<const Stored*>(tensor) + (b * t * heads + head) * d, heads * d};
}

/// The packed rows of a KV head of k or v.
template <class Stored>
HeadRows<Stored> keyHeadOf(const void* tensor, const AttentionShape& shape, std::size_t b, std::size_t head,
                           std::size_t lowest) {
  const auto d = static_cast<std::size_t>(shape.d), hkv = static_cast<std::size_t>(shape.hkv);
  const auto capacity = static_cast<std::size_t>(shape.capacity), keys = static_cast<std::size_t>(shape.keys());
  const HeadRows<Stored> rows =
      capacity > 0 ? HeadRows<Stored>{static_cast<const Stored*>(tensor) + (b * hkv + head) * capacity * d, d}
                   : headOf<Stored>(tensor, b, keys, hkv, head, d);
  return {rows.row(lowest), rows.stride};
}

/// Of 0 … count-1, so that any run of consecutive tasks has about as many late blocks, which read many keys, as early
/// ones.
inline std::size_t balanced(std::size_t task, std::size_t count) {
  return task % 2 == 0 ? count - 1 - task / 2 : task / 2;
}

/// Of a row of probabilities: e^(highest / kLogBase) has been divided out of their sum.
struct RowSum {
  float sum, highest;
};

/// Turns one query's scores over keys begin … end-1 into probabilities, not yet divided by their sum, as words. What is
/// divided out is at least `atLeast`.
template <class Engine>
RowSum softmaxRow(float* scores, std::size_t begin, std::size_t end, std::int64_t first, std::int64_t last,
                  float factor, float atLeast, typename Engine::Word* words) {
  using Sum = typename Engine::Sum;
  const std::size_t lanes = Engine::lanes();
  Sum most = Engine::set(-3.0e38f);
  for (std::size_t key = begin; key < end; key += lanes) {
    most = Engine::larger(most, Engine::keepOr(Engine::load(scores + key - begin), static_cast<std::int64_t>(key),
                                               first, last, -3.0e38f));
  }
  const float own = Engine::highest(most) * factor, highest = atLeast > own ? atLeast : own;
  Sum total = Engine::zero();
  const auto powers = [&](std::size_t key) {
    const Sum exponent = Engine::mulSub(Engine::load(scores + key - begin), Engine::set(factor), Engine::set(highest));
    return Engine::keepOr(Engine::power(exponent), static_cast<std::int64_t>(key), first, last, 0.0f);
  };
  for (std::size_t key = begin; key < end; key += 2 * lanes) {
    const Sum low = powers(key), high = powers(key + lanes);
    total = Engine::add(total, Engine::add(low, high));
    Engine::rowWords(words + (key - begin) / Engine::kStep, low, high);
  }
  return {Engine::total(total), highest};
}

template <class Engine>
struct ForwardScratch {
  using Word = typename Engine::Word;
  explicit ForwardScratch(const AttentionSizes<Engine>& n)
      : scoreKeys(n.keys < kSoftmaxKeys ? n.keys : kSoftmaxKeys),
        scoreWords(scoreKeys / Engine::kStep),
        memory(n.dWords * n.keys + n.keyWords * n.dLanes + kQueries * (n.dWords + scoreKeys + scoreWords + n.dLanes) +
               6 * 16),
        keys(memory.take<Word>(n.dWords * n.keys)),
        values(memory.take<Word>(n.keyWords * n.dLanes)),
        queries(memory.take<Word>(kQueries * n.dWords)),
        scores(memory.take<float>(kQueries * scoreKeys)),
        probabilities(memory.take<Word>(kQueries * scoreWords)),
        sums(memory.take<float>(kQueries * n.dLanes)) {}

  std::size_t scoreKeys, scoreWords;
  Scratch memory;
  Word* keys;           // [dWords, keys]
  Word* values;         // [keyWords, dLanes]
  Word* queries;        // [kQueries, dWords], of one block
  float* scores;        // [kQueries, scoreKeys]
  Word* probabilities;  // [kQueries, scoreWords]
  float* sums;          // [kQueries, dLanes]
};

/// out and lse of `rows` queries of one head, from `at` on.
template <class Engine>
void attentionBlock(const cpu::AttentionWork& work, const AttentionSizes<Engine>& n, const ForwardScratch<Engine>& s,
                    const FirstKeys& firsts, std::size_t b, std::size_t head, std::size_t at, std::size_t rows) {
  using Stored = typename Engine::Stored;
  const float factor = work.scale * Engine::kLogBase;
  const std::size_t begin = firsts.least(at, at + rows) / kQueries * kQueries;
  const std::size_t end = AttentionSizes<Engine>::up(n.offset + at + rows, kQueries);
  packRows<Engine>(headOf<Stored>(work.q, b, n.t, n.h, head, n.d), at, rows, n.t, n.d, n.dWords, s.queries);
  RowSum row[kQueries];
  for (std::size_t from = begin; from < end; from += s.scoreKeys) {
    const std::size_t to = end - from < s.scoreKeys ? end : from + s.scoreKeys;
    product<Engine>(s.queries, n.dWords, rows, s.keys + (from - n.lowest), n.keys, to - from, n.dWords, s.scores,
                    s.scoreKeys, false);
    for (std::size_t r = 0; r < rows; ++r) {
      const bool isFirst = from == begin;
      const RowSum block = softmaxRow<Engine>(s.scores + r * s.scoreKeys, from, to, firsts.of(at + r),
                                              static_cast<std::int64_t>(n.offset + at + r), factor,
                                              isFirst ? -3.0e38f : row[r].highest, s.probabilities + r * s.scoreWords);
      if (isFirst) {
        row[r] = block;
        continue;
      }
      if (block.highest > row[r].highest) {  // what is summed so far was divided by less
        const float change = std::exp((row[r].highest - block.highest) / Engine::kLogBase);
        row[r].sum *= change;
        for (std::size_t i = 0; i < n.dLanes; ++i) s.sums[r * n.dLanes + i] *= change;
      }
      row[r] = {row[r].sum + block.sum, block.highest};
    }
    product<Engine>(s.probabilities, s.scoreWords, rows, s.values + (from - n.lowest) / Engine::kStep * n.dLanes,
                    n.dLanes, n.dLanes, (to - from) / Engine::kStep, s.sums, n.dLanes, from != begin);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    if (work.lse != nullptr) {
      // Rounded once: in fp32 the quotient, the logarithm and the sum would each add half a unit, and so did the
      // factor.
      const double base = static_cast<double>(factor) / work.scale;
      const double lse = static_cast<double>(row[r].highest) / base + std::log(double{row[r].sum});
      work.lse[(b * n.h + head) * n.t + at + r] = static_cast<float>(lse);
    }
    Stored* const out = static_cast<Stored*>(work.out) + ((b * n.t + at + r) * n.h + head) * n.d;
    Engine::storeRow(s.sums + r * n.dLanes, 1 / row[r].sum, out, n.d);
  }
}

template <class Engine>
void attentionTasks(const cpu::AttentionWork& work, std::int64_t begin, std::int64_t end) {
  using Stored = typename Engine::Stored;
  const AttentionSizes<Engine> n(work.shape, work.lowestKey);
  const ForwardScratch<Engine> s(n);
  const std::size_t group = n.h / n.hkv, blocks = (n.t + kQueries - 1) / kQueries;
  std::size_t packed = ~std::size_t{0};  // (sequence, KV head) whose keys and values are in the scratch
  for (auto task = static_cast<std::size_t>(begin); task < static_cast<std::size_t>(end); ++task) {
    const std::size_t pair = task / blocks, at = balanced(task % blocks, blocks) * kQueries;
    const std::size_t b = pair / n.hkv, kvHead = pair % n.hkv, rows = n.t - at < kQueries ? n.t - at : kQueries;
    const FirstKeys firsts{work.first == nullptr ? nullptr : work.first + b * n.t};
    if (pair != packed) {
      packColumns<Engine>(keyHeadOf<Stored>(work.k, work.shape, b, kvHead, n.lowest), n.held, n.d, n.dWords, n.keys,
                          s.keys);
      packSteps<Engine>(keyHeadOf<Stored>(work.v, work.shape, b, kvHead, n.lowest), n.held, n.d, n.keyWords, n.dLanes,
                        s.values);
      packed = pair;
    }
    for (std::size_t head = kvHead * group; head < (kvHead + 1) * group; ++head) {
      attentionBlock<Engine>(work, n, s, firsts, b, head, at, rows);
    }
  }
}
