#include "widgets/evaluation/evaluation_setup.h"

#include <QCheckBox>
#include <QLineEdit>
#include <QRegularExpression>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/config/config_form.h"
#include "widgets/evaluation/evaluation_words.h"
#include "widgets/shell/file_popup.h"
#include "widgets/style/controls.h"
#include "widgets/style/flow_layout.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/scrolled.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr const char* kEvalDrafts = "evaluate/drafts";  // by project
constexpr int kSetupTypingMs = 250, kSetupDraftMs = 500;
constexpr int kUsualLimit = 500;

EvalConfig usualEvaluation() {
  EvalConfig config;
  config.limit = kUsualLimit;
  return config;
}

/// The models are those of the sides.
Result<void> checkWithoutModel(EvalConfig config) {
  if (config.model.empty()) config.model = "A";
  return checkEvalConfig(config);
}

/// Data kept for tests, before others; text only where there is nothing else.
int rankOfData(const protocol::DataEntry& entry) {
  static const QRegularExpression held(QStringLiteral("test|valid|dev|eval|held|recall"),
                                       QRegularExpression::CaseInsensitiveOption);
  const QString path = QString::fromStdString(entry.path);
  const bool isText = path.endsWith(QStringLiteral(".txt"), Qt::CaseInsensitive);
  return (isText ? 2 : 0) + (QString::fromStdString(entry.name).contains(held) ? 0 : 1);
}

const char* likelyTask(const QString& path) {
  return path.endsWith(QStringLiteral(".txt"), Qt::CaseInsensitive) ? "nll" : "squad";
}

}  // namespace

const Json& EvaluationSetup::defaults() {
  static const Json json = configToJson(EvalConfig());
  return json;
}

EvaluationSetup::EvaluationSetup(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
  named(this, "evaluationSetup", tr("New evaluation"));
  m_form = new ConfigForm(anyConfig<EvalConfig>("strata eval", EvalConfig(), checkWithoutModel), &m_undo);
  const Json usual = configToJson(usualEvaluation());
  (void)m_form->load(usual, usual);
  build();
  for (QTimer* timer : {&m_wait, &m_draft}) timer->setSingleShot(true);
  m_wait.setInterval(kSetupTypingMs);
  m_draft.setInterval(kSetupDraftMs);
  connect(&m_wait, &QTimer::timeout, this, &EvaluationSetup::askPlan);
  connect(&m_draft, &QTimer::timeout, this, &EvaluationSetup::storeDraft);
  connect(m_form, &ConfigForm::changed, this, &EvaluationSetup::formChanged);
  connect(m_form, &ConfigForm::browseRequested, this, &EvaluationSetup::browse);
  connect(m_start, &Button::clicked, this, &EvaluationSetup::start);
  connect(m_more, &Button::clicked, this, [this] { showMore(!m_moreShown); });
  connect(m_maps, &QLineEdit::textChanged, this, [this] {
    markShares();
    formChanged();
  });
  connect(&session, &Session::sidesChanged, this, &EvaluationSetup::sidesChanged);
  connect(&session, &Session::cardsChanged, this, &EvaluationSetup::fillShares);
  connect(&session.maps(), &MapLibrary::changed, this, &EvaluationSetup::fillShares);
  connect(&session.models(), &ModelTable::changed, this, &EvaluationSetup::sidesChanged);
  connect(&session, &Session::projectChanged, this, [this] {
    if (isVisible()) begin();
  });
  connect(&session.engine(), &EngineClient::stateChanged, this, [this] {
    showPlan();
    if (m_session.engine().ready()) m_wait.start();
  });
  showMore(false);
  sidesChanged();
}

void EvaluationSetup::build() {
  auto* inside = new QWidget;
  auto* column = new QVBoxLayout(inside);
  column->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  column->setSpacing(kGapGroups);
  auto* head = new QVBoxLayout;
  head->setSpacing(kGapRelated);
  head->addWidget(sectionLabel(tr("New evaluation")));
  for (const Which which : {Which::a, Which::b}) head->addWidget(buildSide(which));
  column->addLayout(head);
  column->addWidget(buildMaps());
  m_form->setHeadsShown(false);
  m_form->setCommandShown(false);
  for (const char* elsewhere : {"model", "adapter", "maps", "prompt"}) m_form->setFieldShown(elsewhere, false);
  column->addWidget(m_form);
  m_more = named(makeButton(tr("More"), ButtonKind::quiet), "evaluationMore", tr("More options of the evaluation"));
  column->addWidget(m_more, 0, Qt::AlignLeft);
  column->addStretch(1);
  m_planText = named(bodyLabel({}), "evaluationPlan");
  m_problem = named(new Label({}, TextRole::body, Tone::bad), "evaluationProblem");
  m_problem->setWordWrap(true);
  m_start = named(makeButton(tr("Evaluate A and B"), ButtonKind::accent), "startEvaluation");
  m_start->setToolTip(tr("Asks both sides the same questions under the same maps (Ctrl+Enter)"));
  auto* foot = new QWidget;
  auto* below = new QVBoxLayout(foot);
  below->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapGroups);
  below->setSpacing(kGapRelated);
  below->addWidget(m_planText);
  below->addWidget(m_problem);
  below->addWidget(m_start);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(named(scrolled(inside), "setupScroll", tr("Options of the evaluation")), 1);
  layout->addWidget(new Separator);
  layout->addWidget(foot);
}

QWidget* EvaluationSetup::buildSide(Which which) {
  const int at = which == Which::a ? 0 : 1;
  m_names[at] = named(new ElidedLabel({}), which == Which::a ? "evaluatedA" : "evaluatedB");
  QWidget* row = rowOf({new SideBadge(which == Which::a ? BadgeSide::a : BadgeSide::b), m_names[at]});
  static_cast<QHBoxLayout*>(row->layout())->setStretchFactor(m_names[at], 1);
  return row;
}

QWidget* EvaluationSetup::buildMaps() {
  m_maps = named(new QLineEdit, "evaluatedMaps", tr("Sharing maps"));
  m_maps->setPlaceholderText(QStringLiteral("full; stride:2"));
  m_shares = new QWidget;
  m_shares->setLayout(new FlowLayout(kGapRelated, 0));
  auto* both = new QWidget;
  both->setFocusProxy(m_maps);
  auto* column = new QVBoxLayout(both);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapInside);
  column->addWidget(m_shares);
  column->addWidget(m_maps);
  m_mapField = new Field(tr("Sharing maps"), both,
                         tr("Both models are evaluated on the same data under each map. Separate maps with "
                            "semicolons."));
  followTheme(m_maps, [this] { m_maps->setFont(fontOf(TextRole::mono)); });
  return m_mapField;
}

void EvaluationSetup::showMore(bool shown) {
  m_moreShown = shown;
  const QStringList groups = m_form->groups();
  m_form->showGroups(shown ? groups : groups.mid(0, 2));
  m_form->setFieldShown(QStringLiteral("columns"), shown);
  if (auto* more = m_form->findChild<Button*>(QStringLiteral("more-1"))) more->setVisible(shown);  // of the task
  m_more->setText(shown ? tr("Less") : tr("More"));
  m_more->setIcon(icon(shown ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right")));
}

void EvaluationSetup::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  begin();
}

void EvaluationSetup::begin() {
  const std::string project = m_session.project() ? m_session.project()->folder : std::string();
  if (project.empty() || project == m_begun) return;
  m_begun = project;
  m_undo.clear();
  m_session.engine().call<protocol::ListData>({}, this, [this](const Result<protocol::ListData::Answer>& answer) {
    // Without a list the path is typed or browsed for; what is wrong with the project is said by the window.
    takeData(answer ? answer->files : std::vector<protocol::DataEntry>());
  });
}

void EvaluationSetup::takeData(const std::vector<protocol::DataEntry>& files) {
  m_files = files;
  std::vector<protocol::DataEntry> sorted = files;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return rankOfData(a) < rankOfData(b); });
  QList<FieldEditor::Suggestion> suggestions;
  for (const protocol::DataEntry& entry : sorted) {
    suggestions.append({QString::fromStdString(entry.name), QString::fromStdString(shortPath(entry.path))});
  }
  m_form->suggest(QStringLiteral("data"), suggestions);
  Json usual = configToJson(usualEvaluation());
  if (!sorted.empty()) {
    usual["data"] = shortPath(sorted.front().path);
    usual["columns"] = sorted.front().columns;
    usual["task"] = likelyTask(QString::fromStdString(sorted.front().path));
  }
  if (const auto loaded = m_form->load(usual, usual); !loaded) refuse(QString::fromStdString(loaded.error().message));
  restoreDraft();
}

/// Of a file in the project its path from there, which the engine resolves, unless that is another data set's name.
std::string EvaluationSetup::shortPath(const std::string& path) const {
  const std::string folder = m_session.project() ? m_session.project()->folder + '/' : std::string();
  if (folder.empty() || !path.starts_with(folder)) return path;
  const std::string inside = path.substr(folder.size());
  const bool isOther = std::any_of(m_files.begin(), m_files.end(), [&](const protocol::DataEntry& entry) {
    return entry.added && entry.name == inside && entry.path != path;
  });
  return inside.empty() || isOther ? path : inside;
}

std::string EvaluationSetup::task() const {
  return m_form->values().value("task", std::string());
}

std::string EvaluationSetup::data() const {
  return m_form->values().value("data", std::string());
}

QString EvaluationSetup::promptTemplate() const {
  return QString::fromStdString(m_form->values().value("prompt", std::string()));
}

void EvaluationSetup::setPromptTemplate(const QString& text) {
  if (text != promptTemplate()) m_form->edit(QStringLiteral("prompt"), text.toStdString());
}

std::vector<std::string> EvaluationSetup::maps() const {
  return splitMaps(m_maps->text());
}

void EvaluationSetup::sidesChanged() {
  std::vector<std::string> maps;
  for (const Which which : {Which::a, Which::b}) {
    const auto& side = m_session.side(which);
    ElidedLabel* name = m_names[which == Which::a ? 0 : 1];
    name->setText(side ? m_session.modelName(side->ref) : tr("No model on this side"));
    name->setTone(side ? Tone::normal : Tone::second);
    if (side && std::find(maps.begin(), maps.end(), side->map) == maps.end()) maps.push_back(side->map);
  }
  const QString now = joinMaps(maps);
  const bool isOwn = m_maps->text() != m_sideMaps && !m_maps->text().isEmpty();
  m_sideMaps = now;
  if (!isOwn) m_maps->setText(now);
  fillShares();
  formChanged();
}

/// A box for each share that side A's model can keep.
void EvaluationSetup::fillShares() {
  const auto& side = m_session.side(Which::a) ? m_session.side(Which::a) : m_session.side(Which::b);
  const protocol::ModelCard* card = side ? m_session.knownCard(side->ref) : nullptr;
  if (side && card == nullptr) m_session.card(side->ref, this, [](const Result<protocol::ModelCard>&) {});
  std::vector<MapLibrary::Choice> choices;
  if (card != nullptr) choices = m_session.maps().choices(*card);
  const auto same = [](const MapLibrary::Choice& a, const MapLibrary::Choice& b) {
    return a.map == b.map && a.owners == b.owners && a.layers == b.layers;
  };
  if (std::equal(choices.begin(), choices.end(), m_choices.begin(), m_choices.end(), same)) return markShares();
  m_choices = std::move(choices);
  qDeleteAll(m_boxes);
  m_boxes.clear();
  for (std::size_t i = 0; i < m_choices.size(); ++i) {
    auto* box = new QCheckBox(m_choices[i].percent());
    named(box, qPrintable(QStringLiteral("share-%1").arg(m_choices[i].owners)),
          tr("Under %1 of the cache").arg(m_choices[i].percent()));
    box->setToolTip(tipOf(m_choices[i].explanation()));
    connect(box, &QCheckBox::clicked, this, [this, i](bool on) { toggleShare(static_cast<int>(i), on); });
    m_shares->layout()->addWidget(box);
    m_boxes << box;
  }
  m_shares->setVisible(!m_boxes.isEmpty());
  markShares();
}

void EvaluationSetup::markShares() {
  const std::vector<std::string> now = maps();
  for (qsizetype i = 0; i < m_boxes.size(); ++i) {
    const MapLibrary::Choice& choice = m_choices[static_cast<std::size_t>(i)];
    m_boxes[i]->setChecked(std::any_of(
        now.begin(), now.end(), [&](const std::string& map) { return isSameMap(map, choice.map, choice.layers); }));
  }
}

void EvaluationSetup::toggleShare(int index, bool on) {
  const MapLibrary::Choice& choice = m_choices[static_cast<std::size_t>(index)];
  std::vector<std::string> now = maps();
  std::erase_if(now, [&](const std::string& map) { return isSameMap(map, choice.map, choice.layers); });
  if (on) now.push_back(choice.map);
  m_maps->setText(joinMaps(now));
}

void EvaluationSetup::formChanged() {
  ++m_asked;  // the plan is of other values now
  m_startProblem.clear();
  showPlan();
  m_wait.start();
  if (!m_begun.empty()) m_draft.start();
  Q_EMIT changed();
}

void EvaluationSetup::browse(const QString& name) {
  const QString now = QString::fromStdString(m_form->values()[name.toStdString()].get<std::string>());
  const QString project = m_session.project() ? QString::fromStdString(m_session.project()->folder) : QString();
  const QString whole = now.startsWith(u'/') ? now : project + u'/' + now;
  auto* popup = new FilePopup(m_session, whole.section(u'/', 0, -2), this);
  connect(popup, &FilePopup::chosen, this, [this, name](const QString& path) {
    m_form->edit(name, name == "data" ? shortPath(path.toStdString()) : path.toStdString());
    if (name == "data" && task().empty()) m_form->edit(QStringLiteral("task"), likelyTask(path));
    m_form->focusField(name);
  });
  popup->openOver(window());
}

void EvaluationSetup::storeDraft() {
  if (!m_session.project()) return;
  Json given = Json::object();
  const Json values = m_form->values();
  for (const auto& [name, value] : values.items()) {
    if (value != defaults()[name]) given[name] = value;
  }
  Json draft = {{"config", given}};
  if (m_maps->text() != m_sideMaps) draft["maps"] = m_maps->text().toStdString();
  QVariantMap drafts = m_session.settings().value(kEvalDrafts).toMap();
  drafts[QString::fromStdString(m_session.project()->folder)] = QString::fromStdString(draft.dump());
  m_session.settings().setValue(kEvalDrafts, drafts);
}

void EvaluationSetup::restoreDraft() {
  if (!m_session.project()) return;
  const QString stored = m_session.settings()
                             .value(kEvalDrafts)
                             .toMap()
                             .value(QString::fromStdString(m_session.project()->folder))
                             .toString();
  const Json draft = Json::parse(stored.toStdString(), nullptr, false);
  if (!draft.is_object() || !draft.contains("config") || !draft["config"].is_object()) return;
  Json values = defaults();
  for (const auto& [name, value] : draft["config"].items()) {
    if (values.contains(name)) values[name] = value;
  }
  if (values["data"].is_string()) values["data"] = shortPath(values["data"].get<std::string>());
  Json base = configToJson(usualEvaluation());
  for (const char* place : {"data", "task"}) base[place] = values[place];
  (void)m_form->load(values, base);  // of another version: what stands there stays
  if (draft.contains("maps") && draft["maps"].is_string()) {
    m_maps->setText(QString::fromStdString(draft["maps"].get<std::string>()));
  }
}

}  // namespace strata
