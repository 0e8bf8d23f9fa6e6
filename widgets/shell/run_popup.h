#pragma once
// What people write of a run: its name, tags and a note.

#include <string>

#include "widgets/session/session.h"
#include "widgets/style/popup.h"

class QLineEdit;
class QPlainTextEdit;

namespace strata {

class Button;
class Field;

class RunPopup : public Popup {
  Q_OBJECT

 public:
  RunPopup(Session& session, const protocol::JobInfo& run, QWidget* parent);

 private:
  void save();
  Session& m_session;
  std::string m_id;
  QString m_given;  // name
  QLineEdit *m_name, *m_tags;
  QPlainTextEdit* m_note;
  Field* m_nameField;
  Button* m_save;
};

}  // namespace strata
