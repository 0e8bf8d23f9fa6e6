#include "core/evaluation/question_preparer.h"

#include <algorithm>

#include "core/text/utf8.h"

namespace strata {
namespace {

/// The longest end of `text`, in whole characters, for which `fits`, which holds for shorter ones too.
std::string longestEndThatFits(const std::string& text, const std::function<bool(const std::string&)>& fits) {
  std::vector<std::size_t> starts;  // of characters
  for (std::size_t at = 0; at < text.size(); at += readUtf8(std::string_view(text).substr(at)).length) {
    starts.push_back(at);
  }
  starts.push_back(text.size());
  const auto kept =
      std::partition_point(starts.begin(), starts.end(), [&](std::size_t start) { return !fits(text.substr(start)); });
  return kept == starts.end() ? "" : text.substr(*kept);
}

}  // namespace

Shortening shorteningOf(const Question& question, QaFormat format) {
  if (format == QaFormat::keyValues) return Shortening::none;
  return question.question.empty() ? Shortening::contextStart : Shortening::passagesEnd;
}

const char* shorteningRule(QaFormat format) {
  switch (format) {
    case QaFormat::keyValues:
      return "Prompts are never shortened.";
    case QaFormat::lastWord:
      return "Where prompt and answer exceed the context, the text loses its start.";
    case QaFormat::multipleChoice:
      return "Where prompt and answer exceed the context, passages lose their end, and a text without a question its "
             "start.";
    default:
      return "Where prompt and answer exceed the context, passages lose their end.";
  }
}

Result<std::vector<const Question*>> askedOf(const QuestionSet& data, int limit) {
  std::vector<const Question*> asked;
  for (const Question& question : data.questions) {
    if (limit > 0 && asked.size() == static_cast<std::size_t>(limit)) break;
    if (!question.answerable || !question.answers.empty()) asked.push_back(&question);
  }
  if (!asked.empty()) return asked;
  return fail(ErrorCode::invalidData, "The data hold no questions with known answers.", "--data");
}

std::vector<TokenId> QuestionPreparer::promptIds(const QuestionPrompt& prompt, const std::string& passages) const {
  const Tokenizer& tokenizer = *m_model.tokenizer();
  const std::string text = prompt.with(passages);
  return m_prompt.isChat() ? tokenizer.ofRenderedChats().encode(text) : tokenizer.withSpecials(tokenizer.encode(text));
}

std::vector<PreparedQuestion> QuestionPreparer::pairs(const Question& question, const QuestionPrompt& prompt,
                                                      const std::vector<std::string>& answers) const {
  const Tokenizer& tokenizer = m_prompt.isChat() ? m_model.tokenizer()->ofRenderedChats() : *m_model.tokenizer();
  std::vector<PreparedQuestion> all;
  for (const std::string& answer : answers) {
    if (answer.empty()) {
      all.push_back({&question, promptIds(prompt, prompt.passages), {}, prompt.passages});
      continue;
    }
    PromptAndCompletion pair = encodePair(tokenizer, prompt.whole(), m_prompt.completion(answer));
    if (!m_prompt.isChat()) pair.prompt = tokenizer.withSpecials(std::move(pair.prompt));
    all.push_back({&question, std::move(pair.prompt), std::move(pair.completion), prompt.passages});
  }
  return all;
}

Result<std::vector<PreparedQuestion>> QuestionPreparer::prepare(const Question& question, std::uint64_t number,
                                                                const std::vector<std::string>& answers,
                                                                bool& cut) const {
  STRATA_TRY(QuestionPrompt prompt, m_prompt.of(question, number));
  std::vector<PreparedQuestion> whole = pairs(question, prompt, answers);
  auto answerTokens = static_cast<std::size_t>(m_answerTokens);
  for (const PreparedQuestion& each : whole) answerTokens = std::max(answerTokens, each.gold.size());
  const std::int64_t room = m_model.context() - static_cast<std::int64_t>(answerTokens);
  const auto fits = [&](const std::vector<TokenId>& ids) { return static_cast<std::int64_t>(ids.size()) <= room; };
  if (whole.front().prompt.empty()) {
    return fail(
        ErrorCode::invalidData,
        "The question " + question.id + " has an empty prompt, behind which nothing can be predicted; leave it out.",
        question.id);
  }
  cut = !std::all_of(whole.begin(), whole.end(), [&](const PreparedQuestion& each) { return fits(each.prompt); });
  if (!cut) return whole;
  const Shortening rule = shorteningOf(question, m_format);
  if (rule == Shortening::none || !fits(promptIds(prompt, ""))) {
    return fail(ErrorCode::invalidData,
                "The question " + question.id + " does not fit the context of " + std::to_string(m_model.context()) +
                    (rule == Shortening::none ? "; use a longer context or fewer pairs."
                                              : " even without its passages; use a longer context."),
                question.id);
  }
  const auto partFits = [&](const std::string& part) { return fits(promptIds(prompt, part)); };
  prompt.passages = rule == Shortening::contextStart ? longestEndThatFits(prompt.passages, partFits)
                                                     : longestThatFits(prompt.passages, partFits);
  std::vector<PreparedQuestion> shortened = pairs(question, prompt, answers);
  if (!shortened.front().prompt.empty()) return shortened;
  return fail(ErrorCode::invalidData,
              "Of the question " + question.id + " nothing fits the context of " + std::to_string(m_model.context()) +
                  "; use a longer context.",
              question.id);
}

}  // namespace strata
