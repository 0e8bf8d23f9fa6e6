#pragma once
// Two adapters that let QCustomPlot call functions of ours. For the sources of this folder: qcustomplot.h needs Qt's
// keywords.

#include <qcustomplot.h>

#include <functional>
#include <utility>

namespace strata {

/// Draws on a layer of the plot; `paint` outlives the plot.
class PlotPainting : public QCPLayerable {
 public:
  using Paint = std::function<void(QCPPainter&)>;
  PlotPainting(QCustomPlot& plot, const char* layer, Paint paint)
      : QCPLayerable(&plot, QLatin1String(layer)), m_paint(std::move(paint)) {}

 protected:
  void applyDefaultAntialiasingHint(QCPPainter* painter) const override { painter->setAntialiasing(true); }
  void draw(QCPPainter* painter) override { m_paint(*painter); }

 private:
  Paint m_paint;
};

/// Ticks and their labels from a function of the range.
class PlotTicker : public QCPAxisTicker {
 public:
  using Ticks = std::function<void(const QCPRange&, QVector<double>& ticks, QVector<QString>& labels)>;
  explicit PlotTicker(Ticks ticks) : m_ticks(std::move(ticks)) {}
  void generate(const QCPRange& range, const QLocale&, QChar, int, QVector<double>& ticks, QVector<double>* subTicks,
                QVector<QString>* tickLabels) override {
    QVector<QString> labels;
    ticks.clear();
    m_ticks(range, ticks, labels);
    if (subTicks) subTicks->clear();
    if (tickLabels) *tickLabels = labels;
  }

 private:
  Ticks m_ticks;
};

}  // namespace strata
