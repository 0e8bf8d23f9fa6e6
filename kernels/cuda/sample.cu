// The next id drawn as core/model/sampling.h draws it: temperature, then the k likeliest, then the likeliest that reach
// a probability, then those with a share of the likeliest one's; nothing is sorted. A token has a key, its distance
// below the largest logit in 2^-24 (after temperature, below 64) and then its id, and a mass, exp(-distance) in 2^-40.
// "The token at which the count (the mass) of all that come before reaches a number" is found ten bits of the key at a
// time, by a histogram of all tokens that share the bits found so far. That is top-k, top-p, and the draw itself, whose
// number is random. Masses are whole numbers, so the order of their sums does not matter.
//
// Roofline: one block for each row reads the row about 5 times (temperature alone) to 10 times from L2, 4 bytes a logit
// (0.6 MB for 151,936), so it is bound by what one multiprocessor can read, some 100 GB/s; two atomic additions to
// shared memory for each logit of a row's first histogram.

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"
#include "kernels/cuda/random.cuh"

namespace strata::kernels::cuda {

constexpr int kSampleThreads = 1024;
constexpr int kBinBits = 10, kBins = 1 << kBinBits;
static_assert(kBins == kSampleThreads);
constexpr int kDistanceBits = 30, kIdBits = 20, kLevels = (kDistanceBits + kIdBits) / kBinBits;
constexpr float kDistanceUnits = 0x1p24f, kMassUnits = 0x1p40f;

struct SampleArguments {
  const float* logits;          // [rows, V]
  const std::int64_t* answers;  // [rows]
  std::int64_t* ids;
  std::int64_t* lengths;
  std::int64_t vocab, topK;
  double topP;
  float inverseTemperature, minP;
  std::uint64_t seed;
  std::uint32_t index;
  bool aligned;
};

/// Token by its place in the order: key, and what is drawn by.
struct Token {
  std::uint64_t key, mass;
  float share;  // of the likeliest one's probability
};
STRATA_DEVICE Token tokenOf(const SampleArguments& a, float logit, float largest, std::int64_t id) {
  const float distance = (largest - logit) * a.inverseTemperature;
  const float most = static_cast<float>((1 << kDistanceBits) - 64);  // the largest float below 2^30
  const float units = fminf(distance * kDistanceUnits, most);
  const float share = expf(-distance);
  return {static_cast<std::uint64_t>(units) << kIdBits | static_cast<std::uint64_t>(id),
          static_cast<std::uint64_t>(share * kMassUnits), share};
}

/// f(logit, id) for the row's logits, each by one of the block's threads.
template <class F>
STRATA_DEVICE void forEachLogit(const SampleArguments& a, const F& f) {
  const float* logits = a.logits + blockIndexX() * a.vocab;
  for (std::int64_t i = threadIndex() * 8; i < a.vocab; i += kSampleThreads * 8) {
    const int count = eightOf(i, a.vocab);
    float row[8];
    expand(loadEight(logits + i, count, a.aligned), row);
    STRATA_UNROLL
    for (int e = 0; e < 8; ++e) {
      if (e < count) f(row[e], i + e);
    }
  }
}

STRATA_DEVICE std::uint64_t warpSum(std::uint64_t value) {
  STRATA_UNROLL
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    const auto low = static_cast<std::uint32_t>(shuffleXor(static_cast<int>(value & 0xffffffffu), mask));
    const auto high = static_cast<std::uint32_t>(shuffleXor(static_cast<int>(value >> 32), mask));
    value += static_cast<std::uint64_t>(high) << 32 | low;
  }
  return value;
}
/// Over the block; each thread gets it.
STRATA_DEVICE std::uint64_t blockSum(std::uint64_t value) {
  STRATA_SHARED(std::uint64_t, sums, kWarp);
  value = warpSum(value);
  if (threadIndex() % kWarp == 0) sums[threadIndex() / kWarp] = value;
  barrier();
  const std::uint64_t total = warpSum(sums[threadIndex() % kWarp]);
  barrier();  // before the next sum's writes
  return total;
}

/// Tokens whose keys begin with `bits`, which end at bit `shift`. mass: of these and of all before them.
struct Found {
  std::uint64_t bits, mass;
  int shift;
};

/// The first token with which the number of tokens, or their mass, reaches `wanted` (1 or more, and no more than all
/// have). As soon as the bits have one token alone they are enough.
STRATA_DEVICE Found find(const SampleArguments& a, float largest, bool byMass, std::uint64_t wanted) {
  STRATA_SHARED(std::uint32_t, counts, kBins);
  STRATA_SHARED(std::uint64_t, masses, kBins);
  STRATA_SHARED(std::uint64_t, warpCounts, kWarp);
  STRATA_SHARED(std::uint64_t, warpMasses, kWarp);
  STRATA_SHARED(std::uint64_t, result, 4);  // bin, its tokens, how many come before, their mass
  const int thread = threadIndex();
  Found found{0, 0, kDistanceBits + kIdBits};
  std::uint64_t before = 0, massBefore = 0;
  for (int level = 0; level < kLevels; ++level) {
    const int outer = found.shift, shift = outer - kBinBits;
    counts[thread] = 0;
    masses[thread] = 0;
    barrier();
    forEachLogit(a, [&](float logit, std::int64_t id) {
      const Token token = tokenOf(a, logit, largest, id);
      if (token.key >> outer != found.bits) return;
      const int bin = static_cast<int>(token.key >> shift & (kBins - 1));
      addShared(counts, bin, 1u);
      addShared(masses, bin, token.mass);
    });
    barrier();
    const std::uint64_t tokens = warpSum(static_cast<std::uint64_t>(counts[thread]));
    const std::uint64_t mass = warpSum(masses[thread]);
    if (thread % kWarp == 0) {
      warpCounts[thread / kWarp] = tokens;
      warpMasses[thread / kWarp] = mass;
    }
    barrier();
    if (thread == 0) {
      // Past the bins of whole warps, then past single ones.
      std::uint64_t reached = before, reachedMass = massBefore;
      int group = 0;
      while (group < kWarp - 1 && (byMass ? reachedMass + warpMasses[group] : reached + warpCounts[group]) < wanted) {
        reached += warpCounts[group];
        reachedMass += warpMasses[group];
        ++group;
      }
      int bin = group * kWarp;
      while (bin < group * kWarp + kWarp - 1 && (byMass ? reachedMass + masses[bin] : reached + counts[bin]) < wanted) {
        reached += counts[bin];
        reachedMass += masses[bin];
        ++bin;
      }
      result[0] = static_cast<std::uint64_t>(bin);
      result[1] = counts[bin];
      result[2] = reached;
      result[3] = reachedMass;
    }
    barrier();
    found.bits = found.bits << kBinBits | result[0];
    found.shift = shift;
    before = result[2];
    massBefore = result[3];
    found.mass = massBefore + masses[static_cast<int>(result[0])];
    const bool isAlone = result[1] <= 1;
    barrier();  // before the next level's writes
    if (isAlone) break;
  }
  return found;
}

/// Grid: (rows, 1, 1).
STRATA_KERNEL(kSampleThreads)
sampleKernel(SampleArguments a) {
  STRATA_SHARED(std::int64_t, chosen, 1);
  const int row = blockIndexX(), thread = threadIndex();
  float largest = -INFINITY;
  std::uint64_t wrong = 0;  // logits that are not finite
  forEachLogit(a, [&](float logit, std::int64_t) {
    largest = fmaxf(largest, logit);
    if (!(fabsf(logit) < INFINITY)) ++wrong;
  });
  largest = blockMax(largest);
  wrong = blockSum(wrong);
  if (wrong > 0) {
    if (thread == 0) {
      a.ids[row] = -1;
      if (a.lengths != nullptr) ++a.lengths[row];
    }
    return;
  }

  std::uint64_t last = ~std::uint64_t{0};  // key of the last token that may be drawn
  std::uint64_t total = 0;                 // mass of these
  bool isCounted = false;
  const auto upTo = [&](const Found& found) {
    last = ((found.bits + 1) << found.shift) - 1;
    total = found.mass;
    isCounted = true;
  };
  const auto massOf = [&](float minP) {
    std::uint64_t mass = 0;
    forEachLogit(a, [&](float logit, std::int64_t id) {
      const Token token = tokenOf(a, logit, largest, id);
      if (token.key <= last && token.share >= minP) mass += token.mass;
    });
    return blockSum(mass);
  };
  if (a.topK > 0 && a.topK < a.vocab) upTo(find(a, largest, false, static_cast<std::uint64_t>(a.topK)));
  if (a.topP < 1) {
    if (!isCounted) total = massOf(0);
    const auto wanted = static_cast<std::uint64_t>(ceil(a.topP * static_cast<double>(total)));
    upTo(find(a, largest, true, wanted < 1 ? 1 : wanted));
  }
  if (!isCounted || a.minP > 0) total = massOf(a.minP);

  const Philox random = philox(a.index, static_cast<std::uint32_t>(a.answers[row]), 0, kSamplingStream, a.seed);
  const std::uint64_t bits = static_cast<std::uint64_t>(random.word[1]) << 32 | random.word[0];
  const double uniform = static_cast<double>(bits >> 11) * 0x1p-53;
  const std::uint64_t wanted = static_cast<std::uint64_t>(uniform * static_cast<double>(total)) + 1;
  const Found found = find(a, largest, true, wanted < total ? wanted : total);
  forEachLogit(a, [&](float logit, std::int64_t id) {
    if (tokenOf(a, logit, largest, id).key >> found.shift == found.bits) chosen[0] = id;
  });
  barrier();
  if (thread != 0) return;
  a.ids[row] = chosen[0];
  if (a.lengths != nullptr) ++a.lengths[row];
}

}  // namespace strata::kernels::cuda

int strata_cuda_sample(const float* logits, std::int64_t* ids, std::int64_t* lengths, const std::int64_t* answers,
                       const strata::kernels::cuda::Sampling* how, std::int64_t rows, std::int64_t vocab,
                       void* stream) {
  using namespace strata::kernels::cuda;
  if (rows < 0 || rows > kMostBlocks || vocab < 1 || vocab > 1 << kIdBits || !(how->temperature > 0)) {
    return kInvalidValue;
  }
  if (rows == 0) return 0;
  const SampleArguments a{logits,
                          answers,
                          ids,
                          lengths,
                          vocab,
                          how->topK,
                          how->topP,
                          static_cast<float>(1 / (how->temperature > 1e-30 ? how->temperature : 1e-30)),
                          static_cast<float>(how->minP),
                          how->seed,
                          how->index,
                          areAligned(vocab * 4, logits)};
  return launch(sampleKernel, Launch{{static_cast<int>(rows), 1, 1}, kSampleThreads, stream}, a);
}
