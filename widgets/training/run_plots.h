#pragma once
// The plots of one run, one x axis through all of them, and beside them the curves of other runs for comparison.

#include <QScrollArea>
#include <map>
#include <string>
#include <vector>

#include "core/protocol/messages.h"
#include "widgets/plots/series_plot.h"
#include "widgets/session/session.h"

class QGridLayout;

namespace strata {

class BorrowedBars;
class PlotLink;
class RunCurves;

class RunPlots : public QScrollArea {
  Q_OBJECT

 public:
  explicit RunPlots(Session& session, QWidget* parent = nullptr);
  ~RunPlots() override;

  /// Shows this run's curves; "": none.
  void show(const std::string& run, bool alive);
  /// The run began or ended: its curves go on, or no longer.
  void follow(bool alive);
  /// Another run whose curves stand beside, in the colour of the slot.
  struct Overlay {
    std::string run;
    QString name;
    int slot = 2;
    bool alive = false;
  };
  void setOverlays(const std::vector<Overlay>& overlays);
  void setEvents(const std::vector<protocol::RunEvent>& events);
  /// The memory that was predicted for the run; 0: none was.
  void setPredictedMemory(std::int64_t bytes);
  /// This run stands out in every plot; "": none does.
  void highlight(const std::string& run);
  void setAxis(PlotAxis axis);
  void setSmooth(bool on);
  const std::vector<SeriesPlot*>& plots() const { return m_plots; }
  /// The shown run is at this step.
  void setStep(std::int64_t step, bool alive);

 Q_SIGNALS:
  void failed(const QString& sentence);
  /// The first points of the shown run are here.
  void begun();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  struct Source;  // one run's curves
  enum Plot { kLoss, kNll, kScores, kMemory, kSpeed, kRate, kNorm, kRouting, kParts, kPlots };

  void buildPlots();
  void arrange();
  void removeSource(std::size_t at);
  void addSource(const std::string& run, const QString& name, int slot, bool alive);
  void arrived(Source& source, const QString& metric, const PlotColumns& all);
  /// F1 or a bound of its interval, all of it or newer points: they come one by one and are drawn together.
  void takeScore(Source& source, const QString& metric, const PlotColumns& columns, bool whole);
  SeriesStyle styleOf(const Source& source, const QString& metric) const;
  void showPlots();
  void showPrediction();
  /// By its title while other runs stand beside it.
  void nameShownRun();
  PlotPlace placeOf(double step) const;
  /// -1: no plot shows it.
  static int plotOf(const QString& metric);
  /// Of the plot's unit: bytes are shown as MiB, scores as percent.
  static double factorOf(int plot);
  static QString seriesId(const std::string& run, const QString& metric);

  Session& m_session;
  PlotLink* m_link;
  std::vector<SeriesPlot*> m_plots;
  BorrowedBars* m_borrowed;
  std::vector<std::unique_ptr<Source>> m_sources;  // [0] is the shown run's
  QWidget* m_content;
  QGridLayout* m_grid;
  std::vector<protocol::RunEvent> m_events;
  std::int64_t m_predicted = 0;
  QString m_shownName;  // "": no other run stands beside the shown one
  int m_columns = 0;
  std::vector<bool> m_has;  // which plots have anything
};

}  // namespace strata
