#pragma once
// One series as a plottable: decimated for the width it is drawn at, whatever that is: the screen's or an export's. For
// the sources of this folder.

#include <qcustomplot.h>

#include "widgets/plots/series_data.h"
#include "widgets/plots/series_plot.h"

namespace strata {

class SeriesGraph : public QCPAbstractPlottable {
  Q_OBJECT

 public:
  SeriesGraph(QCPAxis* keyAxis, QCPAxis* valueAxis) : QCPAbstractPlottable(keyAxis, valueAxis) {}

  SeriesData data;
  SeriesStyle style;
  PlotAxis axis = PlotAxis::step;
  bool faded = false;  // another one is highlighted
  bool highlighted = false;

  /// The line that stands for the series: smoothed where it is.
  SeriesLine line() const { return data.smoothing() > 0 ? SeriesLine::smoothed : SeriesLine::raw; }
  /// In the theme's colour, faded where it is.
  QColor color() const;
  /// More elements are in view than can be told apart: thin lines without antialiasing, which draw fast.
  bool isDense() const;
  /// Of the line in legends and at its end.
  QPen linePen() const;
  /// The last element in view that can be drawn.
  std::optional<std::size_t> lastInView() const;
  /// The values in view, as far as they can be drawn.
  Extent inView() const;
  PlotRange shownX() const { return {mKeyAxis->range().lower, mKeyAxis->range().upper}; }
  bool isLog() const { return mValueAxis->scaleType() == QCPAxis::stLogarithmic; }

  double selectTest(const QPointF&, bool, QVariant* = nullptr) const override { return -1; }
  QCPRange getKeyRange(bool& found, QCP::SignDomain = QCP::sdBoth) const override;
  QCPRange getValueRange(bool& found, QCP::SignDomain = QCP::sdBoth, const QCPRange& = QCPRange()) const override;

 protected:
  void draw(QCPPainter* painter) override;
  void drawLegendIcon(QCPPainter*, const QRectF&) const override {}

 private:
  void drawLine(QCPPainter& painter, SeriesLine line, const QPen& pen, int pixels) const;
  void drawInterval(QCPPainter& painter, int pixels) const;
  void drawDots(QCPPainter& painter, SeriesLine line, const QColor& color) const;
  double pixelY(double value) const;
};

}  // namespace strata
