// Of an evaluation's setup: what it would take, and its start.

#include <algorithm>
#include <memory>

#include "core/protocol/job_kinds.h"
#include "widgets/config/config_form.h"
#include "widgets/evaluation/evaluation_setup.h"
#include "widgets/evaluation/evaluation_words.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"

namespace strata {
namespace {

bool isOneModel(const protocol::ModelRef& a, const protocol::ModelRef& b) {
  return a.model == b.model && a.adapter == b.adapter;
}

}  // namespace

/// A share of side A's model is the same share of another one, whatever its layers.
std::vector<std::string> EvaluationSetup::mapsFor(const protocol::ModelRef& ref) const {
  const protocol::ModelCard* card = m_session.knownCard(ref);
  std::vector<std::string> wanted = maps();
  if (card == nullptr) return wanted;
  for (std::string& map : wanted) {
    for (const MapLibrary::Choice& choice : m_choices) {
      if (choice.layers != card->layers && isSameMap(map, choice.map, choice.layers) && map != "full") {
        map = m_session.maps().best(*card, choice.retention).map;
        break;
      }
    }
  }
  return wanted;
}

std::vector<EvaluationSetup::Asked> EvaluationSetup::asked() const {
  std::vector<Asked> all;
  for (const Which which : {Which::a, Which::b}) {
    const auto& side = m_session.side(which);
    if (!side) continue;
    const protocol::ModelRef ref = m_session.followed(side->ref);
    if (!all.empty() && isOneModel(all.front().ref, ref)) continue;
    all.push_back({ref, mapsFor(side->ref)});
  }
  return all;
}

/// The options that differ from the defaults: what jobs/start takes.
Json EvaluationSetup::configOf(const Asked& asked) const {
  Json given = Json::object();
  const Json values = m_form->values();
  for (const auto& [name, value] : values.items()) {
    if (value != defaults()[name]) given[name] = value;
  }
  given["model"] = asked.ref.model;
  if (!asked.ref.adapter.empty()) given["adapter"] = asked.ref.adapter;
  if (!asked.maps.empty()) given["maps"] = asked.maps;
  return given;
}

void EvaluationSetup::askPlan() {
  const std::vector<Asked> models = asked();
  if (models.empty() || !m_form->isReady() || data().empty() || !m_session.project()) {
    m_plan.reset();
    m_planProblem.clear();
    showPlan();
    Q_EMIT planned();
    return;
  }
  const int number = ++m_asked;
  struct Plans {
    std::size_t missing;
    protocol::PlanEvaluation::Answer first = {};
    double seconds = 0;
  };
  const auto plans = std::make_shared<Plans>(Plans{models.size()});
  for (std::size_t i = 0; i < models.size(); ++i) {
    m_session.engine().call<protocol::PlanEvaluation>(
        {configOf(models[i])}, this, [this, number, i, plans](const Result<protocol::PlanEvaluation::Answer>& answer) {
          if (number != m_asked) return;
          if (answer) {
            if (i == 0) plans->first = *answer;
            plans->seconds = plans->seconds < 0 || answer->seconds < 0 ? -1 : plans->seconds + answer->seconds;
            if (--plans->missing > 0) return;  // one model's time is not that of all
            m_plan = plans->first;
            m_planProblem.clear();
            m_seconds = plans->seconds;
          } else {
            m_plan.reset();
            m_planProblem = QString::fromStdString(answer.error().message);
          }
          showPlan();
          Q_EMIT planned();
        });
  }
}

void EvaluationSetup::showPlan() {
  const std::vector<Asked> models = asked();
  QString plan;
  if (m_plan && !models.empty()) {
    QStringList parts;
    if (models.size() > 1) parts << tr("%n model(s)", nullptr, static_cast<int>(models.size()));
    parts << tr("%n map(s)", nullptr, std::max(1, static_cast<int>(models.front().maps.size())));
    parts << tr("%1 question(s)", nullptr, pluralOf(m_plan->questions)).arg(formatCount(m_plan->questions));
    plan = parts.join(QStringLiteral(" × "));
    plan = tr("%1, %2.").arg(plan, m_seconds >= 0 ? formatTimeLeft(m_seconds) : tr("time not known yet"));
    if (m_plan->detectable > 0) {
      const std::string metric = primaryMetric(task());
      plan += u' ' + tr("Differences under %1 %2 may not show.")
                         .arg(QString::number(inUnit(metric, m_plan->detectable), 'f', decimalsOf(metric)),
                              differenceUnit(metric));
    }
  }
  m_planText->setText(plan);
  m_planText->setVisible(!plan.isEmpty());
  QString problem = m_startProblem;
  if (problem.isEmpty() && models.empty())
    problem = m_session.project() ? tr("Choose a model for side A or B.") : QString();
  if (problem.isEmpty() && !m_form->isReady()) problem = m_form->problem();
  if (problem.isEmpty() && data().empty() && !m_begun.empty() && task() != "kv-retrieval") {
    problem = tr("Choose the evaluation data.");
  }
  if (problem.isEmpty()) problem = m_planProblem;
  const bool isReady = m_session.engine().ready();
  m_shownProblem = problem;
  m_problem->setText(problem);
  m_problem->setVisible(!problem.isEmpty());
  m_start->setText(models.size() > 1 || (m_session.side(Which::a) && m_session.side(Which::b)) ? tr("Evaluate A and B")
                                                                                               : tr("Evaluate"));
  m_start->setEnabled(canStart());
  m_start->setAccessibleDescription(isReady ? problem : tr("waits for the engine"));
  if (!isReady && problem.isEmpty()) {
    m_planText->setText(tr("Starting waits for the engine."));
    m_planText->show();
  }
}

bool EvaluationSetup::canStart() const {
  return m_session.engine().ready() && m_session.project() && !m_starting && m_form->isReady() && !task().empty() &&
         (!data().empty() || task() == "kv-retrieval") && (m_session.side(Which::a) || m_session.side(Which::b));
}

bool EvaluationSetup::isStartingB() const {
  return m_starting && m_session.side(Which::b);
}

void EvaluationSetup::focusProblem() {
  m_form->focusField(m_form->isReady() ? QStringLiteral("data") : m_form->problemField());
}

void EvaluationSetup::start() {
  if (!canStart()) return;
  m_starting = true;
  m_startProblem.clear();
  showPlan();
  Q_EMIT startingChanged();
  startNext(asked(), {});
}

/// One after the other, so that the second is not started where the first is refused.
void EvaluationSetup::startNext(std::vector<Asked> left, std::vector<std::string> runs) {
  if (left.empty()) return finishStart(runs);
  protocol::StartJob::Params params;
  params.kind = kEvalKind;
  params.config = configOf(left.front());
  left.erase(left.begin());
  m_session.engine().call<protocol::StartJob>(
      params, this,
      [this, left = std::move(left), runs = std::move(runs)](const Result<protocol::StartJob::Answer>& answer) mutable {
        if (!answer) {
          m_startProblem = QString::fromStdString(answer.error().message);
          return finishStart(runs);
        }
        runs.push_back(answer->job.id);
        startNext(std::move(left), std::move(runs));
      });
}

void EvaluationSetup::finishStart(const std::vector<std::string>& runs) {
  m_starting = false;
  showPlan();
  Q_EMIT startingChanged();
  m_session.runs().refresh();
  if (runs.empty()) return;
  // Each side under its own map, where that is measured.
  const auto mapOf = [&](Which which, bool isLast) {
    const auto& side = m_session.side(which);
    const std::vector<std::string> measured = side ? mapsFor(side->ref) : maps();
    for (const std::string& map : measured) {
      const protocol::ModelCard* card = side ? m_session.knownCard(side->ref) : nullptr;
      if (side && (map == side->map || (card != nullptr && isSameMap(map, side->map, card->layers)))) return map;
    }
    return measured.empty() ? std::string() : isLast ? measured.back() : measured.front();
  };
  const protocol::EvaluatedSide a{runs.front(), mapOf(m_session.side(Which::a) ? Which::a : Which::b, false)};
  protocol::EvaluatedSide b{runs.back(), mapOf(m_session.side(Which::b) ? Which::b : Which::a, true)};
  if (a == b) {  // one model under one map on both sides: another of its maps, where there is one
    const std::vector<std::string> measured = maps();
    if (measured.size() > 1) {
      b.map = measured.back() == a.map ? measured.front() : measured.back();
    } else {
      b = {};
    }
  }
  Q_EMIT started(a, b);
}

void EvaluationSetup::startOne(const protocol::ModelRef& ref, const std::string& map) {
  protocol::StartJob::Params params;
  params.kind = kEvalKind;
  params.config = configOf({ref, {map}});
  m_session.engine().call<protocol::StartJob>(
      params, this, [this, ref, map](const Result<protocol::StartJob::Answer>& answer) {
        if (!answer) return refuse(QString::fromStdString(answer.error().message));
        Q_EMIT startedOne(ref, QString::fromStdString(map), QString::fromStdString(answer->job.id));
        m_session.runs().refresh();
      });
}

void EvaluationSetup::resume(const std::string& run) {
  protocol::StartJob::Params params;
  params.kind = kEvalKind;
  params.config = Json::object();
  params.resume = run;
  m_session.engine().call<protocol::StartJob>(params, this, [this](const Result<protocol::StartJob::Answer>& answer) {
    if (!answer) return refuse(QString::fromStdString(answer.error().message));
    m_session.runs().refresh();
  });
}

void EvaluationSetup::refuse(const QString& sentence) {
  m_startProblem = sentence;
  m_session.announce(sentence);
  showPlan();
}

}  // namespace strata
