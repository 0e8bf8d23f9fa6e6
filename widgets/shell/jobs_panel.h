#pragma once
// What the strip of jobs opens to: all jobs of the project, and the log of the one that is chosen.

#include <QTimer>
#include <QWidget>

#include "widgets/session/session.h"

class QPlainTextEdit;
class QSplitter;
class QLineEdit;
class QSortFilterProxyModel;
class QTreeView;

namespace strata {

class Button;
class Label;

class JobsPanel : public QWidget {
  Q_OBJECT

 public:
  explicit JobsPanel(Session& session, QWidget* parent = nullptr);

  void select(const std::string& id);

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  QWidget* buildList();
  void keepChoice();
  void chose();
  void showActions();
  void readLog();
  const protocol::JobInfo* current() const;

  Session& m_session;
  RunTable& m_runs;
  QLineEdit* m_search;
  QTreeView* m_list;
  QSortFilterProxyModel* m_shownRuns;
  QPlainTextEdit* m_log;
  Label *m_message, *m_problem;
  Button *m_stop, *m_trash, *m_edit, *m_undo;
  QSplitter* m_split;
  QTimer m_poll;
  std::string m_shown;       // whose log is shown
  std::int64_t m_next = -1;  // byte of it to go on from
  bool m_reading = false;
};

}  // namespace strata
