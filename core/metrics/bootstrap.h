#pragma once
// Confidence intervals of mean scores by the percentile bootstrap (Efron 1979): questions are drawn with replacement.
// Questions that belong together (those of one article) are drawn together, as a cluster.
//
//   const Resampled resampled = resampleMeans({{scoresOfA}, {scoresOfB}}, clusters);
//   const Interval difference = resampled.differenceInterval(0, 1);   // of mean B - mean A, paired

#include <cstddef>
#include <cstdint>
#include <vector>

namespace strata {

struct Interval {
  double low = 0, high = 0;
};

inline constexpr int kBootstrapResamples = 1000;
/// Of paired differences, whose ends are what a reader decides by.
inline constexpr int kPairedResamples = 10'000;

/// Of the mean of `values`, with 95 % confidence. The same seed and step give the same interval. No values: 0 … 0.
Interval bootstrapMean(const std::vector<double>& values, std::uint64_t seed, std::uint32_t step);

/// The scores of one model and map: one a question, in the same order for all of them.
struct ScoreColumn {
  std::vector<double> values;
  std::vector<double> weights = {};  // as many; empty: 1 each. Tokens, where the values are means over tokens
};

/// Means of several columns under the same draws, so that their differences are paired.
struct Resampled {
  std::vector<double> means;                // [column]: of all questions, sum of value x weight / sum of weights
  std::vector<std::vector<double>> sorted;  // [column][resample], ascending
  std::vector<std::vector<double>> drawn;   // [column][resample], in the order of the draws
  std::size_t clusters = 0;

  /// 95 %, of a column's mean.
  Interval interval(std::size_t column) const;
  /// 95 %, of means[b] - means[a].
  Interval differenceInterval(std::size_t a, std::size_t b) const;
  /// Of means[b] - means[a]: the standard deviation of its resamples.
  double differenceError(std::size_t a, std::size_t b) const;
};

/// `clusters`: a number for each question, equal where questions belong together; empty: each is on its own. The same
/// arguments give the same draws, and the draws depend on the clusters alone, not on the columns. No questions: no
/// resamples, and intervals of 0 … 0.
Resampled resampleMeans(const std::vector<ScoreColumn>& columns, const std::vector<std::uint32_t>& clusters,
                        std::uint64_t seed = 0, int resamples = kPairedResamples);

}  // namespace strata
