#include "widgets/shell/main_window.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QPainter>
#include <QScreen>
#include <QShortcut>
#include <QSplitter>
#include <QStackedWidget>
#include <QWindow>
#include <algorithm>
#include <utility>

#include "widgets/shell/engine_command.h"
#include "widgets/shell/folder_popup.h"
#include "widgets/shell/jobs_panel.h"
#include "widgets/shell/jobs_strip.h"
#include "widgets/shell/memory_log.h"
#include "widgets/shell/rail.h"
#include "widgets/shell/sides_bar.h"
#include "widgets/shell/status_bar.h"
#include "widgets/shell/upload_bar.h"
#include "widgets/style/named.h"
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

MainWindow::MainWindow(Session& session, Theme& theme, QWidget* parent)
    : QWidget(parent), m_session(session), m_theme(theme), m_memory(new MemoryLog(session.engine(), this)) {
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
  m_rail = named(new Rail(m_session), "rail");
  m_banners = named(new QWidget, "banners");
  m_bannerColumn = new QVBoxLayout(m_banners);
  m_bannerColumn->setContentsMargins(0, 0, 0, 0);
  m_sides = new SidesBar(m_session);
  m_upload = new UploadBar(m_session);
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
  column->addWidget(m_banners);
  column->addWidget(m_sides);
  column->addWidget(m_upload);
  column->addWidget(m_across, 1);
  auto* body = new QWidget;
  auto* row = new QHBoxLayout(body);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  row->addWidget(m_rail);
  row->addWidget(middle, 1);

  m_jobsPanel = new JobsPanel(m_session);
  m_jobsPanel->hide();
  m_down = splitter(Qt::Vertical, "split-down");
  m_down->addWidget(body);
  m_down->addWidget(m_jobsPanel);
  m_down->setStretchFactor(0, 1);
  m_down->setStretchFactor(1, 0);
  m_strip = new JobsStrip(m_session);
  m_status = new StatusBar(m_session, *m_memory);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 0, 0, 0);
  all->setSpacing(0);
  all->addWidget(m_down, 1);
  all->addWidget(m_strip);
  all->addWidget(m_status);
  // What the content would like never moves the window's edges: large text would push them off the screen.
  all->setSizeConstraint(QLayout::SetNoConstraint);
}

void MainWindow::connectParts() {
  connect(m_rail, &Rail::pageChosen, this, [this](const QString& id) { showPage(id); });
  connect(m_rail, &Rail::openProjectWanted, this, [this] { pickProject(false); });
  connect(m_rail, &Rail::newProjectWanted, this, [this] { pickProject(true); });
  connect(m_rail, &Rail::projectChosen, this, [this](const QString& folder) { openProject(folder); });
  connect(m_rail, &Rail::guideWanted, this, &MainWindow::showGuide);
  connect(m_rail, &Rail::fieldHelpWanted, this, &MainWindow::showFieldHelp);
  connect(&m_session, &Session::engineWanted, this, &MainWindow::useEngine);
  connect(m_strip, &JobsStrip::opened, this, [this](bool open) {
    m_jobsPanel->setVisible(open);
    saveSoon();
  });
  for (QSplitter* split : {m_across, m_down}) connect(split, &QSplitter::splitterMoved, this, &MainWindow::saveSoon);
  connect(&m_session, &Session::placeWanted, this, &MainWindow::go);
  connect(&m_session, &Session::uploadWanted, this, &MainWindow::chooseUpload);
  connect(&m_session, &Session::projectChanged, this, [this] {
    const auto& project = m_session.project();
    setWindowTitle(project ? tr("%1 - Strata").arg(QString::fromStdString(project->name)) : tr("Strata"));
    showProblem();
  });
  connect(&m_session.engine(), &EngineClient::stateChanged, this, &MainWindow::showProblem);
  connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
    for (QWidget* pane : panes()) {
      if (now != nullptr && pane->isAncestorOf(now)) m_lastFocus[pane] = now;
    }
  });
}

void MainWindow::addPage(Page* page) {
  m_pages << page;
  m_stack->addWidget(page);
  const QKeySequence keys = keysOf(*page);
  connect(new QShortcut(keys, this), &QShortcut::activated, this, [this, id = page->id()] { showPage(id); });
  m_rail->addPage(*page, keys.toString());
  m_rail->setHasFirstSteps(pageShowing({{}, PlaceKind::firstSteps, {}}) != nullptr);
  if (QWidget* inspector = page->inspector()) m_inspectors->addWidget(inspector);
  page->restoreState(m_session.settings().value("pages/" + page->id()).toByteArray());
  connect(page, &Page::stateChanged, this, [this, page] { keepState(page); });
  connect(page, &Page::bannerChanged, this, &MainWindow::showBanner);
  connect(page, &Page::keysChanged, this, [this, page] {
    if (page == currentPage()) showKeys();
  });
}

Page* MainWindow::page(const QString& id) const {
  for (Page* page : m_pages) {
    if (page->id() == id) return page;
  }
  return nullptr;
}

QKeySequence MainWindow::keysOf(const Page& page) const {
  if (const QKeySequence own = page.shortcut(); !own.isEmpty()) return own;
  int number = 0;
  for (const Page* one : m_pages) {
    if (one->shortcut().isEmpty()) ++number;
    if (one == &page) break;
  }
  return number <= 9 ? QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_0 + number)) : QKeySequence();
}

void MainWindow::keepState(Page* page) {
  m_session.settings().setValue("pages/" + page->id(), page->saveState());
}

Page* MainWindow::currentPage() const {
  return qobject_cast<Page*>(m_stack->currentWidget());
}

Page* MainWindow::pageShowing(const Place& place) const {
  if (Page* now = currentPage(); now != nullptr && now->shows(place)) return now;
  const auto found = std::find_if(m_pages.begin(), m_pages.end(), [&](Page* one) { return one->shows(place); });
  return found == m_pages.end() ? nullptr : *found;
}

bool MainWindow::go(const Place& place) {
  Page* wanted = place.page.isEmpty() ? pageShowing(place) : page(place.page);
  if (wanted == nullptr) return false;
  showPage(wanted->id());
  if (place.kind != PlaceKind::page) wanted->open(place);
  return true;
}

void MainWindow::showPage(const QString& id) {
  Page* wanted = page(id);
  if (wanted == nullptr) return;
  if (wanted != currentPage()) {
    m_stack->setCurrentWidget(wanted);
    if (QWidget* last = m_lastFocus.value(wanted)) last->setFocus(Qt::OtherFocusReason);
  }
  showCurrent();
}

void MainWindow::showCurrent() {
  Page* page = currentPage();
  if (page == nullptr) return;
  m_rail->setCurrent(page->id());
  m_sides->setVisible(page->showsSides());
  QWidget* inspector = page->inspector();
  if (inspector != nullptr) m_inspectors->setCurrentWidget(inspector);
  m_inspectors->setVisible(inspector != nullptr && m_inspectorWanted);
  m_session.settings().setValue("window/page", page->id());
  showBanner();
  showKeys();
}

void MainWindow::showBanner() {
  Page* page = currentPage();
  QWidget* banner = page != nullptr ? page->banner() : nullptr;
  for (int i = 0; i < m_bannerColumn->count(); ++i) {
    QWidget* other = m_bannerColumn->itemAt(i)->widget();
    other->setVisible(other == banner);
  }
  if (banner != nullptr && m_bannerColumn->indexOf(banner) < 0) {
    m_bannerColumn->addWidget(banner);
    banner->show();
  }
  m_banners->setVisible(banner != nullptr);
  showProblem();
}

/// What is wrong with the engine or the project, above the page.
void MainWindow::showProblem() {
  EngineClient& engine = m_session.engine();
  if (engine.state() == EngineClient::State::failed) {
    Page* page = currentPage();
    if (page != nullptr && page->bannerShowsEngine()) return m_centre->setWorking();
    const Error error{ErrorCode::internal, engine.problem().toStdString(), commandText(engine.command()).toStdString()};
    return m_centre->setFailed(error, tr("Try again"), [this] { m_session.engine().restart(); });
  }
  if (const auto& problem = m_session.projectProblem()) {
    if (m_session.projectLost() && m_session.project()) {
      const QString folder = QString::fromStdString(m_session.project()->folder);
      return m_centre->setFailed(*problem, tr("Open again"), [this, folder] { openProject(folder); });
    }
    if (m_session.wantedProject().isEmpty()) {
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
    m_session.announce(tr("%1 is open in another window, which was brought to the front.")
                           .arg(folder.isEmpty() ? tr("The sample project") : folder));
    return;
  }
  m_session.openProject(folder, create);
}

void MainWindow::pickProject(bool create) {
  const auto purpose = create ? FolderPopup::Purpose::newProject : FolderPopup::Purpose::project;
  auto* popup = new FolderPopup(m_session, purpose, this);
  connect(popup, &FolderPopup::chosen, this, [this, create](const QString& folder) { openProject(folder, create); });
  popup->openOver(this);
}

void MainWindow::useEngine(const QString& command) {
  Settings& settings = m_session.settings();
  settings.setValue("engine/command", command);
  if (!command.isEmpty()) {
    QStringList hosts = settings.value("engine/hosts").toStringList();
    hosts.removeAll(command);
    hosts.prepend(command);
    settings.setValue("engine/hosts", QStringList(hosts.mid(0, kHosts)));
  }
  m_session.engine().start(engineCommand(command));
  // Its projects are those of its machine: the last one there, else its copy of the sample.
  openProject(m_session.recentProjects().value(0));
}

void MainWindow::restore() {
  Settings& settings = m_session.settings();
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
  Page* left = page(settings.value("window/page").toString());
  if (left == nullptr) left = pageShowing({{}, PlaceKind::firstSteps, {}});
  if (left == nullptr && !m_pages.isEmpty()) left = m_pages.first();
  if (left != nullptr) showPage(left->id());
  m_restored = true;
}

void MainWindow::saveSoon() {
  if (m_restored) m_save.start();
}

void MainWindow::save() {
  Settings& settings = m_session.settings();
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
  if (!m_restored) return;
  if (const Page* page = currentPage()) {
    // The page in view goes before the jobs below it, as far as both have room.
    QWidget* body = m_down->widget(0);
    const int above = body->height() - m_stack->height();
    const int jobs = m_jobsPanel->isHidden() ? 0 : m_jobsPanel->minimumSizeHint().height() + m_down->handleWidth();
    const int needed = std::max(body->minimumSizeHint().height(), above + page->minimumSizeHint().height());
    body->setMinimumHeight(std::max(0, std::min(needed, m_down->height() - jobs)));
  }
  setMinimumSize(layout()->minimumSize().boundedTo(size()));
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
