#include "widgets/models/models_page.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QPointer>
#include <QScrollArea>
#include <QSplitter>
#include <QTimer>

#include "widgets/models/load_control.h"
#include "widgets/models/memory_inspector.h"
#include "widgets/models/model_card_view.h"
#include "widgets/models/model_list.h"
#include "widgets/models/template_preview.h"
#include "widgets/shell/folder_popup.h"
#include "widgets/shell/model_index.h"
#include "widgets/style/controls.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kListWidth = 320;

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

/// The folder that a dropped path means: itself, or the one of a model's file.
QString modelFolderOf(const QString& path) {
  const QFileInfo info(path);
  if (info.isDir()) return path;
  const QString name = info.fileName();
  return name == "config.json" || name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json")
             ? info.absolutePath()
             : QString();
}

}  // namespace

ModelsPage::ModelsPage(Workspace& workspace, QWidget* parent)
    : Page(parent),
      m_workspace(workspace),
      m_list(new ModelList),
      m_card(new ModelCardView(workspace)),
      m_inspector(new MemoryInspector(workspace)) {
  setObjectName("modelsPage");
  setAccessibleName(tr("Models"));
  auto* listPane = new Pane(Ground::surface);
  auto* listLayout = new QHBoxLayout(listPane);
  listLayout->setContentsMargins(0, 0, 0, 0);
  listLayout->addWidget(m_list);

  auto* scroll = new QScrollArea;
  scroll->setObjectName("modelCardScroll");
  scroll->setAccessibleName(tr("The chosen model"));
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setWidgetResizable(true);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll->setWidget(m_card);
  followTheme(scroll, [scroll] { scroll->setMinimumWidth(metrics().inspector * 6 / 5); });
  m_cardState = new StatePane(scroll);
  m_cardState->setObjectName("modelCardState");
  m_cardPane = m_cardState;

  auto* splitter = new QSplitter(Qt::Horizontal);
  splitter->setObjectName("modelsSplitter");
  splitter->setChildrenCollapsible(false);
  splitter->addWidget(listPane);
  splitter->addWidget(m_cardState);
  splitter->setStretchFactor(0, 0);
  splitter->setStretchFactor(1, 1);
  splitter->setSizes({scaled(kListWidth), scaled(4 * kListWidth)});
  const QByteArray layoutOfLastTime = workspace.settings().value("models/splitter").toByteArray();
  if (!layoutOfLastTime.isEmpty()) splitter->restoreState(layoutOfLastTime);
  connect(splitter, &QSplitter::splitterMoved, this,
          [this, splitter] { m_workspace.settings().setValue("models/splitter", splitter->saveState()); });

  m_state = new StatePane(splitter, this);
  m_state->setObjectName("modelsState");
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_state);

  connect(m_list, &ModelList::chosenChanged, this, &ModelsPage::showChosen);
  connect(m_list, &ModelList::browseWanted, this, &ModelsPage::browse);
  connect(m_card, &ModelCardView::useWanted, this, &ModelsPage::use);
  connect(m_card, &ModelCardView::addWanted, this, [this] { addFolder(text(m_card->entry().path)); });
  connect(m_card, &ModelCardView::removeWanted, this, &ModelsPage::remove);
  connect(m_card, &ModelCardView::failed, this, [this](const Error& error) { fail(error); });
  connect(m_card->chatTemplate(), &TemplatePreview::changed, this, [this] {
    m_workspace.forgetCards();
    m_shown.clear();
    showChosen();
  });
  connect(m_card->chatTemplate(), &TemplatePreview::opened, scroll, [this, scroll] {
    // Once it is laid out.
    QTimer::singleShot(0, scroll, [this, scroll] { scroll->ensureWidgetVisible(m_card->chatTemplate()); });
  });
  connect(m_card->loadControl(), &LoadControl::refChanged, this, [this] {
    m_shown.clear();
    showChosen();
  });
  connect(m_card->loadControl(), &LoadControl::finished, this, &ModelsPage::keysChanged);
  connect(m_inspector.data(), &MemoryInspector::changed, this, &ModelsPage::showMemory);
  connect(&workspace, &Workspace::projectChanged, this, [this] { m_begun ? refresh() : begin(); });
  connect(&workspace, &Workspace::modelsChanged, this, [this] {
    if (m_begun) refresh();
  });
  connect(&workspace.engine(), &EngineClient::stateChanged, this, &ModelsPage::followEngine);
  workspace.engine().on<protocol::JobsChanged>(this, [this](const auto& jobs) { followJobs(jobs); });
  workspace.engine().on<protocol::Progress>(this, [this](const protocol::Progress& progress) {
    if (m_known || m_listing == 0 || progress.request != Json(m_listing)) return;
    m_state->setProgress(static_cast<double>(progress.done), static_cast<double>(progress.total));
  });
  m_cardState->setWorking();
  followEngine();
}

ModelsPage::~ModelsPage() {
  delete m_inspector.data();
}

void ModelsPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  m_seen = true;
  begin();
}

/// Nothing is asked of the engine before the page is seen, and before it has the project whose models these are.
void ModelsPage::begin() {
  if (m_begun || !m_seen || !(m_workspace.project() || m_workspace.projectProblem())) return;
  m_begun = true;
  refresh();
}

QWidget* ModelsPage::inspector() {
  return m_inspector;
}

QList<QWidget*> ModelsPage::panes() {
  return {m_list, m_cardPane, m_inspector};
}

QList<Command> ModelsPage::commands() {
  QList<Command> commands{{tr("Open a model folder"), "Ctrl+O", [this] { browse(); }},
                          {tr("Search models"), "Ctrl+F", [this] { m_list->focusSearch(); }}};
  if (const protocol::ModelEntry* entry = m_list->chosen(); entry != nullptr && entry->problem.empty()) {
    const QString name = nameOf(*entry);
    if (m_card->loadControl()->loaded() == nullptr) {
      commands << Command{tr("Load %1").arg(name), {}, [this] { m_card->loadControl()->load(); }};
    } else {
      commands << Command{tr("Unload %1").arg(name), {}, [this] { m_card->loadControl()->unload(); }};
    }
    if (m_workspace.knownCard(m_card->loadControl()->ref()) != nullptr && m_card->chatTemplate()->canEdit()) {
      commands << Command{tr("Edit the chat template of %1").arg(name), {}, [this] { m_card->chatTemplate()->edit(); }};
    }
  }
  return commands;
}

QList<QPair<QString, QString>> ModelsPage::keys() {
  return {{tr("Up, Down"), tr("choose a model")}, {tr("Tab"), tr("its actions")}};
}

void ModelsPage::open(const QString& what) {
  if (what.isEmpty()) return;
  if (what == "browse") return browse();
  m_wanted = what.toStdString();
  if (m_list->choose(m_wanted)) {
    m_wanted.clear();
  } else if (m_begun) {
    refresh();
  }
}

QString ModelsPage::wants(const QStringList& paths) const {
  for (const QString& path : paths) {
    if (const QString folder = modelFolderOf(path); !folder.isEmpty()) return folder;
  }
  return {};
}

bool ModelsPage::escape() {
  if (m_card->loadControl()->stop()) return true;
  if (!m_known && m_listing != 0) {
    m_workspace.engine().cancel(m_listing);
    return true;
  }
  if (!m_failed) return false;
  m_failed = false;
  m_state->setWorking();
  return true;
}

void ModelsPage::browse() {
  const QString last = m_workspace.settings().value("folders/last").toString();
  if (m_workspace.engine().remote()) {
    auto* popup = new FolderPopup(m_workspace, FolderPopup::Purpose::model, this);
    connect(popup, &FolderPopup::chosen, this, &ModelsPage::addFolder);
    popup->openOver(this);
    return;
  }
  auto* dialog = new QFileDialog(this, tr("Open a model folder"), last);
  dialog->setObjectName("modelFolderDialog");
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  dialog->setOption(QFileDialog::ShowDirsOnly);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) {
    m_workspace.settings().setValue("folders/last", QFileInfo(folder).absolutePath());
    addFolder(folder);
  });
  dialog->open();
}

void ModelsPage::addFolder(const QString& folder) {
  m_wanted = folder.toStdString();
  m_workspace.engine().call<protocol::AddModel>(
      {folder.toStdString(), {}}, this, [this, folder](const Result<protocol::ProjectInfo>& project) {
        if (!project) return fail(project.error(), tr("Open another folder…"), [this] { browse(); });
        changed(*project, tr("%1 is in the project.").arg(QFileInfo(folder).fileName()));
      });
}

void ModelsPage::remove() {
  const protocol::ModelEntry entry = m_card->entry();
  m_workspace.engine().call<protocol::RemoveModel>({entry.name}, this, [this, entry](const auto& project) {
    if (!project) return fail(project.error());
    changed(*project, tr("%1 is no longer in the project.").arg(text(entry.name)));
    m_list->offer(tr("%1 was removed; its files are where they were.").arg(text(entry.name)), tr("Undo"),
                  [this, entry] {
                    m_wanted = entry.path;
                    m_workspace.engine().call<protocol::AddModel>(
                        {entry.path, entry.name}, this, [this, entry](const auto& again) {
                          if (!again) return fail(again.error());
                          changed(*again, tr("%1 is in the project again.").arg(text(entry.name)));
                        });
                  });
  });
}

void ModelsPage::changed(const protocol::ProjectInfo& project, const QString& sentence) {
  m_failed = false;
  m_list->offer({}, {}, {});
  m_workspace.announce(sentence);
  m_workspace.setProjectModels(project);
}

void ModelsPage::use(Which side) {
  m_workspace.useModel(side, m_card->loadControl()->ref());
  m_workspace.announce(side == Which::a ? tr("%1 stands on side A.").arg(nameOf(m_card->entry()))
                                        : tr("%1 stands on side B.").arg(nameOf(m_card->entry())));
}

void ModelsPage::refresh() {
  const int asked = ++m_asked;
  if (!m_known) {
    m_state->setLoading(tr("Looking for models"), [this] { m_workspace.engine().cancel(m_listing); });
  }
  protocol::ListModels::Params params;
  for (const QString& folder : m_workspace.settings().value("models/folders").toStringList()) {
    params.folders.push_back(folder.toStdString());
  }
  if (m_listing != 0) m_workspace.engine().cancel(m_listing);
  m_listing = m_workspace.engine().call<protocol::ListModels>(params, this, [this, asked](const auto& answer) {
    if (asked != m_asked) return;
    m_listing = 0;
    listed(answer);
  });
}

void ModelsPage::listed(const Result<protocol::ListModels::Answer>& answer) {
  if (!answer && answer.error().code == ErrorCode::cancelled) {
    if (!m_known) m_state->setEmpty(tr("The search for models was stopped."), tr("Look again"), [this] { refresh(); });
    return;
  }
  if (!answer) return fail(answer.error(), tr("Look again"), [this] { refresh(); });
  m_known = true;
  if (!m_failed) m_state->setWorking();
  m_list->show(answer->models, text(answer->hub));
  if (!m_wanted.empty() && m_list->choose(m_wanted)) {
    m_wanted.clear();
  } else if (m_list->chosen() == nullptr) {
    for (const Which which : {Which::b, Which::a}) {
      if (const auto& side = m_workspace.side(which); side && m_list->choose(keyOf(side->ref))) break;
    }
    if (m_list->chosen() == nullptr && !answer->models.empty()) m_list->choose(keyOf(answer->models.front()));
  }
  m_shown.clear();
  showChosen();
}

void ModelsPage::showEmpty() {
  m_inspector->setModel(nullptr);
  m_cardState->setEmpty(
      tr("No model yet. Open a Hugging Face folder (Llama, Mistral, Qwen2 or Qwen3, as safetensors), or try the "
         "sample."),
      tr("Open a folder…"), [this] { browse(); }, tr("Open the sample"), [this] { m_workspace.openProject({}); });
}

void ModelsPage::showChosen() {
  const protocol::ModelEntry* entry = m_list->chosen();
  if (entry == nullptr) {
    m_shown.clear();
    return showEmpty();
  }
  if (m_shown == keyOf(*entry)) return;
  const bool another = keyOf(m_card->entry()) != keyOf(*entry);
  m_shown = keyOf(*entry);
  Q_EMIT keysChanged();
  if (another || m_card->loadControl()->ref().model.empty()) {
    m_card->begin(*entry);
    m_card->showNothing();
  }
  if (!entry->problem.empty()) {
    m_card->showNothing();
    m_inspector->setModel(nullptr);
    m_cardState->setFailed(Error{ErrorCode::invalidData, entry->problem, entry->path}, tr("Look again"), [this] {
      m_workspace.forgetCards();
      refresh();
    });
    return;
  }
  const protocol::ModelRef ref = m_card->loadControl()->ref();
  if (m_workspace.knownCard(ref) == nullptr && another) m_cardState->setLoading(tr("Reading the model's files"));
  m_workspace.card(ref, this, [this, ref](const Result<protocol::ModelCard>& card) {
    if (ref == m_card->loadControl()->ref()) showCard(card);
  });
}

void ModelsPage::showCard(const Result<protocol::ModelCard>& card) {
  if (!card) {
    m_card->showNothing();
    m_inspector->setModel(nullptr);
    m_cardState->setFailed(card.error(), tr("Look again"), [this] {
      m_shown.clear();
      refresh();
    });
    return;
  }
  m_cardState->setWorking();
  m_card->show(*card);
  m_inspector->setModel(&*card);
  followEngine();
}

void ModelsPage::showMemory() {
  if (!m_inspector->problem().isEmpty()) return m_card->memory()->setProblem(m_inspector->problem());
  m_card->memory()->setPredicted(m_inspector->estimate(), m_inspector->situation());
}

void ModelsPage::followEngine() {
  const EngineClient& engine = m_workspace.engine();
  if (!m_begun) {
    if (engine.state() == EngineClient::State::failed) {
      m_state->setFailed(Error{ErrorCode::busy, engine.problem().toStdString(), {}}, tr("Start it again"),
                         [this] { m_workspace.engine().restart(); });
    } else {
      m_state->setLoading(engine.ready() ? tr("Opening the project") : tr("Waits for the engine"));
    }
    return;
  }
  if (m_card->loadControl()->ref().model.empty() || m_list->chosen() == nullptr) return;
  switch (engine.state()) {
    case EngineClient::State::ready:
      if (m_cardState->state() == StatePane::State::stale) {
        m_cardState->setWorking();
        refresh();
      }
      break;
    case EngineClient::State::failed:
      m_cardState->setStale(
          tr("from before the engine stopped; loading waits for the engine"),
          [this] { m_workspace.engine().restart(); }, tr("Start it again"));
      break;
    case EngineClient::State::restarting:
    case EngineClient::State::off:
      m_cardState->setStale(tr("from before the engine stopped; loading waits for the engine"));
      break;
    case EngineClient::State::starting:
      break;
  }
}

/// A run that began, ended or vanished changes the list; its progress does not.
void ModelsPage::followJobs(const protocol::JobsChanged& changes) {
  bool different = false;
  for (const protocol::JobInfo& job : changes.jobs) {
    QString& state = m_jobStates[text(job.id)];
    different = different || state != text(job.state);
    state = text(job.state);
  }
  if (different && m_known) refresh();
}

void ModelsPage::fail(const Error& error, const QString& action, std::function<void()> run) {
  if (error.code == ErrorCode::cancelled) return;
  m_failed = true;
  m_state->setFailed(error, action, [this, run = std::move(run)] {
    m_failed = false;
    m_state->setWorking();
    if (run) run();
  });
}

}  // namespace strata
