#pragma once
// The page Evaluate: asks both sides the same questions, and shows what was found: the paired difference first, then
// scores, each question with both answers, and what was measured of each model under each map.

#include <QPointer>

#include "widgets/evaluation/comparison.h"
#include "widgets/session/page.h"

class QStackedWidget;

namespace strata {

class Button;
class ComparisonChooser;
class EvaluationSetup;
class MatrixView;
class PromptView;
class ResultsView;
class SamplesView;
class SegmentedButtons;
class StatePane;

class EvaluationPage : public Page {
  Q_OBJECT

 public:
  enum View { kResults, kSamples, kMatrix, kPrompt };

  explicit EvaluationPage(Session& session, QWidget* parent = nullptr);
  ~EvaluationPage() override;

  QString id() const override { return QStringLiteral("evaluate"); }
  QString title() const override { return tr("Evaluate"); }
  QString iconName() const override { return QStringLiteral("clipboard-data"); }
  bool showsSides() const override { return true; }
  QWidget* inspector() override;
  QList<QWidget*> panes() override;
  QList<QPair<QString, QString>> keys() override;
  bool shows(const Place& place) const override;
  void open(const Place& place) override;
  QUndoStack* undoStack() override;
  QByteArray saveState() const override;
  void restoreState(const QByteArray& state) override;
  void updateActions() override;

  Comparison& comparison() { return m_comparison; }
  EvaluationSetup* setup() const { return m_setup; }
  SamplesView* samples() const { return m_samples; }
  void showView(View view);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  QWidget* buildHead();
  void connectAll();
  void sidesChanged();
  /// Until one is chosen by hand: the newest evaluation of what stands on the sides, else the newest.
  void chooseNewest();
  bool chooseFor(const std::optional<protocol::Side>& a, const std::optional<protocol::Side>& b);
  std::string measuredMap(Which which, const std::string& run, const protocol::Side& side) const;
  bool isOfSides() const;
  void showState();
  void writeReport();
  QString comparedText() const;

  Session& m_session;
  Comparison m_comparison;
  EvaluationSetup* m_setup;
  QPointer<QWidget> m_inspector;  // the setup, in the window's care
  ComparisonChooser* m_chooser;
  SegmentedButtons* m_views;
  Button* m_report;
  QStackedWidget *m_stack, *m_found;
  StatePane* m_state;
  ResultsView* m_results;
  SamplesView* m_samples;
  MatrixView* m_matrix;
  PromptView* m_prompt;
  QAction *m_startAction, *m_reportAction, *m_chatAction;
  bool m_byHand = false;  // the comparison was chosen, and does not follow the sides
  bool m_writing = false;
  QString m_reportProblem;
};

}  // namespace strata
