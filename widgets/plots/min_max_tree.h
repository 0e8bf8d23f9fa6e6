#pragma once
// The least and greatest of any stretch of a column in O(log n); numbers are appended at O(1) each.
//
//   MinMaxTree tree;
//   tree.extend(values, values);                       // also after each append to `values`
//   const Extent extent = tree.extent(values, values, 100, 90'000);
// An element is a number, or a bucket of numbers of which the least and the greatest are known. The tree keeps sums of
// 16, 256, … elements; the columns stay with the caller, and are the same at each call but for what was appended.

#include <cstddef>
#include <limits>
#include <vector>

namespace strata {

/// Of the finite numbers; `min` > `max` where there are none.
struct Extent {
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  double minPositive = std::numeric_limits<double>::infinity();  // as far as known: of a bucket, `low` or else `high`

  bool empty() const { return !(min <= max); }
  void add(double low, double high);
  void add(const Extent& other);
};

class MinMaxTree {
 public:
  std::size_t count() const { return m_count; }
  /// Takes in the elements from count() on.
  void extend(const std::vector<double>& low, const std::vector<double>& high);
  /// Forgets the elements from `count` on.
  void truncate(std::size_t count);
  /// Of the elements [begin, end), end <= count().
  Extent extent(const std::vector<double>& low, const std::vector<double>& high, std::size_t begin,
                std::size_t end) const;

 private:
  std::vector<std::vector<Extent>> m_levels;  // [k]: full buckets of 16^(k + 1) elements
  std::size_t m_count = 0;
};

}  // namespace strata
