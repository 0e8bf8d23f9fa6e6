#include "widgets/mapeditor/side_map.h"

#include <utility>

namespace strata {
namespace {

constexpr const char* kRemembered = "map/remembered";  // project, side B and its model's card, as JSON

}  // namespace

SideMap::SideMap(Session& session, QObject* parent) : QObject(parent), m_session(session), m_cost(session.maps()) {
  connect(&session, &Session::sidesChanged, this, [this] {
    follow();
    Q_EMIT otherChanged();
  });
  connect(&session, &Session::projectChanged, this, &SideMap::follow);
  connect(&session, &Session::cardsChanged, this, &SideMap::otherChanged);
  connect(&session, &Session::cardsForgotten, this, [this] {
    m_asked.reset();
    m_askedOther.reset();
    follow();
  });
  connect(&session.engine(), &EngineClient::stateChanged, this, [this] {
    if (m_session.engine().state() == EngineClient::State::failed) recall();
  });
  connect(&session, &Session::contextChanged, this, &SideMap::recount);
  connect(&session.maps(), &MapLibrary::changed, this, &SideMap::costChanged);
  follow();
}

SideMap::~SideMap() = default;

void SideMap::follow() {
  const auto& side = m_session.side(Which::b);
  const std::string project = m_session.project() ? m_session.project()->folder : m_project;
  // A restart of the engine closes nothing: what is drawn stays.
  if (!side) {
    m_asked.reset();
    if (m_session.project()) forget();
    return;
  }
  if (project != std::exchange(m_project, project)) forget();
  if (m_ref && *m_ref != side->ref) forget();
  if (m_asked != side->ref) {
    m_asked = side->ref;
    m_problem.reset();
    m_session.card(side->ref, this, [this, ref = side->ref](const Result<protocol::ModelCard>& card) {
      if (m_asked == ref) cardCame(card);
    });
  }
  const auto& other = m_session.side(Which::a);
  if (other && m_askedOther != other->ref) {
    m_askedOther = other->ref;
    m_session.card(other->ref, this,
                   [](const Result<protocol::ModelCard>&) {});  // cardsChanged() says that it is there
  }
  // What was drawn without the engine goes to the side.
  if (std::exchange(m_recalled, false) && m_document && m_document->undoStack().count() > 0) return giveMap();
  takeMap();
}

void SideMap::forget() {
  m_ref.reset();
  m_problem.reset();
  if (!m_document) return;
  const std::unique_ptr<MapDocument> last = std::move(m_document);
  Q_EMIT documentChanged();  // before it is gone
}

void SideMap::cardCame(const Result<protocol::ModelCard>& card) {
  const auto& side = m_session.side(Which::b);
  if (!side) return;
  if (!card || card->layers <= 0) {
    forget();
    m_problem = card ? Error{ErrorCode::unsupported, card->problem, card->path} : card.error();
    Q_EMIT documentChanged();
    return;
  }
  remember(*card);
  m_cost.setModel(*card, m_session.context(), m_session.chats());
  const bool same = m_document && m_ref == side->ref && m_document->layers() == card->layers;
  if (!same) {
    forget();
    m_ref = side->ref;
    begin(side->map, card->layers);
  }
  Q_EMIT costChanged();
}

/// A document with this map, or the full one where it is none of so many layers.
void SideMap::begin(const std::string& text, int layers) {
  const auto map = parseMap(text, layers);
  m_document = std::make_unique<MapDocument>(layers);
  m_document->load(map ? *map : SharingMap::full(layers), {});
  connect(m_document.get(), &MapDocument::changed, this, &SideMap::giveMap);
  Q_EMIT documentChanged();
}

/// The side's map was changed elsewhere: by the percent buttons of a chat, say.
void SideMap::takeMap() {
  const auto& side = m_session.side(Which::b);
  if (!m_document || !side || m_ref != side->ref) return;
  const auto map = parseMap(side->map, m_document->layers());
  if (!map || *map == m_document->map()) return;
  m_taking = true;
  m_document->setMap(*map, tr("map %1").arg(QString::fromStdString(side->map)));
  m_taking = false;
}

void SideMap::giveMap() {
  const auto& side = m_session.side(Which::b);
  if (m_taking) return;
  if (m_recalled) remember(m_cost.card());
  if (!side || m_ref != side->ref) return;
  const auto now = parseMap(side->map, m_document->layers());
  if (!now || *now != m_document->map()) m_session.setMap(Which::b, printMap(m_document->map()));
}

/// So that a map can be drawn when the engine does not start.
void SideMap::remember(const protocol::ModelCard& card) {
  if (!m_ref && !m_asked) return;
  Json all;
  all["project"] = m_project;
  all["ref"] = configToJson(m_ref ? *m_ref : *m_asked);
  all["map"] = m_document && m_ref ? printMap(m_document->map()) : card.defaultMap;
  protocol::ModelCard brief = card;
  brief.templateText.clear();
  all["card"] = configToJson(brief);
  m_session.settings().setValue(kRemembered, QString::fromStdString(dumpLine(all)));
}

void SideMap::recall() {
  if (m_document || m_session.project()) return;
  const QString stored = m_session.settings().value(kRemembered).toString();
  const auto all = parseJson(stored.toStdString(), kRemembered);
  if (stored.isEmpty() || !all || !all->is_object()) return;
  protocol::ModelRef ref;
  protocol::ModelCard card;
  const auto partOf = [&](const char* key) { return all->contains(key) ? (*all)[key] : Json(Json::object()); };
  if (!configFromJson(partOf("ref"), kRemembered, ref) || !configFromJson(partOf("card"), kRemembered, card)) return;
  if (card.layers <= 0 || !partOf("project").is_string() || !partOf("map").is_string()) return;
  m_project = partOf("project").get<std::string>();
  m_ref = ref;
  m_recalled = true;
  m_cost.setModel(card, m_session.context(), m_session.chats());
  begin(partOf("map").get<std::string>(), card.layers);
  Q_EMIT costChanged();
}

void SideMap::recount() {
  if (!m_document) return;
  m_cost.setModel(protocol::ModelCard(m_cost.card()), m_session.context(), m_session.chats());
  Q_EMIT costChanged();
}

void SideMap::setSensitivity(const Sensitivity* sensitivity) {
  m_cost.setSensitivity(sensitivity);
  Q_EMIT costChanged();
}

std::optional<SharingMap> SideMap::other() const {
  const auto& side = m_session.side(Which::a);
  const protocol::ModelCard* card = side ? m_session.knownCard(side->ref) : nullptr;
  if (card == nullptr || !m_document || card->layers != m_document->layers()) return {};
  const auto map = parseMap(side->map, card->layers);
  if (!map) return {};
  return *map;
}

}  // namespace strata
