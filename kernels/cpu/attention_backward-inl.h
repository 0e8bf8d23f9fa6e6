// The gradient of attention, for any instruction set; included as attention_tile.h is.

#include "kernels/cpu/attention_passes.h"

/// What the backward pass of one KV head keeps: its packed keys and values, the gradients summed over its queries, and
/// those of one of its parts.
template <class Engine>
struct BackwardScratch {
  using Word = typename Engine::Word;
  explicit BackwardScratch(const AttentionSizes<Engine>& n)
      : segmentWords(kSegment / Engine::kStep),
        memory(2 * n.dWords * n.keys + n.keyWords * n.dLanes + 4 * n.d * n.keys + 2 * n.d * segmentWords +
               2 * kQueries * n.dWords + 5 * kQueries * n.kKeys() + kQueries * n.dLanes + kQueries + 18 * 16),
        keyColumns(memory.take<Word>(n.dWords * n.keys)),
        valueColumns(memory.take<Word>(n.dWords * n.keys)),
        keySteps(memory.take<Word>(n.keyWords * n.dLanes)),
        dk(memory.take<float>(n.d * n.keys)),
        dv(memory.take<float>(n.d * n.keys)),
        dkPart(memory.take<float>(n.d * n.keys)),
        dvPart(memory.take<float>(n.d * n.keys)),
        queryTransposed(memory.take<Word>(n.d * segmentWords)),
        dOutTransposed(memory.take<Word>(n.d * segmentWords)),
        queries(memory.take<Word>(kQueries * n.dWords)),
        dOut(memory.take<Word>(kQueries * n.dWords)),
        scores(memory.take<float>(kQueries * n.kKeys())),
        dScores(memory.take<float>(kQueries * n.kKeys())),
        pPairs(memory.take<Word>(kQueries * n.kKeys())),
        sPairs(memory.take<Word>(kQueries * n.kKeys())),
        sRows(memory.take<Word>(kQueries * n.kKeys())),
        dq(memory.take<float>(kQueries * n.dLanes)),
        deltas(memory.take<float>(kQueries)) {}

  std::size_t segmentWords;
  Scratch memory;
  Word *keyColumns, *valueColumns;  // [dWords, keys]
  Word* keySteps;                   // [keyWords, dLanes]
  float *dk, *dv;                   // [D, keys]
  float *dkPart, *dvPart;           // [D, keys]
  Word* queryTransposed;            // [D, segmentWords], of one head's segment of queries
  Word* dOutTransposed;             // the same
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

/// Where a part of dk and dv is summed: [D, row] each.
struct PartSums {
  float *dk, *dv;
  std::size_t row;
};

/// One block of queries: dq of the block, and its part of dk and dv.
template <class Engine>
void backwardBlock(const AttentionSizes<Engine>& n, const BackwardScratch<Engine>& s, const FirstKeys& firsts,
                   const float* lse, float scale, std::size_t at, const PartSums& sums) {
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
    const std::size_t word = at % kSegment / Engine::kStep;
    product<Engine>(s.queryTransposed + word, s.segmentWords, n.d, s.sPairs, width, count, kQueries / Engine::kStep,
                    sums.dk + key, sums.row, true);
    product<Engine>(s.dOutTransposed + word, s.segmentWords, n.d, s.pPairs, width, count, kQueries / Engine::kStep,
                    sums.dv + key, sums.row, true);
  }
}

/// dq of a segment of queries of all heads that read a KV head, and their part of dk and dv, added to zeros.
template <class Engine>
void backwardSegment(const cpu::AttentionWork& work, const AttentionSizes<Engine>& n, const BackwardScratch<Engine>& s,
                     std::size_t b, std::size_t kvHead, std::size_t segment, const PartSums& sums) {
  using Stored = typename Engine::Stored;
  const FirstKeys firsts{work.first == nullptr ? nullptr : work.first + b * n.t};
  const std::size_t from = segment * kSegment, to = n.t - from < kSegment ? n.t : from + kSegment;
  const std::size_t group = n.h / n.hkv;
  for (std::size_t head = kvHead * group; head < (kvHead + 1) * group; ++head) {
    const HeadRows<Stored> q = headOf<Stored>(work.q, b, n.t, n.h, head, n.d);
    const HeadRows<Stored> out = headOf<Stored>(work.result.out, b, n.t, n.h, head, n.d);
    const HeadRows<Stored> dOut = headOf<Stored>(work.result.dOut, b, n.t, n.h, head, n.d);
    packTransposed<Engine>({q.row(from), q.stride}, to - from, n.d, s.segmentWords, s.queryTransposed);
    packTransposed<Engine>({dOut.row(from), dOut.stride}, to - from, n.d, s.segmentWords, s.dOutTransposed);
    for (std::size_t at = from; at < to; at += kQueries) {
      packRows<Engine>(q, at, kQueries, n.t, n.d, n.dWords, s.queries);
      packRows<Engine>(dOut, at, kQueries, n.t, n.d, n.dWords, s.dOut);
      const std::size_t rows = n.t - at < kQueries ? n.t - at : kQueries;
      for (std::size_t r = 0; r < kQueries; ++r) {
        s.deltas[r] = r < rows ? Engine::dot(out.row(at + r), dOut.row(at + r), n.d) : 0.0f;
      }
      backwardBlock<Engine>(n, s, firsts, work.result.lse + (b * n.h + head) * n.t, work.scale, at, sums);
      for (std::size_t r = 0; r < rows; ++r) {
        Stored* const dq = static_cast<Stored*>(work.gradients.dq) + ((b * n.t + at + r) * n.h + head) * n.d;
        Engine::storeRow(s.dq + r * n.dLanes, 1.0f, dq, n.d);
      }
    }
  }
}

template <class Engine>
void packForBackward(const cpu::AttentionWork& work, const AttentionSizes<Engine>& n, const BackwardScratch<Engine>& s,
                     std::size_t b, std::size_t kvHead) {
  using Stored = typename Engine::Stored;
  const HeadRows<Stored> k = headOf<Stored>(work.k, b, n.t, n.hkv, kvHead, n.d);
  packColumns<Engine>(k, n.t, n.d, n.dWords, n.keys, s.keyColumns);
  packSteps<Engine>(k, n.t, n.d, n.keyWords, n.dLanes, s.keySteps);
  packColumns<Engine>(headOf<Stored>(work.v, b, n.t, n.hkv, kvHead, n.d), n.t, n.d, n.dWords, n.keys, s.valueColumns);
}

inline void addFloats(const float* from, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] += from[i];
}

/// Whole pairs of (sequence, KV head). Every part begins at zero and is then added, as sumParts() does it.
template <class Engine>
void backwardPairs(const cpu::AttentionWork& work, std::int64_t begin, std::int64_t end) {
  using Stored = typename Engine::Stored;
  const AttentionSizes<Engine> n(work.shape, 0);
  const BackwardScratch<Engine> s(n);
  const cpu::GradientParts parts(work.shape);
  for (std::int64_t task = begin; task < end; ++task) {
    const std::size_t b = static_cast<std::size_t>(task) / n.hkv, kvHead = static_cast<std::size_t>(task) % n.hkv;
    packForBackward<Engine>(work, n, s, b, kvHead);
    for (float* sums : {s.dk, s.dv}) std::memset(sums, 0, n.d * n.keys * sizeof(float));
    backwardSegment<Engine>(work, n, s, b, kvHead, 0, {s.dk, s.dv, n.keys});
    for (std::int64_t part = 1; part < parts.count; ++part) {
      const auto reach = static_cast<std::size_t>(parts.reach(part));
      for (float* sums : {s.dkPart, s.dvPart}) std::memset(sums, 0, n.d * reach * sizeof(float));
      backwardSegment<Engine>(work, n, s, b, kvHead, static_cast<std::size_t>(part), {s.dkPart, s.dvPart, reach});
      for (std::size_t i = 0; i < n.d; ++i) {
        addFloats(s.dkPart + i * reach, reach, s.dk + i * n.keys);
        addFloats(s.dvPart + i * reach, reach, s.dv + i * n.keys);
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

/// Single parts, each into its place of work.partialSums.
template <class Engine>
void backwardParts(const cpu::AttentionWork& work, std::int64_t begin, std::int64_t end) {
  const AttentionSizes<Engine> n(work.shape, 0);
  const BackwardScratch<Engine> s(n);
  const cpu::GradientParts parts(work.shape);
  std::int64_t packed = -1;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t pair = task / parts.count, all = work.firstPair + pair;
    const std::size_t b = static_cast<std::size_t>(all) / n.hkv, kvHead = static_cast<std::size_t>(all) % n.hkv;
    if (pair != packed) packForBackward<Engine>(work, n, s, b, kvHead);
    packed = pair;
    const std::size_t part =
        balanced(static_cast<std::size_t>(task % parts.count), static_cast<std::size_t>(parts.count));
    const auto reach = static_cast<std::size_t>(parts.reach(static_cast<std::int64_t>(part)));
    float* const dk = work.partialSums + pair * parts.floats() + parts.at(static_cast<std::int64_t>(part));
    std::memset(dk, 0, 2 * n.d * reach * sizeof(float));
    backwardSegment<Engine>(work, n, s, b, kvHead, part, {dk, dk + n.d * reach, reach});
  }
}

/// dk and dv of pairs from their parts; tasks are columns (pair, i of D).
template <class Engine>
void sumParts(const cpu::AttentionWork& work, std::int64_t begin, std::int64_t end) {
  using Stored = typename Engine::Stored;
  const AttentionSizes<Engine> n(work.shape, 0);
  const cpu::GradientParts parts(work.shape);
  Scratch memory(n.keys + 16);
  float* const sums = memory.take<float>(n.keys);
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t pair = task / parts.d, i = task % parts.d;
    const auto all = static_cast<std::size_t>(work.firstPair + pair);
    for (const bool isValue : {false, true}) {
      std::memset(sums, 0, n.keys * sizeof(float));
      for (std::int64_t part = 0; part < parts.count; ++part) {
        const std::int64_t reach = parts.reach(part);
        const float* const from =
            work.partialSums + pair * parts.floats() + parts.at(part) + (isValue ? parts.d * reach : 0) + i * reach;
        if (part == 0) {
          std::memcpy(sums, from, static_cast<std::size_t>(reach) * sizeof(float));
        } else {
          addFloats(from, static_cast<std::size_t>(reach), sums);
        }
      }
      for (std::size_t t = 0; t < n.t; ++t) {
        const std::size_t to = ((all / n.hkv * n.t + t) * n.hkv + all % n.hkv) * n.d + static_cast<std::size_t>(i);
        storeElement<Stored>(isValue ? work.gradients.dv : work.gradients.dk, static_cast<std::int64_t>(to), sums[t]);
      }
    }
  }
}

template <class Engine>
void attentionBackwardTasks(const cpu::AttentionWork& work, cpu::BackwardTask kind, std::int64_t begin,
                            std::int64_t end) {
  switch (kind) {
    case cpu::BackwardTask::pair:
      return backwardPairs<Engine>(work, begin, end);
    case cpu::BackwardTask::part:
      return backwardParts<Engine>(work, begin, end);
    case cpu::BackwardTask::sum:
      return sumParts<Engine>(work, begin, end);
  }
}
