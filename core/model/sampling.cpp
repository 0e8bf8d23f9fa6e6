#include "core/model/sampling.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "core/base/philox.h"
#include "kernels/exponentials.h"

namespace strata {
namespace {

struct Candidate {
  TokenId id;
  float logit;
  double value;  // e^((logit - the largest) / temperature)
};

/// Candidates from the largest logit down, the lowest id first on a tie. Of a large vocabulary a draw needs the first
/// few, so only as many are looked for as are asked for.
class Descending {
 public:
  Descending(std::span<const float> logits, float largest, double temperature)
      : m_logits(logits),
        m_values(logits.size()),
        m_size(logits.size()),
        m_blocks((logits.size() + kBlock - 1) / kBlock) {
    for (std::size_t i = 0; i < m_blocks.size(); ++i) {
      const std::span<const float> block = logits.subspan(i * kBlock, std::min(kBlock, logits.size() - i * kBlock));
      m_blocks[i] = *std::max_element(block.begin(), block.end());
    }
    m_sum = kernels::exponentials(logits.data(), static_cast<std::int64_t>(logits.size()), 1 / temperature, largest,
                                  m_values.data());
  }
  std::size_t size() const { return m_size; }
  const Candidate& operator[](std::size_t i) {
    if (i >= m_sorted.size()) find(std::max<std::size_t>(kFirst, 4 * i));
    return m_sorted[i];
  }
  double sum() const { return m_sum; }
  /// Forgets all but the first `count`.
  void keep(std::size_t count) {
    find(count);
    m_size = count;
    m_sum = 0;
    for (std::size_t i = 0; i < count; ++i) m_sum += m_sorted[i].value;
  }

 private:
  /// At least `count` of them, or all. As many blocks have a logit that is no less than the count-th largest of the
  /// blocks' largest, so nothing below it is among the first `count`.
  void find(std::size_t count) {
    if (count <= m_sorted.size() || m_sorted.size() == m_logits.size()) return;
    float least = -std::numeric_limits<float>::infinity();
    if (count < m_blocks.size() / 2) {
      std::vector<float> largest = m_blocks;
      const auto at = largest.begin() + static_cast<std::ptrdiff_t>(count - 1);
      std::nth_element(largest.begin(), at, largest.end(), std::greater<>());
      least = *at;
    }
    m_sorted.clear();
    for (std::size_t block = 0; block < m_blocks.size(); ++block) {
      if (m_blocks[block] < least) continue;
      for (std::size_t i = block * kBlock; i < std::min((block + 1) * kBlock, m_logits.size()); ++i) {
        if (m_logits[i] >= least) m_sorted.push_back({static_cast<TokenId>(i), m_logits[i], m_values[i]});
      }
    }
    std::stable_sort(m_sorted.begin(), m_sorted.end(),
                     [](const Candidate& a, const Candidate& b) { return a.logit > b.logit; });
  }

  static constexpr std::size_t kFirst = 64, kBlock = 64;
  std::span<const float> m_logits;
  std::vector<double> m_values;
  std::size_t m_size;
  std::vector<float> m_blocks;  // the largest logit of each
  double m_sum = 0;
  std::vector<Candidate> m_sorted;
};

/// Each id of the history is penalised once, however often it came.
void penalise(std::span<float> values, const std::vector<TokenId>& history, float penalty) {
  std::vector<bool> seen(values.size());
  for (const TokenId id : history) {
    const auto at = static_cast<std::size_t>(id);
    if (seen[at]) continue;
    seen[at] = true;
    values[at] = values[at] > 0 ? values[at] / penalty : values[at] * penalty;
  }
}

/// The largest value, or NaN where one is not finite. (Several maxima side by side, so that the compiler uses vectors.)
float largestOf(std::span<const float> values) {
  constexpr std::size_t kLanes = 16;
  float largest[kLanes], rest[kLanes] = {};  // rest: 0, or NaN
  std::fill(largest, largest + kLanes, -std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float value = values[i + lane];
      largest[lane] = value > largest[lane] ? value : largest[lane];
      rest[lane] += value * 0.0f;
    }
  }
  for (; i < values.size(); ++i) {
    largest[0] = std::max(largest[0], values[i]);
    rest[0] += values[i] * 0.0f;
  }
  return *std::max_element(largest, largest + kLanes) + std::accumulate(rest, rest + kLanes, 0.0f);
}

}  // namespace

TokenId sampleToken(std::span<const float> logits, const GenerateConfig& config, const std::vector<TokenId>& history,
                    std::uint32_t index, std::uint32_t row) {
  float largestLogit = largestOf(logits);
  if (!std::isfinite(largestLogit)) return -1;
  std::vector<float> penalised;
  if (config.repeatPenalty != 1) {
    penalised.assign(logits.begin(), logits.end());
    penalise(penalised, history, static_cast<float>(config.repeatPenalty));
    logits = penalised;
    largestLogit = largestOf(logits);
    if (!std::isfinite(largestLogit)) return -1;
  }
  if (config.temperature <= 0) {
    return static_cast<TokenId>(std::find(logits.begin(), logits.end(), largestLogit) - logits.begin());
  }

  Descending candidates(logits, largestLogit, config.temperature);
  if (config.topK > 0 && static_cast<std::size_t>(config.topK) < candidates.size()) {
    candidates.keep(static_cast<std::size_t>(config.topK));
  }
  double total = candidates.sum();
  if (config.topP < 1) {  // the smallest set whose probability reaches top-p (Holtzman et al., arXiv 1904.09751)
    double sum = 0;
    std::size_t kept = 0;
    while (kept < candidates.size() && (kept == 0 || sum < config.topP * total)) sum += candidates[kept++].value;
    candidates.keep(kept);
    total = sum;
  }
  if (config.minP > 0) {
    double sum = 0;
    std::size_t kept = 0;
    while (kept < candidates.size() && candidates[kept].value >= config.minP * candidates[0].value) {
      sum += candidates[kept++].value;
    }
    candidates.keep(kept);
    total = sum;
  }
  double left = randomUniform({config.seed, index, row, 0, RandomStream::sampling}) * total;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    left -= candidates[i].value;
    if (left < 0) return candidates[i].id;
  }
  return candidates[candidates.size() - 1].id;
}

}  // namespace strata
