#include "widgets/mapeditor/map_page.h"

#include <QAbstractButton>
#include <QFileDialog>
#include <QFileInfo>
#include <QLineEdit>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "widgets/mapeditor/budget_section.h"
#include "widgets/mapeditor/cost_line.h"
#include "widgets/mapeditor/layer_section.h"
#include "widgets/mapeditor/map_choices.h"
#include "widgets/mapeditor/map_files.h"
#include "widgets/mapeditor/map_table.h"
#include "widgets/mapeditor/map_view.h"
#include "widgets/mapeditor/maps_popup.h"
#include "widgets/mapeditor/measure_section.h"
#include "widgets/mapeditor/pareto_section.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/named.h"
#include "widgets/style/scrolled.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kLeastText = 140;

}  // namespace

MapPage::MapPage(Session& session, QWidget* parent) : Page(parent), m_session(session), m_side(session) {
  named(this, "mapPage", tr("Map"));
  m_model.setCost(&m_side.cost());
  m_view = new MapView(m_model);
  m_table = new MapTable(m_model);
  m_cost = new CostLine;
  m_stack = new QStackedWidget;
  m_stack->addWidget(m_view);
  m_stack->addWidget(m_table);
  m_problem = named(new Label({}, TextRole::body, Tone::bad), "mapProblem");
  m_problem->setWordWrap(true);
  m_problem->hide();
  auto* content = new QWidget;
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapRelated);
  column->setSpacing(kGapRelated);
  column->addWidget(buildHead());
  column->addWidget(m_problem);
  column->addWidget(m_cost);
  column->addWidget(m_stack, 1);
  m_state = named(new StatePane(content), "mapState");
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_state);
  m_inspector = buildInspector();

  m_saveAction = addCommand("map-save", tr("Save the map"), QKeySequence("Ctrl+S"), [this] { save(); });
  m_mapsAction = addCommand("map-list", tr("Maps of the project"), QKeySequence("Ctrl+O"), [this] { openMaps(); });
  m_exportAction =
      addCommand("map-export", tr("Export the model with this map"), QKeySequence("Ctrl+E"), [this] { exportModel(); });
  connect(&m_side, &SideMap::documentChanged, this, &MapPage::documentChanged);
  connect(&m_side, &SideMap::costChanged, this, [this] {
    m_model.refreshCost();
    showCost();
  });
  connect(&m_side, &SideMap::otherChanged, this, [this] { m_view->setOther(m_side.other()); });
  connect(m_view, &MapView::previewChanged, this, &MapPage::showCost);
  connect(m_view, &MapView::currentChanged, m_layer, &LayerSection::show);
  connect(m_table, &MapTable::layerChanged, m_layer, &LayerSection::show);
  connect(m_view, &MapView::gestureChanged, this, &MapPage::keysChanged);
  connect(&session, &Session::projectChanged, this, &MapPage::showState);
  connect(&session, &Session::sidesChanged, this, &MapPage::showState);
  connect(&session.engine(), &EngineClient::stateChanged, this, &MapPage::showState);
  documentChanged();
}

MapPage::~MapPage() {
  blockSignals(true);  // the window that listens may be half gone
  m_model.setDocument(nullptr);
  // What shows the model and the side goes before them.
  delete m_inspector;
  delete m_state;
}

QWidget* MapPage::buildHead() {
  m_choices = named(new MapChoices(m_session), "mapShare");
  m_choices->buttons()->setAccessibleName(tr("Share of the KV cache that side B keeps"));
  m_text = named(new QLineEdit, "mapText", tr("Map as text"));
  m_text->setWhatsThis(tr("A pattern such as stride:4, or for each layer the one it reads: 0,0,2,2. Enter takes it."));
  m_text->setToolTip(tr("Map as text: stride:4, or 0,0,2,2. Enter takes it."));
  followTheme(m_text, [this] {
    m_text->setFont(fontOf(TextRole::mono));
    m_text->setMinimumWidth(scaled(kLeastText));
  });
  m_name = named(new Button({}, ButtonKind::quiet), "mapNameButton");
  m_name->setToolTip(tr("Maps of the project: open, save, rename (Ctrl+O)"));
  m_save = named(makeButton(tr("Save")), "mapSave", tr("Save the map"));
  m_save->setToolTip(tr("Save the map in the project (Ctrl+S)"));
  m_export = named(makeButton(tr("Export…")), "mapExport", tr("Export the model with this map"));
  m_export->setToolTip(
      tr("Writes side B's model with this map as a folder for vLLM, transformers and others (Ctrl+E)"));
  m_views = named(new SegmentedButtons({tr("Rows"), tr("Table")}), "mapViews", tr("How the map is shown"));
  m_views->setCurrent(0);
  m_views->button(0)->setObjectName("mapRows");
  m_views->button(1)->setObjectName("mapAsTable");
  connect(m_choices, &MapChoices::chosen, this, [this](const std::string& map) {
    MapDocument* document = m_side.document();
    if (document == nullptr) return;
    for (const MapLibrary::Choice& choice : m_choices->choices()) {
      if (choice.map != map) continue;
      const auto done = document->setText(QString::fromStdString(map), tr("%1 of the cache").arg(choice.percent()));
      if (!done) return refuse(QString::fromStdString(done.error().message));
      m_session.announce(choice.explanation());
    }
  });
  connect(m_text, &QLineEdit::returnPressed, this, &MapPage::takeText);
  connect(m_text, &QLineEdit::textEdited, this, [this] { refuse({}); });
  connect(m_name, &QPushButton::clicked, this, &MapPage::openMaps);
  connect(m_save, &QPushButton::clicked, this, &MapPage::save);
  connect(m_export, &QPushButton::clicked, this, &MapPage::exportModel);
  connect(m_views, &SegmentedButtons::chosen, this, [this](int index) {
    setTable(index == 1);
    Q_EMIT stateChanged();
  });
  auto* shares = rowOf({m_choices, m_text});
  static_cast<QHBoxLayout*>(shares->layout())->setStretchFactor(m_text, 1);
  return new FoldingRow(shares, rowOf({m_name, m_save, m_export, m_views}));
}

QWidget* MapPage::buildInspector() {
  m_measure = new MeasureSection(m_session, m_side);
  m_layer = new LayerSection(m_model);
  auto* inside = new QWidget;
  auto* column = new QVBoxLayout(inside);
  column->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  column->setSpacing(kGapSections);
  column->addWidget(new BudgetSection(m_session, m_side));
  column->addWidget(m_measure);
  column->addWidget(new ParetoSection(m_session, m_side));
  column->addWidget(m_layer);
  column->addStretch(1);
  return named(scrolled(inside), "mapInspector", tr("Budget, measured maps and selected layer"));
}

QList<QWidget*> MapPage::panes() {
  return {m_state};
}

QList<QPair<QString, QString>> MapPage::keys() {
  if (m_side.document() == nullptr) return {};
  if (m_view->isLifted()) {
    return {{QStringLiteral("↑ ↓"), tr("choose an owner")}, {tr("Enter"), tr("drop")}, {tr("Esc"), tr("put back")}};
  }
  if (m_view->isTyping()) return {{tr("Enter"), tr("read it")}, {tr("Esc"), tr("cancel")}};
  return {{tr("Space"), tr("lift")}, {"R", tr("read a layer")}, {"O", tr("owner")}, {"Ctrl+Z", tr("undo")}};
}

void MapPage::open(const Place& place) {
  MapDocument* document = m_side.document();
  if (document == nullptr || place.kind != PlaceKind::map) return;
  for (const protocol::KnownMap& known : m_session.maps().rows()) {
    if (QString::fromStdString(known.name) != place.id) continue;
    const auto map = parseMap(known.map, document->layers());
    if (!map) return refuse(QString::fromStdString(map.error().message));
    return document->open(*map, known.source == "stored" ? place.id : QString());
  }
}

bool MapPage::escape() {
  return m_view->cancel();
}

QUndoStack* MapPage::undoStack() {
  return m_side.document() != nullptr ? &m_side.document()->undoStack() : nullptr;
}

QByteArray MapPage::saveState() const {
  return m_stack->currentWidget() == m_table ? "table" : "rows";
}

void MapPage::restoreState(const QByteArray& state) {
  setTable(state == "table");
}

void MapPage::setTable(bool table) {
  m_views->setCurrent(table ? 1 : 0);
  m_stack->setCurrentIndex(table ? 1 : 0);
}

void MapPage::updateActions() {
  for (QAction* action : {m_saveAction, m_mapsAction, m_exportAction}) action->setEnabled(m_side.document() != nullptr);
}

std::optional<Wanted> MapPage::wants(const QStringList& paths) const {
  for (const QString& path : paths) {
    if (looksLikeMap(path)) return Wanted{path, true};
  }
  return {};
}

void MapPage::take(const QString& path) {
  MapDocument* document = m_side.document();
  if (document == nullptr) return refuse(tr("Choose a model for side B first."));
  const QString name = QFileInfo(path).fileName();
  if (!m_session.engine().remote()) return load(readMapFile(path), name);
  m_session.engine().call<protocol::ImportMap>(
      {path.toStdString(), document->layers()}, this, [this, name](const Result<protocol::ImportMap::Answer>& answer) {
        load(answer ? Result<Json>(answer->file) : tl::unexpected(answer.error()), name);
      });
}

/// A file that is no map is refused, and the map stays.
void MapPage::load(const Result<Json>& file, const QString& name) {
  if (!file) return refuse(QString::fromStdString(file.error().message));
  if (m_side.document() == nullptr) return;
  const auto done = m_side.document()->loadJson(*file, name);
  refuse(done ? QString() : QString::fromStdString(done.error().message));
}

void MapPage::documentChanged() {
  MapDocument* document = m_side.document();
  m_model.setDocument(document);
  m_choices->setModel(document != nullptr ? &m_side.cost().card() : nullptr);
  m_view->setOther(m_side.other());
  if (document != nullptr) {
    connect(document, &MapDocument::changed, this, &MapPage::mapChanged);
    connect(document, &MapDocument::dirtyChanged, this, &MapPage::showName);
  }
  mapChanged();
  showState();
  Q_EMIT keysChanged();
}

void MapPage::mapChanged() {
  MapDocument* document = m_side.document();
  if (document != nullptr) {
    m_choices->setMap(document->text().toStdString());
    m_text->setText(document->text());
    m_text->setCursorPosition(0);
  }
  refuse({});
  showName();
  showCost();
}

void MapPage::showName() {
  const MapDocument* document = m_side.document();
  const QString name = document != nullptr ? document->name() : QString();
  const bool dirty = document != nullptr && (document->isDirty() || name.isEmpty());
  m_name->setText(name.isEmpty() ? tr("Maps…") : dirty ? tr("%1, not saved").arg(name) : name);
  m_name->setAccessibleName(name.isEmpty() ? tr("Maps of the project") : tr("Map %1: maps of the project").arg(name));
  m_save->setEnabled(dirty);
}

void MapPage::showCost() {
  const MapDocument* document = m_side.document();
  if (document == nullptr) return m_cost->show(nullptr, SharingMap::full(1));
  const auto& preview = m_view->preview();
  m_cost->show(&m_side.cost(), document->map(), preview ? &*preview : nullptr);
}

void MapPage::showState() {
  const EngineClient& engine = m_session.engine();
  m_inspector->setEnabled(m_side.document() != nullptr);
  if (m_side.document() != nullptr) return m_state->setWorking();
  if (m_side.problem()) {
    return m_state->setFailed(*m_side.problem(), tr("Choose another model"), [this] { m_session.go(Place::model()); });
  }
  if (engine.state() == EngineClient::State::failed) {
    return m_state->setEmpty(tr("The map of side B's model is drawn here. Its layers are not known before the engine "
                                "has opened the project."),
                             tr("Start the engine again"), [this] { m_session.engine().restart(); });
  }
  if (m_side.isLoading()) return m_state->setLoading(tr("Reading the model's card"));
  if (!m_session.project() && !m_session.projectProblem()) return m_state->setLoading(tr("Waits for the engine"));
  m_state->setEmpty(
      tr("No model on side B."), tr("Choose a model"), [this] { m_session.go(Place::model()); }, m_session.sampleLink(),
      [this] { m_session.openProject({}); });
}

/// What cannot be a map is refused with the layer's name, and the map stays.
void MapPage::takeText() {
  MapDocument* document = m_side.document();
  if (document == nullptr) return;
  const auto done = document->setText(m_text->text());
  if (!done) return refuse(QString::fromStdString(done.error().message));
  m_text->setText(document->text());
  refuse({});
}

void MapPage::refuse(const QString& sentence) {
  m_problem->setText(sentence);
  m_problem->setVisible(!sentence.isEmpty());
  if (!sentence.isEmpty()) m_session.announce(sentence);
}

void MapPage::openMaps() {
  MapDocument* document = m_side.document();
  if (document == nullptr || !m_side.ref()) return;
  auto* popup = new MapsPopup(m_session, *document, *m_side.ref(), this);
  connect(popup, &MapsPopup::importWanted, this, [this] {
    auto* dialog = named(new QFileDialog(this, tr("Import a map"), {}, tr("Map files (*.json)")), "mapImportDialog");
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QFileDialog::fileSelected, this,
            [this](const QString& path) { load(readMapFile(path), QFileInfo(path).fileName()); });
    dialog->open();
  });
  connect(popup, &MapsPopup::exportWanted, this, [this] {
    auto* dialog =
        named(new QFileDialog(this, tr("Export the map"), QStringLiteral("map.json"), tr("Map files (*.json)")),
              "mapExportDialog");
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
      if (m_side.document() == nullptr) return;
      const auto done = writeMapFile(path, m_side.document()->toJson());
      done ? m_session.announce(tr("Exported to %1.").arg(path)) : refuse(QString::fromStdString(done.error().message));
    });
    dialog->open();
  });
  popup->openAt(m_name);
}

/// Where the model's card is; side B's map stands in it.
void MapPage::exportModel() {
  if (m_side.document() == nullptr || !m_side.ref()) return;
  m_session.go(Place::exportOf(QString::fromStdString(keyOf(*m_side.ref()))));
}

void MapPage::save() {
  MapDocument* document = m_side.document();
  if (document == nullptr || !m_side.ref()) return;
  if (document->name().isEmpty()) return openMaps();
  saveMap(m_session, *document, *m_side.ref(), this,
          [this, name = document->name()](const Result<protocol::Nothing>& answer) {
            if (!answer) return refuse(QString::fromStdString(answer.error().message));
            m_session.announce(tr("Map %1 saved.").arg(name));
          });
}

}  // namespace strata
