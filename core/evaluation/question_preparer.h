#pragma once
// Questions as token ids that fit the model's context.

#include <cstdint>
#include <string>
#include <vector>

#include "core/evaluation/question_batches.h"
#include "core/evaluation/task_prompt.h"

namespace strata {

/// What gives way where a prompt and its answer exceed the context.
enum class Shortening { passagesEnd, contextStart, none };
Shortening shorteningOf(const Question& question, QaFormat format);
/// The rule of a task in one sentence, for who reads its results.
const char* shorteningRule(QaFormat format);

/// Those that can be scored, at most `limit` of them (0: all). Refused: none.
Result<std::vector<const Question*>> askedOf(const QuestionSet& data, int limit);

class QuestionPreparer {
 public:
  /// `answerTokens`: that an answer may take.
  QuestionPreparer(const Model& model, const TaskPrompt& prompt, QaFormat format, int answerTokens)
      : m_model(model), m_prompt(prompt), m_format(format), m_answerTokens(answerTokens) {}

  /// The prompt with each of `answers` ("": not known) behind it. `number`: of the question, for what is drawn; `cut`
  /// says whether the prompt lost something.
  Result<std::vector<PreparedQuestion>> prepare(const Question& question, std::uint64_t number,
                                                const std::vector<std::string>& answers, bool& cut) const;

 private:
  std::vector<TokenId> promptIds(const QuestionPrompt& prompt, const std::string& passages) const;
  std::vector<PreparedQuestion> pairs(const Question& question, const QuestionPrompt& prompt,
                                      const std::vector<std::string>& answers) const;

  const Model& m_model;
  const TaskPrompt& m_prompt;
  QaFormat m_format;
  int m_answerTokens;
};

}  // namespace strata
