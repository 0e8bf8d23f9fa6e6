#pragma once
// Curves over steps, tokens or seconds: as many points as there are, at most 30 repaints a second.
//
//   auto* loss = new SeriesPlot(tr("Loss"), tr("nats"), this);
//   loss->setLink(link);                                        // one x axis and crosshair for all plots of the page
//   loss->setSeries("loss", {.name = tr("training"), .slot = 0, .live = true}, columns);
//   loss->append("loss", points);                               // as they come; drawn in the next frame
//   connect(loss, &SeriesPlot::rangeWanted, this, …);           // fetch finer buckets, then loss->refine("loss", …)
// Wheel: zoom at the pointer, over the y axis zoom y; drag: pan; double click or Home: everything; Backspace: one zoom
// back; arrows pan, + and - zoom, Shift+arrows move the crosshair. GUI thread.

#include <QStringList>
#include <vector>

#include "widgets/plots/plot_frame.h"
#include "widgets/plots/series_data.h"

namespace strata {

class PlotLink;

struct SeriesStyle {
  QString name = {};        // at the line's end, in the read-out and in exports
  int slot = 0;             // colour and dashes: plot_theme.h; 0 and 1 are sides A and B
  bool dashed = false;      // side B
  int step = 0, steps = 0;  // of several in an order: a step of the slot's hue
  bool live = false;        // grows now: a thin line
  bool interval = false;    // min and max are an interval around the value: drawn as a band
  bool operator==(const SeriesStyle&) const = default;
};

/// Where something stands on each axis; not a number: not known there.
struct PlotPlace {
  double step = std::numeric_limits<double>::quiet_NaN(), tokens = step, seconds = step;
  double on(PlotAxis axis) const { return axis == PlotAxis::step ? step : axis == PlotAxis::tokens ? tokens : seconds; }
};

enum class MarkerKind { checkpoint, evaluation, skipped };

struct PlotMarker {
  MarkerKind kind = MarkerKind::checkpoint;
  PlotPlace at;
  QString name;
};

struct PlotBand {
  PlotPlace from, to;
  QString name;
};

class SeriesPlot : public PlotFrame {
  Q_OBJECT

 public:
  explicit SeriesPlot(const QString& title, const QString& unit = {}, QWidget* parent = nullptr);
  ~SeriesPlot() override;

  /// Shares x axis, zoom and crosshair from now on. The link outlives the plot, or the plot goes back to its own.
  void setLink(PlotLink* link);
  PlotLink& link() const;

  /// A new series, or all of one anew.
  void setSeries(const QString& id, const SeriesStyle& style, PlotColumns columns);
  void setStyle(const QString& id, const SeriesStyle& style);
  /// As SeriesData::append and refine; ids that are not known are ignored.
  void append(const QString& id, PlotColumns columns);
  void refine(const QString& id, PlotColumns columns);
  void removeSeries(const QString& id);
  QStringList series() const;
  const SeriesData* data(const QString& id) const;

  void setMarkers(std::vector<PlotMarker> markers);
  void setBands(std::vector<PlotBand> bands);
  /// This one stands out, the others fade; empty: none.
  void setHighlighted(const QString& id) { setHighlighted(id.isEmpty() ? QStringList() : QStringList(id)); }
  void setHighlighted(const QStringList& ids);
  const QStringList& highlighted() const;

  bool logScale() const;
  void setLogScale(bool on);
  /// The y axis spans the 1st to the 99th percentile of what is in view.
  bool ignoresOutliers() const;
  void setIgnoreOutliers(bool on);
  /// Weight of the moving average, 0 (none) to less than 1; raw data stands behind it, paler.
  double smoothing() const;
  void setSmoothing(double weight);
  /// How values read in the crosshair's box and in words; formatFigure() by default.
  void setValueFormat(std::function<QString(double)> format);

  QString summary() const override;
  /// The values at the crosshair: "step 1,200: A 2.145, B 2.301"; empty where it is not set.
  QString readOut() const;
  /// The values that the y axis spans.
  PlotRange shownValues() const;

 Q_SIGNALS:
  /// Another stretch or axis came into view: buckets of it would be finer than those that are here. The stretch is
  /// twice as wide as the view, so that a pan finds points; `buckets` are two a pixel of it.
  void rangeWanted(strata::PlotAxis axis, double from, double to, int buckets);
  /// Log, outliers or smoothing changed, also through the plot's own menu.
  void optionsChanged();

 protected:
  void redraw() override;
  void refreshTable() override;
  TableText tableText() const override;
  bool isEmpty() const override;
  QString emptyText() const override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Private;
  void addActions();
  void smooth();
  void fitValues();
  void askForRange();
  void claimData();
  void claimMargins();
  void showState();
  /// In the link's range, which the canvas takes over in the next frame.
  double xAt(double pixel) const;
  void moveCrosshair(double pixelX);
  void stepCrosshair(int direction);
  bool wheel(QWheelEvent& event);
  bool press(QMouseEvent& event);
  bool drag(QMouseEvent& event);
  bool key(QKeyEvent& event);
  std::unique_ptr<Private> m_private;
};

}  // namespace strata
