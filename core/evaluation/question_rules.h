#pragma once
// How the answers of each question task are read and scored.

#include <map>
#include <string>

#include "core/data/question_prompt.h"
#include "core/metrics/answer_metrics.h"

namespace strata {

/// One task's rules for one question set.
class QuestionTask {
 public:
  explicit QuestionTask(const QuestionSet& set) : m_format(set.format), m_mayLackAnswers(set.mayLackAnswers) {}

  QuestionPrompt promptOf(const Question& question) const;
  /// The answer that the loss is measured on, without a leading space; empty where none is known.
  std::string targetOf(const Question& question) const { return questionAnswer(question, noAnswerOf(m_format)); }
  /// The first line, trimmed; empty where it says that there is no answer.
  std::string readAnswer(const std::string& generated) const;
  /// By the data set's evaluator; MS MARCO's has no such scores, so there they are SQuAD's.
  AnswerScore score(const std::string& answer, const Question& question) const;
  /// Tokens of an answer at most.
  int answerTokens() const;
  /// By name, of one answer: f1 and em; Natural Questions also subspan_em; key-value pairs acc alone.
  std::map<std::string, double> scores(const std::string& answer, const Question& question) const;
  /// ROUGE-L and BLEU belong to the task.
  bool hasLongAnswers() const { return m_format == QaFormat::msMarco; }

 private:
  QaFormat m_format;
  bool m_mayLackAnswers;
};

}  // namespace strata
