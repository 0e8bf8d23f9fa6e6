#pragma once
// Files and folders of the engine's machine, to choose a data set: a file, or a folder of them.

#include "widgets/session/session.h"
#include "widgets/style/popup.h"

class QLineEdit;
class QListWidget;

namespace strata {

class Button;
class Label;

/// Whether a file's name is one of data: text, JSON, CSV or Parquet, also compressed.
bool isDataName(const QString& name);

class FilePopup : public Popup {
  Q_OBJECT

 public:
  FilePopup(Session& session, const QString& folder, QWidget* parent);

 Q_SIGNALS:
  void chosen(const QString& path);

 private:
  void go(const QString& folder);
  void fill(const protocol::ListFolder::Answer& answer);
  void activate(int row);
  void take(const QString& path);
  void say(const QString& problem);
  Session& m_session;
  QLineEdit* m_path;
  QListWidget* m_list;
  Label* m_problem;
  Button* m_use;
  protocol::ListFolder::Answer m_shown;
  int m_asked = 0;
};

}  // namespace strata
