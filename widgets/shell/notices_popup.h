#pragma once
// What the bell opens: everything that the window has said, the newest first. Enter or a click goes where one leads.

#include "widgets/session/session.h"
#include "widgets/style/popup.h"

class QListView;

namespace strata {

class NoticesPopup : public Popup {
  Q_OBJECT

 public:
  NoticesPopup(Session& session, QWidget* parent);

 private:
  void go(const QModelIndex& index);
  void copy();

  Session& m_session;
  QListView* m_list;
};

}  // namespace strata
