#include "widgets/models/models_page.h"

#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QPointer>
#include <QScrollArea>
#include <QScrollBar>
#include <QSplitter>
#include <QTimer>

#include "widgets/models/export_section.h"
#include "widgets/models/load_control.h"
#include "widgets/models/memory_inspector.h"
#include "widgets/models/model_card_view.h"
#include "widgets/models/model_list.h"
#include "widgets/models/template_preview.h"
#include "widgets/shell/folder_popup.h"
#include "widgets/style/controls.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kListWidth = 320;

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

/// The model that a dropped or chosen path means: the folder or GGUF file itself, or the folder of a model's file.
QString modelOf(const QString& path) {
  const QFileInfo info(path);
  if (info.isDir() || isGgufName(path)) return path;
  const QString name = info.fileName();
  return name == "config.json" || name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json")
             ? info.absolutePath()
             : QString();
}

/// A folder of data is dropped, too.
bool looksLikeModel(const QString& folder) {
  return isGgufName(folder) || QFileInfo::exists(folder + "/config.json") ||
         !QDir(folder).entryList({"*.safetensors"}, QDir::Files).isEmpty();
}

}  // namespace

ModelsPage::ModelsPage(Session& session, QWidget* parent)
    : Page(parent),
      m_session(session),
      m_list(new ModelList),
      m_card(new ModelCardView(session)),
      m_inspector(new MemoryInspector(session)) {
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

  m_splitter = new QSplitter(Qt::Horizontal);
  m_splitter->setObjectName("modelsSplitter");
  m_splitter->setChildrenCollapsible(false);
  m_splitter->addWidget(listPane);
  m_splitter->addWidget(m_cardState);
  m_splitter->setStretchFactor(0, 0);
  m_splitter->setStretchFactor(1, 1);
  m_splitter->setSizes({scaled(kListWidth), scaled(4 * kListWidth)});
  connect(m_splitter, &QSplitter::splitterMoved, this, &ModelsPage::stateChanged);

  m_state = new StatePane(m_splitter, this);
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
    m_session.forgetCards();
    m_shown.clear();
    showChosen();
  });
  connect(m_card->chatTemplate(), &TemplatePreview::opened, scroll, [this, scroll] {
    // Once it is laid out.
    QTimer::singleShot(0, scroll, [this, scroll] { scroll->ensureWidgetVisible(m_card->chatTemplate()); });
  });
  connect(m_card->exporting(), &ExportSection::changed, scroll, [this, scroll] {
    QTimer::singleShot(0, scroll, [this, scroll] {
      if (m_card->exporting()->isVisible()) scroll->verticalScrollBar()->setValue(0);
    });
  });
  connect(m_card->loadControl(), &LoadControl::refChanged, this, [this] {
    m_shown.clear();
    showChosen();
  });
  connect(m_card->loadControl(), &LoadControl::finished, this, &ModelsPage::keysChanged);
  connect(m_inspector.data(), &MemoryInspector::changed, this, &ModelsPage::showMemory);
  connect(&session, &Session::projectChanged, this, &ModelsPage::follow);
  connect(&session.models(), &ModelTable::changed, this, &ModelsPage::follow);
  connect(&session.models(), &ModelTable::progressed, this, [this](double done, double total) {
    if (!m_session.models().isKnown()) m_state->setProgress(done, total);
  });
  connect(&session.engine(), &EngineClient::stateChanged, this, &ModelsPage::followEngine);
  m_cardState->setWorking();
  addCommands();
  follow();
}

ModelsPage::~ModelsPage() {
  delete m_inspector.data();
}

QWidget* ModelsPage::inspector() {
  return m_inspector;
}

QList<QWidget*> ModelsPage::panes() {
  return {m_list, m_cardPane, m_inspector};
}

QByteArray ModelsPage::saveState() const {
  return m_splitter->saveState();
}

void ModelsPage::restoreState(const QByteArray& state) {
  m_splitter->restoreState(state);
}

void ModelsPage::addCommands() {
  addCommand("models-open", tr("Open a model"), QKeySequence("Ctrl+O"), [this] { browse(); });
  addCommand("models-search", tr("Search models"), QKeySequence("Ctrl+F"), [this] { m_list->focusSearch(); });
  m_loadAction = addCommand("models-load", {}, {}, [this] {
    LoadControl* control = m_card->loadControl();
    control->loaded() == nullptr ? control->load() : control->unload();
  });
  m_templateAction = addCommand("models-template", {}, {}, [this] { m_card->chatTemplate()->edit(); });
  m_exportAction = addCommand("models-export", {}, QKeySequence("Ctrl+E"), [this] { openExport(); });
}

void ModelsPage::updateActions() {
  const protocol::ModelEntry* entry = m_list->chosen();
  const bool usable = entry != nullptr && entry->problem.empty();
  const QString name = usable ? nameOf(*entry) : QString();
  m_loadAction->setEnabled(usable);
  m_loadAction->setText(m_card->loadControl()->loaded() == nullptr ? tr("Load %1").arg(name)
                                                                   : tr("Unload %1").arg(name));
  m_templateAction->setEnabled(usable && m_session.knownCard(m_card->loadControl()->ref()) != nullptr &&
                               m_card->chatTemplate()->canEdit());
  m_templateAction->setText(tr("Edit the chat template of %1").arg(name));
  m_exportAction->setEnabled(usable && m_card->exporting()->canOpen());
  m_exportAction->setText(tr("Export %1").arg(name));
}

void ModelsPage::openExport() {
  const protocol::ModelEntry* entry = m_list->chosen();
  if (entry != nullptr && entry->problem.empty()) m_card->exporting()->open();
}

QList<QPair<QString, QString>> ModelsPage::keys() {
  return {{tr("Up, Down"), tr("choose a model")}, {tr("Tab"), tr("its actions")}};
}

bool ModelsPage::shows(const Place& place) const {
  return place.kind == PlaceKind::model || place.kind == PlaceKind::exportModel || place.kind == PlaceKind::newModel ||
         Page::shows(place);
}

void ModelsPage::open(const Place& place) {
  if (place.kind == PlaceKind::newModel) return browse();
  if (place.id.isEmpty()) return;
  m_wanted = place.id.toStdString();
  m_exportWanted = place.kind == PlaceKind::exportModel;
  bool found = m_list->choose(m_wanted);
  if (!found && m_exportWanted) found = m_list->choose(m_wanted.substr(0, m_wanted.rfind('@')));  // RUN@STEP of a side
  if (found) {
    m_wanted.clear();
    showWanted();
  } else if (m_session.project()) {
    m_session.models().refresh();
  }
}

std::optional<Wanted> ModelsPage::wants(const QStringList& paths) const {
  for (const QString& path : paths) {
    const QString model = modelOf(path);
    if (!model.isEmpty()) return Wanted{model, looksLikeModel(model)};
  }
  return {};
}

bool ModelsPage::escape() {
  if (m_card->loadControl()->stop() || m_card->exporting()->escape()) return true;
  if (!m_session.models().isKnown() && m_session.models().isListing()) {
    m_session.models().stop();
    return true;
  }
  if (!m_failed) return false;
  m_failed = false;
  m_state->setWorking();
  return true;
}

void ModelsPage::browse() {
  const QString last = m_session.settings().value("folders/last").toString();
  if (m_session.engine().remote()) {
    auto* popup = new FolderPopup(m_session, FolderPopup::Purpose::model, this);
    connect(popup, &FolderPopup::chosen, this, &ModelsPage::addFolder);
    popup->openOver(this);
    return;
  }
  // A dialog takes either files or folders: config.json stands for its folder.
  auto* dialog = new QFileDialog(this, tr("Open a model"), last, tr("Models (config.json *.gguf)"));
  dialog->setObjectName("modelDialog");
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::ExistingFile);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& file) {
    const QString model = modelOf(file);
    m_session.settings().setValue("folders/last", QFileInfo(model).absolutePath());
    addFolder(model);
  });
  dialog->open();
}

void ModelsPage::addFolder(const QString& folder) {
  m_wanted = folder.toStdString();
  m_session.engine().call<protocol::AddModel>(
      {folder.toStdString(), {}}, this, [this, folder](const Result<protocol::ProjectInfo>& project) {
        if (!project) return fail(project.error(), tr("Open another model…"), [this] { browse(); });
        changed(*project, tr("%1 is in the project.").arg(QFileInfo(folder).fileName()));
      });
}

void ModelsPage::remove() {
  const protocol::ModelEntry entry = m_card->entry();
  m_session.engine().call<protocol::RemoveModel>({entry.name}, this, [this, entry](const auto& project) {
    if (!project) return fail(project.error());
    changed(*project, tr("%1 is no longer in the project.").arg(text(entry.name)));
    m_list->offer(
        tr("%1 was removed; its files are where they were.").arg(text(entry.name)), tr("Undo"), [this, entry] {
          m_wanted = entry.path;
          m_session.engine().call<protocol::AddModel>({entry.path, entry.name}, this, [this, entry](const auto& again) {
            if (!again) return fail(again.error());
            changed(*again, tr("%1 is in the project again.").arg(text(entry.name)));
          });
        });
  });
}

void ModelsPage::changed(const protocol::ProjectInfo& project, const QString& sentence) {
  m_failed = false;
  m_list->offer({}, {}, {});
  m_session.announce(sentence);
  m_session.setProjectModels(project);
}

void ModelsPage::use(Which side) {
  m_session.useModel(side, m_card->loadControl()->ref());
  m_session.announce(side == Which::a ? tr("Side A now uses %1.").arg(nameOf(m_card->entry()))
                                      : tr("Side B now uses %1.").arg(nameOf(m_card->entry())));
}

/// Shows the session's list, or why there is none.
void ModelsPage::follow() {
  ModelTable& models = m_session.models();
  const auto again = [this] { m_session.models().refresh(); };
  if (models.isListing()) {
    if (!models.isKnown()) m_state->setLoading(tr("Looking for models"), [this] { m_session.models().stop(); });
    return;
  }
  if (const auto& problem = models.problem()) {
    if (problem->code != ErrorCode::cancelled) return fail(*problem, tr("Look again"), again);
    if (!models.isKnown()) m_state->setEmpty(tr("The search for models was stopped."), tr("Look again"), again);
    return;
  }
  models.isKnown() ? showList() : followEngine();
}

void ModelsPage::showList() {
  const std::vector<protocol::ModelEntry>& models = m_session.models().rows();
  if (!m_failed) m_state->setWorking();
  m_list->show(models, m_session.models().hub());
  if (!m_wanted.empty() && m_list->choose(m_wanted)) {
    m_wanted.clear();
  } else if (m_list->chosen() == nullptr) {
    for (const Which which : {Which::b, Which::a}) {
      if (const auto& side = m_session.side(which); side && m_list->choose(keyOf(side->ref))) break;
    }
    if (m_list->chosen() == nullptr && !models.empty()) m_list->choose(keyOf(models.front()));
  }
  m_shown.clear();
  showChosen();
  if (m_wanted.empty()) showWanted();
}

/// The export of the model that was asked for, now that it is chosen.
void ModelsPage::showWanted() {
  if (!m_exportWanted) return;
  m_exportWanted = false;
  m_card->exporting()->setModel(m_card->entry());
  openExport();
}

void ModelsPage::showEmpty() {
  m_inspector->setModel(nullptr);
  m_cardState->setEmpty(
      tr("No model yet. Open a Hugging Face folder or a GGUF file (Llama, Mistral, Qwen2 or Qwen3)."), tr("Open…"),
      [this] { browse(); }, m_session.sampleLink(), [this] { m_session.openProject({}); });
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
      m_session.forgetCards();
      m_session.models().refresh();
    });
    return;
  }
  const protocol::ModelRef ref = m_card->loadControl()->ref();
  if (m_session.knownCard(ref) == nullptr && another) m_cardState->setLoading(tr("Reading the model's files"));
  m_session.card(ref, this, [this, ref](const Result<protocol::ModelCard>& card) {
    if (ref == m_card->loadControl()->ref()) showCard(card);
  });
}

void ModelsPage::showCard(const Result<protocol::ModelCard>& card) {
  if (!card) {
    m_card->showNothing();
    m_inspector->setModel(nullptr);
    m_cardState->setFailed(card.error(), tr("Look again"), [this] {
      m_shown.clear();
      m_session.models().refresh();
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
  const EngineClient& engine = m_session.engine();
  if (!m_session.models().isKnown()) {
    if (m_session.models().isListing() && engine.ready()) return follow();
    if (engine.state() == EngineClient::State::failed) {
      m_state->setFailed(Error{ErrorCode::busy, engine.problem().toStdString(), {}}, tr("Start it again"),
                         [this] { m_session.engine().restart(); });
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
        m_session.models().refresh();
      }
      break;
    case EngineClient::State::failed:
      m_cardState->setStale(
          tr("from before the engine stopped; loading waits for the engine"), [this] { m_session.engine().restart(); },
          tr("Start it again"));
      break;
    case EngineClient::State::restarting:
    case EngineClient::State::off:
      m_cardState->setStale(tr("from before the engine stopped; loading waits for the engine"));
      break;
    case EngineClient::State::starting:
      break;
  }
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
