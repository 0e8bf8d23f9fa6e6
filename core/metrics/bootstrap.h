#pragma once
// Confidence intervals of mean scores by the percentile bootstrap (Efron 1979): questions are drawn with replacement.

#include <cstdint>
#include <vector>

namespace strata {

struct Interval {
  double low = 0, high = 0;
};

inline constexpr int kBootstrapResamples = 1000;

/// Of the mean of `values`, with 95 % confidence. The same seed and step give the same interval. No values: 0 … 0.
Interval bootstrapMean(const std::vector<double>& values, std::uint64_t seed, std::uint32_t step);

}  // namespace strata
