#pragma once
// What the engine is doing, its log, how it is started, and a restart by hand.

#include "widgets/session/session.h"
#include "widgets/style/popup.h"

class QLineEdit;
class QPlainTextEdit;

namespace strata {

class Button;
class Field;
class Label;

/// "Engine ready", "Engine restarting", or the host where it runs elsewhere.
QString engineStateText(const EngineClient& engine);

class EnginePopup : public Popup {
  Q_OBJECT

 public:
  EnginePopup(Session& session, QWidget* parent);

 private:
  void showState();

  Session& m_session;
  Label *m_state, *m_details;
  Button *m_restart, *m_logToggle;
  QPlainTextEdit* m_log;
  QLineEdit* m_command;
};

}  // namespace strata
