#pragma once
// A report of runs that are chosen from a list.

#include "widgets/session/session.h"
#include "widgets/style/popup.h"

class QLineEdit;
class QListWidget;
class QPlainTextEdit;

namespace strata {

class Button;
class Label;

class NewReportPopup : public Popup {
  Q_OBJECT

 public:
  /// `notes`: what was typed for a report that was not written; it outlives the popup.
  NewReportPopup(Session& session, QString& notes, QWidget* parent);

 Q_SIGNALS:
  void written(const QString& name);

 private:
  void fill();
  void showState();
  void write();
  std::vector<std::string> chosen() const;

  Session& m_session;
  QString& m_draft;
  QListWidget* m_runs;
  QLineEdit* m_name;
  QPlainTextEdit* m_notes;
  Label* m_problem;
  Button* m_write;
  bool m_writing = false;
};

}  // namespace strata
