#include "widgets/plots/min_max_tree.h"

#include <algorithm>
#include <cmath>

namespace strata {
namespace {

constexpr std::size_t kFan = 16;

}  // namespace

void Extent::add(double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high)) return;
  min = std::min(min, low);
  max = std::max(max, high);
  if (low > 0) {
    minPositive = std::min(minPositive, low);
  } else if (high > 0) {
    minPositive = std::min(minPositive, high);
  }
}

void Extent::add(const Extent& other) {
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  minPositive = std::min(minPositive, other.minPositive);
}

void MinMaxTree::extend(const std::vector<double>& low, const std::vector<double>& high) {
  if (m_levels.empty()) m_levels.emplace_back();
  m_count = low.size();
  while ((m_levels[0].size() + 1) * kFan <= m_count) {
    Extent bucket;
    const std::size_t begin = m_levels[0].size() * kFan;
    for (std::size_t i = begin; i < begin + kFan; ++i) bucket.add(low[i], high[i]);
    m_levels[0].push_back(bucket);
    for (std::size_t level = 0; m_levels[level].size() % kFan == 0; ++level) {
      if (level + 1 == m_levels.size()) m_levels.emplace_back();
      Extent above;
      const std::vector<Extent>& below = m_levels[level];
      for (std::size_t i = below.size() - kFan; i < below.size(); ++i) above.add(below[i]);
      m_levels[level + 1].push_back(above);
    }
  }
}

void MinMaxTree::truncate(std::size_t count) {
  m_count = std::min(m_count, count);
  std::size_t size = kFan;
  for (std::vector<Extent>& level : m_levels) {
    level.resize(std::min(level.size(), count / size));
    size *= kFan;
  }
}

Extent MinMaxTree::extent(const std::vector<double>& low, const std::vector<double>& high, std::size_t begin,
                          std::size_t end) const {
  Extent sum;
  while (begin < end) {
    // The largest bucket that begins here and does not reach past the end.
    std::size_t size = 1, level = 0;
    while (level < m_levels.size() && begin % (size * kFan) == 0 && begin + size * kFan <= end) {
      size *= kFan;
      ++level;
    }
    if (level == 0) {
      sum.add(low[begin], high[begin]);
    } else {
      sum.add(m_levels[level - 1][begin / size]);
    }
    begin += size;
  }
  return sum;
}

}  // namespace strata
