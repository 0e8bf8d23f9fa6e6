#pragma once
// Two evaluations of the same questions, compared question by question: never an unpaired claim.
//
//   STRATA_TRY(const PairedResult result, comparePair(scoresOfA, scoresOfB, "f1"));
//   result.difference;   // mean of B - mean of A, over the questions that both answered

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/metrics/bootstrap.h"
#include "core/report/evaluation_run.h"

namespace strata {

/// Right or wrong on both sides.
struct McNemarResult {
  std::string metric;                 // "em" or "acc"
  std::int64_t onlyA = 0, onlyB = 0;  // questions that one side alone has right
  double p = 1;
  double adjusted = 1;  // by Holm's correction over all maps that were compared with the same side; p of one alone
};

struct PairedResult {
  std::string metric;
  std::int64_t n = 0;            // questions that both sides answered
  std::int64_t clusters = 0;     // that they were drawn by: articles, or the questions themselves
  bool isOfFewClusters = false;  // the intervals are the wider of those by cluster and by question
  std::int64_t inAAlone = 0, inBAlone = 0;
  double meanA = 0, meanB = 0, difference = 0;
  Interval intervalA, intervalB, interval;  // 95 %; the last is the difference's
  double detectable = 0;                    // a smaller difference is found in fewer than 80 % of such samples
  std::optional<McNemarResult> mcnemar;     // nothing: the task has no right and wrong
};

/// Below so many articles their differences say little of how others would differ, and one article says nothing: each
/// interval is then the wider of the one by article and the one by question.
inline constexpr std::int64_t kFewClusters = 10;

/// Refused: a metric that not both sides have for each question, and sides without a question in common.
Result<PairedResult> comparePair(const EvaluatedAnswers& a, const EvaluatedAnswers& b, const std::string& metric);
/// Several sides against one, with Holm's correction. The draws are those of comparePair().
Result<std::vector<PairedResult>> compareAll(const EvaluatedAnswers& a,
                                             const std::vector<const EvaluatedAnswers*>& others,
                                             const std::string& metric);

/// The interval of one side's own mean.
struct MeanResult {
  double mean = 0;
  Interval interval;
  std::int64_t n = 0;
};
Result<std::vector<MeanResult>> meansOf(const std::vector<const EvaluatedAnswers*>& sides, const std::string& metric);

/// Whether two runs may be compared: the same task, and the same data or questions whose ids mean the same.
Result<void> checkComparable(const EvaluationRun& a, const EvaluationRun& b);

/// "questions", or "texts" of a loss
const char* thingsOf(const PairedResult& result);
/// "With 200 questions a difference below 4.1 points may not show."
std::string powerSentence(const PairedResult& result);

}  // namespace strata
