#pragma once
// The points of one series, and what a plot of a given width draws of them. No GUI; one thread.
//
//   SeriesData loss;
//   loss.assign({.step = {1, 2, 3}, .value = {2.5, 2.4, 2.2}});   // points, or buckets with min and max
//   loss.append({.step = {4}, .value = {2.1}});                   // live: O(1) a point
//   loss.setSmoothing(0.9);
//   for (const EnvelopeColumn& column : loss.envelope(SeriesLine::raw, PlotAxis::step, {0, 4}, 800)) …

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "widgets/plots/min_max_tree.h"

namespace strata {

/// What stands on the x axis: optimiser steps, trained tokens, or seconds of the run's wall clock.
enum class PlotAxis { step, tokens, seconds };
inline constexpr std::array kPlotAxes = {PlotAxis::step, PlotAxis::tokens, PlotAxis::seconds};

struct PlotRange {
  double from = 0, to = 0;
  double width() const { return to - from; }
  bool operator==(const PlotRange&) const = default;
};

/// One element a point, or a bucket of consecutive points, in rising order of x.
struct PlotColumns {
  std::vector<double> step = {}, tokens = {}, seconds = {};  // x of the (last) point; empty: not known on that axis
  std::vector<double> value = {};                            // of the (last) point; what is not finite is a gap
  std::vector<double> min = {}, max = {};                    // of the bucket; empty: each element is one point

  std::vector<double>& x(PlotAxis axis) {
    return axis == PlotAxis::step ? step : axis == PlotAxis::tokens ? tokens : seconds;
  }
  const std::vector<double>& x(PlotAxis axis) const { return const_cast<PlotColumns*>(this)->x(axis); }
};

/// Smoothed: the exponential moving average of `value`, debiased as TensorBoard's: s_n = w s_{n-1} + (1 - w) v_n from
/// s_0 = 0, divided by 1 - w^n. One step an element, points and buckets alike.
enum class SeriesLine { raw, smoothed };

/// What falls into one column of pixels, or a single element where they are few. `low` is not a number: a gap.
struct EnvelopeColumn {
  double x = 0;
  double first = std::numeric_limits<double>::quiet_NaN(), last = first;  // not a number: cannot be drawn
  double low = first, high = first;
};

class SeriesData {
 public:
  void assign(PlotColumns columns);
  /// Newer elements. Those whose step it had before replace that step and all that followed it.
  void append(PlotColumns columns);
  /// Finer elements of a stretch: they replace what lies between their first and last x.
  void refine(PlotColumns columns, PlotAxis axis);

  std::size_t size() const { return m_columns.value.size(); }
  /// Whether every element is known on that axis, and there is one.
  bool has(PlotAxis axis) const { return !m_columns.x(axis).empty(); }
  /// Whether any value can be drawn.
  bool hasFinite() const { return !extent(SeriesLine::raw, 0, size()).empty(); }
  bool bucketed() const { return !m_columns.min.empty(); }
  const PlotColumns& columns() const { return m_columns; }
  std::optional<PlotRange> xRange(PlotAxis axis) const;
  /// The elements [begin, end) with `from` <= x <= `to`; {0, 0} on an axis that is not known.
  std::pair<std::size_t, std::size_t> within(PlotAxis axis, PlotRange range) const;
  /// The element nearest to x; nothing where the axis is not known.
  std::optional<std::size_t> nearest(PlotAxis axis, double x) const;

  /// 0 (none) to less than 1. A long series is smoothed in portions, one now and one at each smoothMore(); until all is
  /// done it counts as not smoothed.
  void setSmoothing(double weight);
  /// False: more is left to do.
  bool smoothMore();
  double smoothing() const { return m_smoothed.size() == size() ? m_weight : 0; }
  /// The value of an element, of the raw or the smoothed line.
  double at(SeriesLine line, std::size_t element) const;

  /// Of the elements [begin, end).
  Extent extent(SeriesLine line, std::size_t begin, std::size_t end) const;
  /// The values below which `low` and `high` (0 … 1) of the elements [begin, end) lie; of more than 4,096 elements, of
  /// every second, fourth, … one. With `positiveOnly` of those above zero.
  std::optional<PlotRange> percentiles(std::size_t begin, std::size_t end, double low, double high,
                                       bool positiveOnly = false) const;
  /// What to draw of a range that is `pixels` wide: at most pixels + 4 columns, or each element where there are at most
  /// two a pixel. Columns are aligned to multiples of their width, so that they do not flicker while the range moves;
  /// one element beyond each end leads the line out of view. With `positiveOnly` (log axis) what is not above zero
  /// cannot be drawn.
  std::vector<EnvelopeColumn> envelope(SeriesLine line, PlotAxis axis, PlotRange range, int pixels,
                                       bool positiveOnly = false) const;

 private:
  void extendSums();
  void truncate(std::size_t count);
  const std::vector<double>& low(SeriesLine line) const;
  const std::vector<double>& high(SeriesLine line) const;
  EnvelopeColumn summed(SeriesLine line, std::size_t begin, std::size_t end, double x, bool positiveOnly) const;

  PlotColumns m_columns;
  MinMaxTree m_tree;
  double m_weight = 0;
  std::vector<double> m_smoothed;
  MinMaxTree m_smoothedTree;
  double m_average = 0, m_decay = 1;  // s_n and w^n
};

}  // namespace strata
