#include "widgets/data/data_page.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QScrollArea>
#include <QSplitter>
#include <utility>

#include "widgets/data/data_list.h"
#include "widgets/data/data_result.h"
#include "widgets/data/row_preview.h"
#include "widgets/shell/file_popup.h"
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

DataPage::DataPage(Session& session, QWidget* parent)
    : Page(parent),
      m_session(session),
      m_check(session),
      m_list(new DataList),
      m_result(new DataResult(m_check)),
      m_scroll(new QScrollArea),
      m_state(new StatePane(m_scroll)) {
  setObjectName("dataPage");
  setAccessibleName(tr("Data"));
  const Settings& settings = session.settings();
  m_path = settings.value("data/path").toString();
  m_columns = columnsOf(settings.value("data/columns").toMap());
  m_modelChosen = settings.contains("data/model");
  m_model = settings.value("data/model").toString().toStdString();
  m_list->setLength(settings.value("data/length", kUsualLength).toInt());
  m_list->setTrainOnPrompt(settings.value("data/train_on_prompt", false).toBool());
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
  m_splitter = new QSplitter(Qt::Horizontal, this);
  m_splitter->setObjectName("dataSplitter");
  m_splitter->setChildrenCollapsible(false);
  m_splitter->addWidget(listPane);
  m_splitter->addWidget(m_state);
  m_splitter->setStretchFactor(0, 0);
  m_splitter->setStretchFactor(1, 1);
  m_splitter->setSizes({scaled(kListWidth), scaled(4 * kListWidth)});
  connect(m_splitter, &QSplitter::splitterMoved, this, &DataPage::stateChanged);
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_splitter);

  connect(m_list, &DataList::openWanted, this, &DataPage::browse);
  connect(m_list, &DataList::chosen, this, &DataPage::read);
  connect(m_list, &DataList::removeWanted, this, &DataPage::remove);
  connect(m_list, &DataList::settingsChanged, this, &DataPage::settingsChanged);
  connect(m_result, &DataResult::columnsWanted, this, &DataPage::mapColumns);
  connect(&m_check, &DataCheck::changed, this, &DataPage::follow);
  connect(&m_check, &DataCheck::progressed, this,
          [this](const QString&, qint64 done, qint64 total) { m_state->setProgress(done, total); });
  connect(&session, &Session::projectChanged, this, [this] { m_begun ? followProject() : begin(); });
  connect(&session, &Session::sidesChanged, this, [this] {
    if (m_begun) followSideA();
  });
  connect(&session.models(), &ModelTable::changed, this, &DataPage::showModels);
  connect(&session.engine(), &EngineClient::stateChanged, this, [this] {
    const EngineClient::State state = m_session.engine().state();
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
  addCommand("data-open", tr("Open a data file or folder"), QKeySequence("Ctrl+O"), [this] { browse(); });
  m_againAction = addCommand("data-again", {}, {}, [this] { check(); });
  follow();
}

void DataPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  m_seen = true;
  begin();
}

/// Nothing is asked of the engine before the page is seen, and before it has the project whose models are named here.
void DataPage::begin() {
  if (m_begun || !m_seen || !(m_session.project() || m_session.projectProblem())) return;
  m_begun = true;
  if (m_session.project()) {
    m_folder = m_session.project()->folder;
    // Last time's file may be that of another project: a window can be started with any.
    const QString stored = m_session.settings().value("data/project").toString();
    if (!stored.isEmpty() && stored != text(m_folder)) forgetFiles();
  }
  m_wantedProject = m_session.wantedProject();
  followSideA();
  showModels();
  listFiles();
  m_path.isEmpty() ? follow() : check();
}

/// What was checked belongs to the project that it was chosen in: keep() must not write it into another.
void DataPage::followProject() {
  m_wantedProject = m_session.wantedProject();
  if (m_session.project()) {
    const std::string& folder = m_session.project()->folder;
    if (std::exchange(m_folder, folder) != folder) forgetFiles();
  }
  listFiles();
  followSideA();
}

/// Those of another project.
void DataPage::forgetFiles() {
  m_list->forget();
  forgetFile();
}

void DataPage::forgetFile() {
  m_path.clear();
  storeColumns({});
  m_session.settings().remove("data/path");
  m_session.settings().remove("data/project");
  m_list->setPath({});
  m_check.clear();
}

QList<QWidget*> DataPage::panes() {
  return {m_list, m_state};
}

void DataPage::updateActions() {
  m_againAction->setEnabled(!m_path.isEmpty());
  m_againAction->setText(tr("Check %1 again").arg(QFileInfo(m_path).fileName()));
}

QByteArray DataPage::saveState() const {
  return m_splitter->saveState();
}

void DataPage::restoreState(const QByteArray& state) {
  m_splitter->restoreState(state);
}

QList<QPair<QString, QString>> DataPage::keys() {
  if (m_check.running()) return {{tr("Esc"), tr("stop reading")}};
  if (!m_check.answer()) return {};
  return {{tr("PgUp, PgDn"), tr("other rows")}};
}

bool DataPage::shows(const Place& place) const {
  return place.kind == PlaceKind::dataSet || Page::shows(place);
}

void DataPage::open(const Place& place) {
  place.id.isEmpty() ? browse() : read(place.id);
}

std::optional<Wanted> DataPage::wants(const QStringList& paths) const {
  for (const QString& path : paths) {
    const QFileInfo info(path);
    // A folder with config.json is a model.
    const bool folder = info.isDir() && !QFileInfo::exists(path + "/config.json");
    if (folder || (info.isFile() && isDataName(path))) return Wanted{path, true};
  }
  return {};
}

bool DataPage::escape() {
  return m_check.stop();
}

void DataPage::browse() {
  const QString project = m_session.project() ? text(m_session.project()->folder) : QString();
  const QString folder = m_path.isEmpty() ? project : m_path.section('/', 0, -2);
  auto* popup = new FilePopup(m_session, folder, this);
  connect(popup, &FilePopup::chosen, this, &DataPage::read);
  popup->openOver(this);
}

void DataPage::read(const QString& path) {
  if (path != m_path) {
    const protocol::DataEntry* known = m_list->find(path);
    storeColumns(known != nullptr ? known->columns : std::map<std::string, std::string>());
  }
  m_path = path;
  m_session.settings().setValue("data/path", path);
  m_session.settings().setValue("data/project", text(m_folder));
  m_list->setPath(path);
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
  storeColumns(columns);
  check();
}

void DataPage::storeColumns(const std::map<std::string, std::string>& columns) {
  m_columns = columns;
  QVariantMap stored;
  for (const auto& [role, key] : columns) stored[text(role)] = text(key);
  if (columns.empty()) return m_session.settings().remove("data/columns");
  m_session.settings().setValue("data/columns", stored);
}

void DataPage::settingsChanged() {
  Settings& settings = m_session.settings();
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
  m_listKnown = false;
  m_session.engine().call<protocol::ListData>({}, this, [this](const Result<protocol::ListData::Answer>& answer) {
    // Without a project there are no files of it; why it could not be opened is said where it was asked for.
    m_listKnown = answer.has_value();
    m_list->showFiles(answer ? answer->files : std::vector<protocol::DataEntry>());
    if (m_path.isEmpty()) follow();
    keep();
  });
}

void DataPage::showFiles(const Result<protocol::ListData::Answer>& answer) {
  if (answer) return m_list->showFiles(answer->files);
  m_session.announce(text(answer.error().message));
}

/// What was checked and can be trained on becomes a data set of the project: a file from elsewhere, and whatever its
/// columns were mapped of.
void DataPage::keep() {
  if (!m_listKnown || m_check.running() || !m_check.answer() || !m_check.answer()->refused.empty()) return;
  // Requests that are sent while a project is being opened go to that project.
  if (m_session.wantedProject() != m_wantedProject) return;
  const protocol::CheckData::Answer& answer = *m_check.answer();
  const std::map<std::string, std::string>& columns = m_check.answered().columns;
  const protocol::DataEntry* known = m_list->find(text(answer.path));
  if (known != nullptr && known->columns == columns) return;
  m_session.engine().call<protocol::AddData>(
      {answer.path, {}, columns}, this, [this](const Result<protocol::ListData::Answer>& list) { showFiles(list); });
}

void DataPage::remove(const QString& path) {
  const protocol::DataEntry* known = m_list->find(path);
  if (known == nullptr) return;
  m_session.engine().call<protocol::RemoveData>({known->name}, this,
                                                [this, path](const Result<protocol::ListData::Answer>& answer) {
                                                  if (answer && path == m_path) forgetFile();
                                                  showFiles(answer);
                                                });
}

/// Until another model is chosen here, data is read with the one on side A. Its map does not matter.
void DataPage::followSideA() {
  const auto& side = m_session.side(Which::a);
  const std::string model = side ? side->ref.model : std::string();
  if (m_modelChosen || model == m_model) return;
  m_model = model;
  showModels();
  if (m_check.answer()) settingsChanged();
}

void DataPage::showModels() {
  std::vector<protocol::ModelEntry> models = m_session.models().usable();
  // An adapter reads with its model's tokenizer and template.
  std::erase_if(models, [](const protocol::ModelEntry& model) { return !model.adapter.empty(); });
  m_list->showModels(models, m_model);
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
  const EngineClient& engine = m_session.engine();
  if (engine.state() == EngineClient::State::failed) {
    m_state->setFailed(Error{ErrorCode::busy, engine.problem().toStdString(), {}}, tr("Start it again"),
                       [this] { m_session.engine().restart(); });
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
    m_state->setLoading(m_session.engine().ready() ? tr("Reading %1").arg(name) : tr("Waits for the engine"),
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
  if (!m_check.answer() && m_list->hasFiles()) {
    m_state->setEmpty(tr("Choose a file on the left, or drop one here: Strata shows what a model would learn from it."),
                      tr("Open a file or folder…"), [this] { browse(); });
    return;
  }
  if (!m_check.answer()) {
    m_state->setEmpty(
        tr("No data yet. Choose a JSONL, JSON, CSV, Parquet or text file, or drop one here: Strata shows what "
           "a model would learn from it."),
        tr("Open a file or folder…"), [this] { browse(); }, m_session.sampleLink(),
        [this] { m_session.openProject({}); });
    return;
  }
  m_result->refresh();
  m_state->setWorking();
  keep();
  const protocol::CheckData::Answer& answer = *m_check.answer();
  m_session.announce(answer.refused.empty()
                         ? tr("%1 row(s) to train on.", nullptr, pluralOf(answer.rows)).arg(formatCount(answer.rows))
                         : text(answer.refused));
}

}  // namespace strata
