#pragma once
// What the engine is doing, its log, how it is started, and a restart by hand.

#include "widgets/shell/popup.h"
#include "widgets/shell/workspace.h"

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
  EnginePopup(Workspace& workspace, QWidget* parent);

 Q_SIGNALS:
  /// Start this one from now on.
  void commandChosen(const QString& command);

 private:
  void showState();

  Workspace& m_workspace;
  Label *m_state, *m_details;
  Button *m_restart, *m_logToggle;
  QPlainTextEdit* m_log;
  QLineEdit* m_command;
};

}  // namespace strata
