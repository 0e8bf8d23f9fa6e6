#pragma once
// What quality costs: a point for each thing that was measured, size against score, with intervals where they are
// known. Each series has its front drawn: the points that no other of the series beats in both.
//
//   auto* plot = new ParetoPlot(tr("NLL"), tr("nats"), this);
//   plot->setAxis(tr("KV per token"), tr("KiB"));
//   plot->setSeries({{tr("base"), 0, {{3.0, 3.62, {}, {}, "full"}, {1.5, 4.26, 4.1, 4.4, "stride:2"}}}}, true);
//   connect(plot, &ParetoPlot::pointChosen, …);    // by click, or by Left, Right and Enter
// GUI thread.

#include <optional>
#include <vector>

#include "widgets/plots/plot_frame.h"

namespace strata {

struct ParetoPoint {
  double x = 0, y = 0;
  std::optional<double> low, high;  // of y
  QString label;
};

struct ParetoSeries {
  QString name;
  int slot = 0;  // 0 and 1: sides A and B; others as in seriesColor()
  std::vector<ParetoPoint> points;
};

/// Indices of the points that no other has both less x and a better y than, by x. Of equal points the first.
std::vector<std::size_t> paretoFront(const std::vector<ParetoPoint>& points, bool lowerIsBetter);

class ParetoPlot : public PlotFrame {
  Q_OBJECT

 public:
  struct At {
    std::size_t series = 0, point = 0;
    bool operator==(const At&) const = default;
  };

  explicit ParetoPlot(const QString& title, const QString& unit = {}, QWidget* parent = nullptr);
  ~ParetoPlot() override;

  /// Below the x axis.
  void setAxis(const QString& name, const QString& unit);
  void setSeries(std::vector<ParetoSeries> series, bool lowerIsBetter);
  /// The point with a ring around it; the chosen one by default.
  void setCurrent(std::optional<At> at);
  std::optional<At> current() const;
  /// Where a point stands on the canvas; for tests and tooltips.
  QPointF positionOf(At at) const;

  QString summary() const override;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void pointChosen(std::size_t series, std::size_t point);
  /// A right click on a point, or the menu key where one is current. Elsewhere the plot's own menu opens.
  void pointMenuWanted(std::size_t series, std::size_t point, const QPoint& global);

 protected:
  void redraw() override;
  void refreshTable() override;
  TableText tableText() const override;
  bool isEmpty() const override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Private;
  std::unique_ptr<Private> m_private;
};

}  // namespace strata
