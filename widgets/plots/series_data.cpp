#include "widgets/plots/series_data.h"

#include <algorithm>
#include <cmath>

namespace strata {
namespace {

constexpr std::size_t kPortion = 200'000;  // smoothed in about 2 ms
constexpr double kNoDecay = 1e-17;         // 1 less it is 1
constexpr std::size_t kSampled = 4096;

/// An axis has a number for each element, and they do not fall: searches rely on it.
void normalize(PlotColumns& columns) {
  const std::size_t count = columns.value.size();
  for (const PlotAxis axis : kPlotAxes) {
    std::vector<double>& x = columns.x(axis);
    if (x.size() != count) {
      x.clear();
      continue;
    }
    double before = -std::numeric_limits<double>::infinity();
    for (double& at : x) {
      if (!(at >= before)) at = std::isfinite(before) ? before : 0;
      before = at;
    }
  }
  if (columns.min.size() != count || columns.max.size() != count) {
    columns.min.clear();
    columns.max.clear();
  }
}

/// Elements [begin, end) of `into` give way to `other`.
void splice(std::vector<double>& into, std::size_t begin, std::size_t end, const std::vector<double>& other) {
  const auto at = static_cast<std::ptrdiff_t>(begin);
  into.erase(into.begin() + at, into.begin() + static_cast<std::ptrdiff_t>(end));
  into.insert(into.begin() + at, other.begin(), other.end());
}

void splice(PlotColumns& into, std::size_t begin, std::size_t end, PlotColumns& other) {
  for (const PlotAxis axis : kPlotAxes) {
    if (into.x(axis).empty() || other.x(axis).empty()) {
      into.x(axis).clear();
    } else {
      splice(into.x(axis), begin, end, other.x(axis));
    }
  }
  if (!into.min.empty() || !other.min.empty()) {
    for (PlotColumns* columns : {&into, &other}) {
      if (!columns->min.empty()) continue;
      columns->min = columns->value;
      columns->max = columns->value;
    }
    splice(into.min, begin, end, other.min);
    splice(into.max, begin, end, other.max);
  }
  splice(into.value, begin, end, other.value);
}

std::size_t firstFrom(const std::vector<double>& x, double from) {
  return static_cast<std::size_t>(std::lower_bound(x.begin(), x.end(), from) - x.begin());
}

/// firstFrom() of what lies from `begin` on; near ones are found without touching far ones.
std::size_t gallop(const std::vector<double>& x, std::size_t begin, double from) {
  std::size_t step = 1;
  std::size_t end = begin;
  while (end < x.size() && x[end] < from) {
    begin = end + 1;
    end += step;
    step *= 2;
  }
  end = std::min(end, x.size());
  return static_cast<std::size_t>(std::lower_bound(x.begin() + static_cast<std::ptrdiff_t>(begin),
                                                   x.begin() + static_cast<std::ptrdiff_t>(end), from) -
                                  x.begin());
}

/// The n with n * width <= x < (n + 1) * width, also where the quotient is rounded.
double columnOf(double x, double width) {
  double n = std::floor(x / width);
  if (x >= (n + 1) * width) ++n;
  if (x < n * width) --n;
  return n;
}

double drawable(double value, bool positiveOnly) {
  return std::isfinite(value) && (!positiveOnly || value > 0) ? value : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void SeriesData::assign(PlotColumns columns) {
  truncate(0);
  m_columns = std::move(columns);
  normalize(m_columns);
  extendSums();
}

void SeriesData::append(PlotColumns columns) {
  normalize(columns);
  if (columns.value.empty()) return;
  if (size() == 0) return assign(std::move(columns));
  if (has(PlotAxis::step) && !columns.step.empty()) {
    truncate(firstFrom(m_columns.step, columns.step.front()));
  }
  for (const PlotAxis axis : kPlotAxes) {
    if (size() == 0 || !has(axis)) continue;
    for (double& x : columns.x(axis)) x = std::max(x, m_columns.x(axis).back());
  }
  if (size() == 0) return assign(std::move(columns));
  splice(m_columns, size(), size(), columns);
  extendSums();
}

void SeriesData::refine(PlotColumns columns, PlotAxis axis) {
  normalize(columns);
  if (columns.x(axis).empty()) return;
  if (!has(axis)) return assign(std::move(columns));
  const auto [begin, end] = within(axis, {columns.x(axis).front(), columns.x(axis).back()});
  m_tree.truncate(begin);
  m_smoothed.clear();
  splice(m_columns, begin, end, columns);
  extendSums();
}

void SeriesData::truncate(std::size_t count) {
  if (count >= size()) return;
  for (const PlotAxis axis : kPlotAxes) {
    if (has(axis)) m_columns.x(axis).resize(count);
  }
  m_columns.value.resize(count);
  if (bucketed()) {
    m_columns.min.resize(count);
    m_columns.max.resize(count);
  }
  m_tree.truncate(count);
  m_smoothed.clear();
}

/// Brings sums and the smoothed line up to the columns; the line begins anew where it is empty.
void SeriesData::extendSums() {
  m_tree.extend(low(SeriesLine::raw), high(SeriesLine::raw));
  smoothMore();
}

bool SeriesData::smoothMore() {
  if (m_weight == 0) return true;
  std::size_t i = m_smoothed.size();
  if (i == 0) {
    m_smoothed.reserve(size());
    m_smoothedTree.truncate(0);
    m_average = 0;
    m_decay = 1;
  }
  m_smoothed.resize(std::min(size(), i + kPortion));
  for (; i < m_smoothed.size(); ++i) {
    const double value = m_columns.value[i];
    if (!std::isfinite(value)) {
      m_smoothed[i] = value;
      continue;
    }
    m_average = m_weight * m_average + (1 - m_weight) * value;
    m_decay = m_decay < kNoDecay ? 0 : m_decay * m_weight;
    m_smoothed[i] = m_decay == 0 ? m_average : m_average / (1 - m_decay);
  }
  m_smoothedTree.extend(m_smoothed, m_smoothed);
  return m_smoothed.size() == size();
}

void SeriesData::setSmoothing(double weight) {
  weight = std::isfinite(weight) ? std::clamp(weight, 0.0, 0.9999) : 0;
  if (weight == m_weight) return;
  m_weight = weight;
  m_smoothed.clear();
  smoothMore();
}

std::optional<PlotRange> SeriesData::xRange(PlotAxis axis) const {
  if (!has(axis)) return {};
  return PlotRange{m_columns.x(axis).front(), m_columns.x(axis).back()};
}

std::pair<std::size_t, std::size_t> SeriesData::within(PlotAxis axis, PlotRange range) const {
  const std::vector<double>& x = m_columns.x(axis);
  const std::size_t begin = firstFrom(x, range.from);
  const auto end = static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), range.to) - x.begin());
  return {begin, std::max(begin, end)};
}

std::optional<std::size_t> SeriesData::nearest(PlotAxis axis, double at) const {
  const std::vector<double>& x = m_columns.x(axis);
  if (x.empty()) return {};
  const std::size_t next = firstFrom(x, at);
  if (next == 0) return 0;
  if (next == x.size()) return x.size() - 1;
  return at - x[next - 1] <= x[next] - at ? next - 1 : next;
}

double SeriesData::at(SeriesLine line, std::size_t element) const {
  return line == SeriesLine::smoothed && smoothing() > 0 ? m_smoothed[element] : m_columns.value[element];
}

const std::vector<double>& SeriesData::low(SeriesLine line) const {
  if (line == SeriesLine::smoothed && smoothing() > 0) return m_smoothed;
  return bucketed() ? m_columns.min : m_columns.value;
}

const std::vector<double>& SeriesData::high(SeriesLine line) const {
  if (line == SeriesLine::smoothed && smoothing() > 0) return m_smoothed;
  return bucketed() ? m_columns.max : m_columns.value;
}

Extent SeriesData::extent(SeriesLine line, std::size_t begin, std::size_t end) const {
  const MinMaxTree& tree = line == SeriesLine::smoothed && smoothing() > 0 ? m_smoothedTree : m_tree;
  return tree.extent(low(line), high(line), begin, std::min(end, size()));
}

std::optional<PlotRange> SeriesData::percentiles(std::size_t begin, std::size_t end, double low, double high,
                                                 bool positiveOnly) const {
  std::size_t stride = 1;
  while ((end - begin) / stride > kSampled) stride *= 2;
  std::vector<double> sample;
  for (std::size_t i = (begin + stride - 1) / stride * stride; i < end; i += stride) {
    const double value = drawable(m_columns.value[i], positiveOnly);
    if (!std::isnan(value)) sample.push_back(value);
  }
  if (sample.empty()) return {};
  std::sort(sample.begin(), sample.end());
  const auto valueAt = [&](double part) {
    const double place = part * static_cast<double>(sample.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sample.size() - 1);
    return sample[below] + (place - static_cast<double>(below)) * (sample[above] - sample[below]);
  };
  return PlotRange{valueAt(low), valueAt(high)};
}

EnvelopeColumn SeriesData::summed(SeriesLine line, std::size_t begin, std::size_t end, double x,
                                  bool positiveOnly) const {
  const Extent sum = extent(line, begin, end);
  EnvelopeColumn column;
  column.x = x;
  const double low = positiveOnly ? sum.minPositive : sum.min;
  if (!(low <= sum.max)) return column;
  column.low = low;
  column.high = sum.max;
  column.first = drawable(at(line, begin), positiveOnly);
  column.last = drawable(at(line, end - 1), positiveOnly);
  return column;
}

std::vector<EnvelopeColumn> SeriesData::envelope(SeriesLine line, PlotAxis axis, PlotRange range, int pixels,
                                                 bool positiveOnly) const {
  std::vector<EnvelopeColumn> columns;
  if (!has(axis) || pixels <= 0 || !(range.width() > 0)) return columns;
  const std::vector<double>& x = m_columns.x(axis);
  const auto [begin, end] = within(axis, range);
  const std::size_t before = begin > 0 ? begin - 1 : begin;
  const std::size_t after = std::min(end + 1, size());
  if (end - begin <= 2 * static_cast<std::size_t>(pixels)) {
    for (std::size_t i = before; i < after; ++i) columns.push_back(summed(line, i, i + 1, x[i], positiveOnly));
    return columns;
  }
  const double width = range.width() / pixels;
  std::size_t i = firstFrom(x, columnOf(range.from, width) * width);
  const double edge = (columnOf(range.to, width) + 1) * width;
  columns.reserve(static_cast<std::size_t>(pixels) + 4);
  if (i > 0) columns.push_back(summed(line, i - 1, i, x[i - 1], positiveOnly));
  while (i < size() && x[i] < edge) {
    const double n = columnOf(x[i], width);
    const std::size_t next = std::max(i + 1, gallop(x, i, (n + 1) * width));
    columns.push_back(summed(line, i, next, (n + 0.5) * width, positiveOnly));
    i = next;
  }
  if (i < size()) columns.push_back(summed(line, i, i + 1, x[i], positiveOnly));
  return columns;
}

}  // namespace strata
