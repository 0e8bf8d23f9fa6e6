#include "widgets/evaluation/comparison.h"

#include <algorithm>
#include <utility>

namespace strata {

protocol::ModelRef knownModel(Session& session, const std::string& model, const std::string& adapter) {
  protocol::ModelRef ref;
  ref.model = model;
  ref.adapter = adapter;
  for (const protocol::ModelEntry& entry : session.models().rows()) {
    if (entry.adapter.empty() && entry.path == model) ref.model = entry.model;
  }
  return ref;
}

Comparison::Comparison(Session& session, QObject* parent) : QObject(parent), m_session(session) {
  connect(&session.runs(), &RunTable::changed, this, &Comparison::runsChanged);
  connect(&session, &Session::projectChanged, this, [this] {
    if (!m_session.project()) return;
    m_results.clear();
    choose({}, {});
  });
  connect(&session.engine(), &EngineClient::stateChanged, this, [this] {
    if (m_session.engine().ready() && isChosen()) refresh();
  });
}

void Comparison::choose(const protocol::EvaluatedSide& a, const protocol::EvaluatedSide& b) {
  if (a == m_a && b == m_b) return;
  m_a = a;
  m_b = b;
  std::erase_if(m_results, [&](const auto& each) { return each.first != a.run && each.first != b.run; });
  for (protocol::EvaluatedSide* side : {&m_a, &m_b}) settle(*side);
  ++m_age;
  m_asking = m_again = false;
  m_compared.reset();
  m_problem.reset();
  Q_EMIT sidesChanged();
  refresh();
  Q_EMIT changed();
}

/// A map that the side's run does not have is its first; of the one run of both sides, side B's is the last.
void Comparison::settle(protocol::EvaluatedSide& side) const {
  const auto found = m_results.find(side.run);
  if (found == m_results.end() || found->second.maps.empty()) return;
  const auto& maps = found->second.maps;
  if (std::none_of(maps.begin(), maps.end(), [&](const auto& map) { return map.map == side.map; })) {
    const bool isSecond = &side == &m_b && m_b.run == m_a.run;
    side.map = isSecond ? maps.back().map : maps.front().map;
  }
}

const Comparison::Results* Comparison::results(Which which) const {
  const auto found = m_results.find(side(which).run);
  return found == m_results.end() ? nullptr : &found->second;
}

const Comparison::Map* Comparison::map(Which which) const {
  const Results* all = results(which);
  if (all == nullptr) return nullptr;
  for (const Map& map : all->maps) {
    if (map.map == side(which).map) return &map;
  }
  return nullptr;
}

const Comparison::Pair* Comparison::pairOf(const protocol::EvaluatedSide& b) const {
  if (!m_compared) return nullptr;
  for (const Pair& pair : m_compared->pairs) {
    if (pair.b == b) return &pair;
  }
  return nullptr;
}

const Comparison::Pair* Comparison::pair() const {
  return pairOf(m_b);
}

bool Comparison::isRunning() const {
  for (const Which which : {Which::a, Which::b}) {
    const protocol::JobInfo* job = m_session.runs().find(side(which).run);
    if (job != nullptr && (job->alive || job->state == "queued")) return true;
  }
  return false;
}

std::optional<protocol::Side> Comparison::sideOf(Which which) const {
  const Results* all = results(which);
  const Map* one = map(which);
  if (all == nullptr || one == nullptr) return {};
  protocol::Side wanted;
  wanted.ref = knownModel(m_session, all->model, all->adapter);
  if (const auto& now = m_session.side(which)) {
    wanted.ref.device = now->ref.device;
    wanted.ref.context = now->ref.context;
  }
  const bool isFile = one->map.rfind("file:", 0) == 0;
  wanted.map = (one->map.empty() || isFile) && !one->src.empty() ? one->src : one->map;
  if (wanted.map.empty()) wanted.map = "full";
  return wanted;
}

std::string Comparison::progressOf() const {
  std::string progress;
  for (const Which which : {Which::a, Which::b}) {
    const protocol::JobInfo* job = m_session.runs().find(side(which).run);
    if (job == nullptr) continue;
    progress += job->state + ' ' + std::to_string(job->step) + (job->alive ? " alive\n" : "\n");
  }
  return progress;
}

void Comparison::runsChanged() {
  if (isChosen() && progressOf() != m_progress) refresh();
}

void Comparison::refresh() {
  if (!isChosen()) return;
  if (m_asking) {
    m_again = true;
    return;
  }
  m_asking = true;
  m_progress = progressOf();
  read(false);
}

void Comparison::read(bool second) {
  const std::string run = second ? m_b.run : m_a.run;
  m_session.engine().call<protocol::ReadEvaluation>(
      {run}, this, [this, run, second, age = m_age](const Result<Results>& answer) {
        if (age != m_age) return;
        if (!answer) return finish(answer.error());
        m_results[run] = *answer;
        const auto before = std::pair(m_a, m_b);
        settle(m_a);
        settle(m_b);
        if (before != std::pair(m_a, m_b)) Q_EMIT sidesChanged();
        const bool more = !second && !m_b.run.empty() && m_b.run != m_a.run;
        more ? read(true) : compare();
      });
}

void Comparison::compare() {
  protocol::CompareEvaluations::Params params;
  params.a = m_a;
  const auto add = [&](const protocol::EvaluatedSide& side) {
    if (side == m_a || std::find(params.b.begin(), params.b.end(), side) != params.b.end()) return;
    params.b.push_back(side);
  };
  for (const Which which : {Which::b, Which::a}) {
    const Results* all = results(which);
    if (all == nullptr) continue;
    for (const Map& map : all->maps) {
      if (map.n > 0) add({side(which).run, map.map});
    }
  }
  const Map* first = map(Which::a);
  if (params.b.empty() || first == nullptr || first->n == 0) return finish({});
  m_session.engine().call<protocol::CompareEvaluations>(
      params, this, [this, age = m_age](const Result<protocol::CompareEvaluations::Answer>& answer) {
        if (age != m_age) return;
        if (!answer) return finish(answer.error());
        m_compared = *answer;
        finish({});
      });
}

void Comparison::finish(const std::optional<Error>& problem) {
  m_asking = false;
  m_problem = problem;
  Q_EMIT changed();
  if (std::exchange(m_again, false)) refresh();
}

}  // namespace strata
