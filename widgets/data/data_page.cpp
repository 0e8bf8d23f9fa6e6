#include "widgets/data/data_page.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QScrollArea>
#include <QSplitter>

#include "widgets/data/data_list.h"
#include "widgets/data/data_result.h"
#include "widgets/data/file_popup.h"
#include "widgets/data/row_preview.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kListWidth = 320;
constexpr int kUsualLength = 512;
/// A check that took less is made again by itself when something changes; a longer one waits for the button.
constexpr qint64 kQuickMs = 1500;

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

std::map<std::string, std::string> columnsOf(const QVariantMap& stored) {
  std::map<std::string, std::string> columns;
  for (auto it = stored.begin(); it != stored.end(); ++it)
    columns[it.key().toStdString()] = it->toString().toStdString();
  return columns;
}

}  // namespace

DataPage::DataPage(Workspace& workspace, QWidget* parent)
    : Page(parent),
      m_workspace(workspace),
      m_check(workspace),
      m_list(new DataList),
      m_result(new DataResult(m_check)),
      m_scroll(new QScrollArea),
      m_state(new StatePane(m_scroll)) {
  setObjectName("dataPage");
  setAccessibleName(tr("Data"));
  const Settings& settings = workspace.settings();
  m_path = settings.value("data/path").toString();
  m_columns = columnsOf(settings.value("data/columns").toMap());
  m_modelChosen = settings.contains("data/model");
  m_model = settings.value("data/model").toString().toStdString();
  m_list->setLength(settings.value("data/length", kUsualLength).toInt());
  m_list->setTrainOnPrompt(settings.value("data/train_on_prompt", false).toBool());
  m_list->setOpened(settings.value("data/opened").toStringList());
  m_list->setPath(m_path);

  auto* listPane = new Pane(Ground::surface);
  auto* listLayout = new QHBoxLayout(listPane);
  listLayout->setContentsMargins(0, 0, 0, 0);
  listLayout->addWidget(m_list);
  m_scroll->setObjectName("dataScroll");
  m_scroll->setAccessibleName(tr("What the data hold"));
  m_scroll->setFrameShape(QFrame::NoFrame);
  m_scroll->setFocusPolicy(Qt::NoFocus);
  m_scroll->setWidgetResizable(true);
  m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_scroll->setWidget(m_result);
  followTheme(m_scroll, [this] { m_scroll->setMinimumWidth(metrics().inspector * 6 / 5); });
  m_state->setObjectName("dataState");
  auto* splitter = new QSplitter(Qt::Horizontal, this);
  splitter->setObjectName("dataSplitter");
  splitter->setChildrenCollapsible(false);
  splitter->addWidget(listPane);
  splitter->addWidget(m_state);
  splitter->setStretchFactor(0, 0);
  splitter->setStretchFactor(1, 1);
  splitter->setSizes({scaled(kListWidth), scaled(4 * kListWidth)});
  const QByteArray layoutOfLastTime = settings.value("data/splitter").toByteArray();
  if (!layoutOfLastTime.isEmpty()) splitter->restoreState(layoutOfLastTime);
  connect(splitter, &QSplitter::splitterMoved, this,
          [this, splitter] { m_workspace.settings().setValue("data/splitter", splitter->saveState()); });
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(splitter);

  connect(m_list, &DataList::openWanted, this, &DataPage::browse);
  connect(m_list, &DataList::chosen, this, &DataPage::read);
  connect(m_list, &DataList::settingsChanged, this, &DataPage::settingsChanged);
  connect(m_result, &DataResult::columnsWanted, this, &DataPage::mapColumns);
  connect(&m_check, &DataCheck::changed, this, &DataPage::follow);
  connect(&m_check, &DataCheck::progressed, this,
          [this](const QString&, qint64 done, qint64 total) { m_state->setProgress(done, total); });
  connect(&workspace, &Workspace::projectChanged, this, [this] {
    m_models.clear();
    if (!m_begun) return begin();
    listFiles();
    listModels();
  });
  connect(&workspace, &Workspace::sidesChanged, this, [this] {
    if (m_begun) followSideA();
  });
  connect(&workspace, &Workspace::modelsChanged, this, [this] {
    if (m_begun) listModels();
  });
  connect(&workspace.engine(), &EngineClient::stateChanged, this, [this] {
    const EngineClient::State state = m_workspace.engine().state();
    if (!m_begun) return follow();
    if (!m_check.answer() || m_check.running()) return;
    if (state == EngineClient::State::restarting || state == EngineClient::State::failed ||
        state == EngineClient::State::off) {
      m_engineChanged = true;
      markStale();
    } else if (state == EngineClient::State::ready && m_engineChanged) {
      markStale();
    }
  });
  follow();
}

void DataPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  m_seen = true;
  begin();
}

/// Nothing is asked of the engine before the page is seen, and before it has the project whose models are named here.
void DataPage::begin() {
  if (m_begun || !m_seen || !(m_workspace.project() || m_workspace.projectProblem())) return;
  m_begun = true;
  listModels();
  listFiles();
  m_path.isEmpty() ? follow() : check();
}

QList<QWidget*> DataPage::panes() {
  return {m_list, m_state};
}

QList<Command> DataPage::commands() {
  QList<Command> commands{{tr("Open a data file or folder"), "Ctrl+O", [this] { browse(); }}};
  if (!m_path.isEmpty()) {
    commands << Command{tr("Check %1 again").arg(QFileInfo(m_path).fileName()), {}, [this] { check(); }};
  }
  return commands;
}

QList<QPair<QString, QString>> DataPage::keys() {
  if (m_check.running()) return {{tr("Esc"), tr("stop reading")}};
  if (!m_check.answer()) return {};
  return {{tr("PgUp, PgDn"), tr("other rows")}};
}

void DataPage::open(const QString& what) {
  if (what == "browse") return browse();
  if (!what.isEmpty()) read(what);
}

QString DataPage::wants(const QStringList& paths) const {
  for (const QString& path : paths) {
    const QFileInfo info(path);
    // A folder with config.json is a model.
    const bool folder = info.isDir() && !QFileInfo::exists(path + "/config.json");
    if (folder || (info.isFile() && isDataName(path))) return path;
  }
  return {};
}

bool DataPage::escape() {
  return m_check.stop();
}

void DataPage::browse() {
  const QString project = m_workspace.project() ? text(m_workspace.project()->folder) : QString();
  const QString folder = m_path.isEmpty() ? project : m_path.section('/', 0, -2);
  auto* popup = new FilePopup(m_workspace, folder, this);
  connect(popup, &FilePopup::chosen, this, &DataPage::read);
  popup->openOver(this);
}

void DataPage::read(const QString& path) {
  if (path != m_path) {
    m_columns.clear();
    m_workspace.settings().remove("data/columns");
  }
  m_path = path;
  m_workspace.settings().setValue("data/path", path);
  m_list->setPath(path);
  m_workspace.settings().setValue("data/opened", m_list->opened());
  m_begun ? check() : follow();
}

protocol::CheckData::Params DataPage::params() const {
  protocol::CheckData::Params params;
  params.path = m_path.toStdString();
  params.model = m_model;
  params.length = m_list->length();
  params.trainOnPrompt = m_list->trainOnPrompt();
  params.columns = m_columns;
  return params;
}

void DataPage::check() {
  if (m_path.isEmpty() || !m_begun) return;
  m_engineChanged = false;
  m_check.run(params());
}

void DataPage::mapColumns(const std::map<std::string, std::string>& columns) {
  m_columns = columns;
  QVariantMap stored;
  for (const auto& [role, key] : columns) stored[text(role)] = text(key);
  m_workspace.settings().setValue("data/columns", stored);
  check();
}

void DataPage::settingsChanged() {
  Settings& settings = m_workspace.settings();
  const std::string model = m_list->model();
  if (model != m_model) {
    m_model = model;
    m_modelChosen = true;
    settings.setValue("data/model", text(model));
  }
  settings.setValue("data/length", m_list->length());
  settings.setValue("data/train_on_prompt", m_list->trainOnPrompt());
  if (m_path.isEmpty()) return;
  if (m_check.running() || m_check.milliseconds() < kQuickMs || !m_check.answer()) return check();
  markStale();
}

void DataPage::listFiles() {
  m_workspace.engine().call<protocol::ListData>({}, this, [this](const Result<protocol::ListData::Answer>& answer) {
    // Without a project there are no files of it; why it could not be opened is said where it was asked for.
    m_list->showFiles(answer ? answer->files : std::vector<protocol::NamedPath>());
  });
}

/// Until another model is chosen here, data is read with the one on side A. Its map does not matter.
void DataPage::followSideA() {
  const auto& side = m_workspace.side(Which::a);
  const std::string model = side ? side->ref.model : std::string();
  if (m_modelChosen || model == m_model) return;
  m_model = model;
  m_list->showModels(m_models, m_model);
  if (m_check.answer()) settingsChanged();
}

void DataPage::listModels() {
  followSideA();
  m_list->showModels(m_models, m_model);
  protocol::ListModels::Params params;
  for (const QString& folder : m_workspace.settings().value("models/folders").toStringList()) {
    params.folders.push_back(folder.toStdString());
  }
  m_workspace.engine().call<protocol::ListModels>(params, this, [this](const auto& answer) {
    if (!answer) return;  // the combo box keeps the model that is chosen; the page Models says what is wrong
    m_models.clear();
    for (const protocol::ModelEntry& model : answer->models) {
      // An adapter reads with its model's tokenizer and template.
      if (model.problem.empty() && model.adapter.empty()) m_models.push_back(model);
    }
    m_list->showModels(m_models, m_model);
  });
}

void DataPage::markStale() {
  const DataCheck::Params& answered = m_check.answered();
  QStringList from;
  if (m_engineChanged) from << tr("before the engine stopped");
  if (answered.length != m_list->length()) from << tr("length %1").arg(formatCount(answered.length));
  if (answered.model != m_model) {
    from << (answered.model.empty() ? tr("no model") : tr("model %1").arg(text(answered.model).section('/', -1)));
  }
  if (answered.trainOnPrompt != m_list->trainOnPrompt()) {
    from << (answered.trainOnPrompt ? tr("training on prompts too") : tr("training on completions alone"));
  }
  if (from.isEmpty()) return m_state->setWorking();
  m_state->setStale(
      tr("from %1").arg(from.join(", ")), [this] { check(); }, tr("Check again"));
}

/// What stands in place of last time's file until the engine can read it.
void DataPage::followEngine() {
  const EngineClient& engine = m_workspace.engine();
  if (engine.state() == EngineClient::State::failed) {
    m_state->setFailed(Error{ErrorCode::busy, engine.problem().toStdString(), {}}, tr("Start it again"),
                       [this] { m_workspace.engine().restart(); });
  } else {
    m_state->setLoading(engine.ready() ? tr("Opening the project") : tr("Waits for the engine"));
  }
}

void DataPage::follow() {
  Q_EMIT keysChanged();
  if (!m_check.answer()) m_result->begin(m_path);
  if (!m_begun && !m_path.isEmpty()) return followEngine();
  if (m_check.running()) {
    const QString name = QFileInfo(m_path).fileName();
    m_state->setLoading(m_workspace.engine().ready() ? tr("Reading %1").arg(name) : tr("Waits for the engine"),
                        [this] { m_check.stop(); });
    return;
  }
  if (const auto& error = m_check.error()) {
    if (error->code == ErrorCode::cancelled) {
      if (m_check.answer()) return markStale();
      m_state->setEmpty(tr("Reading was stopped."), tr("Read it again"), [this] { check(); });
      return;
    }
    m_state->setFailed(*error, tr("Check again"), [this] { check(); });
    return;
  }
  if (!m_check.answer()) {
    m_state->setEmpty(
        tr("No data yet. Choose a JSONL, JSON, CSV, Parquet or text file, or drop one here: Strata shows what "
           "a model would learn from it."),
        tr("Open a file or folder…"), [this] { browse(); }, tr("Open the sample"),
        [this] { m_workspace.openProject({}); });
    return;
  }
  m_result->refresh();
  m_state->setWorking();
  const protocol::CheckData::Answer& answer = *m_check.answer();
  m_workspace.announce(answer.refused.empty()
                           ? tr("%1 to train on.").arg(formatCounted(answer.rows, tr("row"), tr("rows")))
                           : text(answer.refused));
}

}  // namespace strata
