#include "core/metrics/bootstrap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "core/base/philox.h"

namespace strata {
namespace {

/// 95 % of ascending values: between the two nearest ones, as numpy.percentile.
Interval middleOf(const std::vector<double>& sorted) {
  constexpr double kTail = 0.025;
  if (sorted.empty()) return {};
  const auto quantile = [&](double share) {
    const double place = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
  };
  return {quantile(kTail), quantile(1 - kTail)};
}

/// Sums over the questions of each cluster, in the order in which the clusters first appear.
struct ClusterSums {
  std::size_t clusters = 0;
  std::vector<double> sums;  // [cluster][column][2]: value x weight, weight
};

ClusterSums sumClusters(const std::vector<ScoreColumn>& columns, const std::vector<std::uint32_t>& clusters) {
  ClusterSums result;
  const std::size_t questions = columns.front().values.size();
  std::vector<std::size_t> places(questions);
  std::unordered_map<std::uint32_t, std::size_t> placeOf;
  for (std::size_t i = 0; i < questions; ++i)
    places[i] = clusters.empty() ? i : placeOf.try_emplace(clusters[i], placeOf.size()).first->second;
  result.clusters = clusters.empty() ? questions : placeOf.size();
  const std::size_t width = 2 * columns.size();
  result.sums.assign(result.clusters * width, 0);
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const ScoreColumn& scores = columns[column];
    for (std::size_t i = 0; i < questions; ++i) {
      const double weight = scores.weights.empty() ? 1 : scores.weights[i];
      double* const sum = &result.sums[places[i] * width + 2 * column];
      sum[0] += weight * scores.values[i];
      sum[1] += weight;
    }
  }
  return result;
}

double ratioOf(double sum, double weight) {
  return weight > 0 ? sum / weight : 0;
}

/// Summed question by question, whatever the clusters.
double meanOf(const ScoreColumn& scores) {
  double sum = 0, weights = 0;
  for (std::size_t i = 0; i < scores.values.size(); ++i) {
    const double weight = scores.weights.empty() ? 1 : scores.weights[i];
    sum += weight * scores.values[i];
    weights += weight;
  }
  return ratioOf(sum, weights);
}

}  // namespace

Interval bootstrapMean(const std::vector<double>& values, std::uint64_t seed, std::uint32_t step) {
  if (values.empty()) return {};
  std::vector<double> means(kBootstrapResamples);
  DrawPosition at{.seed = seed, .step = step, .stream = RandomStream::bootstrap};
  for (std::size_t resample = 0; resample < means.size(); ++resample) {
    at.group = static_cast<std::uint32_t>(resample);
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      at.layer = static_cast<std::uint32_t>(i);
      sum += values[randomBelow(at, values.size())];
    }
    means[resample] = sum / static_cast<double>(values.size());
  }
  std::sort(means.begin(), means.end());
  return middleOf(means);
}

Interval Resampled::interval(std::size_t column) const {
  return middleOf(sorted[column]);
}

Interval Resampled::differenceInterval(std::size_t a, std::size_t b) const {
  std::vector<double> differences(drawn[a].size());
  for (std::size_t i = 0; i < differences.size(); ++i) differences[i] = drawn[b][i] - drawn[a][i];
  std::sort(differences.begin(), differences.end());
  return middleOf(differences);
}

double Resampled::differenceError(std::size_t a, std::size_t b) const {
  const std::size_t count = drawn[a].size();
  if (count < 2) return 0;
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) sum += drawn[b][i] - drawn[a][i];
  const double mean = sum / static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double off = drawn[b][i] - drawn[a][i] - mean;
    squares += off * off;
  }
  return std::sqrt(squares / static_cast<double>(count - 1));
}

Resampled resampleMeans(const std::vector<ScoreColumn>& columns, const std::vector<std::uint32_t>& clusters,
                        std::uint64_t seed, int resamples) {
  Resampled result;
  result.means.assign(columns.size(), 0);
  result.drawn.resize(columns.size());
  result.sorted.resize(columns.size());
  if (columns.empty() || columns.front().values.empty()) return result;
  const ClusterSums units = sumClusters(columns, clusters);
  result.clusters = units.clusters;
  const std::size_t width = 2 * columns.size();
  std::vector<double> sums(width, 0);
  const auto add = [&](std::size_t cluster) {
    const double* const own = &units.sums[cluster * width];
    for (std::size_t i = 0; i < width; ++i) sums[i] += own[i];
  };
  for (std::size_t column = 0; column < columns.size(); ++column) result.means[column] = meanOf(columns[column]);

  for (auto& drawn : result.drawn) drawn.reserve(static_cast<std::size_t>(resamples));
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  for (int resample = 0; resample < resamples; ++resample) {
    std::fill(sums.begin(), sums.end(), 0);
    std::array<std::uint32_t, 4> words{};
    for (std::size_t i = 0; i < units.clusters; ++i) {
      // Four draws a block; the bias of 32 bits over the clusters is below 1e-5 of a draw's probability.
      if (i % words.size() == 0) {
        words = philox4x32({0, static_cast<std::uint32_t>(resample), static_cast<std::uint32_t>(i / words.size()),
                            static_cast<std::uint32_t>(RandomStream::bootstrap)},
                           key);
      }
      add(static_cast<std::size_t>(std::uint64_t{words[i % words.size()]} * units.clusters >> 32));
    }
    for (std::size_t column = 0; column < columns.size(); ++column)
      result.drawn[column].push_back(ratioOf(sums[2 * column], sums[2 * column + 1]));
  }
  result.sorted = result.drawn;
  for (auto& means : result.sorted) std::sort(means.begin(), means.end());
  return result;
}

}  // namespace strata
