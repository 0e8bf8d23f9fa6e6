#pragma once
// What an export came to: the folder, and for each program the command that serves it, what that saves, and how to tell
// that it shares. The words are those of the README.md in the folder.

#include <QWidget>

#include "widgets/session/session.h"

class QVBoxLayout;

namespace strata {

class ElidedLabel;
class Label;

class ExportCard : public QWidget {
  Q_OBJECT

 public:
  explicit ExportCard(Session& session, QWidget* parent = nullptr);
  void show(const protocol::ExportModel::Answer& answer);

 private:
  void addUse(const protocol::ServingUse& use, const protocol::ExportModel::Answer& answer);

  Session& m_session;
  ElidedLabel* m_path;
  QWidget* m_openFolder;
  Label *m_summary, *m_problem;
  QVBoxLayout* m_uses;
};

}  // namespace strata
