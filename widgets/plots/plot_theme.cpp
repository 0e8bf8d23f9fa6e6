#include "widgets/plots/plot_theme.h"

#include <qcustomplot.h>

#include <QAbstractAxis>
#include <QChart>
#include <QLocale>
#include <algorithm>

#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kTicks = 6;
constexpr double kStrongest = 0.55;     // of the text in the first of several steps of a hue
constexpr double kFaintest = 0.4;       // of the ground in the last, if that can still be seen
constexpr double kVisible = 3;          // contrast of a line on the ground
constexpr double kPaler = 0.35;         // of the colour, the rest is ground
constexpr double kContrastGrid = 0.25;  // in high contrast `line` is as strong as text

/// Dash patterns of the first, second and third round of colours.
const QList<qreal>& dashesOf(int round) {
  static const QList<QList<qreal>> kDashes = {{}, {4, 3}, {1, 2}};
  return kDashes[std::min<qsizetype>(round, kDashes.size() - 1)];
}

void themeAxis(QCPAxis& axis, const Colors& c) {
  axis.setBasePen(QPen(c.edge, c.edgeWidth));
  axis.setTickPen(QPen(c.edge, 1));
  axis.setSubTicks(false);
  axis.setTickLength(0, kGapInside);
  axis.setTickLabelFont(fonts().caption);
  axis.setTickLabelColor(c.second);
  axis.setLabelFont(fonts().caption);
  axis.setLabelColor(c.second);
  axis.setTickLabelPadding(kGapInside);
  axis.setLabelPadding(kGapInside);
  axis.ticker()->setTickCount(kTicks);
  axis.grid()->setPen(QPen(c.edgeWidth > 1 ? mixed(c.line, c.surface, kContrastGrid) : c.line, 1));
  axis.grid()->setZeroLinePen(Qt::NoPen);
  axis.grid()->setSubGridVisible(false);
}

}  // namespace

void themePlot(QCustomPlot& plot) {
  const Colors& c = colors();
  plot.setBackground(c.surface);
  plot.setNoAntialiasingOnDrag(true);
  for (QCPAxisRect* rect : plot.axisRects()) {
    rect->setBackground(c.surface);
    for (QCPAxis* axis : rect->axes()) themeAxis(*axis, c);
    for (const auto side : {QCPAxis::atTop, QCPAxis::atRight}) {
      for (QCPAxis* axis : rect->axes(side)) axis->setVisible(false);
    }
  }
  plot.replot(QCustomPlot::rpQueuedReplot);
}

QColor seriesColor(int slot) {
  const auto& series = colors().series;
  return series[static_cast<std::size_t>(std::max(0, slot)) % series.size()];
}

QColor stepColor(int slot, int step, int of) {
  const QColor hue = seriesColor(slot);
  if (of < 2) return hue;
  const QColor strong = mixed(colors().text, hue, kStrongest);
  double part = kFaintest;
  while (part > 0 && contrast(mixed(colors().surface, hue, part), colors().surface) < kVisible) part -= 0.05;
  const QColor faint = mixed(colors().surface, hue, std::max(part, 0.0));
  return mixed(faint, strong, static_cast<double>(std::clamp(step, 0, of - 1)) / (of - 1));
}

QPen seriesPen(int slot, bool dashed, double width) {
  const int round = std::max(0, slot) / static_cast<int>(colors().series.size());
  QPen pen(seriesColor(slot), width);
  if (dashed || round > 0) pen.setDashPattern(dashesOf(std::max(1, round)));
  pen.setJoinStyle(Qt::RoundJoin);
  pen.setCapStyle(Qt::FlatCap);
  return pen;
}

QColor paler(const QColor& color) {
  return mixed(color, colors().surface, kPaler);
}

void themeChart(QChart& chart) {
  const Colors& c = colors();
  chart.setBackgroundVisible(true);
  chart.setBackgroundRoundness(0);
  chart.setBackgroundBrush(c.surface);
  chart.setBackgroundPen(Qt::NoPen);
  chart.setPlotAreaBackgroundVisible(false);
  chart.setAnimationOptions(QChart::NoAnimation);
  chart.setDropShadowEnabled(false);
  chart.setMargins(QMargins(0, 0, 0, 0));
  chart.setTitleFont(fonts().caption);
  chart.setTitleBrush(c.second);
  QLocale grouped = QLocale::c();  // "8,000", as format.h prints counts
  grouped.setNumberOptions(QLocale::DefaultNumberOptions);
  chart.setLocalizeNumbers(true);
  chart.setLocale(grouped);
  for (QAbstractAxis* axis : chart.axes()) {
    const bool across = axis->orientation() == Qt::Horizontal;
    axis->setLabelsFont(fonts().caption);
    axis->setLabelsColor(c.second);
    axis->setTitleFont(fonts().caption);
    axis->setTitleBrush(c.second);
    axis->setLinePen(QPen(c.edge, c.edgeWidth));
    axis->setGridLinePen(QPen(c.line, 1));
    axis->setGridLineVisible(!across);
    axis->setMinorGridLineVisible(false);
    axis->setShadesVisible(false);
  }
}

}  // namespace strata
