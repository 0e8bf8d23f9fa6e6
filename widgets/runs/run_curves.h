#pragma once
// The metrics of one run as the engine has them: read once in buckets, then followed while the run is alive. Plots keep
// the points themselves; this only brings them.
//
//   auto* curves = new RunCurves(session.engine(), run, this);
//   connect(curves, &RunCurves::arrived, this, [=](const QString& metric, const PlotColumns& all) { … setSeries … });
//   connect(curves, &RunCurves::grew, this, [=](const QString& metric, const PlotColumns& points) { … append … });
//   curves->open(alive);
// GUI thread. A watch is given up with the object.

#include <QObject>
#include <QStringList>
#include <string>
#include <vector>

#include "widgets/client/engine_client.h"
#include "widgets/plots/series_data.h"

namespace strata {

class RunCurves : public QObject {
  Q_OBJECT

 public:
  RunCurves(EngineClient& engine, std::string run, QObject* parent);
  ~RunCurves() override;

  const std::string& run() const { return m_run; }
  /// Reads everything; `alive`: and follows what comes.
  void open(bool alive);
  /// Follows from now on, what it missed included; or no longer.
  void follow(bool alive);
  bool following() const { return m_following; }
  /// Finer buckets of a stretch; refined() brings them.
  void refine(const QStringList& metrics, PlotAxis axis, double from, double to, int buckets);

 Q_SIGNALS:
  /// All of a metric, in at most kBuckets buckets.
  void arrived(const QString& metric, const strata::PlotColumns& all);
  void grew(const QString& metric, const strata::PlotColumns& points);
  void refined(const QString& metric, strata::PlotAxis axis, const strata::PlotColumns& stretch);
  /// What there was at open() is here.
  void opened();
  void failed(const QString& sentence);

 private:
  void readNames(std::function<void(std::vector<std::string>)> then);
  void read(std::vector<std::string> names, std::optional<double> from);
  void finishOpening();
  void readRest();
  void take(const protocol::JobPoints& points);
  void watch(bool on);

  EngineClient& m_engine;
  std::string m_run;
  bool m_opened = false, m_following = false, m_watching = false, m_ended = false;
  double m_lastLoss = 0;  // its newest step
};

}  // namespace strata
