#pragma once
// The page Train: the project's training runs with their curves, and a new one.

#include "widgets/session/page.h"
#include "widgets/session/session.h"

class QSplitter;
class QStackedWidget;

namespace strata {

class RunList;
class RunMonitor;
class RunWizard;
class StatePane;

class TrainPage : public Page {
  Q_OBJECT

 public:
  explicit TrainPage(Session& session, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("train"); }
  QString title() const override { return tr("Train"); }
  QString iconName() const override { return QStringLiteral("mortarboard"); }
  QList<QWidget*> panes() override;
  void updateActions() override;
  QList<QPair<QString, QString>> keys() override;
  bool shows(const Place& place) const override;
  void open(const Place& place) override;
  bool escape() override;
  QUndoStack* undoStack() override;
  QByteArray saveState() const override;
  void restoreState(const QByteArray& state) override;

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void showRuns(const std::string& run);
  void newRun();
  void followRuns();
  void showOverlays();
  void compare();
  bool wizardShown() const;

  Session& m_session;
  QStackedWidget* m_stack;
  QSplitter* m_splitter;
  RunList* m_list;
  RunMonitor* m_monitor;
  StatePane* m_state;
  RunWizard* m_wizard;
  QAction *m_newAction, *m_startAction, *m_stopAction, *m_resumeAction;
  bool m_chosen = false;  // wizard or runs, by hand or by a place
};

}  // namespace strata
