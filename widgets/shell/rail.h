#pragma once
// The left edge of the window: the project, the pages, and at the foot help and settings.

#include <QWidget>
#include <vector>

#include "widgets/session/page.h"
#include "widgets/session/session.h"

class QVBoxLayout;

namespace strata {

class RailButton;

class Rail : public QWidget {
  Q_OBJECT

 public:
  explicit Rail(Session& session, QWidget* parent = nullptr);

  /// In the rail's order.
  void addPage(const Page& page, const QString& shortcut);
  /// Whether some page has first steps to bring back.
  void setHasFirstSteps(bool has) { m_hasFirstSteps = has; }
  void setCurrent(const QString& page);
  /// With the words below the icons, or in large text without them.
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void pageChosen(const QString& page);
  void openProjectWanted();
  void newProjectWanted();
  void projectChosen(const QString& folder);
  void guideWanted();
  void fieldHelpWanted();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void addButton(RailButton* button, bool atFoot);
  /// Words where all have room for theirs.
  void arrange();
  int heightWith(int button, int gap) const;
  void showProjectMenu();
  void showHelpMenu();
  void showProject();

  Session& m_session;
  QVBoxLayout *m_top, *m_foot;
  RailButton *m_project, *m_help;
  std::vector<RailButton*> m_buttons;  // all, from top to bottom
  std::vector<RailButton*> m_pages;
  bool m_hasFirstSteps = false;
};

}  // namespace strata
