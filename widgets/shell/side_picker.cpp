#include "widgets/shell/side_picker.h"

#include <QHBoxLayout>
#include <QMenu>
#include <utility>

#include "core/routing/sharing_map.h"
#include "widgets/shell/folder_popup.h"
#include "widgets/shell/map_popup.h"
#include "widgets/shell/picker_button.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kWidestModel = 168;
constexpr int kWidestMap = 176;

}  // namespace

QString retentionText(const std::string& map, const protocol::ModelCard& card) {
  const auto parsed = parseMap(map, card.layers);
  return parsed ? formatPercent(parsed->retention()) : QString();
}

SidePicker::SidePicker(Session& session, Which which, QWidget* parent)
    : QWidget(parent), m_session(session), m_which(which) {
  const bool isA = which == Which::a;
  const QString side = isA ? "A" : "B";
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kGapInside);
  row->addWidget(new SideBadge(isA ? BadgeSide::a : BadgeSide::b, this));
  m_model = named(new PickerButton(tr("Model of side %1").arg(side), kWidestModel, this), isA ? "model-a" : "model-b");
  m_model->setWhatsThis(
      tr("The model that answers as side %1: one of the project, one of its runs, or any folder.").arg(side));
  m_map = named(new PickerButton(tr("Map of side %1").arg(side), kWidestMap, this), isA ? "map-a" : "map-b");
  m_map->setWhatsThis(
      tr("Which layers of side %1 keep keys and values of their own. The fewer do, the smaller is the KV cache.")
          .arg(side));
  row->addWidget(m_model, 1);
  row->addWidget(m_map, 1);
  connect(m_model, &QPushButton::clicked, this, &SidePicker::showModelMenu);
  connect(m_map, &QPushButton::clicked, this, &SidePicker::showMapPopup);
  for (const auto signal : {&Session::sidesChanged, &Session::contextChanged, &Session::cardsChanged}) {
    connect(&session, signal, this, &SidePicker::show);
  }
  connect(&session.models(), &ModelTable::changed, this, &SidePicker::show);  // names of runs
  connect(&session, &Session::cardsForgotten, this, [this] {
    m_asked.reset();
    show();
  });
  show();
}

std::optional<std::int64_t> SidePicker::kvBytes() const {
  const auto& side = m_session.side(m_which);
  const protocol::ModelCard* card = side ? m_session.knownCard(side->ref) : nullptr;
  if (card == nullptr || card->layers <= 0) return {};
  const auto map = parseMap(side->map, card->layers);
  if (!map) return {};
  const std::int64_t tokens = m_session.context() > 0 ? m_session.context() : card->context;
  return card->kvBytesPerToken / card->layers * map->owners() * tokens * m_session.chats();
}

void SidePicker::show() {
  const auto& side = m_session.side(m_which);
  m_map->setEnabled(side.has_value());
  m_map->setWhole(false);
  if (!side) {
    m_asked.reset();
    m_model->setChoice(tr("Choose a model"));
    m_map->setChoice(tr("no map"));
    return;
  }
  const protocol::ModelCard* card = m_session.knownCard(side->ref);
  const QString map = QString::fromStdString(side->map);
  QString model = m_session.modelName(side->ref);
  if (m_wide && card != nullptr && card->parameters > 0) {
    model = tr("%1 · %2 parameters").arg(model, formatParameters(card->parameters));
  }
  m_model->setChoice(model, card ? QString::fromStdString(card->path) : QString());
  if (card == nullptr) {
    m_map->setChoice(map);
    if (m_asked != side->ref) {  // a model that cannot be read is not asked for again and again
      m_asked = side->ref;
      m_session.card(side->ref, this, [this](const Result<protocol::ModelCard>& answer) {
        if (!answer) m_model->setToolTip(tipOf(QString::fromStdString(answer.error().message)));
      });
    }
    return;
  }
  const QString share = retentionText(side->map, *card);
  m_map->setWhole(!share.isEmpty());
  if (share.isEmpty())
    return m_map->setChoice(map, tr("This map does not fit a model of %n layer(s).", nullptr, card->layers));
  const std::int64_t tokens = m_session.context() > 0 ? m_session.context() : card->context;
  const QString figures = tr("%1 · %2").arg(share, formatBytes(kvBytes()));
  constexpr qsizetype kShortMap = 20;  // a longer one, layer by layer, stands in the tooltip alone
  m_map->setChoice(m_wide && map.size() <= kShortMap ? tr("%1 · %2").arg(figures, map) : figures,
                   tr("Map %1: a KV cache of %2, for chats of %3 token(s) (%4 at once).", nullptr, pluralOf(tokens))
                       .arg(map, formatBytes(kvBytes()), formatCount(tokens))
                       .arg(m_session.chats()));
}

void SidePicker::setWide(bool wide) {
  if (wide == m_wide) return;
  m_wide = wide;
  show();
}

void SidePicker::choose(const protocol::ModelRef& ref) {
  m_session.useModel(m_which, ref);
}

void SidePicker::showModelMenu() {
  const std::vector<protocol::ModelEntry> models = m_session.models().usable();
  auto* menu = named(new QMenu(this), "model-menu", m_model->accessibleName());
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->setToolTipsVisible(true);
  const auto& side = m_session.side(m_which);
  const std::pair<const char*, QString> places[] = {{"project", tr("Project")},
                                                    {"run", tr("Runs")},
                                                    {"adapter", tr("Adapters")},
                                                    {"folder", tr("Folders")},
                                                    {"hub", tr("Hugging Face cache")}};
  for (const auto& [source, title] : places) {
    bool any = false;
    for (const protocol::ModelEntry& model : models) {
      if (model.source != source) continue;
      if (!std::exchange(any, true)) menu->addSection(title);
      QAction* action = menu->addAction(nameOf(model), this, [this, ref = refOf(model)] { choose(ref); });
      action->setToolTip(tipOf(QString::fromStdString(model.path)));
      action->setCheckable(true);
      action->setChecked(side && (side->ref == refOf(model) || side->ref == m_session.followed(refOf(model))));
    }
  }
  if (models.empty()) {
    const QString why =
        m_session.engine().ready() ? tr("No models are listed yet") : tr("The list waits for the engine");
    menu->addAction(why)->setEnabled(false);
  }
  menu->addSeparator();
  menu->addAction(icon("folder2-open"), tr("Browse…"), this, &SidePicker::browse);
  menu->popup(m_model->mapToGlobal(QPoint(0, m_model->height())));
}

void SidePicker::browse() {
  auto* popup = new FolderPopup(m_session, FolderPopup::Purpose::model, this);
  connect(popup, &FolderPopup::chosen, this, [this](const QString& folder) {
    protocol::ModelRef ref;
    ref.model = folder.toStdString();
    choose(ref);
  });
  popup->openAt(m_model);
}

void SidePicker::showMapPopup() {
  auto* popup = new MapPopup(m_session, m_which, this);
  popup->openAt(m_map);
}

}  // namespace strata
