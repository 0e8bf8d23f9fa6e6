#pragma once
// What plots share that stand beside each other: which x axis is shown, which stretch of it, one crosshair, the way
// back through the zooms, and their margins, so that equal x lie above each other.
//
//   auto* link = new PlotLink(page);
//   loss->setLink(link);
//   speed->setLink(link);
//   link->setAxis(PlotAxis::tokens);
// GUI thread. A plot that is not linked has one of its own.

#include <QObject>
#include <map>
#include <optional>
#include <vector>

#include "widgets/plots/series_data.h"

namespace strata {

class PlotLink : public QObject {
  Q_OBJECT

 public:
  /// Whether a change is a zoom of its own, or belongs to the one before (a drag, a turn of the wheel).
  enum class Step { begins, continues };

  explicit PlotLink(QObject* parent = nullptr) : QObject(parent) {}

  PlotAxis axis() const { return m_axis; }
  /// Shows everything: a stretch of steps is no stretch of seconds.
  void setAxis(PlotAxis axis);

  /// The stretch that is shown: the chosen one, or all that the plots have.
  PlotRange range() const;
  /// All that the plots have; {0, 1} where they have nothing.
  PlotRange whole() const;
  bool isWhole() const { return !m_view.x; }
  /// Kept inside whole(); as wide as that or wider: everything, also what comes later.
  void setRange(PlotRange range, Step step = Step::begins);
  /// `factor` < 1: nearer, around `x`.
  void zoom(double factor, double x, Step step = Step::begins);
  /// By a part of the range: 0.5 is half of it to the right.
  void pan(double part, Step step = Step::begins);
  /// Values that one plot shows; nothing: those that fit.
  std::optional<PlotRange> values(const QObject* plot) const;
  void setValues(const QObject* plot, std::optional<PlotRange> range, Step step = Step::begins);
  /// One zoom back; false: there is none.
  bool back();
  /// Everything is shown again; back() undoes it.
  void reset();

  std::optional<double> crosshair() const { return m_crosshair; }
  /// The plot where the crosshair was set.
  const QObject* crosshairSource() const { return m_crosshairSource; }
  void setCrosshair(std::optional<double> x, const QObject* source);

  /// Told by each plot: what x it has, and what it needs beside its axes, in pixels.
  struct Claim {
    std::optional<PlotRange> x;
    int left = 0, right = 0;
    bool operator==(const Claim&) const = default;
  };
  void claim(const QObject* plot, const Claim& claim);
  void leave(const QObject* plot);
  int left() const;
  int right() const;

 Q_SIGNALS:
  void axisChanged();
  /// Also when whole() grew while all of it is shown.
  void rangeChanged();
  void crosshairMoved();
  void marginsChanged();

 private:
  struct View {
    std::optional<PlotRange> x;
    std::map<const QObject*, PlotRange> values;
    bool operator==(const View&) const = default;
  };
  void show(View view, Step step);

  PlotAxis m_axis = PlotAxis::step;
  View m_view;
  std::vector<View> m_earlier;
  std::map<const QObject*, Claim> m_claims;
  std::optional<double> m_crosshair;
  const QObject* m_crosshairSource = nullptr;
};

}  // namespace strata
