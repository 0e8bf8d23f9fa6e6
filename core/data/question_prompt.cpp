#include "core/data/question_prompt.h"

#include "core/text/utf8.h"

namespace strata {
namespace {

std::string titled(const Passage& passage) {
  return passage.title.empty() ? passage.text : passage.title + ": " + passage.text;
}

std::string listed(const std::vector<Passage>& passages, const std::vector<std::uint32_t>& order) {
  std::string list;
  for (std::size_t i = 0; i < passages.size(); ++i) {
    if (i > 0) list += '\n';
    list.append("[").append(std::to_string(i + 1)).append("] ");
    list += titled(passages[order.empty() ? i : order[i]]);
  }
  return list;
}

}  // namespace

const char* noAnswerOf(QaFormat format) {
  return format == QaFormat::msMarco ? kMarcoNoAnswer : "unanswerable";
}

QuestionPrompt questionPrompt(const Question& question, const PromptOptions& options) {
  QuestionPrompt prompt;
  const std::string asked = "Question: " + question.question + "\n";
  if (options.questionFirst) prompt.head = asked;
  if (question.passages.size() == 1) {
    prompt.head += "Context: ";
    prompt.passages = titled(question.passages.front());
    prompt.tail = "\n";
  } else if (!question.passages.empty()) {
    prompt.head += "Passages:\n";
    prompt.passages = listed(question.passages, options.order);
    prompt.tail = "\n";
  }
  if (!options.questionFirst) prompt.tail += asked;
  if (options.noAnswer != nullptr) {
    const std::string said = options.noAnswer;
    prompt.tail += "If there is no answer, say " + said + (said.ends_with('.') ? "\n" : ".\n");
  }
  prompt.tail += "Answer:";
  return prompt;
}

std::string longestThatFits(const std::string& text, const std::function<bool(const std::string&)>& fits) {
  std::vector<std::size_t> ends{0};  // [i]: bytes of the first i characters
  for (std::size_t at = 0; at < text.size();) {
    at += readUtf8(std::string_view(text).substr(at)).length;
    ends.push_back(at);
  }
  std::size_t kept = 0, tooMany = ends.size();  // characters
  while (tooMany - kept > 1) {
    const std::size_t middle = kept + (tooMany - kept) / 2;
    (fits(text.substr(0, ends[middle])) ? kept : tooMany) = middle;
  }
  return text.substr(0, ends[kept]);
}

std::string questionAnswer(const Question& question, const char* noAnswer) {
  return question.answerable ? question.target : noAnswer;
}

}  // namespace strata
