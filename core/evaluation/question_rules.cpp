#include "core/evaluation/question_rules.h"

namespace strata {
namespace {

std::string_view trimmedLine(std::string_view text) {
  constexpr const char* kSpace = " \t\r\n\v\f";
  text = text.substr(0, text.find('\n'));
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

QuestionPrompt QuestionTask::promptOf(const Question& question) const {
  PromptOptions options;
  if (m_mayLackAnswers) options.noAnswer = noAnswerOf(m_format);
  return questionPrompt(question, options);
}

std::string QuestionTask::readAnswer(const std::string& generated) const {
  std::string answer(trimmedLine(generated));
  if (m_mayLackAnswers && normalizeAnswer(answer) == normalizeAnswer(noAnswerOf(m_format))) answer.clear();
  return answer;
}

AnswerScore QuestionTask::score(const std::string& answer, const Question& question) const {
  switch (m_format) {
    case QaFormat::hotpotQa:
      return scoreHotpotAnswer(answer, question.answers.empty() ? "" : question.answers.front());
    case QaFormat::triviaQa:
      return scoreTriviaAnswer(answer, question.answers);
    default:
      break;
  }
  return scoreAnswer(answer, question.answers);
}

int QuestionTask::answerTokens() const {
  return hasLongAnswers() ? 64 : 32;
}

}  // namespace strata
