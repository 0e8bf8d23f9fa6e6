#pragma once
// What the sources of SeriesPlot share.

#include <QElapsedTimer>
#include <QPointer>
#include <QTimer>

#include "widgets/plots/plot_link.h"
#include "widgets/plots/plot_painting.h"
#include "widgets/plots/series_graph.h"
#include "widgets/plots/series_plot.h"
#include "widgets/plots/series_table_model.h"

namespace strata {

/// More series than these have a legend above the plot.
inline constexpr std::size_t kNamedAtEnd = 4;

struct SeriesPlot::Private {
  struct Series {
    QString id;
    SeriesGraph* graph;  // the canvas owns it
  };

  explicit Private(SeriesPlot* owner) : plot(owner), ownLink(owner) {}
  Series* find(const QString& id);
  SeriesGraph* graphOf(const QString& id) {
    Series* found = find(id);
    return found ? found->graph : nullptr;
  }
  /// Those with finite values on the axis that is shown.
  std::vector<SeriesGraph*> shown() const;
  QString format(double value) const;
  void valueTicks(PlotRange range, QVector<double>& ticks, QVector<QString>& labels) const;
  std::vector<SeriesTableColumn> columns() const;

  // series_plot_paint.cpp
  void paintBands(QCPPainter& painter) const;
  void paintMarkers(QCPPainter& painter) const;
  void paintNames(QCPPainter& painter) const;
  /// A name above the plot; without a graph it stands for those that are left out.
  struct LegendEntry {
    const SeriesGraph* graph;
    QString name;
    int line;
    double left;
  };
  /// Empty: the names are at the lines' ends.
  std::vector<LegendEntry> legend() const;
  std::vector<LegendEntry> layOutLegend(const std::vector<SeriesGraph*>& graphs) const;
  void paintLegend(QCPPainter& painter, const std::vector<LegendEntry>& entries) const;
  void paintCrosshair(QCPPainter& painter) const;
  struct Reading {
    const SeriesGraph* graph;
    double value, raw;
  };
  /// A box beside the crosshair, which is at the pixel `at`.
  void paintReadings(QCPPainter& painter, const QRect& area, double at, const std::vector<Reading>& readings) const;
  /// Room for the names at the right of the axes, in pixels.
  int roomForNames() const;
  /// Room above the axes: for half a tick label, or for the markers' names.
  int roomForMarkers() const;
  /// Room above the axes, in all.
  int roomAbove() const;

  SeriesPlot* plot;
  PlotLink ownLink;
  QPointer<PlotLink> link;
  PlotLink::Claim claim;
  std::vector<Series> series;  // in the order of their coming
  std::vector<PlotMarker> markers;
  std::vector<PlotBand> bands;
  QStringList highlighted;
  bool log = false, ignoreOutliers = false;
  double smoothing = 0;
  std::function<QString(double)> valueFormat;
  SeriesTableModel* table = nullptr;
  QAction* logAction = nullptr;
  QAction* outliersAction = nullptr;
  QList<QAction*> smoothingActions;
  QTimer ask;  // rangeWanted, once the view rests
  bool askedWhole = true;
  PlotAxis askedAxis = PlotAxis::step;
  QElapsedTimer sinceWheel;
  struct Drag {
    QPointF from;
    PlotRange x;
    std::optional<PlotRange> values;
    bool moved = false;
  };
  std::optional<Drag> drag;
};

}  // namespace strata
