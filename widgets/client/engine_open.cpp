// What is open in the engine (models, the server, watches of runs), remembered so that the next one opens it again.

#include <QUrl>
#include <algorithm>

#include "core/protocol/columns.h"
#include "widgets/client/engine_client_private.h"

namespace strata {

void EngineClient::Private::models(const Json& params) {
  protocol::ModelsLoaded all;
  if (!configFromJson(params, protocol::ModelsLoaded::kName, all, UnknownKeys::ignore)) return;  // on() says so
  const auto open = [](const std::vector<protocol::LoadedModel>& list, const protocol::ModelRef& ref) {
    return std::any_of(list.begin(), list.end(), [&](const auto& model) { return model.ref == ref; });
  };
  std::erase_if(m_remembered, [&](const Remembered& model) {
    return open(m_loaded, model.ref) && !open(all.models, model.ref);  // it was closed
  });
  for (const protocol::LoadedModel& model : all.models) {
    const auto known = std::find_if(m_remembered.begin(), m_remembered.end(),
                                    [&](const Remembered& other) { return other.ref == model.ref; });
    if (known == m_remembered.end()) {
      m_remembered.push_back({model.ref, 0});
    } else {
      known->deaths = 0;
    }
  }
  m_loaded = std::move(all.models);
  Q_EMIT m_client->loadedChanged();
}

/// Remembers what is served, so that an engine that was started again serves it at the same address.
void EngineClient::Private::servingChanged(const Request& request, const Json& answer) {
  protocol::ServeState state;
  if (request.method != protocol::StartServing::kName && request.method != protocol::StopServing::kName) return;
  if (!configFromJson(answer, request.method, state, UnknownKeys::ignore)) return;  // the caller says so
  if (!state.on) return m_serving.reset();
  protocol::StopServing::Params stopped;
  if (request.method == protocol::StopServing::kName) {
    if (!m_serving || !configFromJson(*request.params, request.method, stopped)) return;
    std::erase_if(m_serving->models, [&](const protocol::ModelRef& ref) { return ref.model == stopped.model; });
    return;
  }
  protocol::StartServing::Params started;
  if (!configFromJson(*request.params, request.method, started)) return;
  if (m_serving) {
    std::vector<protocol::ModelRef> models = m_serving->models;
    for (const protocol::ModelRef& ref : started.models) {
      if (std::find(models.begin(), models.end(), ref) == models.end()) models.push_back(ref);
    }
    started.models = std::move(models);
  }
  started.token = state.token;
  started.port = QUrl(QString::fromStdString(state.url)).port(0);
  m_serving = std::move(started);
}

void EngineClient::Private::watchesChanged(const Request& request) {
  protocol::WatchJob::Params watch;
  protocol::RemoveJob::Params removed;
  if (request.method == protocol::WatchJob::kName && configFromJson(*request.params, request.method, watch)) {
    m_watches.erase(watch.id);
    if (watch.on) m_watches[watch.id] = watch.fromStep;
  } else if (request.method == protocol::RemoveJob::kName && configFromJson(*request.params, request.method, removed)) {
    m_watches.erase(removed.id);
  }
}

/// Before its first step all came with earlier messages; the newest may have come in part.
void EngineClient::Private::watched(const Json& json) {
  protocol::JobPoints points;
  if (!configFromJson(json, protocol::JobPoints::kName, points, UnknownKeys::ignore)) return;  // on() says so
  const auto watch = m_watches.find(points.id);
  if (watch == m_watches.end()) return;
  std::optional<double> first;
  for (const protocol::PointColumns& each : points.series) {
    const auto steps = protocol::decodeColumn(each.step);
    if (steps && !steps->empty()) first = std::min(first.value_or(steps->front()), steps->front());
  }
  if (first) watch->second = static_cast<std::int64_t>(*first);
}

/// Runs belong to a project: a newly opened one watches none.
void EngineClient::Private::watchAgain() {
  for (const auto& [id, fromStep] : m_watches) {
    ask(protocol::WatchJob::kName, configToJson(protocol::WatchJob::Params{id, true, fromStep}),
        [this, id = id](const Result<Json>& answer) {
          if (answer) return;
          m_watches.erase(id);
          Q_EMIT m_client->notRestored(
              tr("The run %1 could not be watched again: %2")
                  .arg(QString::fromStdString(id), QString::fromStdString(answer.error().message)));
        });
  }
}

}  // namespace strata
