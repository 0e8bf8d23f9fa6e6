#include "widgets/models/export_section.h"

#include <QComboBox>
#include <QFileDialog>
#include <QLineEdit>
#include <QProgressBar>
#include <QStandardItemModel>
#include <QVBoxLayout>

#include "widgets/mapeditor/map_choices.h"
#include "widgets/models/export_card.h"
#include "widgets/shell/folder_popup.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kProgressSteps = 1000;

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

}  // namespace

ExportSection::ExportSection(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_again(named(makeButton(tr("Export again"), ButtonKind::link), "exportAgain")),
      m_close(named(makeIconButton("x-lg", tr("Close the export"), "Esc"), "exportClose")),
      m_card(new ExportCard(session)) {
  named(this, "exportSection", tr("Export"));
  m_form = makeForm();
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, kGapRelated);
  layout->setSpacing(kGapRelated);
  layout->addWidget(new FoldingRow(sectionLabel(tr("Export")), rowOf({m_again, m_close})));
  layout->addWidget(m_form);
  layout->addWidget(m_card);
  m_card->hide();
  connect(m_close, &QPushButton::clicked, this, [this] { escape(); });
  connect(m_again, &QPushButton::clicked, this, [this] {
    m_card->hide();
    m_folder->clear();
    refresh();
    m_forms->setFocus();
  });
  connect(&session.engine(), &EngineClient::stateChanged, this, &ExportSection::refresh);
  session.engine().on<protocol::Progress>(this, [this](const protocol::Progress& progress) {
    if (m_ticket == 0 || progress.request != Json(m_ticket) || progress.total <= 0) return;
    m_bar->setRange(0, kProgressSteps);
    m_bar->setValue(static_cast<int>(progress.done * kProgressSteps / progress.total));
    m_stage->setText(tr("%1 of %2").arg(formatBytes(progress.done), formatBytes(progress.total)));
  });
  refresh();
}

QWidget* ExportSection::makeForm() {
  auto* form = new QWidget;
  m_forms = named(new QComboBox, "exportForm");
  m_formField =
      new Field(tr("Export as"), m_forms, tr("Remote code lets transformers follow the map without Strata's package."));
  m_dtype = named(new QComboBox, "exportDtype");
  m_dtype->addItem(tr("as stored"), QString());
  m_dtype->addItem("bfloat16", "bfloat16");
  m_dtype->addItem("float32", "float32");
  m_dtypeField = new Field(tr("Weights"), m_dtype);
  m_choices = named(new MapChoices(m_session), "exportShare");
  m_choices->setOwnShown(true);
  m_map = named(new QLineEdit, "exportMap");
  auto* maps = new QWidget;
  auto* mapColumn = new QVBoxLayout(maps);
  mapColumn->setContentsMargins(0, 0, 0, 0);
  mapColumn->setSpacing(kGapInside);
  mapColumn->addWidget(m_choices);
  mapColumn->addWidget(m_map);
  maps->setFocusProxy(m_map);
  m_mapField = new Field(tr("Sharing map"), maps,
                         tr("The map that the folder carries: a pattern such as stride:4, or for each layer the one it "
                            "reads. Every weight is kept, so that another map can be chosen later."));
  m_folderField = new Field(tr("Folder"), makeFolderRow(),
                            tr("A new or an empty folder. Left empty: in the project's folder exports."));
  m_problem = named(new Label({}, TextRole::body, Tone::bad), "exportProblem");
  m_problem->setWordWrap(true);
  m_start = named(makeButton(tr("Export")), "exportStart", tr("Export the model"));
  m_bar = named(new QProgressBar, "exportProgress", tr("Progress of the export"));
  m_bar->setTextVisible(false);
  m_stage = named(new Label({}, TextRole::caption, Tone::second), "exportStage");
  m_stop = named(makeButton(tr("Stop")), "exportStop", tr("Stop the export"));
  m_running = named(rowOf({m_bar, m_stage, m_stop}), "exportRunning");
  auto* column = new QVBoxLayout(form);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapGroups);
  for (Field* field : {m_formField, m_dtypeField, m_mapField, m_folderField}) column->addWidget(field);
  column->addWidget(m_problem);
  column->addWidget(m_start, 0, Qt::AlignLeft);
  column->addWidget(m_running);
  connect(m_choices, &MapChoices::chosen, this, &ExportSection::takeMap);
  connect(m_map, &QLineEdit::textChanged, this, [this](const QString& typed) {
    m_choices->setMap(typed.toStdString());
    m_mapField->setProblem({});
  });
  connect(m_forms, &QComboBox::currentIndexChanged, this, &ExportSection::refresh);
  connect(m_start, &QPushButton::clicked, this, &ExportSection::start);
  connect(m_stop, &QPushButton::clicked, this, [this] { escape(); });
  return form;
}

QWidget* ExportSection::makeFolderRow() {
  m_folder = named(new QLineEdit, "exportFolder");
  m_browse = named(makeButton(tr("Choose…")), "exportBrowse", tr("Choose the folder to export to"));
  auto* row = rowOf({m_folder, m_browse});
  static_cast<QHBoxLayout*>(row->layout())->setStretchFactor(m_folder, 1);
  row->setFocusProxy(m_folder);
  connect(m_folder, &QLineEdit::returnPressed, this, &ExportSection::start);
  connect(m_folder, &QLineEdit::textChanged, this, [this] { m_problem->setText({}), refresh(); });
  connect(m_browse, &QPushButton::clicked, this, &ExportSection::browse);
  return row;
}

/// What an adapter can become, and a model without one; what does not apply is grey and says why.
void ExportSection::fillForms(bool hasAdapter) {
  const QSignalBlocker quiet(m_forms);
  m_forms->clear();
  const auto add = [this](const QString& name, Form form, bool can = true) {
    m_forms->addItem(name, static_cast<int>(form));
    auto* items = qobject_cast<QStandardItemModel*>(m_forms->model());
    if (!can && items != nullptr) items->item(m_forms->count() - 1)->setEnabled(false);
  };
  if (hasAdapter) {
    add(tr("Merged adapter"), Form::folder);
    add(tr("Merged adapter with remote code"), Form::remoteCode);
    add(tr("Adapter alone"), Form::adapter);
  } else {
    add(tr("Hugging Face folder"), Form::folder);
    add(tr("Hugging Face folder with remote code"), Form::remoteCode);
    add(tr("Merged adapter: this model has none"), Form::folder, false);
    add(tr("Adapter alone: this model has none"), Form::adapter, false);
  }
}

void ExportSection::setModel(const protocol::ModelEntry& entry) {
  m_key = keyOf(entry);
  m_ref = refOf(entry);
  // A side may hold one checkpoint of a run, which the list has once.
  for (const Which which : {Which::b, Which::a}) {
    const auto& side = m_session.side(which);
    if (!side) continue;
    const std::string run = side->ref.model.substr(0, side->ref.model.rfind('@'));
    if (keyOf(side->ref) != m_key && (entry.source != "run" || run != m_key)) continue;
    m_ref = side->ref;
    break;
  }
  refresh();
}

void ExportSection::setCard(const protocol::ModelCard& card) {
  if (!isShown() || m_ticket != 0 || m_model) return;
  m_model = card;
  fillForms(card.adapter);
  m_choices->setModel(&card);
  if (m_map->text().isEmpty()) takeMap(card.defaultMap);
  refresh();
}

bool ExportSection::isShown() const {
  return m_open && m_key == m_ofKey;
}

ExportSection::Form ExportSection::form() const {
  return static_cast<Form>(m_forms->currentData().toInt());
}

void ExportSection::takeMap(const std::string& map) {
  m_map->setText(text(map));
  m_map->setCursorPosition(0);
}

/// With what the sides hold now; an export that is under way is shown as it is.
void ExportSection::open() {
  if (!canOpen()) return;
  m_open = true;
  if (m_ticket == 0) {
    m_of = m_ref;
    m_ofKey = m_key;
    m_card->hide();
    m_folder->clear();
    m_map->clear();
    m_problem->setText({});
    m_model.reset();
    fillForms(!m_of.adapter.empty());
    for (const Which which : {Which::a, Which::b}) {
      const auto& side = m_session.side(which);
      if (side && side->ref == m_of) takeMap(side->map);
    }
    if (const protocol::ModelCard* card = m_session.knownCard(m_of)) setCard(*card);
  }
  refresh();
  m_forms->setFocus(Qt::OtherFocusReason);
  Q_EMIT changed();
}

bool ExportSection::escape() {
  if (!isShown()) return false;
  if (m_ticket != 0) {
    m_stage->setText(tr("Stopping"));
    m_session.engine().cancel(m_ticket);
    return true;
  }
  m_open = false;
  refresh();
  Q_EMIT changed();
  return true;
}

void ExportSection::browse() {
  if (m_session.engine().remote()) {
    auto* popup = new FolderPopup(m_session, FolderPopup::Purpose::folder, this);
    connect(popup, &FolderPopup::chosen, m_folder, &QLineEdit::setText);
    popup->openOver(this);
    return;
  }
  auto* dialog = named(new QFileDialog(this, tr("Export to a new or an empty folder")), "exportDialog");
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  dialog->setOption(QFileDialog::ShowDirsOnly);
  connect(dialog, &QFileDialog::fileSelected, m_folder, &QLineEdit::setText);
  dialog->open();
}

void ExportSection::start() {
  if (m_ticket != 0 || !m_start->isEnabled()) return;
  if (m_model) {
    const auto map = parseMap(m_map->text().toStdString(), m_model->layers);
    if (!map) return m_mapField->setProblem(text(map.error().message));
  }
  protocol::ExportModel::Params params;
  params.ref = m_of;
  params.map = m_map->text().trimmed().toStdString();
  params.path = m_folder->text().trimmed().toStdString();
  params.remoteCode = form() == Form::remoteCode;
  params.adapterAlone = form() == Form::adapter;
  if (!params.adapterAlone) params.dtype = m_dtype->currentData().toString().toStdString();
  params.context = m_session.context();
  m_problem->setText({});
  m_bar->setRange(0, 0);
  m_stage->setText(m_session.engine().ready() ? tr("Opening the model") : tr("Waits for the engine"));
  m_ticket = m_session.engine().call<protocol::ExportModel>(
      params, this, [this](const Result<protocol::ExportModel::Answer>& answer) { finished(answer); });
  refresh();
  Q_EMIT changed();
}

void ExportSection::finished(const Result<protocol::ExportModel::Answer>& answer) {
  m_ticket = 0;
  if (answer) {
    m_card->show(*answer);
    m_card->setVisible(true);
    m_session.announce(tr("Exported to %1.").arg(text(answer->path)));
  } else if (answer.error().code == ErrorCode::cancelled) {
    m_session.announce(tr("The export was stopped; nothing was left."));
  } else {
    m_problem->setText(text(answer.error().message));
    m_session.warn(text(answer.error().message), Place::exportOf(text(m_ofKey)));
  }
  refresh();
  Q_EMIT changed();
}

void ExportSection::refresh() {
  const bool busy = m_ticket != 0, done = !m_card->isHidden(), alone = form() == Form::adapter;
  m_form->setVisible(!done);
  m_again->setVisible(done);
  m_close->setVisible(!busy);
  for (QWidget* part :
       {static_cast<QWidget*>(m_formField), static_cast<QWidget*>(m_mapField), static_cast<QWidget*>(m_folderField)}) {
    part->setEnabled(!busy);
  }
  m_dtypeField->setEnabled(!busy && !alone);
  m_dtypeField->setReason(alone ? tr("An adapter alone is copied as it is.")
                                : tr("The precision of the folder's weights; each is rounded once."));
  m_folder->setPlaceholderText(m_session.project() ? text(m_session.project()->folder) + "/exports/…" : QString());
  m_problem->setVisible(!m_problem->text().isEmpty());
  m_start->setVisible(!busy);
  m_start->setEnabled(m_session.engine().ready());
  m_start->setToolTip(m_session.engine().ready() ? QString() : tr("Waits for the engine"));
  m_running->setVisible(busy);
  setVisible(isShown());
}

}  // namespace strata
