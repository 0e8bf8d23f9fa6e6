#pragma once
// The frame: rail, sides, pages, inspector, jobs and status. Pages are given to it; it owns them.
//
//   MainWindow window(session, theme);
//   window.addPage(new ChatPage(session));
//   window.restore();
//   window.show();

#include <QHash>
#include <QPointer>
#include <QTimer>
#include <QWidget>
#include <functional>
#include <optional>

#include "widgets/session/page.h"
#include "widgets/session/session.h"
#include "widgets/style/theme.h"

class QSplitter;
class QStackedWidget;
class QVBoxLayout;

namespace strata {

class HelpWindow;
class JobsPanel;
class JobsStrip;
class MemoryLog;
class Rail;
class SidesBar;
class StatePane;
class StatusBar;
class UploadBar;
struct Findable;

class MainWindow : public QWidget {
  Q_OBJECT

 public:
  MainWindow(Session& session, Theme& theme, QWidget* parent = nullptr);
  ~MainWindow() override;

  /// In the rail's order.
  void addPage(Page* page);
  /// Asked before another project is opened; false: another window has it. None: always yes.
  void setClaim(std::function<bool(const QString& folder)> claim) { m_claim = std::move(claim); }
  /// Size, splitters and page as they were left; the first time, the page with the first steps.
  void restore();

  Page* page(const QString& id) const;
  Page* currentPage() const;

  void showPage(const QString& id);
  /// Shows a place on the page in view, else on the first page that shows it; false: none does.
  bool go(const Place& place);
  void openProject(const QString& folder, bool create = false);
  /// Starts the engine by another command from now on ("": the local one).
  void useEngine(const QString& command);
  /// Everything that Ctrl+K finds.
  std::vector<Findable> findables();

 public Q_SLOTS:
  void find();
  void nextPane(int step = 1);
  void toggleInspector();
  /// The guide, at the page that belongs to the page in view.
  void showGuide();
  void showFieldHelp();
  /// Brings it to the front.
  void raiseWindow();

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void moveEvent(QMoveEvent* event) override;
  bool event(QEvent* event) override;
  void closeEvent(QCloseEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  void build();
  void bindKeys();
  void connectParts();
  void showCurrent();
  void showProblem();
  void showBanner();
  void showKeys();
  void pickProject(bool create);
  void takeDrop(const QStringList& paths);
  /// The page in view first, then one that knows such things; nullptr: none wants it.
  Page* takerOf(const QStringList& paths) const;
  Page* pageShowing(const Place& place) const;
  void keepState(Page* page);
  /// The page's own shortcut, else Ctrl+ and its number among those that have none.
  QKeySequence keysOf(const Page& page) const;
  void step(QString (QUndoStack::*text)() const, bool (QUndoStack::*can)() const, void (QUndoStack::*act)());
  void chooseUpload(bool folder);
  void scaleText(int step);
  void scaleInspector();
  void fitIntoScreen();
  void keepRoomForContent();
  void saveSoon();
  void save();
  void addPageActions(Page& page, std::vector<Findable>& all);
  void addModels(std::vector<Findable>& all);
  void addRuns(std::vector<Findable>& all);
  void addMaps(std::vector<Findable>& all);
  void addActions(std::vector<Findable>& all);
  QList<QWidget*> panes() const;

  Session& m_session;
  Theme& m_theme;
  MemoryLog* m_memory;
  Rail* m_rail;
  QWidget* m_banners;
  QVBoxLayout* m_bannerColumn;
  SidesBar* m_sides;
  QStackedWidget *m_stack, *m_inspectors;
  UploadBar* m_upload;
  StatePane* m_centre;
  QSplitter *m_across, *m_down;
  JobsPanel* m_jobsPanel;
  JobsStrip* m_strip;
  StatusBar* m_status;
  HelpWindow* m_helpWindow = nullptr;              // once it was asked for
  QList<Page*> m_pages;                            // of the rail, those at its foot too
  QHash<QWidget*, QPointer<QWidget>> m_lastFocus;  // of a pane
  std::function<bool(const QString&)> m_claim;
  QTimer m_save;
  std::optional<QMargins> m_windowFrame;  // of the window manager; none before it has drawn one
  int m_inspectorUnit = 0;                // metrics().inspector when its width was set
  bool m_inspectorWanted = true, m_restored = false;
};

}  // namespace strata
