#pragma once
// A report of runs that are chosen from a list.

#include "widgets/session/session.h"
#include "widgets/style/popup.h"

class QLineEdit;
class QListWidget;

namespace strata {

class Button;
class Label;

class NewReportPopup : public Popup {
  Q_OBJECT

 public:
  NewReportPopup(Session& session, QWidget* parent);

 Q_SIGNALS:
  void written(const QString& name);

 private:
  void fill();
  void showState();
  void write();
  std::vector<std::string> chosen() const;

  Session& m_session;
  QListWidget* m_runs;
  QLineEdit* m_name;
  Label* m_problem;
  Button* m_write;
  bool m_writing = false;
};

}  // namespace strata
