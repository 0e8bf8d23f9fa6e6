#include "widgets/session/session.h"

#include <QCryptographicHash>
#include <QDir>
#include <utility>

#include "core/routing/sharing_map.h"

namespace strata {
namespace {

constexpr int kRecentProjects = 10;

/// Equal for references that open the same model.
QString cardKeyOf(const protocol::ModelRef& ref) {
  return QString::fromStdString(dumpLine(configToJson(ref)));
}

}  // namespace

Session::Session(EngineClient& engine, Settings& settings, QObject* parent)
    : QObject(parent),
      m_engine(engine),
      m_settings(settings),
      m_models(engine, settings),
      m_runs(engine),
      m_maps(engine) {
  m_context = settings.value("sides/context", 0).toLongLong();
  m_chats = std::max(1, settings.value("sides/chats", 1).toInt());
  connect(&settings, &Settings::failed, this, [this](const QString& sentence) { warn(sentence); });
  connect(&m_runs, &RunTable::failed, this, [this](const QString& sentence) { warn(sentence); });
  connect(&m_maps, &MapLibrary::failed, this, [this](const QString& sentence) { warn(sentence); });
  connect(&m_runs, &RunTable::statesChanged, &m_models, &ModelTable::refresh);
  connect(&m_runs, &RunTable::statesChanged, &m_maps, &MapLibrary::refresh);
  for (const auto signal : {&EngineClient::misunderstood, &EngineClient::notRestored}) {
    connect(&engine, signal, this, [this](const QString& sentence) { warn(sentence); });
  }
  connect(&engine, &EngineClient::caughtUp, this, [this] { announce(tr("Unsaved changes are now saved.")); });
  connect(&engine, &EngineClient::stateChanged, this, [this] {
    if (m_engine.ready() && m_project) m_runs.refresh();
  });
  connect(&engine, &EngineClient::engineReplaced, this, &Session::close);
  connect(&engine, &EngineClient::projectLostChanged, this, [this] {
    m_projectProblem = m_engine.projectLost();
    Q_EMIT projectChanged();
  });
}

void Session::openProject(const QString& folder, bool create) {
  m_leaving = m_project && folder.toStdString() != m_project->folder;
  if (m_leaving) Q_EMIT projectAboutToChange();
  m_wanted = folder;
  const int number = ++m_opening;
  m_engine.call<protocol::OpenProject>({folder.toStdString(), create}, this,
                                       [this, number](const Result<protocol::ProjectInfo>& answer) {
                                         if (number == m_opening) opened(answer);
                                       });
}

void Session::opened(const Result<protocol::ProjectInfo>& answer) {
  m_leaving = false;
  if (!answer) {
    m_projectProblem = answer.error();
    if (!m_project) m_models.refresh();  // those outside of projects
    Q_EMIT projectChanged();
    return;
  }
  m_projectProblem.reset();
  m_project = *answer;
  m_a = answer->a;
  m_b = answer->b;
  forgetCards();
  remember(QString::fromStdString(answer->folder));
  forgetLists();
  m_models.refresh();
  m_runs.refresh();
  m_maps.refresh();
  Q_EMIT projectChanged();
  Q_EMIT sidesChanged();
}

/// What was open belongs to another engine: nothing of it may stand for the new one's.
void Session::close() {
  ++m_opening;
  m_leaving = false;
  m_project.reset();
  m_projectProblem.reset();
  m_a.reset();
  m_b.reset();
  forgetCards();
  forgetLists();
  Q_EMIT projectChanged();
  Q_EMIT sidesChanged();
}

/// Another project's are not known yet.
void Session::forgetLists() {
  m_models.forget();
  m_runs.forget();
  m_maps.forget();
}

void Session::setProjectModels(const protocol::ProjectInfo& project) {
  if (!m_project || m_project->folder != project.folder) return;
  const bool isOther = std::exchange(m_project->launcher, project.launcher) != project.launcher;
  m_project->models = project.models;
  m_models.refresh();
  if (isOther) Q_EMIT launcherChanged();
}

/// Folders belong to the machine that the engine runs on, so each engine's command has a list of its own.
QString Session::recentKey() const {
  if (!m_engine.remote()) return "projects/recent";
  const QString command = m_engine.command().program + ' ' + m_engine.command().arguments.join(' ');
  return "projects/recent-" +
         QString::fromLatin1(QCryptographicHash::hash(command.toUtf8(), QCryptographicHash::Sha256).toHex().left(12));
}

void Session::remember(const QString& folder) {
  QStringList recent = recentProjects();
  recent.removeAll(folder);
  recent.prepend(folder);
  while (recent.size() > kRecentProjects) recent.removeLast();
  m_settings.setValue(recentKey(), recent);
  m_settings.setValue("projects/last", folder);
}

QStringList Session::recentProjects() const {
  return m_settings.value(recentKey()).toStringList();
}

const std::optional<protocol::Side>& Session::side(Which which) const {
  return which == Which::a ? m_a : m_b;
}

void Session::setSide(Which which, const std::optional<protocol::Side>& side) {
  std::optional<protocol::Side>& place = which == Which::a ? m_a : m_b;
  if (place == side) return;
  place = side;
  storeSides();
  Q_EMIT sidesChanged();
}

const protocol::JobInfo* Session::trainingRun(const protocol::ModelRef& ref) const {
  const protocol::JobInfo* job = m_runs.find(ref.model.substr(0, ref.model.find('@')));
  return job != nullptr && job->alive && job->kind == "train" ? job : nullptr;
}

protocol::ModelRef Session::followed(protocol::ModelRef ref) const {
  if (ref.model.find('@') == std::string::npos && trainingRun(ref) != nullptr) ref.model += "@latest";
  return ref;
}

void Session::useModel(Which which, const protocol::ModelRef& given) {
  const protocol::ModelRef ref = followed(given);
  card(ref, this, [this, which, ref](const Result<protocol::ModelCard>& card) {
    if (!card) return warn(QString::fromStdString(card.error().message));
    protocol::Side chosen;
    if (const auto& now = side(which); now && parseMap(now->map, card->layers)) {
      chosen.map = now->map;
    } else if (!card->defaultMap.empty()) {
      chosen.map = card->defaultMap;
    }
    chosen.ref = ref;
    setSide(which, chosen);
  });
}

void Session::setMap(Which which, const std::string& map) {
  std::optional<protocol::Side> changed = side(which);
  if (!changed) return;
  changed->map = map;
  setSide(which, changed);
}

void Session::swapSides() {
  if (m_a == m_b) return;
  std::swap(m_a, m_b);
  storeSides();
  Q_EMIT sidesChanged();
  announce(tr("Sides A and B swapped."));
}

void Session::copyAToB() {
  if (m_a == m_b) return;
  m_b = m_a;
  storeSides();
  Q_EMIT sidesChanged();
  announce(tr("Side B is now what side A is."));
}

void Session::storeSides() {
  if (!m_project) return;
  m_project->a = m_a;
  m_project->b = m_b;
  m_engine.call<protocol::SetSides>({m_a, m_b}, this, [this](const Result<protocol::Nothing>& answer) {
    if (!answer) {
      warn(tr("The sides could not be stored in the project: %1").arg(QString::fromStdString(answer.error().message)));
    }
  });
}

void Session::setContext(std::int64_t tokens, int chats) {
  if (tokens == m_context && chats == m_chats) return;
  m_context = tokens;
  m_chats = std::max(1, chats);
  m_settings.setValue("sides/context", static_cast<qlonglong>(m_context));
  m_settings.setValue("sides/chats", m_chats);
  Q_EMIT contextChanged();
}

void Session::card(const protocol::ModelRef& ref, QObject* context,
                   std::function<void(const Result<protocol::ModelCard>&)> done) {
  if (const protocol::ModelCard* known = knownCard(ref)) return done(*known);
  const QString key = cardKeyOf(ref);
  std::vector<Waiting>& waiting = m_asked[key];
  waiting.push_back({context, std::move(done)});
  if (waiting.size() > 1) return;
  const auto heard = [this, key, ref, age = m_cardsAge](const Result<protocol::ModelCard>& answer) {
    std::vector<Waiting> asked = std::move(m_asked[key]);
    m_asked.erase(key);
    if (age != m_cardsAge) {  // of before the change that the cards were forgotten for
      for (Waiting& one : asked) card(ref, one.context, std::move(one.done));
      return;
    }
    if (answer) m_cards[key] = *answer;
    for (const Waiting& one : asked) {
      if (one.context) one.done(answer);
    }
    if (answer) Q_EMIT cardsChanged();
  };
  m_engine.call<protocol::InspectModel>({ref}, this, heard);
}

const protocol::ModelCard* Session::knownCard(const protocol::ModelRef& ref) const {
  const auto found = m_cards.find(cardKeyOf(ref));
  return found == m_cards.end() ? nullptr : &found->second;
}

void Session::forgetCards() {
  ++m_cardsAge;
  m_cards.clear();
  Q_EMIT cardsForgotten();
}

void Session::announce(const QString& sentence) {
  m_notices.add({Notice::Level::news, sentence, {}, {}});
}

void Session::warn(const QString& sentence, const Place& place) {
  m_notices.add({Notice::Level::problem, sentence, {}, place});
}

QString Session::shortName(const protocol::ModelRef& ref) {
  const auto last = [](const std::string& path) {
    const QString cleaned = QDir::cleanPath(QString::fromStdString(path));
    return cleaned.section('/', -1, -1, QString::SectionSkipEmpty);
  };
  QString name = last(ref.model);
  if (!ref.adapter.empty()) name += " + " + last(ref.adapter);
  return name;
}

QString Session::modelName(const protocol::ModelRef& ref) const {
  const std::string run = ref.model.substr(0, ref.model.find('@'));
  for (const protocol::ModelEntry& model : m_models.rows()) {
    if (model.source != "run" || model.model != run || !ref.adapter.empty()) continue;
    const QString name = QString::fromStdString(model.name);
    if (ref.model == run + "@latest") return tr("%1, latest").arg(name);
    return name + QString::fromStdString(ref.model.substr(run.size()));
  }
  // One that has just begun is not in that list yet.
  const protocol::JobInfo* job = m_runs.find(run);
  if (job != nullptr && !job->name.empty() && ref.model == run + "@latest") {
    return tr("%1, latest").arg(QString::fromStdString(job->name));
  }
  return shortName(ref);
}

bool Session::sharesWeights() const {
  return m_a && m_b && m_a->ref == m_b->ref;
}

}  // namespace strata
