#pragma once
// The scores of prediction files over a whole question set, as the official evaluators print them, but as shares (0 …
// 1). A question without a prediction counts as 0 and is `missing`; predictions of no question are ignored.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/questions.h"
#include "core/metrics/answer_metrics.h"

namespace strata {

using Answers = std::map<std::string, std::string>;  // question id -> answer

/// {"question id": "answer", …}
Result<Answers> readPredictions(const std::filesystem::path& path);

struct SquadScores {
  double exact = 0, f1 = 0;  // means
  int n = 0;
  double hasAnswerExact = 0, hasAnswerF1 = 0;
  int hasAnswer = 0;
  double noAnswerExact = 0, noAnswerF1 = 0;
  int noAnswer = 0;
  int missing = 0;
};
SquadScores scoreSquad(const QuestionSet& data, const Answers& predictions);

struct HotpotPredictions {
  Answers answers;
  std::optional<std::map<std::string, std::vector<SupportingFact>>> facts;  // question id -> facts
};
/// {"answer": {"question id": "answer"}, "sp": {"question id": [["title", sentence], …]}}, or the answers alone.
Result<HotpotPredictions> readHotpotPredictions(const std::filesystem::path& path);

struct HotpotScores {
  AnswerScore answer;
  /// Where facts are predicted: theirs, and those of answer and facts together (products of precisions and recalls).
  std::optional<AnswerScore> facts, joint;
  int n = 0;
  int missing = 0, missingFacts = 0;
};
HotpotScores scoreHotpot(const QuestionSet& data, const HotpotPredictions& predictions);

struct TriviaScores {
  double exact = 0, f1 = 0;
  int n = 0;  // questions, or pairs of a question and one of its documents
  int missing = 0;
};
/// Questions that have documents (`documentKeys`) are scored once for each, as the evaluator does; where no prediction
/// is of a document, once for each question by its id.
TriviaScores scoreTrivia(const QuestionSet& data, const Answers& predictions);

}  // namespace strata
