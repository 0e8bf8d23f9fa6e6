#include "widgets/mapeditor/measure_section.h"

#include <QComboBox>
#include <QFileInfo>
#include <QSpinBox>
#include <QVBoxLayout>

#include "core/protocol/job_kinds.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kMostSeed = 1'000'000;

/// What keeps a page from growing with its longest entry.
QComboBox* choice(const char* name) {
  auto* box = named(new QComboBox, name);
  box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  box->setMinimumContentsLength(8);
  QObject::connect(box, &QComboBox::currentTextChanged, box,
                   [box](const QString& text) { box->setToolTip(tipOf(text)); });
  return box;
}

}  // namespace

MeasureSection::MeasureSection(Session& session, SideMap& side, QWidget* parent)
    : QWidget(parent), m_session(session), m_side(side), m_measures(session, side) {
  named(this, "measureSection", tr("Quality"));
  m_text = choice("measureText");
  m_matrix = named(bodyLabel({}), "matrixState");
  m_measure = named(makeButton(tr("Measure sensitivity")), "measureSensitivity");
  m_measure->setToolTip(tr("What it costs that one layer reads another, for each pair of layers: tints the grid"));
  m_measureMap = named(makeButton(tr("Measure this map")), "measureMap");
  m_measureMap->setToolTip(tr("The loss under the drawn map and under the full one, on this text"));
  m_budget = choice("mapBudget");
  m_find = named(makeButton(tr("Find a map"), ButtonKind::accent), "findMap", tr("Find a map for this budget"));
  m_find->setToolTip(tr("Looks for the map of this budget that costs the least on the text"));
  m_more = named(makeButton(tr("More"), ButtonKind::link), "mapSearchMore", tr("More about the search"));
  m_method = choice("mapSearchMethod");
  const std::pair<QString, const char*> methods[] = {{tr("Greedy, every step measured"), "greedy"},
                                                     {tr("Beam of 4 partial maps"), "beam:4"},
                                                     {tr("Best owners by the matrix"), "dp"},
                                                     {tr("Least similar caches (KVSharer)"), "dissimilarity"},
                                                     {tr("20 random maps"), "random:20"}};
  for (const auto& [label, method] : methods) m_method->addItem(label, QString::fromLatin1(method));
  m_method->setToolTip(tipOf(m_method->currentText()));
  m_seed = named(new QSpinBox, "mapSearchSeed");
  m_seed->setRange(0, kMostSeed);
  m_seed->setValue(1);
  m_seed->setButtonSymbols(QAbstractSpinBox::NoButtons);
  m_found = named(bodyLabel({}), "searchState");
  m_open = named(makeButton(tr("Open this map")), "openFound");
  m_stop = named(makeButton(tr("Stop")), "stopMeasuring", tr("Stop measuring or searching; what was found is kept"));
  m_problem = named(new Label({}, TextRole::body, Tone::bad), "measureProblem");
  m_problem->setWordWrap(true);

  m_options = new QWidget;
  auto* options = new QVBoxLayout(m_options);
  options->setContentsMargins(0, 0, 0, 0);
  options->addWidget(new Field(tr("Method"), m_method, tr("How the search goes through the maps.")));
  options->addWidget(new Field(tr("Seed"), m_seed, tr("The same seed gives the same search.")));
  m_options->hide();
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  column->addWidget(sectionLabel(tr("Quality")));
  column->addWidget(
      new Field(tr("Text"), m_text, tr("Losses are measured on it. Use one like those the model will read.")));
  column->addWidget(m_matrix);
  for (Button* button : {m_measure, m_measureMap}) column->addWidget(button, 0, Qt::AlignLeft);
  column->addSpacing(kGapRelated);
  column->addWidget(new Field(tr("Cache budget"), m_budget, tr("How much of the full KV cache the map may take.")));
  column->addWidget(m_find, 0, Qt::AlignLeft);
  column->addWidget(m_more, 0, Qt::AlignLeft);
  column->addWidget(m_options);
  column->addWidget(m_found);
  column->addWidget(m_open, 0, Qt::AlignLeft);
  column->addWidget(m_stop, 0, Qt::AlignLeft);
  column->addWidget(m_problem);

  connect(m_measure, &QPushButton::clicked, this, [this] { m_measures.measureSensitivity(text()); });
  connect(m_measureMap, &QPushButton::clicked, this, [this] { m_measures.measureMap(text()); });
  connect(m_find, &QPushButton::clicked, this, [this] {
    m_measures.find(text(), m_budget->currentData().toInt(), m_method->currentData().toString().toStdString(),
                    m_seed->value());
  });
  connect(m_more, &QPushButton::clicked, this, [this] { m_options->setVisible(m_options->isHidden()); });
  connect(m_stop, &QPushButton::clicked, this, [this] {
    for (const char* kind : {kSensitivityKind, kSearchKind}) m_measures.stop(kind);
  });
  connect(m_open, &QPushButton::clicked, this, [this] {
    MapDocument* document = m_side.document();
    const auto& found = m_measures.search();
    if (document == nullptr || !found) return;
    const auto map = parseMap(found->map, document->layers());
    if (map) document->open(*map, QString::fromStdString(found->name));
  });
  connect(m_text, &QComboBox::activated, this,
          [this] { m_session.settings().setValue("map/text", QString::fromStdString(text())); });
  connect(&m_measures, &MapMeasures::changed, this, &MeasureSection::refresh);
  connect(&m_measures, &MapMeasures::failed, this, [this](const QString& sentence) {
    m_problem->setText(sentence);
    m_problem->show();
    m_session.announce(sentence);
  });
  connect(&side, &SideMap::documentChanged, this, [this] {
    fillBudgets();
    refresh();
  });
  connect(&side, &SideMap::costChanged, this, &MeasureSection::fillBudgets);
  connect(&session.engine(), &EngineClient::stateChanged, this, &MeasureSection::refresh);
  connect(&session, &Session::projectChanged, this, [this] {
    if (isVisible()) listTexts();
  });
  fillBudgets();
  refresh();
}

void MeasureSection::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  listTexts();
}

/// The project's texts; of JSON and tables no loss of running text can be measured.
void MeasureSection::listTexts() {
  const std::string project = m_session.project() ? m_session.project()->folder : std::string();
  if (project.empty() || project == m_asked) return;
  m_asked = project;
  m_session.engine().call<protocol::ListData>({}, this, [=, this](const Result<protocol::ListData::Answer>& answer) {
    if (project != m_asked) return;  // another was opened meanwhile
    m_asked.clear();
    if (!answer) return m_session.announce(QString::fromStdString(answer.error().message));
    const QVariant before = m_text->currentData();
    m_text->clear();
    for (const protocol::DataEntry& data : answer->files) {
      const QString path = QString::fromStdString(data.path);
      if (QFileInfo(path).suffix().compare("txt", Qt::CaseInsensitive) != 0) continue;
      m_text->addItem(QString::fromStdString(data.name), path);
    }
    int at = m_text->findData(before);
    if (at < 0) at = m_text->findData(m_session.settings().value("map/text"));
    // Not what a model was trained on, where there is a choice.
    for (int i = 0; at < 0 && i < m_text->count(); ++i) {
      if (!m_text->itemText(i).contains("train")) at = i;
    }
    m_text->setCurrentIndex(std::max(at, 0));
    refresh();
  });
}

std::string MeasureSection::text() const {
  return m_text->currentData().toString().toStdString();
}

void MeasureSection::fillBudgets() {
  const MapDocument* document = m_side.document();
  const QVariant before = m_budget->currentData();
  m_budget->clear();
  if (document == nullptr) return;
  std::vector<int> seen;
  for (const double retention : {.75, .5, .33, .25}) {
    const int owners = ownersForRetention(retention, document->layers());
    if (owners >= document->layers() || std::find(seen.begin(), seen.end(), owners) != seen.end()) continue;
    seen.push_back(owners);
    const auto map = parseMap("even:" + std::to_string(owners), document->layers());
    m_budget->addItem(tr("%1, %n owner(s)", nullptr, owners).arg(formatBytes(m_side.cost().kvBytes(*map))), owners);
  }
  const int at = m_budget->findData(before);
  m_budget->setCurrentIndex(at >= 0 ? at : m_budget->count() - 1);
}

void MeasureSection::refresh() {
  showMatrix();
  showSearch();
  const bool ready = m_session.engine().ready();
  const bool busy = m_measures.job(kSensitivityKind) != nullptr || m_measures.job(kSearchKind) != nullptr;
  const bool able = ready && !busy && !text().empty() && m_side.document() != nullptr;
  for (Button* button : {m_measure, m_measureMap, m_find}) {
    button->setEnabled(able);
    button->setAccessibleDescription(!ready ? tr("waits for the engine") : QString());
  }
  m_find->setEnabled(able && m_budget->count() > 0);
  m_stop->setVisible(busy);
  if (busy || m_problem->text().isEmpty()) m_problem->hide();
}

void MeasureSection::showMatrix() {
  const protocol::ReadSensitivity::Answer& answer = m_measures.answer();
  const Sensitivity* matrix = m_measures.sensitivity();
  const QString text = QFileInfo(QString::fromStdString(answer.text)).fileName();
  QString state;
  if (!m_session.engine().ready()) {
    state = tr("Measuring waits for the engine.");
  } else if (const protocol::JobInfo* job = m_measures.job(kSensitivityKind); job != nullptr) {
    state = job->state == "queued"
                ? tr("Sensitivity waits in the queue.")
                : tr("Measuring sensitivity: %1 of %2 cells.").arg(answer.cells).arg(answer.allCells);
  } else if (matrix == nullptr) {
    state = tr("Sensitivity not measured.");
  } else if (!matrix->stale.isEmpty()) {
    state = tr("Sensitivity on %1 is stale: %2").arg(text, matrix->stale);
  } else if (answer.cells < answer.allCells) {
    state = tr("Sensitivity on %1: %2 of %3 cells.").arg(text).arg(answer.cells).arg(answer.allCells);
  } else {
    state = tr("Sensitivity measured on %1, %2 tokens.").arg(text, formatCount(answer.tokens));
  }
  m_matrix->setText(state);
  m_measure->setText(matrix == nullptr ? tr("Measure sensitivity") : tr("Measure it again"));
}

void MeasureSection::showSearch() {
  const auto& found = m_measures.search();
  const protocol::JobInfo* job = m_measures.job(kSearchKind);
  QString state;
  if (found && !found->map.empty()) {
    const QString value = found->value ? (found->metric == "nll" ? tr("NLL %1").arg(formatNats(found->value))
                                                                 : formatPercent(found->value, 1))
                                       : notMeasured();
    const QString rise = found->metric == "nll" && found->value && found->full
                             ? tr(", %1 against the full map").arg(formatNats(*found->value - *found->full, true))
                             : QString();
    state = (job != nullptr ? tr("Best so far, of %1 maps: %2%3.") : tr("Best of %1 maps: %2%3."))
                .arg(formatCount(found->evaluated), value, rise);
  } else if (job != nullptr) {
    state = job->state == "queued" ? tr("The search waits in the queue.") : tr("Searching.");
  }
  if (found && !found->message.empty()) state = QString::fromStdString(found->message);
  m_found->setText(state);
  m_found->setVisible(!state.isEmpty());
  m_open->setVisible(found && !found->map.empty());
}

}  // namespace strata
