// Keys, panes, drops, and what Ctrl+K finds.

#include <QApplication>
#include <QDir>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QKeyEvent>
#include <QMimeData>
#include <QShortcut>
#include <QStackedWidget>
#include <QUndoStack>

#include "widgets/help/help_window.h"
#include "widgets/shell/find_popup.h"
#include "widgets/shell/jobs_panel.h"
#include "widgets/shell/jobs_strip.h"
#include "widgets/shell/main_window.h"
#include "widgets/shell/rail.h"
#include "widgets/shell/sides_bar.h"
#include "widgets/shell/status_bar.h"
#include "widgets/shell/upload_bar.h"
#include "widgets/style/controls.h"
#include "widgets/style/named.h"

namespace strata {
namespace {

constexpr int kTextStep = 25;

/// The first control that Tab would stop at.
QWidget* firstStop(QWidget* pane) {
  if (pane->isVisible() && pane->isEnabled() && pane->focusPolicy() & Qt::TabFocus) return pane;
  QWidget* stop = pane;
  while ((stop = stop->nextInFocusChain()) != pane) {
    if (pane->isAncestorOf(stop) && stop->isVisible() && stop->isEnabled() && stop->focusPolicy() & Qt::TabFocus)
      return stop;
  }
  return nullptr;
}

}  // namespace

void MainWindow::bindKeys() {
  const auto bind = [this](const QKeySequence& keys, auto act) {
    auto* shortcut = new QShortcut(keys, this);
    connect(shortcut, &QShortcut::activated, this, act);
  };
  bind(QKeySequence("Ctrl+K"), [this] { find(); });
  bind(QKeySequence("F6"), [this] { nextPane(1); });
  bind(QKeySequence("Shift+F6"), [this] { nextPane(-1); });
  bind(QKeySequence("F4"), [this] { toggleInspector(); });
  bind(QKeySequence("F1"), [this] { showGuide(); });
  bind(QKeySequence("Shift+F1"), [this] { showFieldHelp(); });
  bind(QKeySequence("Ctrl+Z"), [this] { step(&QUndoStack::undoText, &QUndoStack::canUndo, &QUndoStack::undo); });
  for (const char* keys : {"Ctrl+Shift+Z", "Ctrl+Y"}) {
    bind(QKeySequence(keys), [this] { step(&QUndoStack::redoText, &QUndoStack::canRedo, &QUndoStack::redo); });
  }
  for (const char* keys : {"Ctrl++", "Ctrl+="}) bind(QKeySequence(keys), [this] { scaleText(kTextStep); });
  bind(QKeySequence("Ctrl+-"), [this] { scaleText(-kTextStep); });
}

/// A step of the page's own undo stack; texts take these keys for themselves.
void MainWindow::step(QString (QUndoStack::*text)() const, bool (QUndoStack::*can)() const, void (QUndoStack::*act)()) {
  QUndoStack* stack = currentPage() != nullptr ? currentPage()->undoStack() : nullptr;
  if (stack == nullptr || !(stack->*can)()) return;
  const QString name = (stack->*text)();
  (stack->*act)();
  m_session.announce(act == &QUndoStack::undo ? tr("Undone: %1").arg(name) : tr("Redone: %1").arg(name));
}

void MainWindow::scaleText(int step) {
  m_theme.setTextPercent(m_theme.textPercent() + step);
  m_session.settings().setValue("look/text", m_theme.textPercent());
}

void MainWindow::toggleInspector() {
  m_inspectorWanted = !m_inspectorWanted;
  showCurrent();
  saveSoon();
}

QList<QWidget*> MainWindow::panes() const {
  QList<QWidget*> panes = {m_rail, m_banners, m_sides, m_upload};
  if (Page* page = currentPage()) panes << page->panes();
  panes << m_inspectors << m_jobsPanel << m_strip << m_status;
  return panes;
}

void MainWindow::nextPane(int step) {
  QList<QWidget*> open;
  for (QWidget* pane : panes()) {
    if (pane->isVisible() && firstStop(pane) != nullptr) open << pane;
  }
  if (open.isEmpty()) return;
  const QWidget* focus = QApplication::focusWidget();
  qsizetype here = step > 0 ? -1 : 0;
  for (qsizetype i = 0; i < open.size(); ++i) {
    if (focus != nullptr && (open[i] == focus || open[i]->isAncestorOf(focus))) here = i;
  }
  QWidget* pane = open[(here + step + open.size()) % open.size()];
  QWidget* last = m_lastFocus.value(pane);
  QWidget* target = last != nullptr && last->isVisible() && last->isEnabled() ? last : firstStop(pane);
  target->setFocus(Qt::ShortcutFocusReason);  // which shows the ring; Qt shows it for Tab's reason in Tab's event alone
}

void MainWindow::showGuide() {
  const Guide& guide = Guide::shipped();
  if (m_helpWindow == nullptr) {
    m_helpWindow = new HelpWindow(guide, this);
    connect(m_helpWindow, &HelpWindow::failed, &m_session,
            [this](const QString& sentence) { m_session.warn(sentence); });
  }
  m_helpWindow->open(guide.pageFor(currentPage() != nullptr ? currentPage()->id() : QString()));
}

void MainWindow::showFieldHelp() {
  QWidget* focus = QApplication::focusWidget();
  QString help;
  for (QWidget* widget = focus; widget != nullptr && help.isEmpty(); widget = widget->parentWidget()) {
    help = widget->whatsThis();
  }
  if (help.isEmpty() && focus != nullptr) help = focus->toolTip();
  if (help.isEmpty()) return m_session.announce(tr("There is no help for what has the focus."));
  auto* popup = named(new Popup(this), "field-help", help);
  popup->setAttribute(Qt::WA_DeleteOnClose);
  auto* text = bodyLabel(help, popup);
  text->setMinimumWidth(metrics().inspector);
  popup->content()->addWidget(text);
  popup->openAt(focus);
}

/// Esc after drags and popups, which take it themselves: what has the focus, then the page.
void MainWindow::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) {
    const QWidget* focus = QApplication::focusWidget();
    if (focus != nullptr && m_jobsPanel->isAncestorOf(focus)) return m_strip->setOpen(false);
    if (focus != nullptr && m_upload->isAncestorOf(focus) && m_upload->dismiss()) return;
    if (Page* page = currentPage(); page != nullptr && page->escape()) return;
  }
  QWidget::keyPressEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  for (const QUrl& url : event->mimeData()->urls()) {
    if (url.isLocalFile()) return event->acceptProposedAction();
  }
}

void MainWindow::dropEvent(QDropEvent* event) {
  QStringList paths;
  for (const QUrl& url : event->mimeData()->urls()) {
    if (url.isLocalFile()) paths << url.toLocalFile();
  }
  if (paths.isEmpty()) return;
  event->acceptProposedAction();
  takeDrop(paths);
}

void MainWindow::takeDrop(const QStringList& paths) {
  const bool remote = m_session.engine().remote();
  const QString name = QFileInfo(paths.first()).fileName();
  if (QFileInfo::exists(paths.first() + "/strata.json")) {
    if (!remote) return openProject(paths.first());
    return m_session.announce(tr("%1 is a project of this machine, and the engine runs on %2: copy it there.")
                                  .arg(name, QString::fromStdString(m_session.engine().engine().host)));
  }
  Page* taker = takerOf(paths);
  if (taker == nullptr) {
    return m_session.announce(tr("%1 is neither a model nor a file of data.").arg(name));
  }
  const QPointer<Page> kept = taker;
  const auto take = [this, kept](const QString& path) {
    if (!kept) return;
    showPage(kept->id());
    kept->take(path);
  };
  const QString wanted = taker->wants(paths)->path;
  remote ? m_upload->offer(wanted, take) : take(wanted);
}

Page* MainWindow::takerOf(const QStringList& paths) const {
  Page* now = currentPage();
  if (now != nullptr && now->wants(paths)) return now;
  Page* taker = nullptr;
  for (Page* one : m_pages) {
    const std::optional<Wanted> wanted = one->wants(paths);
    if (wanted && wanted->isMeant) return one;
    if (wanted && taker == nullptr) taker = one;
  }
  return taker;
}

void MainWindow::chooseUpload(bool folder) {
  auto* dialog = new QFileDialog(this, folder ? tr("Upload a folder") : tr("Upload a file"),
                                 m_session.settings().value("upload/last").toString());
  dialog->setObjectName("upload-dialog");
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(folder ? QFileDialog::Directory : QFileDialog::ExistingFile);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
    m_session.settings().setValue("upload/last", QFileInfo(path).absolutePath());
    takeDrop({path});
  });
  dialog->open();
}

void MainWindow::find() {
  (new FindPopup(findables(), this))->openOver(this);
}

std::vector<Findable> MainWindow::findables() {
  std::vector<Findable> all;
  for (Page* page : m_pages) {
    all.push_back({tr("Page"), page->title(), keysOf(*page).toString(), [this, id = page->id()] { showPage(id); }});
  }
  QList<Page*> pages = m_pages;
  // What can be done on the page in view comes before what another page does.
  if (Page* now = currentPage(); pages.removeOne(now)) pages.prepend(now);
  for (Page* page : pages) addPageActions(*page, all);
  addActions(all);
  addModels(all);
  addRuns(all);
  addMaps(all);
  return all;
}

void MainWindow::addPageActions(Page& page, std::vector<Findable>& all) {
  page.updateActions();
  for (QAction* action : page.actions()) {
    if (!action->isEnabled() || !action->isVisible()) continue;
    const QPointer<QAction> kept = action;
    all.push_back({page.isAtFoot() ? tr("Setting") : tr("Action"), action->text(), action->shortcut().toString(),
                   [this, kept, id = page.id()] {
                     if (!kept) return;
                     if (!kept->property(kDoneInPlace).toBool()) showPage(id);
                     if (kept) kept->trigger();
                   }});
  }
}

void MainWindow::addModels(std::vector<Findable>& all) {
  for (const protocol::ModelEntry& model : m_session.models().usable()) {
    const QString name = nameOf(model);
    const QString kind = model.source == "run" ? tr("Run") : model.source == "adapter" ? tr("Adapter") : tr("Model");
    const Place place = Place::model(QString::fromStdString(keyOf(model)));
    if (pageShowing(place) != nullptr) all.push_back({kind, name, {}, [this, place] { go(place); }});
    for (const Which which : {Which::a, Which::b}) {
      const QString use = which == Which::a ? tr("Use %1 as A").arg(name) : tr("Use %1 as B").arg(name);
      all.push_back({kind, use, {}, [this, which, ref = refOf(model)] { m_session.useModel(which, ref); }});
    }
  }
}

void MainWindow::addRuns(std::vector<Findable>& all) {
  for (const protocol::JobInfo& job : m_session.runs().rows()) {
    QString name = RunTable::title(job) + ", " + RunTable::stateText(job);
    for (const std::string& tag : job.tags) name += ", " + QString::fromStdString(tag);
    all.push_back({tr("Job"), name, {}, [this, id = job.id] {
                     m_strip->setOpen(true);
                     m_jobsPanel->select(id);
                   }});
  }
}

void MainWindow::addMaps(std::vector<Findable>& all) {
  for (const protocol::KnownMap& known : m_session.maps().rows()) {
    if (known.source != "stored" || !known.problem.empty()) continue;
    const Place place{{}, PlaceKind::map, QString::fromStdString(known.name)};
    if (pageShowing(place) != nullptr) all.push_back({tr("Map"), place.id, {}, [this, place] { go(place); }});
  }
}

void MainWindow::addActions(std::vector<Findable>& all) {
  const auto add = [&](const QString& name, const QString& keys, std::function<void()> run) {
    all.push_back({tr("Action"), name, keys, std::move(run)});
  };
  add(tr("Swap A and B"), {}, [this] { m_session.swapSides(); });
  add(tr("Copy A to B"), {}, [this] { m_session.copyAToB(); });
  add(tr("Open a project"), {}, [this] { pickProject(false); });
  add(tr("New project"), {}, [this] { pickProject(true); });
  add(tr("Sample project"), {}, [this] { openProject({}); });
  const Place firstSteps{{}, PlaceKind::firstSteps, {}};
  if (pageShowing(firstSteps) != nullptr) add(tr("First steps"), {}, [this, firstSteps] { go(firstSteps); });
  add(m_strip->isOpen() ? tr("Close the list of jobs") : tr("Open the list of jobs"), {},
      [this] { m_strip->setOpen(!m_strip->isOpen()); });
  if (m_session.engine().remote()) {
    add(tr("Upload a file of this machine"), {}, [this] { chooseUpload(false); });
    add(tr("Upload a folder of this machine"), {}, [this] { chooseUpload(true); });
  }
  add(tr("Guide to this page"), "F1", [this] { showGuide(); });
  add(tr("Restart the engine"), {}, [this] { m_session.engine().restart(); });
  add(tr("Engine: state, log and command"), {}, [this] { m_status->openEngine(); });
  add(tr("Memory: curve, and models to unload"), {}, [this] { m_status->openMemory(); });
  add(tr("Inspector on or off"), "F4", [this] { toggleInspector(); });
  add(tr("Larger text"), "Ctrl++", [this] { scaleText(kTextStep); });
  add(tr("Smaller text"), "Ctrl+-", [this] { scaleText(-kTextStep); });
}

}  // namespace strata
