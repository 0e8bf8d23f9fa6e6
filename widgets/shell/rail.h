#pragma once
// The left edge of the window: the project, the pages, and at the foot help and settings.

#include <QWidget>
#include <vector>

#include "widgets/shell/page.h"
#include "widgets/shell/workspace.h"

class QVBoxLayout;

namespace strata {

class RailButton;

class Rail : public QWidget {
  Q_OBJECT

 public:
  explicit Rail(Workspace& workspace, QWidget* parent = nullptr);

  /// In the rail's order; `atFoot`: below the gap.
  void addPage(const Page& page, const QString& shortcut, bool atFoot = false);
  void setCurrent(const QString& page);

 Q_SIGNALS:
  void pageChosen(const QString& page);
  void openProjectWanted();
  void newProjectWanted();
  void projectChosen(const QString& folder);
  void firstStepsWanted();
  void fieldHelpWanted();
  void aboutWanted();

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void addButton(RailButton* button, bool atFoot);
  void showProjectMenu();
  void showHelpMenu();
  void showProject();

  Workspace& m_workspace;
  QVBoxLayout *m_top, *m_foot;
  RailButton *m_project, *m_help;
  std::vector<RailButton*> m_buttons;  // all, from top to bottom
  std::vector<RailButton*> m_pages;
};

}  // namespace strata
