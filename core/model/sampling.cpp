#include "core/model/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/base/philox.h"

namespace strata {
namespace {

struct Candidate {
  TokenId id;
  double value;  // exp(logit / temperature - the largest)
};

bool isLarger(const Candidate& a, const Candidate& b) {
  return a.value != b.value ? a.value > b.value : a.id < b.id;
}

/// Candidates from the largest value down, sorted no further than they are looked at: of a large vocabulary a draw
/// needs the first few.
class Descending {
 public:
  explicit Descending(std::vector<Candidate> candidates) : m_all(std::move(candidates)) {}
  std::size_t size() const { return m_all.size(); }
  const Candidate& operator[](std::size_t i) {
    if (i >= m_sorted) sortMore();
    return m_all[i];
  }
  double sum() const {
    return std::accumulate(m_all.begin(), m_all.end(), 0.0,
                           [](double sum, const Candidate& each) { return sum + each.value; });
  }
  /// Forgets all but the first `count`.
  void keep(std::size_t count) {
    sortTo(count);
    m_all.resize(count);
  }

 private:
  void sortMore() { sortTo(std::max<std::size_t>(kFirst, 4 * m_sorted)); }
  void sortTo(std::size_t count) {
    count = std::min(count, m_all.size());
    if (count <= m_sorted) return;
    const auto from = m_all.begin() + static_cast<std::ptrdiff_t>(m_sorted);
    const auto to = m_all.begin() + static_cast<std::ptrdiff_t>(count);
    if (to != m_all.end()) std::nth_element(from, to, m_all.end(), isLarger);
    std::sort(from, to, isLarger);
    m_sorted = count;
  }

  static constexpr std::size_t kFirst = 64;
  std::vector<Candidate> m_all;
  std::size_t m_sorted = 0;
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

  const double largest = largestLogit / config.temperature;
  std::vector<Candidate> all(logits.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = {static_cast<TokenId>(i), std::exp(logits[i] / config.temperature - largest)};
  }
  Descending candidates(std::move(all));
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
