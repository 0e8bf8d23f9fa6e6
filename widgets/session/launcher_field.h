#pragma once
// What training of the open project is started with: the field of the settings and of a run's set-up.

#include "widgets/style/field.h"

class QLineEdit;

namespace strata {

class Session;

class LauncherField : public Field {
  Q_OBJECT

 public:
  /// `name`: that of the line, for tests and scripts.
  LauncherField(Session& session, const char* name, QWidget* parent = nullptr);

 private:
  LauncherField(Session& session, QLineEdit* line, const char* name, QWidget* parent);
  void showStored();
  void store();
  Session& m_session;
  QLineEdit* m_line;
};

}  // namespace strata
