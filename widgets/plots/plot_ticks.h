#pragma once
// Where the ticks of an axis stand, and figures as plots write them: digits and points as in the C locale.

#include <QString>
#include <vector>

#include "widgets/plots/series_data.h"

namespace strata {

inline constexpr int kMostTicks = 6;

/// Multiples of 1, 2 or 5 times a power of ten inside the range, at most `most`, or up to four where fewer than two
/// would be left; `whole`: of whole numbers alone.
std::vector<double> linearTicks(PlotRange range, int most, bool whole = false);
/// Inside a range above zero, at most `most`: powers of ten, or 1, 2, 5 times those, or linear ones where the range is
/// too short for these.
std::vector<double> logTicks(PlotRange range, int most);

/// With as many decimals as tell ticks `step` apart: "0.25", "12,000", "1.5e-5".
QString formatTick(double value, double step, bool sign = false);
/// Four digits: "2.145", "12.35", "1,234", "3.000e-4"; not a number: "not measured".
QString formatFigure(double value, bool sign = false);

/// What x stands for in the units of a range: {60, "minutes"}.
struct PlotUnit {
  double size = 1;
  QString name;
};
PlotUnit unitOf(PlotAxis axis, PlotRange range);
/// "step 12,340", "1.20 M tokens", "3 min 20 s"
QString formatX(PlotAxis axis, double x);
/// "step", "tokens", "seconds": of columns.
QString nameOf(PlotAxis axis);

}  // namespace strata
