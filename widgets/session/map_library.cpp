#include "widgets/session/map_library.h"

#include <QStringList>
#include <array>
#include <cmath>

#include "widgets/style/format.h"

namespace strata {
namespace {

constexpr std::array kRetentions = {1.0, .75, .5, .33, .25};
constexpr int kMostNamedOwners = 6;

const protocol::MapScore* scoreIn(const protocol::KnownMap& known) {
  for (const char* metric : {"f1", "nll"}) {
    for (const protocol::MapScore& score : known.scores) {
      if (score.metric == metric) return &score;
    }
  }
  return nullptr;
}

/// An F1 says more than an NLL; among the same the better one wins.
bool isBetter(const protocol::MapScore& a, const protocol::MapScore& b) {
  if (a.metric != b.metric) return a.metric == "f1";
  return a.metric == "nll" ? a.value < b.value : a.value > b.value;
}

bool isOf(const protocol::KnownMap& known, const protocol::ModelCard& card) {
  if (!known.problem.empty() || known.layers != card.layers) return false;
  return known.model.empty() || MapLibrary::isMeasuredOn(known, card);
}

/// "Layers 0, 6 and 9 keep theirs (3 of 12)."
QString ownersText(const SharingMap& map) {
  QStringList owners;
  for (int l = 0; l < map.layers(); ++l) {
    if (map.owns(l)) owners << QString::number(l);
  }
  const QString counted = MapLibrary::tr("%1 of %2 layers keep their own keys and values.", nullptr, map.owners())
                              .arg(map.owners())
                              .arg(map.layers());
  if (owners.size() < 2 || owners.size() > kMostNamedOwners) return counted;
  const QString last = owners.takeLast();
  return MapLibrary::tr("Layers %1 and %2 of %3 keep their own keys and values.")
      .arg(owners.join(", "), last)
      .arg(map.layers());
}

}  // namespace

QString metricName(const std::string& metric) {
  if (metric == "nll") return MapLibrary::tr("NLL");
  if (metric == "f1") return MapLibrary::tr("F1");
  if (metric == "em") return MapLibrary::tr("Exact match");
  if (metric == "rouge_l") return MapLibrary::tr("ROUGE-L");
  return QString::fromStdString(metric);
}

bool MapLibrary::isMeasuredOn(const protocol::KnownMap& known, const protocol::ModelCard& card) {
  return known.model == card.path && known.adapter == card.ref.adapter;
}

QString scoreText(const protocol::MapScore& score) {
  if (score.metric == "nll") return MapLibrary::tr("NLL %1").arg(score.value, 0, 'f', 2);
  const QString share = MapLibrary::tr("%1 %2 %").arg(metricName(score.metric)).arg(std::lround(100 * score.value));
  return score.n > 0
             ? MapLibrary::tr("%1 of %2 question(s)", nullptr, pluralOf(score.n)).arg(share, formatCount(score.n))
             : share;
}

QString MapLibrary::Choice::percent() const {
  return tr("%1 %").arg(std::lround(100.0 * owners / layers));
}

QString MapLibrary::Choice::explanation() const {
  const auto parsed = parseMap(map, layers);
  if (!parsed) return {};
  if (from == From::full) {
    return score ? tr("Every layer keeps its own keys and values. Measured: %1.").arg(scoreText(*score))
                 : tr("Every layer keeps its own keys and values.");
  }
  return ownersText(*parsed) + ' ' + origin();
}

QString MapLibrary::Choice::origin() const {
  switch (from) {
    case From::full:
      return score ? tr("Measured: %1.").arg(scoreText(*score)) : tr("Not measured.");
    case From::measured:
      return tr("Best measured: %1.").arg(scoreText(*score));
    case From::stored:
      return tr("A map of the project, not measured.");
    case From::own:
      return score ? tr("The model's own map. Measured: %1.").arg(scoreText(*score))
                   : tr("The model's own map, not measured.");
    case From::even:
      break;
  }
  return tr("Evenly spread, not measured.");
}

MapLibrary::MapLibrary(EngineClient& engine, QObject* parent) : Rows(parent), m_engine(engine) {}

QVariant MapLibrary::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const protocol::KnownMap& known = at(index.row());
  if (role == Qt::DisplayRole) return QString::fromStdString(known.name);
  if (role == Qt::UserRole) return QString::fromStdString(known.map);
  return {};
}

void MapLibrary::refresh() {
  m_engine.call<protocol::ListMaps>({}, this, [this, age = m_age](const Result<protocol::ListMaps::Answer>& answer) {
    if (age != m_age) return;
    if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
    setRows(answer->maps);
    Q_EMIT changed();
  });
}

void MapLibrary::forget() {
  ++m_age;
  setRows({});
  Q_EMIT changed();
}

std::vector<MapLibrary::Choice> MapLibrary::choices(const protocol::ModelCard& card) const {
  std::vector<Choice> choices;
  for (const double retention : kRetentions) {
    const int owners = card.layers > 0 ? ownersForRetention(retention, card.layers) : 0;
    if (owners > 0 && (choices.empty() || choices.back().owners != owners)) choices.push_back(best(card, retention));
  }
  return choices;
}

std::vector<MapLibrary::Choice> MapLibrary::choicesWithOwn(const protocol::ModelCard& card) const {
  std::vector<Choice> all = choices(card);
  const auto own = parseMap(card.defaultMap, card.layers);
  if (!own || own->isFull()) return all;
  for (const Choice& choice : all) {
    const auto map = parseMap(choice.map, card.layers);
    if (map && *map == *own) return all;
  }
  Choice choice;
  choice.owners = own->owners();
  choice.layers = card.layers;
  choice.retention = static_cast<double>(choice.owners) / choice.layers;
  choice.map = card.defaultMap;
  choice.from = From::own;
  choice.score = scoreOf(card, *own);
  all.push_back(std::move(choice));
  return all;
}

MapLibrary::Choice MapLibrary::best(const protocol::ModelCard& card, double retention) const {
  Choice choice;
  choice.retention = retention;
  choice.layers = card.layers;
  choice.owners = ownersForRetention(retention, card.layers);
  if (choice.owners == card.layers) {
    choice.map = "full";
    choice.from = From::full;
    choice.score = scoreOf(card, SharingMap::full(card.layers));
    return choice;
  }
  choice.map = printMap(parseMap("even:" + std::to_string(choice.owners), card.layers).value());
  for (const protocol::KnownMap& known : rows()) {
    if (!isOf(known, card) || known.owners != choice.owners) continue;
    const protocol::MapScore* score = known.model.empty() ? nullptr : scoreIn(known);
    const bool better = score != nullptr ? !choice.score || isBetter(*score, *choice.score)
                                         : known.source == "stored" && choice.from == From::even;
    if (!better) continue;
    choice.map = known.map;
    choice.from = score != nullptr ? From::measured : From::stored;
    choice.score = score != nullptr ? std::optional(*score) : std::nullopt;
  }
  return choice;
}

std::vector<const protocol::KnownMap*> MapLibrary::measuredOf(const protocol::ModelCard& card,
                                                              const SharingMap& map) const {
  std::vector<const protocol::KnownMap*> measured;
  for (const protocol::KnownMap& known : rows()) {
    if (!isOf(known, card) || known.model.empty() || known.owners != map.owners()) continue;
    const auto parsed = parseMap(known.map, card.layers);
    if (parsed && *parsed == map) measured.push_back(&known);
  }
  return measured;
}

std::optional<protocol::MapScore> MapLibrary::scoreOf(const protocol::ModelCard& card, const SharingMap& map) const {
  std::optional<protocol::MapScore> best;
  for (const protocol::KnownMap* known : measuredOf(card, map)) {
    const protocol::MapScore* score = scoreIn(*known);
    if (score != nullptr && (!best || isBetter(*score, *best))) best = *score;
  }
  return best;
}

}  // namespace strata
