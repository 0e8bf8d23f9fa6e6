#pragma once
// Folders of the engine's machine, to choose one: a model (or a .gguf file), a project, or where a new project is to
// be.

#include <QStringList>

#include "widgets/session/session.h"
#include "widgets/style/popup.h"

class QLineEdit;
class QListWidget;

namespace strata {

class Button;
class Label;

/// A model may be one file.
bool isGgufName(const QString& path);

class FolderPopup : public Popup {
  Q_OBJECT

 public:
  enum class Purpose { model, project, newProject, folder };

  FolderPopup(Session& session, Purpose purpose, QWidget* parent);

 Q_SIGNALS:
  void chosen(const QString& folder);

 private:
  void go(const QString& folder);
  void fill(const protocol::ListFolder::Answer& answer);
  void activate(int row);
  void choose();
  void take(const QString& path);
  QString sentence() const;

  Session& m_session;
  Purpose m_purpose;
  QLineEdit *m_path, *m_name = nullptr;
  QListWidget* m_list;
  Label* m_problem;
  Button* m_use;
  protocol::ListFolder::Answer m_shown;
  int m_asked = 0;  // an answer to an earlier question is late
};

}  // namespace strata
