#pragma once
// Chats and runs in the project's trash: restored, or deleted permanently.

#include <QStringList>
#include <QWidget>
#include <vector>

#include "widgets/session/session.h"

class QListWidget;

namespace strata {

class Button;
class Label;

class TrashList : public QWidget {
  Q_OBJECT

 public:
  TrashList(Session& session, QWidget* parent = nullptr);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void refresh();
  void fill();
  void fitList();
  void showActions();
  void change(const char* how);
  void say(const QString& problem);

  Session& m_session;
  QListWidget* m_list;
  Label *m_empty, *m_problem;
  Button *m_restore, *m_delete;
  std::vector<protocol::ChatInfo> m_chats;
  QStringList m_shown;  // text and id of each row
  bool m_sure = false;  // delete was pressed once
};

}  // namespace strata
