#pragma once
// One look for both plot libraries: ground = surface, left and bottom axis only, grid 1 px in the line colour, labels
// 11 px, at most six ticks. Run it again when the theme changes.
//
//   followTheme(this, [this] { themePlot(*m_plot); });

#include <QPen>

class QChart;
class QCustomPlot;

namespace strata {

void themePlot(QCustomPlot& plot);
void themeChart(QChart& chart);

/// Slots 0 and 1 are sides A and B; the colours come round every five, then dashed, then dotted.
QColor seriesColor(int slot);
/// Of things in an order, such as retentions: the slot's hue in `of` steps from strong (0) to faint. All have 3:1 on
/// the ground.
QColor stepColor(int slot, int step, int of);
/// `dashed`: as side B's.
QPen seriesPen(int slot, bool dashed, double width);
/// Opaque and near the ground: raw data behind a smoothed line, and series while another one is highlighted.
QColor paler(const QColor& color);

}  // namespace strata
