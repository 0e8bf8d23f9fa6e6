#pragma once
// A run that trains, in a strip above something else: how far it is, its newest scores and memory, and its loss with
// the held-out ones. It can be folded to its line.
//
//   strip->show("20261129-101500-train-ab12");   // "": none; the strip hides
// Follows the run while it lives, and stays as it is once the run has ended. GUI thread.

#include <QWidget>
#include <map>
#include <string>

#include "widgets/plots/series_data.h"
#include "widgets/session/session.h"

namespace strata {

class Button;
class ElidedLabel;
class Label;
class RunCurves;
class SeriesPlot;

class RunStrip : public QWidget {
  Q_OBJECT

 public:
  explicit RunStrip(Session& session, QWidget* parent = nullptr);

  void show(const std::string& run);
  const std::string& run() const { return m_run; }
  bool isFolded() const { return m_folded; }
  void setFolded(bool folded);
  SeriesPlot& plot() const { return *m_plot; }

 Q_SIGNALS:
  void foldedChanged();

 private:
  void take(const QString& metric, const PlotColumns& columns, bool all);
  void follow();
  void showState();

  Session& m_session;
  std::string m_run;
  bool m_folded = false;
  ElidedLabel* m_name;
  ElidedLabel* m_detail;
  Button *m_open, *m_fold;
  SeriesPlot* m_plot;
  RunCurves* m_curves = nullptr;
  std::map<QString, double> m_newest;  // of the scores and the memory, by metric
};

}  // namespace strata
