#pragma once
// What stands beside the form while a run is set up: whether it is ready and why not, what it will take in memory, time
// and on the disk, and Start.

#include <QWidget>
#include <optional>

#include "core/protocol/train_messages.h"
#include "widgets/style/pane.h"

class QProgressBar;
class QVBoxLayout;

namespace strata {

class Button;
class Label;

class RunCard : public Pane {
  Q_OBJECT

 public:
  /// What is wrong, and the field that it is about ("": none alone).
  struct Problem {
    QString field, sentence;
    bool operator==(const Problem&) const = default;
  };
  using Estimate = protocol::EstimateTraining::Answer;
  using Probe = protocol::ProbeTraining::Answer;

  explicit RunCard(QWidget* parent = nullptr);

  /// One sentence: what the run does.
  void setSummary(const QString& sentence);
  void setProblems(const QList<Problem>& problems);
  /// Nothing: the figures are not known (yet).
  void setEstimate(const std::optional<Estimate>& estimate);
  /// That Start makes, one after the other: more than one in a sweep.
  void setRuns(int count);
  /// Bytes of the weights that are open in the engine; 0: none are.
  void setOpenModels(std::int64_t bytes);
  void setProbe(const std::optional<Probe>& probe);
  /// While it measures: how far; Stop in place of Measure.
  void setMeasuring(bool measuring, const QString& stage = {}, double part = -1);
  /// Why measuring did not work; "": no reason.
  void setProbeProblem(const QString& sentence);
  /// The engine is away, or the start was asked for: `why` stands in place of it.
  void setStartEnabled(bool enabled, const QString& why = {});
  void setStartText(const QString& text);
  bool isReady() const { return m_problems.isEmpty(); }

 Q_SIGNALS:
  void fieldWanted(const QString& field);
  void measureWanted();
  void stopMeasuringWanted();
  void startWanted();
  void unloadWanted();

 private:
  void showMemory();
  void showTime();
  QWidget* buildMemory();
  QWidget* buildTime();

  QList<Problem> m_problems;
  std::optional<Estimate> m_estimate;
  std::optional<Probe> m_probe;
  bool m_measuring = false;
  Label *m_title, *m_summary;
  QVBoxLayout* m_reasons;
  std::vector<Label*> m_predicted, m_measured;
  Label *m_measuredHead, *m_ranks, *m_fits, *m_time, *m_timeNote, *m_disk, *m_startNote;
  std::int64_t m_open = 0;
  int m_runs = 1;
  Button *m_measure, *m_start, *m_unload;
  QProgressBar* m_bar;
};

}  // namespace strata
