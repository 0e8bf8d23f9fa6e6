#pragma once
// The questions of a comparison: filtered by which side is right, searched, and one of them whole below.

#include <QTimer>
#include <QWidget>

#include "widgets/evaluation/comparison.h"

class QLineEdit;
class QSplitter;
class QTreeView;

namespace strata {

class Label;
class SampleDetail;
class SampleTable;
class SegmentedButtons;
class StatePane;

class SamplesView : public QWidget {
  Q_OBJECT

 public:
  SamplesView(Session& session, Comparison& comparison, QWidget* parent = nullptr);

  SampleDetail* detail() const { return m_detail; }
  SampleTable* samples() const { return m_table; }
  QList<QWidget*> panes() const;
  QByteArray saveState() const;
  void restoreState(const QByteArray& state);

 Q_SIGNALS:
  void stateChanged();
  /// Another question, or none.
  void sampleChanged();

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  QWidget* buildList();
  void follow();
  void showCounts();
  void showState();
  void keepChoice();

  Session& m_session;
  Comparison& m_comparison;
  SampleTable* m_table;
  SegmentedButtons* m_filters;
  QLineEdit* m_search;
  QTreeView* m_view;
  StatePane* m_state;
  SampleDetail* m_detail;
  QSplitter* m_split;
  QTimer m_typing;
  std::string m_chosen;
  std::int64_t m_answered = -1;  // by both sides, or by A alone, when the list was asked for last
  std::string m_runState;        // of A's run at that time
};

}  // namespace strata
