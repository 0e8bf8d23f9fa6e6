#include "core/metrics/bootstrap.h"

#include <algorithm>

#include "core/base/philox.h"

namespace strata {

Interval bootstrapMean(const std::vector<double>& values, std::uint64_t seed, std::uint32_t step) {
  if (values.empty()) return {};
  constexpr double kTail = 0.025;
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
  // Between the two nearest means, as numpy.percentile.
  const auto quantile = [&](double share) {
    const double place = share * static_cast<double>(means.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, means.size() - 1);
    return means[below] + (place - static_cast<double>(below)) * (means[above] - means[below]);
  };
  return {quantile(kTail), quantile(1 - kTail)};
}

}  // namespace strata
