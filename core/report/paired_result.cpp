#include "core/report/paired_result.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "core/metrics/significance.h"
#include "core/report/numbers.h"

namespace strata {
namespace {

/// The questions of one side that a metric's mean is over, by id.
struct ScoredQuestions {
  std::vector<const RunAnswer*> answers;
  std::vector<double> values, weights;  // weights: tokens of a loss; empty for other metrics
};

/// MS MARCO's scores of answers are means over the questions that have one.
bool isOverAnswerable(const std::string& task, const std::string& metric) {
  return task == "msmarco" && (metric == "f1" || metric == "em");
}

ScoredQuestions scoredBy(const EvaluatedAnswers& scores, const std::string& metric) {
  ScoredQuestions found;
  const bool isWeighted = isLoss(metric);
  for (const RunAnswer& answer : scores.answers) {
    const auto score = answer.scores.find(metric);
    if (score == answer.scores.end()) continue;
    if (isOverAnswerable(scores.task, metric) && !answer.asked.answerable) continue;
    if (isWeighted) {
      const auto tokens = answer.scores.find("tokens");
      if (tokens == answer.scores.end() || !(tokens->second > 0)) continue;
      found.weights.push_back(tokens->second);
    }
    found.answers.push_back(&answer);
    found.values.push_back(score->second);
  }
  return found;
}

std::vector<std::uint32_t> clusterNumbers(const std::vector<const RunAnswer*>& answers) {
  std::vector<std::uint32_t> numbers;
  std::unordered_map<std::string, std::uint32_t> numberOf;
  for (const RunAnswer* answer : answers) {
    // An article cannot have the name of a question: the sign tells them apart.
    const std::string& cluster = answer->asked.cluster;
    const std::string key = cluster.empty() ? "q" + answer->question : "c" + cluster;
    numbers.push_back(numberOf.try_emplace(key, static_cast<std::uint32_t>(numberOf.size())).first->second);
  }
  return numbers;
}

ScoreColumn columnOf(const ScoredQuestions& side, const std::vector<std::size_t>& chosen) {
  ScoreColumn column;
  for (const std::size_t i : chosen) {
    column.values.push_back(side.values[i]);
    if (!side.weights.empty()) column.weights.push_back(side.weights[i]);
  }
  return column;
}

/// The questions that two sides share, and their places in both.
struct Shared {
  std::vector<std::size_t> inA, inB;
};

Shared sharedBy(const ScoredQuestions& a, const ScoredQuestions& b) {
  Shared shared;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < b.answers.size(); ++i) places.emplace(b.answers[i]->question, i);
  for (std::size_t i = 0; i < a.answers.size(); ++i) {
    const auto found = places.find(a.answers[i]->question);
    if (found == places.end()) continue;
    shared.inA.push_back(i);
    shared.inB.push_back(found->second);
  }
  return shared;
}

std::vector<std::uint32_t> clustersOf(const ScoredQuestions& side, const std::vector<std::size_t>& chosen) {
  std::vector<const RunAnswer*> answers;
  answers.reserve(chosen.size());
  for (const std::size_t i : chosen) answers.push_back(side.answers[i]);
  return clusterNumbers(answers);
}

Result<void> requireMetric(const EvaluatedAnswers& side, const std::string& metric) {
  if (side.has(metric)) return {};
  std::string names;
  std::map<std::string, bool> seen;
  for (const RunAnswer& answer : side.answers) {
    for (const auto& [name, score] : answer.scores) seen[name] = true;
  }
  seen.erase("tokens");
  for (const auto& [name, yes] : seen) names += (names.empty() ? "" : ", ") + name;
  return fail(ErrorCode::usage, "The answers have no score " + metric + " of their own; choose one of: " + names + ".",
              metric);
}

/// Which questions each side has right.
std::optional<McNemarResult> testExact(const EvaluatedAnswers& a, const EvaluatedAnswers& b) {
  McNemarResult result;
  result.metric = exactMetric(a);
  if (result.metric.empty() || !b.has(result.metric)) return {};
  const ScoredQuestions inA = scoredBy(a, result.metric), inB = scoredBy(b, result.metric);
  const Shared shared = sharedBy(inA, inB);
  constexpr double kRight = 0.5;
  for (std::size_t i = 0; i < shared.inA.size(); ++i) {
    const bool aRight = inA.values[shared.inA[i]] > kRight, bRight = inB.values[shared.inB[i]] > kRight;
    result.onlyA += aRight && !bRight ? 1 : 0;
    result.onlyB += bRight && !aRight ? 1 : 0;
  }
  result.p = result.adjusted = mcnemarP(result.onlyA, result.onlyB);
  return result;
}

/// Resamples by cluster, and where there are few of them by question too.
class Resamples {
 public:
  Resamples(const std::vector<ScoreColumn>& columns, const std::vector<std::uint32_t>& clusters)
      : m_byCluster(resampleMeans(columns, clusters)) {
    isOfFew = static_cast<std::int64_t>(m_byCluster.clusters) < kFewClusters &&
              m_byCluster.clusters < columns.front().values.size();
    if (isOfFew) m_byQuestion = resampleMeans(columns, {});
  }
  double mean(std::size_t column) const { return m_byCluster.means[column]; }
  Interval interval(std::size_t column) const {
    return wider(m_byCluster.interval(column), isOfFew ? m_byQuestion.interval(column) : Interval());
  }
  Interval difference(std::size_t a, std::size_t b) const {
    return wider(m_byCluster.differenceInterval(a, b), isOfFew ? m_byQuestion.differenceInterval(a, b) : Interval());
  }
  double error(std::size_t a, std::size_t b) const {
    return std::max(m_byCluster.differenceError(a, b), isOfFew ? m_byQuestion.differenceError(a, b) : 0);
  }
  std::int64_t clusters() const { return static_cast<std::int64_t>(m_byCluster.clusters); }

  bool isOfFew = false;

 private:
  static Interval wider(const Interval& a, const Interval& b) { return b.high - b.low > a.high - a.low ? b : a; }

  Resampled m_byCluster, m_byQuestion;
};

PairedResult resultOf(const Resamples& resamples, std::size_t a, std::size_t b) {
  PairedResult result;
  result.clusters = resamples.clusters();
  result.isOfFewClusters = resamples.isOfFew;
  result.meanA = resamples.mean(a);
  result.meanB = resamples.mean(b);
  result.difference = result.meanB - result.meanA;
  result.intervalA = resamples.interval(a);
  result.intervalB = resamples.interval(b);
  result.interval = resamples.difference(a, b);
  result.detectable = detectableDifference(resamples.error(a, b));
  return result;
}

}  // namespace

Result<std::vector<PairedResult>> compareAll(const EvaluatedAnswers& a,
                                             const std::vector<const EvaluatedAnswers*>& others,
                                             const std::string& metric) {
  STRATA_CHECK(requireMetric(a, metric));
  const ScoredQuestions base = scoredBy(a, metric);
  std::vector<PairedResult> results(others.size());
  // Sides that share the same questions with A are resampled at once: drawing takes most of the time.
  std::map<std::vector<std::size_t>, std::vector<std::size_t>> groups;
  std::vector<ScoredQuestions> sides;
  std::vector<Shared> shared;
  for (std::size_t i = 0; i < others.size(); ++i) {
    STRATA_CHECK(requireMetric(*others[i], metric));
    sides.push_back(scoredBy(*others[i], metric));
    shared.push_back(sharedBy(base, sides[i]));
    if (shared[i].inA.empty()) {
      return fail(ErrorCode::usage,
                  "The two evaluations have no question in common; compare evaluations of the same data.", metric);
    }
    groups[shared[i].inA].push_back(i);
  }
  for (const auto& [questions, members] : groups) {
    std::vector<ScoreColumn> columns = {columnOf(base, questions)};
    for (const std::size_t i : members) columns.push_back(columnOf(sides[i], shared[i].inB));
    const Resamples resampled(columns, clustersOf(base, questions));
    for (std::size_t place = 0; place < members.size(); ++place) {
      const std::size_t i = members[place];
      PairedResult& result = results[i];
      result = resultOf(resampled, 0, place + 1);
      result.metric = metric;
      result.n = static_cast<std::int64_t>(questions.size());
      result.inAAlone = static_cast<std::int64_t>(base.answers.size() - questions.size());
      result.inBAlone = static_cast<std::int64_t>(sides[i].answers.size() - questions.size());
      result.mcnemar = testExact(a, *others[i]);
    }
  }
  std::vector<double> p;
  for (const PairedResult& each : results) {
    if (each.mcnemar) p.push_back(each.mcnemar->p);
  }
  const std::vector<double> adjusted = holmAdjusted(p);
  std::size_t next = 0;
  for (PairedResult& each : results) {
    if (each.mcnemar) each.mcnemar->adjusted = adjusted[next++];
  }
  return results;
}

Result<PairedResult> comparePair(const EvaluatedAnswers& a, const EvaluatedAnswers& b, const std::string& metric) {
  STRATA_TRY(std::vector<PairedResult> results, compareAll(a, {&b}, metric));
  return std::move(results.front());
}

Result<std::vector<MeanResult>> meansOf(const std::vector<const EvaluatedAnswers*>& sides, const std::string& metric) {
  std::vector<MeanResult> results(sides.size());
  std::vector<ScoredQuestions> scored;
  std::map<std::vector<std::string_view>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    STRATA_CHECK(requireMetric(*sides[i], metric));
    scored.push_back(scoredBy(*sides[i], metric));
    std::vector<std::string_view> ids;
    for (const RunAnswer* answer : scored[i].answers) ids.push_back(answer->question);
    groups[std::move(ids)].push_back(i);
  }
  for (const auto& [ids, members] : groups) {
    std::vector<ScoreColumn> columns;
    for (const std::size_t i : members) columns.push_back({scored[i].values, scored[i].weights});
    const Resamples resampled(columns, clusterNumbers(scored[members.front()].answers));
    for (std::size_t place = 0; place < members.size(); ++place) {
      results[members[place]] = {resampled.mean(place), resampled.interval(place),
                                 static_cast<std::int64_t>(ids.size())};
    }
  }
  return results;
}

Result<void> checkComparable(const EvaluationRun& a, const EvaluationRun& b) {
  const std::string pair = a.info.id + " and " + b.info.id;
  if (a.task != b.task) {
    return fail(ErrorCode::usage,
                "The evaluations " + pair + " are of different tasks (" + a.task + ", " + b.task +
                    "); compare evaluations of one task.",
                b.info.id);
  }
  const bool sameData = a.dataHash.empty() || b.dataHash.empty() ? a.data == b.data : a.dataHash == b.dataHash;
  // Ids of questions are the data set's own; those of texts are their places in the file.
  if (sameData || a.task != "nll") return {};
  return fail(ErrorCode::usage,
              "The evaluations " + pair + " are of different data; compare evaluations of the same file.", b.info.id);
}

const char* thingsOf(const PairedResult& result) {
  return result.mcnemar ? "questions" : "texts";
}

std::string powerSentence(const PairedResult& result) {
  return "With " + printCount(result.n) + " " + thingsOf(result) + " a difference below " +
         printWidth(result.metric, result.detectable) + " may not show.";
}

}  // namespace strata
