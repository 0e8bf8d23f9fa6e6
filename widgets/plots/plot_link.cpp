#include "widgets/plots/plot_link.h"

#include <algorithm>
#include <cmath>

namespace strata {
namespace {

constexpr double kNearest = 1e-7;  // of the whole
constexpr double kNearZero = 0.1;  // of the last x
constexpr std::size_t kMostEarlier = 200;

}  // namespace

void PlotLink::setAxis(PlotAxis axis) {
  if (axis == m_axis) return;
  m_axis = axis;
  m_view = {};
  m_earlier.clear();
  m_crosshair.reset();
  Q_EMIT axisChanged();
  Q_EMIT rangeChanged();
}

PlotRange PlotLink::whole() const {
  std::optional<PlotRange> all;
  for (const auto& [plot, claim] : m_claims) {
    if (!claim.x) continue;
    all = all ? PlotRange{std::min(all->from, claim.x->from), std::max(all->to, claim.x->to)} : *claim.x;
  }
  if (!all) return {0, 1};
  // Curves that begin after the first few steps are shown from zero.
  if (all->from > 0 && all->from <= kNearZero * all->to) all->from = 0;
  if (!(all->width() > 0)) return {all->from - 0.5, all->from + 0.5};
  return *all;
}

PlotRange PlotLink::range() const {
  return m_view.x.value_or(whole());
}

void PlotLink::setRange(PlotRange range, Step step) {
  if (!std::isfinite(range.from) || !std::isfinite(range.to) || !(range.width() > 0)) return;
  const PlotRange all = whole();
  View view = m_view;
  if (range.width() >= all.width()) {
    view.x.reset();
    return show(view, step);
  }
  const double least = all.width() * kNearest;
  if (range.width() < least) {
    const double middle = range.from + range.width() / 2;
    range = {middle - least / 2, middle + least / 2};
  }
  const double width = range.width();
  if (range.from < all.from) range = {all.from, all.from + width};
  if (range.to > all.to) range = {all.to - width, all.to};
  view.x = range;
  show(view, step);
}

void PlotLink::zoom(double factor, double x, Step step) {
  const PlotRange now = this->range();
  setRange({x - (x - now.from) * factor, x + (now.to - x) * factor}, step);
}

void PlotLink::pan(double part, Step step) {
  if (isWhole()) return;
  const PlotRange now = this->range();
  const double by = now.width() * part;
  setRange({now.from + by, now.to + by}, step);
}

std::optional<PlotRange> PlotLink::values(const QObject* plot) const {
  const auto found = m_view.values.find(plot);
  return found == m_view.values.end() ? std::nullopt : std::optional(found->second);
}

void PlotLink::setValues(const QObject* plot, std::optional<PlotRange> range, Step step) {
  View view = m_view;
  if (range) {
    if (!std::isfinite(range->from) || !std::isfinite(range->to) || !(range->width() > 0)) return;
    view.values[plot] = *range;
  } else {
    view.values.erase(plot);
  }
  show(view, step);
}

void PlotLink::show(View view, Step step) {
  if (view == m_view) return;
  if (step == Step::begins) {
    m_earlier.push_back(m_view);
    if (m_earlier.size() > kMostEarlier) m_earlier.erase(m_earlier.begin());
  }
  m_view = std::move(view);
  Q_EMIT rangeChanged();
}

bool PlotLink::back() {
  if (m_earlier.empty()) return false;
  m_view = std::move(m_earlier.back());
  m_earlier.pop_back();
  Q_EMIT rangeChanged();
  return true;
}

void PlotLink::reset() {
  show({}, Step::begins);
}

void PlotLink::setCrosshair(std::optional<double> x, const QObject* source) {
  if (x == m_crosshair && source == m_crosshairSource) return;
  m_crosshair = x;
  m_crosshairSource = x ? source : nullptr;
  Q_EMIT crosshairMoved();
}

void PlotLink::claim(const QObject* plot, const Claim& claim) {
  Claim& known = m_claims[plot];
  if (known == claim) return;
  const PlotRange before = whole();
  const int leftBefore = left(), rightBefore = right();
  known = claim;
  if (isWhole() && whole() != before) Q_EMIT rangeChanged();
  if (left() != leftBefore || right() != rightBefore) Q_EMIT marginsChanged();
}

void PlotLink::leave(const QObject* plot) {
  claim(plot, {});
  m_claims.erase(plot);
  m_view.values.erase(plot);
  for (View& view : m_earlier) view.values.erase(plot);
  if (m_crosshairSource == plot) setCrosshair({}, nullptr);
}

int PlotLink::left() const {
  int most = 0;
  for (const auto& [plot, claim] : m_claims) most = std::max(most, claim.left);
  return most;
}

int PlotLink::right() const {
  int most = 0;
  for (const auto& [plot, claim] : m_claims) most = std::max(most, claim.right);
  return most;
}

}  // namespace strata
