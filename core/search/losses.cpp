#include "core/search/losses.h"

#include <array>
#include <cmath>

namespace strata {
namespace {

/// The 97.5 % quantile of Student's t.
double studentQuantile(std::size_t freedom) {
  constexpr std::array<double, 5> kFirst = {12.706, 4.303, 3.182, 2.776, 2.571};
  if (freedom <= kFirst.size()) return kFirst[freedom - 1];
  // Cornish-Fisher expansion around the normal quantile (Abramowitz and Stegun 26.7.5).
  constexpr double z = 1.959964;
  const auto v = static_cast<double>(freedom);
  const auto power = [](int n) { return std::pow(z, n); };
  return z + (power(3) + z) / (4 * v) + (5 * power(5) + 16 * power(3) + 3 * z) / (96 * v * v) +
         (3 * power(7) + 19 * power(5) + 17 * power(3) - 15 * z) / (384 * v * v * v);
}

}  // namespace

MeanLoss meanOf(const Losses& losses) {
  MeanLoss result;
  double sum = 0;
  std::size_t units = 0;
  for (const WindowLoss& window : losses) {
    if (window.tokens == 0) continue;
    sum += window.sum;
    result.tokens += window.tokens;
    ++units;
  }
  if (units == 0) return result;
  const auto tokens = static_cast<double>(result.tokens);
  result.mean = sum / tokens;
  if (units < 2) return result;
  double squares = 0;
  for (const WindowLoss& window : losses) {
    if (window.tokens == 0) continue;
    const double residual = window.sum - result.mean * static_cast<double>(window.tokens);
    squares += residual * residual;
  }
  const auto n = static_cast<double>(units);
  result.halfWidth = studentQuantile(units - 1) * std::sqrt(squares * n / (n - 1)) / tokens;
  return result;
}

MeanLoss meanDifference(const Losses& a, const Losses& b) {
  Losses difference(std::min(a.size(), b.size()));
  for (std::size_t i = 0; i < difference.size(); ++i) {
    if (a[i].tokens > 0 && b[i].tokens > 0) difference[i] = {a[i].sum - b[i].sum, a[i].tokens};
  }
  return meanOf(difference);
}

}  // namespace strata
