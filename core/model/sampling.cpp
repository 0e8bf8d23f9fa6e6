#include "core/model/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/base/philox.h"

namespace strata {
namespace {

struct Candidate {
  TokenId id;
  double value;  // logit, later probability
};

void toProbabilities(std::vector<Candidate>& candidates) {
  const double largest = candidates.front().value;
  double sum = 0;
  for (Candidate& candidate : candidates) sum += candidate.value = std::exp(candidate.value - largest);
  for (Candidate& candidate : candidates) candidate.value /= sum;
}

}  // namespace

TokenId sampleToken(std::span<const float> logits, const GenerateConfig& config, const std::vector<TokenId>& history,
                    std::uint32_t index, std::uint32_t row) {
  std::vector<float> values(logits.begin(), logits.end());
  for (const float value : values) {
    if (!std::isfinite(value)) return -1;
  }
  if (config.repeatPenalty != 1) {
    const auto penalty = static_cast<float>(config.repeatPenalty);
    for (const TokenId id : std::set<TokenId>(history.begin(), history.end())) {
      float& value = values[static_cast<std::size_t>(id)];
      value = value > 0 ? value / penalty : value * penalty;
    }
  }
  const auto best = static_cast<TokenId>(std::max_element(values.begin(), values.end()) - values.begin());
  if (config.temperature <= 0) return best;

  std::vector<Candidate> candidates(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    candidates[i] = {static_cast<TokenId>(i), values[i] / config.temperature};
  const auto larger = [](const Candidate& a, const Candidate& b) {
    return a.value != b.value ? a.value > b.value : a.id < b.id;
  };
  if (config.topK > 0 && static_cast<std::size_t>(config.topK) < candidates.size()) {
    std::nth_element(candidates.begin(), candidates.begin() + config.topK, candidates.end(), larger);
    candidates.resize(static_cast<std::size_t>(config.topK));
  }
  std::sort(candidates.begin(), candidates.end(), larger);
  toProbabilities(candidates);
  if (config.topP < 1) {  // the smallest set whose probability reaches top-p (Holtzman et al., arXiv 1904.09751)
    double sum = 0;
    std::size_t kept = 0;
    while (kept < candidates.size() && (kept == 0 || sum < config.topP)) sum += candidates[kept++].value;
    candidates.resize(kept);
  }
  if (config.minP > 0) {
    const double floor = config.minP * candidates.front().value;
    std::erase_if(candidates, [&](const Candidate& candidate) { return candidate.value < floor; });
  }
  double total = 0;
  for (const Candidate& candidate : candidates) total += candidate.value;
  double left = randomUniform({config.seed, index, row, 0, RandomStream::sampling}) * total;
  for (const Candidate& candidate : candidates) {
    left -= candidate.value;
    if (left < 0) return candidate.id;
  }
  return candidates.back().id;
}

}  // namespace strata
