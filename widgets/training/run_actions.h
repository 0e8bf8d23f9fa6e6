#pragma once
// What is done to the run that is selected in the list: menu entries with their keys, for the list, the run's head and
// Ctrl+K alike.
//
//   auto* actions = new RunActions(session, *view, this);
//   actions->setRun(id);
//   menu->addActions(actions->all());
// GUI thread.

#include <QAction>
#include <QObject>
#include <string>

#include "widgets/session/session.h"

namespace strata {

class RunActions : public QObject {
  Q_OBJECT

 public:
  /// `view`: where the keys work and what pop-ups open over.
  RunActions(Session& session, QWidget* view, QObject* parent);

  const QList<QAction*>& all() const { return m_actions; }
  /// "": none.
  void setRun(const std::string& run);
  /// As the run is now.
  void update();

 Q_SIGNALS:
  /// The list shows the runs of this sweep alone.
  void sweepWanted(const QString& sweep);
  /// The curves of this sweep's runs stand beside one another.
  void sweepTicked(const QString& sweep);
  /// The run goes to the trash.
  void trashed(const QString& run);
  void failed(const QString& sentence);

 private:
  QAction* add(const char* objectName, const QString& text, const QKeySequence& keys,
               void (RunActions::*act)(const protocol::JobInfo& run));
  void rename(const protocol::JobInfo& run);
  void trash(const protocol::JobInfo& run);
  void exportCsv(const protocol::JobInfo& run) { exportAs(run, "csv"); }
  void exportTensorboard(const protocol::JobInfo& run) { exportAs(run, "tensorboard"); }
  void exportAs(const protocol::JobInfo& run, const char* format);
  void showSweep(const protocol::JobInfo& run) { Q_EMIT sweepWanted(QString::fromStdString(run.sweep)); }
  void drawSweep(const protocol::JobInfo& run) { Q_EMIT sweepTicked(QString::fromStdString(run.sweep)); }
  void startEarlier(const protocol::JobInfo& run) { moveInQueue(run, -1); }
  void startLater(const protocol::JobInfo& run) { moveInQueue(run, 1); }
  void moveInQueue(const protocol::JobInfo& run, int by);

  Session& m_session;
  QWidget* m_view;
  std::string m_run;
  QList<QAction*> m_actions;
  QAction *m_rename, *m_csv, *m_tensorboard, *m_sweep, *m_drawSweep, *m_earlier, *m_later, *m_trash;
};

}  // namespace strata
