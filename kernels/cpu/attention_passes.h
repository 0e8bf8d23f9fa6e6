// Attention and its gradient over the tiles of attention_tile.h, for any instruction set; included as that is.

#include "kernels/cpu/attention_tile.h"

constexpr std::size_t kQueries = 32;  // of a block: whole pairs of vectors, as blocks of keys begin where these do

/// The sizes of a call, and those that packing rounds up.
template <class Engine>
struct AttentionSizes {
  explicit AttentionSizes(const AttentionShape& shape)
      : t(static_cast<std::size_t>(shape.t)),
        d(static_cast<std::size_t>(shape.d)),
        h(static_cast<std::size_t>(shape.h)),
        hkv(static_cast<std::size_t>(shape.hkv)),
        keys(up(t, kKeys())),
        dLanes(up(d, 2 * Engine::lanes())),
        dWords(dLanes / Engine::kStep),
        keyWords(keys / Engine::kStep) {}
  static std::size_t up(std::size_t n, std::size_t multiple) { return (n + multiple - 1) / multiple * multiple; }
  /// Keys of a block of the backward pass: whole pairs of vectors, whole blocks of queries.
  static std::size_t kKeys() { return 64; }

  std::size_t t, d, h, hkv, keys, dLanes, dWords, keyWords;
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

/// Of a row of probabilities: e^highest has been divided out of their sum.
struct RowSum {
  float sum, highest;
};

/// Turns one query's scores over keys begin … end-1 into probabilities, not yet divided by their sum, as words.
template <class Engine>
RowSum softmaxRow(float* scores, std::size_t begin, std::size_t end, std::int64_t first, std::int64_t last,
                  float factor, typename Engine::Word* words) {
  using Sum = typename Engine::Sum;
  const std::size_t lanes = Engine::lanes();
  Sum most = Engine::set(-3.0e38f);
  for (std::size_t key = begin; key < end; key += lanes) {
    most = Engine::larger(most, Engine::keepOr(Engine::load(scores + key - begin), static_cast<std::int64_t>(key),
                                               first, last, -3.0e38f));
  }
  const float highest = Engine::highest(most) * factor;
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
  return {Engine::total(total), highest / Engine::kLogBase};
}

template <class Engine>
void attentionTasks(const cpu::AttentionWork& work, std::int64_t begin, std::int64_t end) {
  using Stored = typename Engine::Stored;
  using Word = typename Engine::Word;
  const AttentionSizes<Engine> n(work.shape);
  Scratch scratch(n.dWords * n.keys + n.keyWords * n.dLanes + kQueries * (n.dWords + n.keys + n.keyWords + n.dLanes) +
                  6 * 16);
  Word* const keys = scratch.take<Word>(n.dWords * n.keys);
  Word* const values = scratch.take<Word>(n.keyWords * n.dLanes);
  Word* const queries = scratch.take<Word>(kQueries * n.dWords);
  float* const scores = scratch.take<float>(kQueries * n.keys);
  Word* const probabilities = scratch.take<Word>(kQueries * n.keyWords);
  float* const sums = scratch.take<float>(kQueries * n.dLanes);
  const std::size_t group = n.h / n.hkv;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::size_t b = static_cast<std::size_t>(task) / n.hkv, kvHead = static_cast<std::size_t>(task) % n.hkv;
    const FirstKeys firsts{work.first == nullptr ? nullptr : work.first + b * n.t};
    packColumns<Engine>(headOf<Stored>(work.k, b, n.t, n.hkv, kvHead, n.d), n.t, n.d, n.dWords, n.keys, keys);
    packSteps<Engine>(headOf<Stored>(work.v, b, n.t, n.hkv, kvHead, n.d), n.t, n.d, n.keyWords, n.dLanes, values);
    for (std::size_t head = kvHead * group; head < (kvHead + 1) * group; ++head) {
      const HeadRows<Stored> q = headOf<Stored>(work.q, b, n.t, n.h, head, n.d);
      for (std::size_t at = 0; at < n.t; at += kQueries) {
        const std::size_t rows = n.t - at < kQueries ? n.t - at : kQueries;
        const std::size_t from = firsts.least(at, at + rows) / kQueries * kQueries, to = at + kQueries;
        packRows<Engine>(q, at, rows, n.t, n.d, n.dWords, queries);
        product<Engine>(queries, n.dWords, rows, keys + from, n.keys, to - from, n.dWords, scores, n.keys, false);
        RowSum row[kQueries];
        for (std::size_t r = 0; r < rows; ++r) {
          row[r] =
              softmaxRow<Engine>(scores + r * n.keys, from, to, firsts.of(at + r), static_cast<std::int64_t>(at + r),
                                 work.scale * Engine::kLogBase, probabilities + r * n.keyWords);
        }
        product<Engine>(probabilities, n.keyWords, rows, values + from / Engine::kStep * n.dLanes, n.dLanes, n.dLanes,
                        (to - from) / Engine::kStep, sums, n.dLanes, false);
        for (std::size_t r = 0; r < rows; ++r) {
          work.lse[(b * n.h + head) * n.t + at + r] = row[r].highest + std::log(row[r].sum);
          Stored* const out = static_cast<Stored*>(work.out) + ((b * n.t + at + r) * n.h + head) * n.d;
          Engine::storeRow(sums + r * n.dLanes, 1 / row[r].sum, out, n.d);
        }
      }
    }
  }
}

/// What the backward pass of one KV head keeps: its packed keys and values, and the gradients summed over its queries.
template <class Engine>
struct BackwardScratch {
  using Word = typename Engine::Word;
  explicit BackwardScratch(const AttentionSizes<Engine>& n)
      : memory(2 * n.dWords * n.keys + n.keyWords * n.dLanes + 2 * n.d * n.keys + 2 * n.d * n.keyWords +
               2 * kQueries * n.dWords + 5 * kQueries * n.kKeys() + kQueries * n.dLanes + kQueries + 16 * 16),
        keyColumns(memory.take<Word>(n.dWords * n.keys)),
        valueColumns(memory.take<Word>(n.dWords * n.keys)),
        keySteps(memory.take<Word>(n.keyWords * n.dLanes)),
        dk(memory.take<float>(n.d * n.keys)),
        dv(memory.take<float>(n.d * n.keys)),
        queryTurned(memory.take<Word>(n.d * n.keyWords)),
        dOutTurned(memory.take<Word>(n.d * n.keyWords)),
        queries(memory.take<Word>(kQueries * n.dWords)),
        dOut(memory.take<Word>(kQueries * n.dWords)),
        scores(memory.take<float>(kQueries * n.kKeys())),
        dScores(memory.take<float>(kQueries * n.kKeys())),
        pPairs(memory.take<Word>(kQueries * n.kKeys())),
        sPairs(memory.take<Word>(kQueries * n.kKeys())),
        sRows(memory.take<Word>(kQueries * n.kKeys())),
        dq(memory.take<float>(kQueries * n.dLanes)),
        deltas(memory.take<float>(kQueries)) {}

  Scratch memory;
  Word *keyColumns, *valueColumns;  // [dWords, keys]
  Word* keySteps;                   // [keyWords, dLanes]
  float *dk, *dv;                   // [D, keys]
  Word *queryTurned, *dOutTurned;   // [D, keyWords], of one head
  Word *queries, *dOut;             // [kQueries, dWords], of one block
  float *scores, *dScores;          // [kQueries, kKeys]
  Word *pPairs, *sPairs;            // [kQueries / kStep, kKeys]: probabilities and the scores' gradients
  Word* sRows;                      // [kQueries, kKeys / kStep]
  float* dq;                        // [kQueries, dLanes]
  float* deltas;                    // [kQueries]: out · dOut
};

/// What turns a score into its probability and gradient.
struct ScoreRow {
  float lse;                 // times kLogBase
  float delta;               // out · dOut
  std::int64_t first, last;  // keys that are read
};

/// The probabilities of two rows (kStep 1: of one) over a block of keys, and the gradients of their scores, as words.
template <class Engine>
void gradientRows(const BackwardScratch<Engine>& s, std::size_t r, std::size_t key, std::size_t count, float scale,
                  const ScoreRow* rows) {
  using Sum = typename Engine::Sum;
  const std::size_t lanes = Engine::lanes();
  constexpr std::size_t kPair = Engine::kStep;
  const std::size_t width = AttentionSizes<Engine>::kKeys();
  for (std::size_t i = 0; i < count; i += 2 * lanes) {
    Sum p[kPair][2], ds[kPair][2];
    for (std::size_t row = 0; row < kPair; ++row) {
      for (std::size_t half = 0; half < 2; ++half) {
        const std::size_t at = (r + row) * width + i + half * lanes;
        const Sum exponent = Engine::mulSub(Engine::load(s.scores + at), Engine::set(scale * Engine::kLogBase),
                                            Engine::set(rows[row].lse));
        p[row][half] = Engine::keepOr(Engine::power(exponent), static_cast<std::int64_t>(key + i + half * lanes),
                                      rows[row].first, rows[row].last, 0.0f);
        const Sum change = Engine::sub(Engine::load(s.dScores + at), Engine::set(rows[row].delta));
        ds[row][half] = Engine::mul(Engine::mul(p[row][half], change), Engine::set(scale));
      }
      Engine::rowWords(s.sRows + ((r + row) * width + i) / Engine::kStep, ds[row][0], ds[row][1]);
    }
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t at = r / kPair * width + i + half * lanes;
      Engine::pairWords(s.pPairs + at, p[0][half], p[kPair - 1][half]);
      Engine::pairWords(s.sPairs + at, ds[0][half], ds[kPair - 1][half]);
    }
  }
}

/// One block of queries: dq of the block, and its part of dk and dv.
template <class Engine>
void backwardBlock(const AttentionSizes<Engine>& n, const BackwardScratch<Engine>& s, const FirstKeys& firsts,
                   const float* lse, float scale, std::size_t at) {
  const std::size_t width = n.kKeys(), end = at + kQueries;
  const std::size_t rows = n.t - at < kQueries ? n.t - at : kQueries;
  const std::size_t start = firsts.least(at, at + rows) / kQueries * kQueries;
  for (std::size_t key = start; key < end; key += width) {
    const std::size_t count = end - key < width ? end - key : width;
    product<Engine>(s.queries, n.dWords, kQueries, s.keyColumns + key, n.keys, count, n.dWords, s.scores, width, false);
    product<Engine>(s.dOut, n.dWords, kQueries, s.valueColumns + key, n.keys, count, n.dWords, s.dScores, width, false);
    for (std::size_t r = 0; r < kQueries; r += Engine::kStep) {
      ScoreRow row[Engine::kStep];
      for (std::size_t i = 0; i < Engine::kStep; ++i) {
        const std::size_t query = at + r + i;
        const bool real = query < n.t;  // padding reads nothing
        row[i] = {real ? lse[query] * Engine::kLogBase : 0.0f, s.deltas[r + i], real ? firsts.of(query) : 0,
                  real ? static_cast<std::int64_t>(query) : -1};
      }
      gradientRows<Engine>(s, r, key, count, scale, row);
    }
    product<Engine>(s.sRows, width / Engine::kStep, kQueries, s.keySteps + key / Engine::kStep * n.dLanes, n.dLanes,
                    n.dLanes, count / Engine::kStep, s.dq, n.dLanes, key != start);
    product<Engine>(s.queryTurned + at / Engine::kStep, n.keyWords, n.d, s.sPairs, width, count,
                    kQueries / Engine::kStep, s.dk + key, n.keys, true);
    product<Engine>(s.dOutTurned + at / Engine::kStep, n.keyWords, n.d, s.pPairs, width, count,
                    kQueries / Engine::kStep, s.dv + key, n.keys, true);
  }
}

template <class Engine>
void attentionBackwardTasks(const cpu::AttentionWork& work, std::int64_t begin, std::int64_t end) {
  using Stored = typename Engine::Stored;
  const AttentionSizes<Engine> n(work.shape);
  BackwardScratch<Engine> s(n);
  const std::size_t group = n.h / n.hkv;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::size_t b = static_cast<std::size_t>(task) / n.hkv, kvHead = static_cast<std::size_t>(task) % n.hkv;
    const FirstKeys firsts{work.first == nullptr ? nullptr : work.first + b * n.t};
    const HeadRows<Stored> k = headOf<Stored>(work.k, b, n.t, n.hkv, kvHead, n.d);
    packColumns<Engine>(k, n.t, n.d, n.dWords, n.keys, s.keyColumns);
    packSteps<Engine>(k, n.t, n.d, n.keyWords, n.dLanes, s.keySteps);
    packColumns<Engine>(headOf<Stored>(work.v, b, n.t, n.hkv, kvHead, n.d), n.t, n.d, n.dWords, n.keys, s.valueColumns);
    std::memset(s.dk, 0, n.d * n.keys * sizeof(float));
    std::memset(s.dv, 0, n.d * n.keys * sizeof(float));
    for (std::size_t head = kvHead * group; head < (kvHead + 1) * group; ++head) {
      const HeadRows<Stored> q = headOf<Stored>(work.q, b, n.t, n.h, head, n.d);
      const HeadRows<Stored> out = headOf<Stored>(work.result.out, b, n.t, n.h, head, n.d);
      const HeadRows<Stored> dOut = headOf<Stored>(work.result.dOut, b, n.t, n.h, head, n.d);
      packTurned<Engine>(q, n.t, n.d, n.keyWords, s.queryTurned);
      packTurned<Engine>(dOut, n.t, n.d, n.keyWords, s.dOutTurned);
      for (std::size_t at = 0; at < n.t; at += kQueries) {
        packRows<Engine>(q, at, kQueries, n.t, n.d, n.dWords, s.queries);
        packRows<Engine>(dOut, at, kQueries, n.t, n.d, n.dWords, s.dOut);
        const std::size_t rows = n.t - at < kQueries ? n.t - at : kQueries;
        for (std::size_t r = 0; r < kQueries; ++r) {
          s.deltas[r] = r < rows ? Engine::dot(out.row(at + r), dOut.row(at + r), n.d) : 0.0f;
        }
        backwardBlock<Engine>(n, s, firsts, work.result.lse + (b * n.h + head) * n.t, work.scale, at);
        for (std::size_t r = 0; r < rows; ++r) {
          Stored* const dq = static_cast<Stored*>(work.gradients.dq) + ((b * n.t + at + r) * n.h + head) * n.d;
          Engine::storeRow(s.dq + r * n.dLanes, 1.0f, dq, n.d);
        }
      }
    }
    for (std::size_t t = 0; t < n.t; ++t) {
      const auto to = static_cast<std::int64_t>(((b * n.t + t) * n.hkv + kvHead) * n.d);
      for (std::size_t i = 0; i < n.d; ++i) {
        storeElement<Stored>(work.gradients.dk, to + static_cast<std::int64_t>(i), s.dk[i * n.keys + t]);
        storeElement<Stored>(work.gradients.dv, to + static_cast<std::int64_t>(i), s.dv[i * n.keys + t]);
      }
    }
  }
}
