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

#include "widgets/shell/find_popup.h"
#include "widgets/shell/first_start.h"
#include "widgets/shell/jobs_panel.h"
#include "widgets/shell/jobs_strip.h"
#include "widgets/shell/main_window.h"
#include "widgets/shell/named.h"
#include "widgets/shell/rail.h"
#include "widgets/shell/sides_bar.h"
#include "widgets/shell/status_bar.h"
#include "widgets/shell/upload_bar.h"
#include "widgets/style/controls.h"

namespace strata {
namespace {

constexpr int kMostPages = 9;
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

/// A folder of data is dropped, too.
bool looksLikeModel(const QString& path) {
  return QFileInfo::exists(path + "/config.json") || !QDir(path).entryList({"*.safetensors"}, QDir::Files).isEmpty();
}

}  // namespace

void MainWindow::bindKeys() {
  const auto bind = [this](const QKeySequence& keys, auto act) {
    auto* shortcut = new QShortcut(keys, this);
    connect(shortcut, &QShortcut::activated, this, act);
  };
  for (int i = 0; i < kMostPages; ++i) {
    bind(QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + i)), [this, i] {
      if (i < m_pages.size()) showPage(m_pages[i]->id());
    });
  }
  bind(QKeySequence("Ctrl+,"), [this] { showPage("settings"); });
  bind(QKeySequence("Ctrl+K"), [this] { find(); });
  bind(QKeySequence("F6"), [this] { nextPane(1); });
  bind(QKeySequence("Shift+F6"), [this] { nextPane(-1); });
  bind(QKeySequence("F4"), [this] { toggleInspector(); });
  bind(QKeySequence("F1"), [this] { showFieldHelp(); });
  for (const char* keys : {"Ctrl++", "Ctrl+="}) bind(QKeySequence(keys), [this] { scaleText(kTextStep); });
  bind(QKeySequence("Ctrl+-"), [this] { scaleText(-kTextStep); });
}

void MainWindow::scaleText(int step) {
  m_theme.setTextPercent(m_theme.textPercent() + step);
  m_workspace.settings().setValue("look/text", m_theme.textPercent());
}

void MainWindow::toggleInspector() {
  m_inspectorWanted = !m_inspectorWanted;
  showCurrent();
  saveSoon();
}

QList<QWidget*> MainWindow::panes() const {
  QList<QWidget*> panes = {m_rail, m_first, m_sides, m_upload};
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

void MainWindow::showFieldHelp() {
  QWidget* focus = QApplication::focusWidget();
  QString help;
  for (QWidget* widget = focus; widget != nullptr && help.isEmpty(); widget = widget->parentWidget()) {
    help = widget->whatsThis();
  }
  if (help.isEmpty() && focus != nullptr) help = focus->toolTip();
  if (help.isEmpty()) return m_workspace.announce(tr("There is no help for what has the focus."));
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
  const bool remote = m_workspace.engine().remote();
  const QString name = QFileInfo(paths.first()).fileName();
  if (QFileInfo::exists(paths.first() + "/strata.json")) {
    if (!remote) return openProject(paths.first());
    return m_workspace.announce(tr("%1 is a project of this machine, and the engine runs on %2: copy it there.")
                                    .arg(name, QString::fromStdString(m_workspace.engine().engine().host)));
  }
  Page* taker = takerOf(paths);
  if (taker == nullptr) {
    return m_workspace.announce(tr("%1 is neither a model's folder nor a file of data.").arg(name));
  }
  const QPointer<Page> kept = taker;
  const auto take = [this, kept](const QString& path) {
    if (!kept) return;
    showPage(kept->id());
    kept->take(path);
  };
  const QString wanted = taker->wants(paths);
  remote ? m_upload->offer(wanted, take) : take(wanted);
}

Page* MainWindow::takerOf(const QStringList& paths) const {
  const bool model = looksLikeModel(paths.first());
  for (Page* one : {currentPage(), page(model ? "models" : "data"), page(model ? "data" : "models")}) {
    if (one != nullptr && !one->wants(paths).isEmpty()) return one;
  }
  return nullptr;
}

void MainWindow::chooseUpload(bool folder) {
  auto* dialog = new QFileDialog(this, folder ? tr("Upload a folder") : tr("Upload a file"),
                                 m_workspace.settings().value("upload/last").toString());
  dialog->setObjectName("upload-dialog");
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(folder ? QFileDialog::Directory : QFileDialog::ExistingFile);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
    m_workspace.settings().setValue("upload/last", QFileInfo(path).absolutePath());
    takeDrop({path});
  });
  dialog->open();
}

void MainWindow::find() {
  (new FindPopup(findables(), this))->openOver(this);
}

std::vector<Findable> MainWindow::findables() {
  std::vector<Findable> all;
  for (int i = 0; i < m_pages.size(); ++i) {
    Page* page = m_pages[i];
    all.push_back({tr("Page"), {page->title(), tr("Ctrl+%1").arg(i + 1), [this, id = page->id()] { showPage(id); }}});
  }
  all.push_back({tr("Page"), {m_settingsPage->title(), "Ctrl+,", [this] { showPage("settings"); }}});
  QList<Page*> pages = m_pages;
  // What can be done on the page in view comes before what another page does.
  if (Page* now = currentPage(); pages.removeOne(now)) pages.prepend(now);
  for (Page* page : pages) {
    for (const Command& command : page->commands()) {
      all.push_back({tr("Action"), {command.name, command.shortcut, [this, id = page->id(), run = command.run] {
                                      showPage(id);
                                      run();
                                    }}});
    }
  }
  addActions(all);
  addModels(all);
  addJobs(all);
  for (const Command& command : m_settingsPage->commands()) all.push_back({tr("Setting"), command});
  return all;
}

void MainWindow::addModels(std::vector<Findable>& all) {
  m_models->refresh();
  for (const protocol::ModelEntry& model : m_models->models()) {
    const QString name = nameOf(model);
    const QString kind = model.source == "run" ? tr("Run") : model.source == "adapter" ? tr("Adapter") : tr("Model");
    if (page("models") != nullptr) {
      all.push_back(
          {kind, {name, {}, [this, key = keyOf(model)] { showPage("models", QString::fromStdString(key)); }}});
    }
    for (const Which which : {Which::a, Which::b}) {
      const QString use = which == Which::a ? tr("Use %1 as A").arg(name) : tr("Use %1 as B").arg(name);
      all.push_back({kind, {use, {}, [this, which, ref = refOf(model)] { m_workspace.useModel(which, ref); }}});
    }
  }
}

void MainWindow::addJobs(std::vector<Findable>& all) {
  for (const protocol::JobInfo& job : m_jobs->jobs()) {
    const QString name = JobBook::title(job) + ", " + JobBook::stateText(job);
    all.push_back({tr("Job"), {name, {}, [this, id = job.id] {
                                 m_strip->setOpen(true);
                                 m_jobsPanel->select(id);
                               }}});
  }
}

void MainWindow::addActions(std::vector<Findable>& all) {
  const auto add = [&](const QString& name, const QString& keys, std::function<void()> run) {
    all.push_back({tr("Action"), {name, keys, std::move(run)}});
  };
  add(tr("Swap A and B"), {}, [this] { m_workspace.swapSides(); });
  add(tr("Copy A to B"), {}, [this] { m_workspace.copyAToB(); });
  add(tr("Open a project"), {}, [this] { pickProject(false); });
  add(tr("New project"), {}, [this] { pickProject(true); });
  add(tr("Sample project"), {}, [this] { openProject({}); });
  add(tr("First steps"), {}, [this] { Q_EMIT m_rail->firstStepsWanted(); });
  add(m_strip->isOpen() ? tr("Close the list of jobs") : tr("Open the list of jobs"), {},
      [this] { m_strip->setOpen(!m_strip->isOpen()); });
  if (m_workspace.engine().remote()) {
    add(tr("Upload a file of this machine"), {}, [this] { chooseUpload(false); });
    add(tr("Upload a folder of this machine"), {}, [this] { chooseUpload(true); });
  }
  add(tr("Restart the engine"), {}, [this] { m_workspace.engine().restart(); });
  add(tr("Engine: state, log and command"), {}, [this] { m_status->openEngine(); });
  add(tr("Memory: curve, and models to unload"), {}, [this] { m_status->openMemory(); });
  add(tr("Inspector on or off"), "F4", [this] { toggleInspector(); });
  add(tr("Larger text"), "Ctrl++", [this] { scaleText(kTextStep); });
  add(tr("Smaller text"), "Ctrl+-", [this] { scaleText(-kTextStep); });
}

}  // namespace strata
