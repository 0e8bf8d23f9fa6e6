#pragma once
// Exact match and token F1 of one answer, by each data set's official evaluator: lower case, no punctuation, no
// articles, single spaces; the best over the gold answers.
//
//   SQuAD     evaluate-v2.0.py (Rajpurkar et al. 2018)
//   HotpotQA  hotpot_evaluate_v1.py (Yang et al. 2018): yes, no and noanswer match whole or not at all
//   TriviaQA  triviaqa_evaluation.py (Joshi et al. 2017): punctuation, ‘ ’ ´ and underscores part words

#include <string>
#include <string_view>
#include <vector>

namespace strata {

/// normalize_answer: Unicode lower case as Python's str.lower(), ASCII punctuation removed, \b(a|an|the)\b with Unicode
/// word boundaries replaced by a space, split at Unicode white space as str.split().
std::string normalizeAnswer(std::string_view text);

/// TriviaQA's own: punctuation becomes a space instead of nothing.
std::string normalizeTriviaAnswer(std::string_view text);

struct AnswerScore {
  double exact = 0;                  // 0 or 1
  double f1 = 0;                     // 0 … 1
  double precision = 0, recall = 0;  // of tokens; HotpotQA alone

  AnswerScore& operator+=(const AnswerScore& other);
  AnswerScore operator/(double count) const;
};

/// SQuAD. No gold answers (v2): 1 exactly where the prediction normalises to nothing.
AnswerScore scoreAnswer(std::string_view prediction, const std::vector<std::string>& gold);

/// HotpotQA: one gold answer; a prediction and a gold answer of no tokens match exactly, with an F1 of 0.
AnswerScore scoreHotpotAnswer(std::string_view prediction, std::string_view gold);

/// 1 where the normalised prediction holds one of the normalised answers ("Lost in the middle", Liu et al. 2023).
double scoreSubspan(std::string_view prediction, const std::vector<std::string>& gold);

/// TriviaQA: exact match and F1 each at its best over the aliases.
AnswerScore scoreTriviaAnswer(std::string_view prediction, const std::vector<std::string>& aliases);

}  // namespace strata
