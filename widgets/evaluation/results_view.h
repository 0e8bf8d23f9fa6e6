#pragma once
// What a comparison found: the paired difference in words and on a line at zero, the scores of both sides as dots with
// intervals, and all of it as a table that fills while the evaluations run.

#include <QWidget>
#include <vector>

#include "widgets/evaluation/comparison.h"

class QTreeView;

namespace strata {

class IntervalPlot;
class IntervalTableModel;
class Label;

/// The comparison in one sentence: whether B differs from A, by how much, and how surely.
QString conclusionOf(const Comparison& comparison, bool isStartingB);
/// What it rests on: questions, McNemar's test, Holm's method, and the least difference that would show.
QString evidenceOf(const Comparison& comparison);

class ResultsView : public QWidget {
  Q_OBJECT

 public:
  ResultsView(Session& session, Comparison& comparison, QWidget* parent = nullptr);

  QWidget* table() const;
  /// Whether the evaluation of B is being started.
  void setStartingB(bool on);

 Q_SIGNALS:
  /// Another map to be side B.
  void sideWanted(const strata::protocol::EvaluatedSide& b);

 private:
  void show();
  void showTable();
  void showScores();
  void showDifferences();
  void want(const protocol::EvaluatedSide& side);
  QString nameOf(const protocol::EvaluatedSide& side) const;

  Session& m_session;
  Comparison& m_comparison;
  Label *m_conclusion, *m_evidence;
  IntervalPlot *m_difference, *m_scores;
  QTreeView* m_view;
  IntervalTableModel* m_table;
  std::vector<protocol::EvaluatedSide> m_rows, m_differences;  // what rows of table and plot are of
  bool m_showing = false, m_startingB = false;
};

}  // namespace strata
