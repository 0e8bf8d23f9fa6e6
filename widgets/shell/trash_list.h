#pragma once
// Chats and runs in the project's trash: taken back, or deleted for good.

#include <QStringList>
#include <QWidget>
#include <vector>

#include "widgets/shell/job_book.h"

class QListWidget;

namespace strata {

class Button;
class Label;

class TrashList : public QWidget {
  Q_OBJECT

 public:
  TrashList(Workspace& workspace, JobBook& jobs, QWidget* parent = nullptr);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void refresh();
  void fill();
  void fitList();
  void showActions();
  void change(const char* how);
  void say(const QString& problem);

  Workspace& m_workspace;
  JobBook& m_jobs;
  QListWidget* m_list;
  Label *m_empty, *m_problem;
  Button *m_restore, *m_delete;
  std::vector<protocol::ChatInfo> m_chats;
  QStringList m_shown;  // text and id of each row
  bool m_sure = false;  // delete was pressed once
};

}  // namespace strata
