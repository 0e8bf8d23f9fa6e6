#include "widgets/training/run_wizard.h"

#include <QComboBox>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QRegularExpression>
#include <QScrollBar>
#include <QSplitter>
#include <QUndoCommand>
#include <algorithm>

#include "core/routing/sampler.h"
#include "widgets/config/config_form.h"
#include "widgets/session/launcher_field.h"
#include "widgets/shell/file_popup.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/scrolled.h"
#include "widgets/style/theme.h"
#include "widgets/training/data_summary.h"
#include "widgets/training/routing_picture.h"
#include "widgets/training/run_card.h"
#include "widgets/training/step_list.h"
#include "widgets/training/sweep_field.h"

namespace strata {
namespace {

constexpr const char* kDrafts = "train/drafts";  // by project
constexpr int kTypingMs = 250;
constexpr int kDraftMs = 500;
constexpr int kStepsWidth = 208;
constexpr int kCardWidth = 320;

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

const Json& defaults() {
  static const Json json = configToJson(TrainConfig());
  return json;
}

/// Data that may hold questions with answers, which plain text cannot; those kept for tests first.
QList<FieldEditor::Suggestion> questionSets(const QList<QPair<QString, QString>>& data) {
  QList<FieldEditor::Suggestion> held, others;
  for (const auto& [name, path] : data) {
    if (path.endsWith(".txt", Qt::CaseInsensitive)) continue;
    static const QRegularExpression isHeld("test|valid|dev|eval|held|recall",
                                           QRegularExpression::CaseInsensitiveOption);
    (name.contains(isHeld) ? held : others).append({name, path});
  }
  return held + others;
}

QString shortPath(const std::string& path) {
  return path.empty() ? QString() : QFileInfo(text(path)).fileName();
}

}  // namespace

/// From one preset to another, with all fields.
class RunWizard::ChoosePreset : public QUndoCommand {
 public:
  struct State {
    int preset;
    Json values;
  };
  ChoosePreset(RunWizard* wizard, State before, State after)
      : QUndoCommand(RunWizard::tr("Choose another preset")),
        m_wizard(wizard),
        m_before(std::move(before)),
        m_after(std::move(after)) {}
  void redo() override { set(m_after); }
  void undo() override { set(m_before); }

 private:
  void set(const State& state) const {
    m_wizard->setPreset(state.preset);
    const Json base = state.preset < 0
                          ? defaults()
                          : m_wizard->withPlaces(m_wizard->m_presets[static_cast<std::size_t>(state.preset)].config);
    m_wizard->load(state.values, base);
  }
  RunWizard* m_wizard;
  State m_before, m_after;
};

RunWizard::RunWizard(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
  setObjectName("runWizard");
  setAccessibleName(tr("New run"));
  m_form = new ConfigForm(anyConfig<TrainConfig>("strata train", TrainConfig(), checkTrainConfig), &m_undo);
  m_card = new RunCard;
  auto* splitter = named(new QSplitter(Qt::Horizontal, this), "wizardSplitter");
  splitter->setChildrenCollapsible(false);
  splitter->addWidget(buildLeft());
  splitter->addWidget(buildForm());
  splitter->addWidget(m_card);
  splitter->setStretchFactor(0, 0);
  splitter->setStretchFactor(1, 1);
  splitter->setStretchFactor(2, 0);
  followTheme(splitter, [this, splitter] {
    splitter->widget(0)->setMinimumWidth(metrics().inspector * 3 / 4);
    m_card->setMinimumWidth(metrics().inspector);
  });
  splitter->setSizes({scaled(kStepsWidth), 4000, scaled(kCardWidth)});
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(splitter);

  for (QTimer* timer : {&m_wait, &m_draft}) timer->setSingleShot(true);
  m_wait.setInterval(kTypingMs);
  m_draft.setInterval(kDraftMs);
  connect(&m_wait, &QTimer::timeout, this, &RunWizard::estimate);
  connect(&m_draft, &QTimer::timeout, this, &RunWizard::storeDraft);
  connect(m_form, &ConfigForm::changed, this, &RunWizard::formChanged);
  connect(m_form, &ConfigForm::browseRequested, this, &RunWizard::browse);
  connect(m_card, &RunCard::fieldWanted, this, &RunWizard::goToField);
  connect(m_card, &RunCard::measureWanted, this, &RunWizard::measure);
  connect(m_card, &RunCard::stopMeasuringWanted, this, &RunWizard::escape);
  connect(m_card, &RunCard::startWanted, this, &RunWizard::start);
  connect(m_card, &RunCard::unloadWanted, this, &RunWizard::unloadModels);
  connect(&session.engine(), &EngineClient::loadedChanged, this, &RunWizard::showOpenModels);
  connect(&session.models(), &ModelTable::changed, this, &RunWizard::suggestModels);
  connect(&session.engine(), &EngineClient::stateChanged, this, [this] {
    showStart();
    if (m_session.engine().ready() && m_begun) m_wait.start();
  });
  connect(&session, &Session::projectChanged, this, [this] {
    if (!m_begun) return;
    m_begun = false;
    begin();
  });
  suggestModels();
  showStep(kData);
  formChanged();
}

RunWizard::~RunWizard() {
  if (m_probe != 0) m_session.engine().cancel(m_probe);
}

QWidget* RunWizard::buildLeft() {
  auto* pane = new Pane(Ground::surface);
  auto* inside = new QWidget;
  auto* scroll = named(scrolled(inside), "stepsScroll", tr("Steps"));
  auto* outer = new QHBoxLayout(pane);
  outer->setContentsMargins(0, 0, 0, 0);
  outer->addWidget(scroll);
  auto* column = new QVBoxLayout(inside);
  column->setContentsMargins(0, kGapRelated, 0, kGapGroups);
  column->setSpacing(kGapGroups);
  auto* head = new QVBoxLayout;
  head->setContentsMargins(kGapGroups, 0, kGapGroups, 0);
  head->setSpacing(kGapRelated);
  auto* runs = named(makeButton(tr("Runs"), ButtonKind::quiet), "toRuns", tr("Back to the runs"));
  runs->setIcon(icon("chevron-left"));
  connect(runs, &Button::clicked, this, &RunWizard::leaveWanted);
  head->addWidget(runs, 0, Qt::AlignLeft);
  m_preset = named(new QComboBox, "preset", tr("Preset"));
  m_preset->setWhatsThis(
      tr("Fills all steps with values that belong together. Changes are counted from it, and "
         "choosing another can be undone."));
  m_preset->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_preset->setMinimumContentsLength(4);
  m_presetText = captionLabel({});
  m_presetText->setObjectName("presetText");
  head->addWidget(new Field(tr("Preset"), m_preset));
  head->addWidget(m_presetText);
  column->addLayout(head);
  m_steps = named(new StepList({tr("Model and data"), tr("Method"), tr("Budget"), tr("Evaluation"), tr("Review")}),
                  "steps", tr("Steps"));
  column->addWidget(m_steps);
  column->addStretch(1);
  connect(m_preset, &QComboBox::activated, this, &RunWizard::choosePreset);
  connect(m_steps, &StepList::chosen, this, &RunWizard::showStep);
  return pane;
}

QWidget* RunWizard::buildForm() {
  auto* inside = new QWidget;
  auto* column = new QVBoxLayout(inside);
  column->setContentsMargins(kGapSections, kGapGroups, kGapSections, kGapGroups);
  column->setSpacing(kGapGroups);
  m_stepTitle = named(titleLabel({}), "stepTitle");
  m_stepText = named(bodyLabel({}), "stepText");
  m_stepText->setTone(Tone::second);
  auto* head = new QVBoxLayout;
  head->setSpacing(kGapInside);
  head->addWidget(m_stepTitle);
  head->addWidget(m_stepText);
  column->addLayout(head);
  m_form->setHeadsShown(false);
  auto* form = new QHBoxLayout;  // which knows how wide the form really is, and so how high
  form->addWidget(m_form, 1);
  form->addStretch(0);
  column->addLayout(form);
  m_summary = new DataSummary(m_session);
  m_form->addBelow(m_form->groups().value(kData), m_summary);
  m_picture = new RoutingPicture;
  m_changes = named(bodyLabel({}), "changes");
  m_form->addBelow(m_form->groups().value(kReview), m_changes);
  m_sweep = new SweepField;
  for (QWidget* each : {static_cast<QWidget*>(m_sweep), static_cast<QWidget*>(m_picture)}) {
    m_form->addBelow(m_form->groups().value(kMethod), each);
  }
  m_form->addBelow(m_form->groups().value(kBudget), new LauncherField(m_session, "trainLauncher"));
  connect(&m_session, &Session::launcherChanged, this, [this] { m_wait.start(); });
  connect(m_sweep, &SweepField::changed, this, [this] {
    m_card->setRuns(static_cast<int>(m_sweep->values().size()));
    showSummary();
    showProblems();
  });
  m_back = named(makeButton(tr("Back")), "stepBack");
  m_next = named(makeButton(tr("Next")), "stepNext");
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(kGapRelated);
  buttons->addWidget(m_back);
  buttons->addWidget(m_next);
  buttons->addStretch(1);
  column->addLayout(buttons);
  column->addStretch(1);
  connect(m_back, &Button::clicked, this, [this] { showStep(step() - 1); });
  connect(m_next, &Button::clicked, this, [this] { showStep(step() + 1); });
  m_scroll = named(scrolled(inside), "wizardScroll", tr("Fields of the step"));
  followTheme(m_scroll, [this] { m_scroll->setMinimumWidth(metrics().inspector); });
  return m_scroll;
}

QList<QWidget*> RunWizard::panes() {
  return {m_steps, m_scroll, m_card};
}

int RunWizard::step() const {
  return m_steps->current();
}

void RunWizard::showStep(int step) {
  step = std::clamp(step, 0, kSteps - 1);
  m_steps->setCurrent(step);
  const QStringList groups = m_form->groups();
  const QString titles[] = {tr("Model and data"), tr("Method"), tr("Budget"), tr("Evaluation"), tr("Review")};
  const QString texts[] = {
      tr("What is trained, and what it learns from."),
      tr("How it is trained: all weights or a LoRA, and how often a layer reads the cache of an earlier one."),
      tr("How long it trains and what that takes in memory."),
      tr("How the model is measured while it trains, with its full cache and with less of it."),
      tr("Where it runs, and the same run as a command line.")};
  m_stepTitle->setText(titles[step]);
  m_stepText->setText(texts[step]);
  m_form->showGroups({groups.value(step)});
  m_form->setCommandShown(step == kReview);
  m_back->setEnabled(step > 0);
  m_next->setVisible(step + 1 < kSteps);
  m_scroll->verticalScrollBar()->setValue(0);
  Q_EMIT stepChanged();
}

void RunWizard::begin() {
  if (m_begun || !m_session.project()) return;
  m_begun = true;
  m_extend.clear();
  suggestModels();
  m_session.engine().call<protocol::ListData>({}, this, [this](const Result<protocol::ListData::Answer>& answer) {
    m_data.clear();
    // Without a list the path is typed or browsed for; what is wrong with the project is said by the window.
    if (answer) {
      for (const auto& entry : answer->files) m_data.append({text(entry.name), text(entry.path)});
    }
    suggestData();
  });
  m_session.engine().call<protocol::ListTrainPresets>({}, this,
                                                      [this](const Result<protocol::ListTrainPresets::Answer>& answer) {
                                                        if (answer) return takePresets(answer->presets);
                                                        m_startProblem = text(answer.error().message);
                                                        showStart();
                                                      });
}

void RunWizard::takePresets(const std::vector<protocol::TrainPreset>& presets) {
  m_presets = presets;
  m_preset->clear();
  for (const protocol::TrainPreset& preset : m_presets) m_preset->addItem(text(preset.title), text(preset.name));
  m_undo.clear();
  if (m_presets.empty()) return;
  // One that names its model is for the sample project.
  const bool isSample = m_session.project() && m_session.project()->sample;
  const auto first = std::find_if(m_presets.begin(), m_presets.end(), [&](const protocol::TrainPreset& preset) {
    return preset.config.contains("model") == isSample;
  });
  setPreset(first == m_presets.end() ? 0 : static_cast<int>(first - m_presets.begin()));
  const Json base = withPlaces(m_presets[static_cast<std::size_t>(m_chosen)].config);
  load(base, base);
  restoreDraft();
}

/// The model and the data that stand there already, or that the window uses elsewhere.
Json RunWizard::withPlaces(Json config) const {
  Json whole = defaults();
  whole.update(config);
  const Json now = m_form->values();
  for (const char* place : {"model", "data"}) {
    if (whole[place] == "") whole[place] = now[place];
  }
  const auto& side = m_session.side(Which::a);
  if (whole["model"] == "" && whole["init"] == "" && side) whole["model"] = side->ref.model;
  if (whole["data"] == "" && !m_data.isEmpty()) whole["data"] = m_data.first().second.toStdString();
  return whole;
}

void RunWizard::choosePreset(int index) {
  if (index < 0 || index >= static_cast<int>(m_presets.size())) return;
  m_undo.push(new ChoosePreset(this, {m_chosen, m_form->values()},
                               {index, withPlaces(m_presets[static_cast<std::size_t>(index)].config)}));
}

void RunWizard::setPreset(int index) {
  m_chosen = index;
  m_preset->setCurrentIndex(index);
  m_preset->setToolTip(tipOf(m_preset->currentText()));
  m_presetText->setText(index < 0 ? tr("From another run.")
                                  : text(m_presets[static_cast<std::size_t>(index)].description));
}

void RunWizard::load(const Json& config, const Json& base) {
  if (const Result<void> loaded = m_form->load(config, base); !loaded) {
    m_session.warn(text(loaded.error().message), Place::pageOf("train"));
  }
}

void RunWizard::duplicate(const Json& config, const QString& name, const std::string& extend) {
  m_begun = true;
  m_undo.clear();
  setPreset(-1);
  m_extend = extend;
  m_extendName = name;
  m_presetText->setText(extend.empty() ? tr("From %1. Changes are counted from it.").arg(name)
                                       : tr("Goes on from the weights of %1.").arg(name));
  Json whole = defaults();
  for (const auto& [key, value] : config.items()) {
    if (whole.contains(key)) whole[key] = value;
  }
  load(whole, whole);
  showStep(extend.empty() ? int(kMethod) : int(kBudget));
}

void RunWizard::suggestModels() {
  QList<FieldEditor::Suggestion> suggestions;
  for (const protocol::ModelEntry& entry : m_session.models().usable()) {
    if (!entry.adapter.empty()) continue;
    suggestions.append({nameOf(entry), text(entry.model)});
  }
  m_form->suggest("model", suggestions);
}

void RunWizard::suggestData() {
  QList<FieldEditor::Suggestion> suggestions;
  for (const auto& [name, path] : m_data) suggestions.append({name, path});
  m_form->suggest("data", suggestions);
  m_form->suggest("eval-data", suggestions);
  m_form->suggest("eval-questions", questionSets(m_data));
  if (!m_presets.empty() && m_form->values()["data"] == "" && m_chosen >= 0) {
    const Json base = withPlaces(m_presets[static_cast<std::size_t>(m_chosen)].config);
    Json values = m_form->values();
    values["data"] = base["data"];
    load(values, base);
  }
}

TrainConfig RunWizard::config() const {
  return m_form->config<TrainConfig>().value_or(TrainConfig());
}

Json RunWizard::given() const {
  Json given = Json::object();
  const Json values = m_form->values();
  for (const auto& [name, value] : values.items()) {
    if (value != defaults()[name]) given[name] = value;
  }
  return given;
}

void RunWizard::formChanged() {
  ++m_asked;  // the figures are of other values now
  m_startProblem.clear();
  m_card->setProbe({});
  showSteps();
  showRouting();
  showSummary();
  showProblems();
  if (m_begun) {
    m_summary->show(config());
    m_wait.start();
    m_draft.start();
  }
}

void RunWizard::showSteps() {
  const QStringList changes = m_form->changes();
  const QString from = m_chosen < 0 ? tr("Nothing differs from the run.") : tr("Nothing differs from the preset.");
  m_changes->setText(changes.isEmpty() ? from : tr("Changed:") + "\n" + changes.join('\n'));
  const QStringList groups = m_form->groups();
  const QString wrong = m_form->isReady() ? QString() : m_form->problemGroup();
  for (int step = 0; step < kSteps; ++step) {
    const QString group = groups.value(step);
    const int changed = m_form->changedCount(group);
    if (!wrong.isEmpty() && wrong == group) {
      m_steps->setState(step, tr("needs you"), Tone::warn);
    } else if (changed > 0) {
      m_steps->setState(step, tr("%n changed", nullptr, changed), Tone::normal);
    } else {
      m_steps->setState(step, m_chosen < 0 ? tr("as in the run") : tr("preset"), Tone::second);
    }
  }
}

void RunWizard::showRouting() {
  const TrainConfig now = config();
  const Result<RoutingSampler> sampler = RoutingSampler::parse(now.sampler);
  const double pCross = sampler ? now.pCross.value_or(sampler->defaultPCross()) : 0;
  if (!sampler || !sampler->checkPCross(pCross)) return m_picture->showNothing(tr("The routing is not valid yet."));
  if (!m_estimate || m_estimate->layers < 2) {
    return m_picture->showNothing(tr("What the routing draws is shown once the model's layers are known."));
  }
  m_picture->show(*sampler, pCross, m_estimate->layers, now.seed);
}

void RunWizard::showSummary() {
  const TrainConfig now = config();
  if (now.data.empty() || (now.model.empty() && now.init.empty())) return m_card->setSummary({});
  const QString data = shortPath(now.data);
  const QString model = now.model.empty() ? tr("random weights") : shortPath(now.model);
  const QString method = now.lora > 0 ? tr("Trains a LoRA of rank %1 over %2 on %3").arg(now.lora).arg(model, data)
                                      : tr("Trains all weights of %1 on %2").arg(model, data);
  const auto sampler = RoutingSampler::parse(now.sampler);
  const double pCross = now.pCross.value_or(sampler ? sampler->defaultPCross() : 0);
  const QString routing =
      pCross > 0 ? tr("with routing (%1, p_cross %2)").arg(text(now.sampler)).arg(pCross) : tr("without routing");
  if (const auto values = m_sweep->values(); !values.empty()) {
    return m_card->setSummary(
        tr("%1, in %2.")
            .arg(method, tr("%n run(s), one for each routing probability", nullptr, static_cast<int>(values.size()))));
  }
  m_card->setSummary(m_extend.empty() ? tr("%1, %2.").arg(method, routing)
                                      : tr("%1, %2, from where %3 ended.").arg(method, routing, m_extendName));
}

void RunWizard::browse(const QString& name) {
  const QString now = text(m_form->values()[name.toStdString()].get<std::string>());
  const QString project = m_session.project() ? text(m_session.project()->folder) : QString();
  auto* popup = new FilePopup(m_session, now.contains('/') ? now.section('/', 0, -2) : project, this);
  connect(popup, &FilePopup::chosen, this, [this, name](const QString& path) {
    m_form->edit(name, path.toStdString());
    m_form->focusField(name);
  });
  popup->openOver(this);
}

void RunWizard::goToField(const QString& name) {
  const QStringList groups = m_form->groups();
  for (const FieldInfo& field : describe(TrainConfig())) {
    if (field.name != name.toStdString()) continue;
    const int step = static_cast<int>(groups.indexOf(translated(field.meta.group)));
    if (step >= 0) showStep(step);
    m_form->focusField(name);
    return;
  }
}

void RunWizard::storeDraft() {
  if (!m_session.project() || m_chosen < 0) return;
  const Json draft = {{"preset", m_presets[static_cast<std::size_t>(m_chosen)].name}, {"config", given()}};
  QVariantMap drafts = m_session.settings().value(kDrafts).toMap();
  drafts[text(m_session.project()->folder)] = text(draft.dump());
  m_session.settings().setValue(kDrafts, drafts);
}

void RunWizard::restoreDraft() {
  const QString stored =
      m_session.settings().value(kDrafts).toMap().value(text(m_session.project()->folder)).toString();
  if (stored.isEmpty()) return;
  const Json draft = Json::parse(stored.toStdString(), nullptr, false);
  if (!draft.is_object() || !draft.contains("preset") || !draft.contains("config")) return;
  const auto preset = std::find_if(m_presets.begin(), m_presets.end(),
                                   [&](const protocol::TrainPreset& each) { return draft["preset"] == each.name; });
  if (preset == m_presets.end() || !draft["config"].is_object()) return;
  setPreset(static_cast<int>(preset - m_presets.begin()));
  const Json base = withPlaces(preset->config);
  Json values = defaults();
  for (const auto& [name, value] : draft["config"].items()) {
    if (values.contains(name)) values[name] = value;
  }
  load(values, base);
}

}  // namespace strata
