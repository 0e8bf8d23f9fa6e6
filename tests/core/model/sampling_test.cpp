#include "core/model/sampling.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "core/base/philox.h"
#include "support.h"

namespace strata {
namespace {

/// The definition, with everything sorted.
TokenId bySorting(std::vector<float> logits, const GenerateConfig& config, const std::vector<TokenId>& history,
                  std::uint32_t index) {
  std::map<TokenId, bool> seen;
  for (const TokenId id : history) {
    if (seen[id]) continue;
    seen[id] = true;
    float& value = logits[static_cast<std::size_t>(id)];
    const auto penalty = static_cast<float>(config.repeatPenalty);
    value = value > 0 ? value / penalty : value * penalty;
  }
  std::vector<TokenId> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto logit = [&](TokenId id) { return logits[static_cast<std::size_t>(id)]; };
  std::stable_sort(order.begin(), order.end(), [&](TokenId a, TokenId b) { return logit(a) > logit(b); });
  if (config.temperature <= 0) return order.front();
  if (config.topK > 0 && static_cast<std::size_t>(config.topK) < order.size()) {
    order.resize(static_cast<std::size_t>(config.topK));
  }
  std::vector<double> p;
  for (const TokenId id : order) p.push_back(std::exp((logit(id) - logit(order.front())) / config.temperature));
  const double all = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& each : p) each /= all;
  if (config.topP < 1) {
    double sum = 0;
    std::size_t kept = 0;
    while (kept < p.size() && (kept == 0 || sum < config.topP)) sum += p[kept++];
    p.resize(kept);
  }
  while (config.minP > 0 && p.back() < config.minP * p.front()) p.pop_back();
  double left =
      randomUniform({config.seed, index, 0, 0, RandomStream::sampling}) * std::accumulate(p.begin(), p.end(), 0.0);
  for (std::size_t i = 0; i < p.size(); ++i) {
    left -= p[i];
    if (left < 0) return order[i];
  }
  return order[p.size() - 1];
}

std::vector<float> randomLogits(std::size_t count, std::mt19937& random, float spread) {
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> logits(count);
  for (float& each : logits) each = normal(random);
  return logits;
}

TEST(Sampling, DrawsWhatSortingTheWholeVocabularyWouldDraw) {
  std::mt19937 random(1);
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const std::vector<float> logits = randomLogits(i % 7 == 0 ? 3 : 700, random, i % 3 == 0 ? .1F : 4);
    GenerateConfig config;
    config.seed = i;
    config.temperature = i % 5 == 0 ? 0 : .3 + .1 * (i % 17);
    config.topK = i % 4 == 0 ? static_cast<int>(i % 90) : 0;
    config.topP = i % 3 == 1 ? .5 + .001 * (i % 500) : 1;
    config.minP = i % 11 == 0 ? .05 : 0;
    config.repeatPenalty = i % 2 == 0 ? 1.3 : 1;
    const std::vector<TokenId> history = {0, 2, 1, 2, 2};
    EXPECT_EQ(sampleToken(logits, config, history, i), bySorting(logits, config, history, i)) << "draw " << i;
  }
}

TEST(Sampling, TheLowestIdWinsATie) {
  GenerateConfig config;
  config.temperature = 0;
  EXPECT_EQ(sampleToken(std::vector<float>{1, 3, 3}, config, {}, 0), 1);
  config.temperature = 1;
  config.topK = 1;
  EXPECT_EQ(sampleToken(std::vector<float>{1, 3, 3}, config, {}, 0), 1);
}

TEST(Sampling, LogitsThatAreNoFiniteNumbersGiveNoToken) {
  EXPECT_EQ(sampleToken(std::vector<float>{1, NAN, 3}, {}, {}, 0), -1);
  EXPECT_EQ(sampleToken(std::vector<float>{1, INFINITY, 3}, {}, {}, 0), -1);
}

}  // namespace
}  // namespace strata
