#pragma once
// One look for both plot libraries: ground = surface, left and bottom axis only, grid 1 px in the line colour, labels
// 11 px, at most six ticks. Run it again when the theme changes.
//
//   followTheme(this, [this] { themePlot(*m_plot); });

class QChart;
class QCustomPlot;

namespace strata {

void themePlot(QCustomPlot& plot);
void themeChart(QChart& chart);

}  // namespace strata
