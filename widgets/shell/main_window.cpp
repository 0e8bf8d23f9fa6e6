#include "widgets/shell/main_window.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QPainter>
#include <QScreen>
#include <QSplitter>
#include <QStackedWidget>
#include <QWindow>
#include <algorithm>
#include <utility>

#include "widgets/shell/engine_command.h"
#include "widgets/shell/first_start.h"
#include "widgets/shell/folder_popup.h"
#include "widgets/shell/jobs_panel.h"
#include "widgets/shell/jobs_strip.h"
#include "widgets/shell/memory_log.h"
#include "widgets/shell/named.h"
#include "widgets/shell/rail.h"
#include "widgets/shell/sides_bar.h"
#include "widgets/shell/status_bar.h"
#include "widgets/shell/upload_bar.h"
#include "widgets/style/state_pane.h"

namespace strata {
namespace {

constexpr int kSaveMilliseconds = 300;
constexpr QSize kFirstSize{1280, 800};
constexpr int kHosts = 8;

QSplitter* splitter(Qt::Orientation orientation, const char* name) {
  auto* split = named(new QSplitter(orientation), name);
  split->setChildrenCollapsible(false);
  split->setHandleWidth(1);
  return split;
}

}  // namespace

MainWindow::MainWindow(Workspace& workspace, Theme& theme, AboutTexts about, QWidget* parent)
    : QWidget(parent),
      m_workspace(workspace),
      m_theme(theme),
      m_models(new ModelIndex(workspace, this)),
      m_jobs(new JobBook(workspace, this)),
      m_memory(new MemoryLog(workspace.engine(), this)),
      m_settingsPage(new SettingsPage(workspace, theme, *m_models, *m_jobs, std::move(about))) {
  named(this, "main-window", tr("Strata"));
  setWindowTitle(tr("Strata"));
  setAcceptDrops(true);
  build();
  connectParts();
  bindKeys();
  m_save.setSingleShot(true);
  m_save.setInterval(kSaveMilliseconds);
  connect(&m_save, &QTimer::timeout, this, &MainWindow::save);
  // Once every part has taken the new sizes: layouts keep hints that they asked for before.
  followTheme(this, [this] {
    scaleInspector();
    QTimer::singleShot(0, this, [this] {
      for (QWidget* part : findChildren<QWidget*>()) part->updateGeometry();
      update();
    });
  });
}

/// It grows with its text.
void MainWindow::scaleInspector() {
  const int now = metrics().inspector, before = std::exchange(m_inspectorUnit, now);
  m_inspectors->setMinimumWidth(now * 9 / 10);
  const QList<int> sizes = m_across->sizes();
  if (before == 0 || before == now || sizes.last() == 0) return;
  const int wanted = sizes.last() * now / before;
  m_across->setSizes({sizes.first() + sizes.last() - wanted, wanted});
}

/// Popups and pages give the focus back while they go: by then nothing here may listen.
MainWindow::~MainWindow() {
  disconnect(qApp, nullptr, this, nullptr);
}

void MainWindow::build() {
  m_rail = named(new Rail(m_workspace), "rail");
  m_first = new FirstStart(m_workspace);
  m_sides = new SidesBar(m_workspace, *m_models);
  m_upload = new UploadBar(m_workspace);
  m_stack = named(new QStackedWidget, "pages");
  m_stack->setMinimumHeight(1);  // the highest of all pages, shown or not, would squeeze the strips
  m_centre = new StatePane(m_stack);
  m_centre->setObjectName("centre");
  m_inspectors = named(new QStackedWidget, "inspector", tr("Inspector"));
  m_inspectors->hide();
  m_across = splitter(Qt::Horizontal, "split-across");
  m_across->addWidget(m_centre);
  m_across->addWidget(m_inspectors);
  m_across->setStretchFactor(0, 1);
  m_across->setStretchFactor(1, 0);

  auto* middle = new QWidget;
  auto* column = new QVBoxLayout(middle);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(m_first);
  column->addWidget(m_sides);
  column->addWidget(m_upload);
  column->addWidget(m_across, 1);
  auto* body = new QWidget;
  auto* row = new QHBoxLayout(body);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  row->addWidget(m_rail);
  row->addWidget(middle, 1);

  m_jobsPanel = new JobsPanel(m_workspace, *m_jobs);
  m_jobsPanel->hide();
  m_down = splitter(Qt::Vertical, "split-down");
  m_down->addWidget(body);
  m_down->addWidget(m_jobsPanel);
  m_down->setStretchFactor(0, 1);
  m_down->setStretchFactor(1, 0);
  m_strip = new JobsStrip(m_workspace, *m_jobs);
  m_status = new StatusBar(m_workspace, *m_memory);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 0, 0, 0);
  all->setSpacing(0);
  all->addWidget(m_down, 1);
  all->addWidget(m_strip);
  all->addWidget(m_status);
  // What the content would like never moves the window's edges: large text would push them off the screen.
  all->setSizeConstraint(QLayout::SetNoConstraint);

  m_stack->addWidget(m_settingsPage);
  m_rail->addPage(*m_settingsPage, "Ctrl+,", true);
}

void MainWindow::connectParts() {
  connect(m_rail, &Rail::pageChosen, this, [this](const QString& id) { showPage(id); });
  connect(m_rail, &Rail::openProjectWanted, this, [this] { pickProject(false); });
  connect(m_rail, &Rail::newProjectWanted, this, [this] { pickProject(true); });
  connect(m_rail, &Rail::projectChosen, this, [this](const QString& folder) { openProject(folder); });
  connect(m_rail, &Rail::firstStepsWanted, this, [this] {
    showPage("chat");
    m_first->bringBack();
  });
  connect(m_rail, &Rail::fieldHelpWanted, this, &MainWindow::showFieldHelp);
  connect(m_rail, &Rail::aboutWanted, this, [this] { showPage("settings", "about"); });
  connect(m_first, &FirstStart::wantedChanged, this, &MainWindow::showCurrent);
  connect(m_first, &FirstStart::openOwnModel, this, [this] { showPage("models", "browse"); });
  connect(m_first, &FirstStart::engineWanted, m_status, &StatusBar::openEngine);
  connect(m_status, &StatusBar::commandChosen, this, &MainWindow::useEngine);
  connect(m_settingsPage, &SettingsPage::commandChosen, this, &MainWindow::useEngine);
  connect(m_strip, &JobsStrip::opened, this, [this](bool open) {
    m_jobsPanel->setVisible(open);
    saveSoon();
  });
  connect(m_jobs, &JobBook::failed, m_status, &StatusBar::say);
  for (QSplitter* split : {m_across, m_down}) connect(split, &QSplitter::splitterMoved, this, &MainWindow::saveSoon);
  connect(&m_workspace, &Workspace::pageWanted, this, &MainWindow::showPage);
  connect(&m_workspace, &Workspace::uploadWanted, this, &MainWindow::chooseUpload);
  connect(&m_workspace, &Workspace::projectChanged, this, [this] {
    const auto& project = m_workspace.project();
    setWindowTitle(project ? tr("%1 - Strata").arg(QString::fromStdString(project->name)) : tr("Strata"));
    showProblem();
  });
  connect(&m_workspace.engine(), &EngineClient::stateChanged, this, &MainWindow::showProblem);
  connect(&m_workspace.engine(), &EngineClient::misunderstood, m_status, &StatusBar::say);
  connect(&m_workspace.engine(), &EngineClient::notRestored, m_status, &StatusBar::say);
  connect(&m_workspace.engine(), &EngineClient::caughtUp, m_status,
          [this] { m_status->say(tr("What could not be stored is stored now.")); });
  connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
    for (QWidget* pane : panes()) {
      if (now != nullptr && pane->isAncestorOf(now)) m_lastFocus[pane] = now;
    }
  });
}

void MainWindow::addPage(Page* page) {
  m_pages << page;
  m_stack->addWidget(page);
  m_rail->addPage(*page, tr("Ctrl+%1").arg(m_pages.size()));
  if (QWidget* inspector = page->inspector()) m_inspectors->addWidget(inspector);
  connect(page, &Page::keysChanged, this, [this, page] {
    if (page == currentPage()) showKeys();
  });
}

Page* MainWindow::page(const QString& id) const {
  for (Page* page : m_pages) {
    if (page->id() == id) return page;
  }
  return id == m_settingsPage->id() ? m_settingsPage : nullptr;
}

Page* MainWindow::currentPage() const {
  return qobject_cast<Page*>(m_stack->currentWidget());
}

void MainWindow::showPage(const QString& id, const QString& what) {
  Page* wanted = page(id);
  if (wanted == nullptr) return;
  if (wanted != currentPage()) {
    m_stack->setCurrentWidget(wanted);
    if (QWidget* last = m_lastFocus.value(wanted)) last->setFocus(Qt::OtherFocusReason);
  }
  showCurrent();
  if (!what.isEmpty()) wanted->open(what);
}

void MainWindow::showCurrent() {
  Page* page = currentPage();
  if (page == nullptr) return;
  m_rail->setCurrent(page->id());
  m_sides->setVisible(page->showsSides());
  m_first->setVisible(page->id() == "chat" && m_first->wanted());
  QWidget* inspector = page->inspector();
  if (inspector != nullptr) m_inspectors->setCurrentWidget(inspector);
  m_inspectors->setVisible(inspector != nullptr && m_inspectorWanted);
  m_workspace.settings().setValue("window/page", page->id());
  showProblem();
  showKeys();
}

/// What is wrong with the engine or the project, above the page; the strip of first steps says the former itself.
void MainWindow::showProblem() {
  EngineClient& engine = m_workspace.engine();
  if (engine.state() == EngineClient::State::failed) {
    if (!m_first->isHidden()) return m_centre->setWorking();
    const Error error{ErrorCode::internal, engine.problem().toStdString(), commandText(engine.command()).toStdString()};
    return m_centre->setFailed(error, tr("Try again"), [this] { m_workspace.engine().restart(); });
  }
  if (const auto& problem = m_workspace.projectProblem()) {
    if (m_workspace.projectLost() && m_workspace.project()) {
      const QString folder = QString::fromStdString(m_workspace.project()->folder);
      return m_centre->setFailed(*problem, tr("Open again"), [this, folder] { openProject(folder); });
    }
    if (m_workspace.wantedProject().isEmpty()) {
      return m_centre->setFailed(*problem, tr("Try again"), [this] { openProject({}); });
    }
    return m_centre->setFailed(*problem, tr("Open the sample"), [this] { openProject({}); });
  }
  m_centre->setWorking();
}

void MainWindow::showKeys() {
  const Page* page = currentPage();
  QList<QPair<QString, QString>> keys = page ? const_cast<Page*>(page)->keys() : QList<QPair<QString, QString>>();
  keys << qMakePair(QString("Ctrl+K"), tr("find"));
  keys << qMakePair(QString("F6"), tr("next pane"));
  if (page && const_cast<Page*>(page)->inspector()) keys << qMakePair(QString("F4"), tr("inspector"));
  keys << qMakePair(QString("F1"), tr("help"));
  m_status->setKeys(keys);
}

void MainWindow::openProject(const QString& folder, bool create) {
  if (m_claim && !m_claim(folder)) {
    m_workspace.announce(tr("%1 is open in another window, which was brought to the front.")
                             .arg(folder.isEmpty() ? tr("The sample project") : folder));
    return;
  }
  m_workspace.openProject(folder, create);
}

void MainWindow::pickProject(bool create) {
  const auto purpose = create ? FolderPopup::Purpose::newProject : FolderPopup::Purpose::project;
  auto* popup = new FolderPopup(m_workspace, purpose, this);
  connect(popup, &FolderPopup::chosen, this, [this, create](const QString& folder) { openProject(folder, create); });
  popup->openOver(this);
}

void MainWindow::useEngine(const QString& command) {
  Settings& settings = m_workspace.settings();
  settings.setValue("engine/command", command);
  if (!command.isEmpty()) {
    QStringList hosts = settings.value("engine/hosts").toStringList();
    hosts.removeAll(command);
    hosts.prepend(command);
    settings.setValue("engine/hosts", QStringList(hosts.mid(0, kHosts)));
  }
  m_workspace.engine().start(engineCommand(command));
  // Its projects are those of its machine: the last one there, else its copy of the sample.
  openProject(m_workspace.recentProjects().value(0));
}

void MainWindow::restore() {
  Settings& settings = m_workspace.settings();
  if (!restoreGeometry(settings.value("window/geometry").toByteArray())) {
    resize(kFirstSize.boundedTo(screen()->availableGeometry().size()));
  }
  if (!m_across->restoreState(settings.value("window/across").toByteArray())) {
    m_across->setSizes({kFirstSize.width() - metrics().rail - metrics().inspector, metrics().inspector});
  }
  if (!m_down->restoreState(settings.value("window/down").toByteArray())) {
    m_down->setSizes({kFirstSize.height() * 2 / 3, kFirstSize.height() / 3});
  }
  m_inspectorWanted = settings.value("window/inspector", true).toBool();
  m_strip->setOpen(settings.value("window/jobs", false).toBool());
  m_jobsPanel->setVisible(m_strip->isOpen());
  const QString left = settings.value("window/page", "chat").toString();
  showPage(page(left) != nullptr ? left : "settings");
  if (m_first->wanted()) m_first->begin();
  m_restored = true;
}

void MainWindow::saveSoon() {
  if (m_restored) m_save.start();
}

void MainWindow::save() {
  Settings& settings = m_workspace.settings();
  settings.setValue("window/geometry", saveGeometry());
  if (!m_inspectors->isHidden()) settings.setValue("window/across", m_across->saveState());
  if (m_strip->isOpen()) settings.setValue("window/down", m_down->saveState());
  settings.setValue("window/inspector", m_inspectorWanted);
  settings.setValue("window/jobs", m_strip->isOpen());
}

void MainWindow::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  keepRoomForContent();
  saveSoon();
}

void MainWindow::moveEvent(QMoveEvent* event) {
  QWidget::moveEvent(event);
  saveSoon();
}

bool MainWindow::event(QEvent* event) {
  const bool done = QWidget::event(event);
  switch (event->type()) {
    case QEvent::LayoutRequest:
      keepRoomForContent();
      break;
    case QEvent::Show:
    case QEvent::Move:
    case QEvent::Resize:
    case QEvent::Paint:
    case QEvent::WindowActivate:
      fitIntoScreen();
      break;
    default:
      break;
  }
  return done;
}

/// It cannot be made smaller than its content, and what its content comes to need does not make it larger.
void MainWindow::keepRoomForContent() {
  if (m_restored) setMinimumSize(layout()->minimumSize().boundedTo(size()));
}

/// The window manager tells how large its frame is only once it has drawn it around a window that is shown. Then the
/// two together are to fit the screen: else the status bar lies below its edge.
void MainWindow::fitIntoScreen() {
  if (!isVisible() || windowHandle() == nullptr || isMaximized() || isFullScreen()) return;
  const QMargins frame = windowHandle()->frameMargins();
  if (frame == m_windowFrame) return;
  m_windowFrame = frame;
  QTimer::singleShot(0, this, [this, frame] {
    const QRect room = screen()->availableGeometry().marginsRemoved(frame);
    QRect wanted(geometry().topLeft(), size().boundedTo(room.size()));
    wanted.moveRight(std::min(wanted.right(), room.right()));
    wanted.moveBottom(std::min(wanted.bottom(), room.bottom()));
    wanted.moveLeft(std::max(wanted.left(), room.left()));
    wanted.moveTop(std::max(wanted.top(), room.top()));
    if (wanted == geometry()) return;
    setMinimumSize(minimumSize().boundedTo(wanted.size()));
    setGeometry(wanted);
  });
}

void MainWindow::closeEvent(QCloseEvent* event) {
  save();
  QWidget::closeEvent(event);
}

void MainWindow::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().window);
}

void MainWindow::raiseWindow() {
  setWindowState(windowState() & ~Qt::WindowMinimized);
  show();
  raise();
  activateWindow();
}

}  // namespace strata
