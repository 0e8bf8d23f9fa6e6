#include "widgets/mapeditor/map_measures.h"

#include <algorithm>
#include <limits>

#include "core/protocol/columns.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

std::size_t cellsOf(std::int64_t layers) {
  return static_cast<std::size_t>(layers) * static_cast<std::size_t>(layers);
}

// Enough to tell cells and maps apart within a minute or so; the whole text takes many times as long.
constexpr int kMatrixTokens = 8192, kSearchTokens = 16384;

/// Rows from `from` on; false: the columns are not what the answer says.
bool takeRows(const protocol::ReadSensitivity::Answer& answer, const std::string& column, std::vector<double>& into) {
  const auto values = protocol::decodeColumn(column);
  const std::size_t begin = static_cast<std::size_t>(answer.from) * static_cast<std::size_t>(answer.layers);
  if (!values || begin + values->size() > into.size()) return false;
  std::copy(values->begin(), values->end(), into.begin() + static_cast<std::ptrdiff_t>(begin));
  return true;
}

}  // namespace

MapMeasures::MapMeasures(Session& session, SideMap& side, QObject* parent)
    : QObject(parent), m_session(session), m_side(side) {
  connect(&side, &SideMap::documentChanged, this, &MapMeasures::follow);
  connect(&session.runs(), &RunTable::changed, this, &MapMeasures::jobsChanged);
  connect(&session.engine(), &EngineClient::stateChanged, this, [this] {
    if (m_session.engine().ready() && m_ref) ask(0);
  });
  follow();
}

void MapMeasures::follow() {
  const std::optional<protocol::ModelRef> now = m_side.document() != nullptr ? m_side.ref() : std::nullopt;
  if (now == m_ref) return;
  m_ref = now;
  ++m_age;
  m_asking = m_again = false;
  m_sensitivity.reset();
  m_incoming.reset();
  m_answer = {};
  m_search.reset();
  m_searchRun.clear();
  m_lastState.clear();
  m_side.setSensitivity(nullptr);
  if (m_ref) ask(0);
  Q_EMIT changed();
}

/// A job is told the model's folder, where a side may name it as the project does.
bool MapMeasures::isOfModel(const protocol::JobInfo& job) const {
  return m_ref && (job.model == m_ref->model || job.model == m_side.cost().card().path);
}

const protocol::JobInfo* MapMeasures::job(const std::string& kind) const {
  for (const protocol::JobInfo& job : m_session.runs().rows()) {
    if (job.kind == kind && isOfModel(job) && (job.alive || job.state == "queued")) return &job;
  }
  return nullptr;
}

void MapMeasures::jobsChanged() {
  std::string state;  // of the newest of each kind: one may be done before it was seen running
  for (const char* kind : {kSensitivityKind, kSearchKind}) {
    for (const protocol::JobInfo& job : m_session.runs().rows()) {
      if (job.kind != kind || !isOfModel(job)) continue;
      state += job.id + ' ' + job.state + ' ' + std::to_string(job.step) + (job.alive ? " alive\n" : "\n");
      break;
    }
  }
  if (state == m_lastState) return;
  m_lastState = state;
  if (m_ref) ask(0);
  if (!m_searchRun.empty()) askSearch();
  Q_EMIT changed();
}

void MapMeasures::ask(std::int64_t from) {
  if (from == 0 && m_asking) {
    m_again = true;
    return;
  }
  m_asking = true;
  m_session.engine().call<protocol::ReadSensitivity>(
      {m_ref->model, m_ref->adapter, from}, this,
      [this, age = m_age](const Result<protocol::ReadSensitivity::Answer>& answer) {
        if (age != m_age) return;
        if (answer && !answer->run.empty()) {
          heard(*answer);
          if (answer->next > 0) return ask(answer->next);
        }
        m_asking = false;
        if (!answer) m_session.announce(QString::fromStdString(answer.error().message));
        Q_EMIT changed();
        if (std::exchange(m_again, false)) ask(0);
      });
}

void MapMeasures::heard(const protocol::ReadSensitivity::Answer& answer) {
  if (answer.layers <= 0 || answer.layers > 4096) return;
  if (answer.from == 0) {
    Sensitivity matrix;
    matrix.layers = static_cast<int>(answer.layers);
    matrix.delta.assign(cellsOf(answer.layers), std::numeric_limits<double>::quiet_NaN());
    matrix.halfWidth = matrix.delta;
    m_incoming = std::move(matrix);
  }
  if (!m_incoming || m_incoming->layers != answer.layers) return;
  if (!takeRows(answer, answer.delta, m_incoming->delta) ||
      !takeRows(answer, answer.halfWidth, m_incoming->halfWidth)) {
    m_incoming.reset();
    return;
  }
  m_answer = answer;
  if (answer.next > 0) return;
  m_incoming->baseline = answer.baselineNll;
  m_incoming->text = QString::fromStdString(answer.text);
  m_incoming->modelHash = answer.modelHash;
  m_incoming->stale = QString::fromStdString(answer.stale);
  m_incoming->error = answer.error;
  m_incoming->errorMaps = answer.errorMaps;
  m_incoming->cells = answer.cells;
  m_incoming->isMeasuring = answer.state == "running";
  const bool fits = m_side.document() != nullptr && m_side.document()->layers() == m_incoming->layers;
  m_sensitivity = fits ? std::exchange(m_incoming, std::nullopt) : std::nullopt;
  m_side.setSensitivity(sensitivity());
}

void MapMeasures::askSearch() {
  m_session.engine().call<protocol::ReadSearch>(
      {m_searchRun}, this, [this, run = m_searchRun, age = m_age](const Result<protocol::ReadSearch::Answer>& answer) {
        if (age != m_age || run != m_searchRun) return;
        if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
        m_search = *answer;
        Q_EMIT changed();
      });
}

void MapMeasures::measureSensitivity(const std::string& text) {
  start(kSensitivityKind, {{"text", text}, {"tokens", kMatrixTokens}});
}

void MapMeasures::measureMap(const std::string& text) {
  if (m_side.document() == nullptr) return;
  // Beside the full map on the same text: else there is nothing to compare it with.
  start(kSearchKind, {{"text", text},
                      {"tokens", kSearchTokens},
                      {"method", "measure"},
                      {"maps", {"full", printMap(m_side.document()->map())}}});
}

void MapMeasures::find(const std::string& text, int owners, const std::string& method, int seed) {
  if (m_side.document() == nullptr) return;
  start(kSearchKind, {{"text", text},
                      {"tokens", kSearchTokens},
                      {"retention", static_cast<double>(owners) / m_side.document()->layers()},
                      {"method", method},
                      {"seed", seed}});
}

void MapMeasures::start(const std::string& kind, Json config) {
  if (!m_ref) return;
  config["model"] = m_ref->model;
  if (!m_ref->adapter.empty()) config["adapter"] = m_ref->adapter;
  if (!m_ref->device.empty()) config["device"] = m_ref->device;
  const bool search = kind == kSearchKind && config.value("method", std::string()) != "measure";
  protocol::StartJob::Params params;
  params.kind = kind;
  params.config = std::move(config);
  m_session.engine().call<protocol::StartJob>(
      params, this, [this, search, age = m_age](const Result<protocol::StartJob::Answer>& answer) {
        if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
        if (search && age == m_age) {
          m_searchRun = answer->job.id;
          m_search.reset();
          askSearch();
        }
        m_session.runs().refresh();
      });
}

void MapMeasures::stop(const std::string& kind) {
  if (const protocol::JobInfo* running = job(kind)) m_session.runs().stop(running->id);
}

}  // namespace strata
