#pragma once
// MS MARCO v2.1 question answering by its official evaluator (ms_marco_eval.py, Bajaj et al. 2016): BLEU-1 … BLEU-4 of
// the whole set and the mean ROUGE-L over the questions that have an answer, and F1 of saying whether there is one.
//
// The evaluator refuses files whose questions differ; here a question without a candidate counts as an empty one.

#include <array>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/questions.h"

namespace strata {

using MarcoTokens = std::vector<std::string>;  // englishWords() of an answer

/// ROUGE-L of one candidate: the best precision and the best recall over the references, together with beta 1.2.
double marcoRougeL(const MarcoTokens& candidate, const std::vector<MarcoTokens>& references);

/// Corpus BLEU with the length of the closest reference, from counts summed over candidates.
class BleuSum {
 public:
  void add(const MarcoTokens& candidate, const std::vector<MarcoTokens>& references);
  /// BLEU-1 … BLEU-4
  std::array<double, 4> scores() const;

 private:
  std::array<double, 4> m_matched{}, m_total{};
  double m_candidateLength = 0, m_referenceLength = 0;
};

struct MarcoScores {
  std::array<double, 4> bleu{};
  double rougeL = 0;
  double answerableF1 = 0;   // of saying whether there is an answer; 0 where precision and recall are
  double exact = 0, f1 = 0;  // means of SQuAD's scores of the same answers, which the evaluator does not give
  int n = 0;                 // questions in BLEU and ROUGE-L
  int unanswerable = 0;
  int missing = 0;  // questions without a candidate
};

/// `candidates` as readQuestions() gives them: no answers and not answerable where the candidate says so. A candidate
/// of more than one answer is refused; one of no question is ignored.
Result<MarcoScores> scoreMarco(const QuestionSet& references, const QuestionSet& candidates);

}  // namespace strata
