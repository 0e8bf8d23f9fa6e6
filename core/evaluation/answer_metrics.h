#pragma once
// Exact match and token F1 of answers, by the official SQuAD evaluator (evaluate-v2.0.py, Rajpurkar et al. 2018):
// lower case, no punctuation, no articles, single spaces; the best over the gold answers.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/data/squad.h"

namespace strata {

/// normalize_answer: Unicode lower case as Python's str.lower(), ASCII punctuation removed, \b(a|an|the)\b with Unicode
/// word boundaries replaced by a space, split at Unicode white space as str.split().
std::string normalizeAnswer(std::string_view text);

struct AnswerScore {
  double exact = 0;  // 0 or 1
  double f1 = 0;     // 0 … 1
};
/// No gold answers (v2): 1 exactly where the prediction normalises to nothing.
AnswerScore scoreAnswer(std::string_view prediction, const std::vector<std::string>& gold);

struct SquadScores {
  double exact = 0, f1 = 0;  // means, 0 … 1
  int n = 0;
  double hasAnswerExact = 0, hasAnswerF1 = 0;
  int hasAnswer = 0;
  double noAnswerExact = 0, noAnswerF1 = 0;
  int noAnswer = 0;
  int missing = 0;  // questions without a prediction, scored 0
};
SquadScores scoreSquad(const SquadData& data, const std::map<std::string, std::string>& predictions);

/// {"question id": "answer", …}
Result<std::map<std::string, std::string>> readPredictions(const std::filesystem::path& path);

}  // namespace strata
