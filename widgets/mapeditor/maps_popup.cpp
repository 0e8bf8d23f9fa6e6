#include "widgets/mapeditor/maps_popup.h"

#include <QHBoxLayout>
#include <QLineEdit>
#include <QListWidget>

#include "widgets/style/controls.h"
#include "widgets/style/flow_layout.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kWidth = 420, kRows = 6;
constexpr int kNameRole = Qt::UserRole;

/// The model that a stored map is for: an adapter's maps are for any model of as many layers.
std::string modelOf(const protocol::ModelRef& model) {
  return model.adapter.empty() ? model.model : std::string();
}

}  // namespace

void saveMap(Session& session, MapDocument& document, const protocol::ModelRef& model, QObject* context,
             std::function<void(const Result<protocol::Nothing>&)> done) {
  const QPointer<MapDocument> kept = &document;
  const SharingMap saved = document.map();
  session.engine().call<protocol::PutMap>(
      {document.name().toStdString(), modelOf(model), document.toJson()}, context,
      [&session, kept, saved, done = std::move(done)](const Result<protocol::Nothing>& answer) {
        if (answer) {
          if (kept && kept->map() == saved) kept->setClean();
          session.maps().refresh();
        }
        done(answer);
      });
}

MapsPopup::MapsPopup(Session& session, MapDocument& document, const protocol::ModelRef& model, QWidget* parent)
    : Popup(parent), m_session(session), m_document(&document), m_model(model) {
  setAttribute(Qt::WA_DeleteOnClose);
  named(this, "mapsPopup", tr("Maps of the project"));
  content()->addWidget(sectionLabel(tr("Maps for %n layer(s)", nullptr, document.layers()), this));
  content()->addWidget(buildList());
  content()->addWidget(buildSaving());
  connect(&session.maps(), &MapLibrary::changed, this, &MapsPopup::fill);
  connect(&document, &QObject::destroyed, this, &QWidget::close);
  fill();
  m_name->setFocus();
}

QWidget* MapsPopup::buildList() {
  auto* part = new QWidget(this);
  auto* column = new QVBoxLayout(part);
  column->setContentsMargins(0, 0, 0, 0);
  m_none = named(captionLabel(tr("No map is stored yet. Name the one you drew and save it.")), "mapsNone");
  m_list = named(new QListWidget, "mapsList", tr("Stored maps"));
  m_list->setFrameShape(QFrame::NoFrame);
  m_list->setEditTriggers(QAbstractItemView::EditKeyPressed);
  followTheme(m_list, [this] { m_list->setFixedHeight(kRows * metrics().control); });
  m_useA = named(makeButton(tr("Use as A")), "mapsUseA", tr("Use the chosen map as A"));
  m_open = named(makeButton(tr("Use as B")), "mapsOpen", tr("Use the chosen map as B"));
  m_open->setToolTip(tr("Draws it here: this page edits side B's map"));
  m_duplicate = named(makeButton(tr("Duplicate")), "mapsDuplicate", tr("Duplicate the chosen map"));
  m_rename = named(makeButton(tr("Rename")), "mapsRename", tr("Rename the chosen map"));
  m_rename->setToolTip(tr("Rename in the list (F2)"));
  m_trash = named(makeButton(tr("Move to trash")), "mapsTrash", tr("Move the chosen map to the trash"));
  auto *uses = new QWidget, *actions = new QWidget;
  auto* useRow = new FlowLayout(kGapInside, kGapInside, uses);
  for (Button* button : {m_useA, m_open}) useRow->addWidget(button);
  auto* row = new FlowLayout(kGapInside, kGapInside, actions);
  for (Button* button : {m_duplicate, m_rename, m_trash}) row->addWidget(button);
  m_trashed = named(captionLabel({}), "mapsTrashed");
  m_restore = named(makeButton(tr("Restore"), ButtonKind::link), "mapsRestore", tr("Take the map out of the trash"));
  column->addWidget(m_none);
  column->addWidget(m_list);
  column->addWidget(uses);
  column->addWidget(actions);
  auto* undo = rowOf({m_trashed, m_restore});
  column->addWidget(undo);
  m_trashed->hide();
  m_restore->hide();
  connect(m_list, &QListWidget::currentRowChanged, this, &MapsPopup::choose);
  connect(m_list, &QListWidget::itemActivated, this, &MapsPopup::openChosen);
  connect(m_list, &QListWidget::itemChanged, this, &MapsPopup::rename);
  connect(m_useA, &QPushButton::clicked, this, &MapsPopup::useOnA);
  connect(m_open, &QPushButton::clicked, this, &MapsPopup::openChosen);
  connect(m_duplicate, &QPushButton::clicked, this, &MapsPopup::duplicate);
  connect(m_rename, &QPushButton::clicked, this, [this] { m_list->editItem(m_list->currentItem()); });
  connect(m_trash, &QPushButton::clicked, this, &MapsPopup::trash);
  connect(m_restore, &QPushButton::clicked, this, &MapsPopup::restore);
  return part;
}

QWidget* MapsPopup::buildSaving() {
  auto* part = new QWidget(this);
  auto* column = new QVBoxLayout(part);
  column->setContentsMargins(0, kGapRelated, 0, 0);
  column->setSpacing(kGapRelated);
  m_name = named(new QLineEdit(m_document->name()), "mapName");
  m_field = new Field(tr("Name of the drawn map"), m_name, tr("Enter saves it in the project."));
  m_field->setMinimumWidth(scaled(kWidth) - 2 * kGapGroups);
  auto* saveButton = named(makeButton(tr("Save")), "mapsSave", tr("Save the drawn map"));
  auto* fresh = named(makeButton(tr("New")), "mapsNew", tr("Start a new map: every layer an owner"));
  auto* in = named(makeButton(tr("Import JSON…")), "mapsImport");
  auto* out = named(makeButton(tr("Export JSON…")), "mapsExport");
  auto* actions = new QWidget;
  auto* row = new FlowLayout(kGapInside, kGapInside, actions);
  for (Button* button : {saveButton, fresh, in, out}) row->addWidget(button);
  column->addWidget(m_field);
  column->addWidget(actions);
  connect(m_name, &QLineEdit::returnPressed, this, &MapsPopup::save);
  connect(m_name, &QLineEdit::textEdited, m_field, [this] { m_field->setProblem({}); });
  connect(saveButton, &QPushButton::clicked, this, &MapsPopup::save);
  connect(fresh, &QPushButton::clicked, this, [this] {
    if (m_document) m_document->open(SharingMap::full(m_document->layers()), {});
    close();
  });
  connect(in, &QPushButton::clicked, this, [this] {
    close();
    Q_EMIT importWanted();
  });
  connect(out, &QPushButton::clicked, this, [this] {
    close();
    Q_EMIT exportWanted();
  });
  return part;
}

void MapsPopup::fill() {
  if (!m_document) return;
  const QSignalBlocker blocked(m_list);
  const QString before = m_list->currentItem() ? m_list->currentItem()->data(kNameRole).toString() : m_document->name();
  m_list->clear();
  for (const protocol::KnownMap& known : m_session.maps().rows()) {
    if (known.source != "stored") continue;
    const QString name = QString::fromStdString(known.name);
    if (known.problem.empty() && known.layers != m_document->layers()) continue;
    auto* item = new QListWidgetItem(name, m_list);
    item->setData(kNameRole, name);
    item->setFlags(item->flags() | Qt::ItemIsEditable);
    const QString says = known.problem.empty() ? tr("%n owner(s) of %1 layers: %2", nullptr, known.owners)
                                                     .arg(known.layers)
                                                     .arg(QString::fromStdString(known.map))
                                               : QString::fromStdString(known.problem);
    item->setToolTip(tipOf(says));
    item->setData(Qt::AccessibleDescriptionRole, says);
    if (name == before) m_list->setCurrentItem(item);
  }
  m_list->setVisible(m_list->count() > 0);
  m_none->setVisible(m_list->count() == 0);
  choose();
}

void MapsPopup::choose() {
  const protocol::KnownMap* known = chosen();
  for (Button* button : {m_useA, m_open, m_duplicate}) button->setEnabled(known != nullptr && known->problem.empty());
  for (Button* button : {m_rename, m_trash}) button->setEnabled(known != nullptr);
}

const protocol::KnownMap* MapsPopup::chosen() const {
  const QListWidgetItem* item = m_list->currentItem();
  if (item == nullptr) return nullptr;
  const std::string name = item->data(kNameRole).toString().toStdString();
  for (const protocol::KnownMap& known : m_session.maps().rows()) {
    if (known.source == "stored" && known.name == name) return &known;
  }
  return nullptr;
}

void MapsPopup::openChosen() {
  const protocol::KnownMap* known = chosen();
  if (known == nullptr || !m_document || !known->problem.empty()) return;
  const auto map = parseMap(known->map, m_document->layers());
  if (!map) return m_field->setProblem(QString::fromStdString(map.error().message));
  m_document->open(*map, QString::fromStdString(known->name));
  close();
}

/// With side A's model where it has as many layers, else with the model that the maps here are for.
void MapsPopup::useOnA() {
  const protocol::KnownMap* known = chosen();
  if (known == nullptr || !m_document || !known->problem.empty()) return;
  const QString name = QString::fromStdString(known->name);
  const auto& a = m_session.side(Which::a);
  const protocol::ModelCard* card = a ? m_session.knownCard(a->ref) : nullptr;
  const bool fits = card != nullptr && card->layers == m_document->layers();
  m_session.setSide(Which::a, protocol::Side{fits ? a->ref : m_model, known->map});
  m_session.announce(tr("Side A answers with the map %1.").arg(name));
  close();
}

void MapsPopup::heard(const Result<protocol::Nothing>& answer) {
  if (!answer) return m_field->setProblem(QString::fromStdString(answer.error().message));
  m_field->setProblem({});
  m_session.maps().refresh();
}

void MapsPopup::save() {
  if (!m_document) return;
  const QString name = m_name->text().trimmed();
  if (name.isEmpty()) return m_field->setProblem(tr("Type a name first."));
  if (name != m_document->name()) m_document->setName(name);
  saveMap(m_session, *m_document, m_model, this, [this, name](const Result<protocol::Nothing>& answer) {
    heard(answer);
    if (!answer) return;
    m_session.announce(tr("Map %1 saved.").arg(name));
    close();
  });
}

void MapsPopup::duplicate() {
  const protocol::KnownMap* known = chosen();
  if (known == nullptr || !m_document) return;
  const auto map = parseMap(known->map, m_document->layers());
  if (!map) return;
  const auto taken = [this](const std::string& name) {
    for (const protocol::KnownMap& one : m_session.maps().rows()) {
      if (one.source == "stored" && one.name == name) return true;
    }
    return false;
  };
  int number = 2;
  std::string name;
  do {
    name = known->name + " " + std::to_string(number++);
  } while (taken(name));
  m_session.engine().call<protocol::PutMap>({name, modelOf(m_model), mapToJson(*map)}, this,
                                            [this](const Result<protocol::Nothing>& answer) { heard(answer); });
}

void MapsPopup::rename(QListWidgetItem* item) {
  const QString before = item->data(kNameRole).toString(), now = item->text().trimmed();
  if (now == before) return;
  if (now.isEmpty()) return fill();
  {
    const QSignalBlocker blocked(m_list);
    item->setData(kNameRole, now);  // stays chosen when the list comes
  }
  m_session.engine().call<protocol::RenameMap>({before.toStdString(), now.toStdString()}, this,
                                               [this, before, now](const Result<protocol::Nothing>& answer) {
                                                 if (answer && m_document && m_document->name() == before) {
                                                   const bool saved = !m_document->isDirty();
                                                   m_document->setName(now);
                                                   m_name->setText(now);
                                                   if (saved) m_document->setClean();
                                                 }
                                                 if (!answer) fill();
                                                 heard(answer);
                                               });
}

void MapsPopup::trash() {
  const protocol::KnownMap* known = chosen();
  if (known == nullptr) return;
  m_session.engine().call<protocol::RemoveMap>(
      {known->name, "trash"}, this,
      [this, name = QString::fromStdString(known->name)](const Result<protocol::RemoveMap::Answer>& answer) {
        if (!answer) return m_field->setProblem(QString::fromStdString(answer.error().message));
        m_inTrash = answer->name;
        m_trashed->setText(tr("%1 is in the trash.").arg(name));
        m_trashed->show();
        m_restore->show();
        m_session.maps().refresh();
      });
}

void MapsPopup::restore() {
  m_session.engine().call<protocol::RemoveMap>(
      {m_inTrash, "restore"}, this, [this](const Result<protocol::RemoveMap::Answer>& answer) {
        if (!answer) {
          return m_field->setProblem(QString::fromStdString(answer.error().message));
        }
        m_trashed->hide();
        m_restore->hide();
        m_session.maps().refresh();
      });
}

}  // namespace strata
