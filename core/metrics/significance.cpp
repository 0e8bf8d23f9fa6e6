#include "core/metrics/significance.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace strata {

double mcnemarP(std::int64_t onlyA, std::int64_t onlyB) {
  const std::int64_t fewer = std::min(onlyA, onlyB), all = onlyA + onlyB;
  if (2 * fewer + 1 >= all) return 1;
  // Twice P(X <= fewer), X ~ Binomial(all, 1/2), summed from the largest term down relative to it.
  double term = 1, sum = 0;
  for (std::int64_t k = fewer; k >= 0 && term > 0; --k) {
    sum += term;
    term *= static_cast<double>(k) / static_cast<double>(all - k + 1);
  }
  const auto logFactorial = [](std::int64_t n) { return std::lgamma(static_cast<double>(n) + 1); };
  const double logLargest =
      logFactorial(all) - logFactorial(fewer) - logFactorial(all - fewer) - static_cast<double>(all) * std::log(2.0);
  return std::min(1.0, 2 * sum * std::exp(logLargest));
}

std::vector<double> holmAdjusted(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double least = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    least = std::max(least, std::min(1.0, static_cast<double>(order.size() - rank) * p[order[rank]]));
    adjusted[order[rank]] = least;
  }
  return adjusted;
}

double detectableDifference(double standardError) {
  constexpr double kTwoSided5 = 1.959963984540054, kPower80 = 0.8416212335729143;  // quantiles of the normal
  return (kTwoSided5 + kPower80) * standardError;
}

double worstDifferenceError(std::int64_t questions) {
  return questions > 0 ? std::sqrt(0.5 / static_cast<double>(questions)) : 0;
}

}  // namespace strata
