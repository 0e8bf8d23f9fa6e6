#pragma once
// One training run: how it stands, what can be done with it, its curves as they come, and what happened in it. Reads
// the run's own record, never the wizard.

#include <QTimer>
#include <QWidget>
#include <optional>

#include "widgets/session/session.h"

class QAction;
class QMenu;

namespace strata {

class Button;
class ElidedLabel;
class Label;
class RunAnswers;
class RunPlots;
class SegmentedButtons;
class Switch;

class RunMonitor : public QWidget {
  Q_OBJECT

 public:
  explicit RunMonitor(Session& session, QWidget* parent = nullptr);

  /// "": none.
  void show(const std::string& run);
  const std::string& run() const { return m_run; }
  RunPlots& plots() { return *m_plots; }
  /// What else is done to the run, for the menu of its head.
  void setActions(const QList<QAction*>& actions);
  QList<QWidget*> panes();
  /// nullptr: it is not known (yet), or gone.
  const protocol::JobInfo* info() const;
  void stop();
  void resume();

 Q_SIGNALS:
  /// Another run, from what this one was told; `extend`: it goes on from this one's weights.
  void duplicateWanted(const strata::Json& config, const QString& name, bool extend);
  void started(const QString& run);

 private:
  QWidget* buildHead();
  void follow();
  void showState();
  void showButtons(const protocol::JobInfo& job);
  std::int64_t newestCheckpoint() const;
  void readEvents();
  void readConfig(std::function<void(const protocol::ReadJobConfig::Answer&)> done);
  void duplicate(bool extend);
  void say(const QString& problem);

  Session& m_session;
  std::string m_run;
  bool m_alive = false;
  std::vector<protocol::RunEvent> m_events;
  ElidedLabel* m_title;
  Label *m_status, *m_detail, *m_message, *m_problem;
  Button *m_stop, *m_resume, *m_extend, *m_duplicate, *m_chat, *m_more;
  QMenu* m_menu;
  SegmentedButtons* m_axis;
  Switch* m_smooth;
  RunPlots* m_plots;
  RunAnswers* m_answers;
  QTimer m_eventsTimer;
};

}  // namespace strata
