#include "core/evaluation/question_rules.h"

#include <algorithm>
#include <cctype>

namespace strata {
namespace {

std::string_view trimmedLine(std::string_view text) {
  constexpr const char* kSpace = " \t\r\n\v\f";
  text = text.substr(0, text.find('\n'));
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Without case; keys and values are ASCII.
bool standsIn(const std::string& text, const std::string& value) {
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  return std::search(text.begin(), text.end(), value.begin(), value.end(), same) != text.end();
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

std::map<std::string, double> QuestionTask::scores(const std::string& answer, const Question& question) const {
  if (m_format == QaFormat::keyValues) return {{"acc", standsIn(answer, question.target) ? 1 : 0}};
  const AnswerScore both = score(answer, question);
  std::map<std::string, double> scores = {{"em", both.exact}, {"f1", both.f1}};
  if (m_format == QaFormat::naturalQuestions) scores["subspan_em"] = scoreSubspan(answer, question.answers);
  return scores;
}

int QuestionTask::answerTokens() const {
  return hasLongAnswers() || m_format == QaFormat::keyValues ? 64 : 32;
}

}  // namespace strata
