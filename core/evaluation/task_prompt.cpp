#include "core/evaluation/task_prompt.h"

#include <algorithm>
#include <numeric>

#include "core/base/philox.h"
#include "core/config/eval_config.h"

namespace strata {
namespace {

constexpr const char* kName = "The prompt";
constexpr const char* kContextMark = "\xee\x80\x80 context \xee\x80\x80";  // private characters: in no text
constexpr const char* kLettersMark = "\xee\x80\x81 letters \xee\x80\x81";
constexpr const char* kQuestionMark = "\xee\x80\x82 question \xee\x80\x82";

constexpr std::size_t kLetters = 26;

DrawPosition drawOf(std::uint64_t seed, std::uint64_t question, RandomStream stream) {
  return {.seed = seed,
          .step = static_cast<std::uint32_t>(question),
          .group = static_cast<std::uint32_t>(question >> 32),
          .layer = 0,
          .stream = stream};
}

std::string letterOf(std::size_t choice) {
  return std::string(1, static_cast<char>('A' + static_cast<int>(choice)));
}

std::string lettered(const std::vector<std::string>& choices) {
  std::string list;
  if (choices.size() > kLetters) return list;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) list += '\n';
    list.append(letterOf(i)).append(". ").append(choices[i]);
  }
  return list;
}

Result<std::string> rendered(const jinja::Template& parsed, const Json& variables) {
  auto text = parsed.render(variables, {});
  if (!text) return fail(text.error().code, text.error().message, "--prompt");
  return std::move(text->text);
}

std::size_t timesIn(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++times;
  return times;
}

Json user(const std::string& content) {
  return {{"role", "user"}, {"content", content}};
}

}  // namespace

const char* taskOf(QaFormat format) {
  switch (format) {
    case QaFormat::squad:
      return "squad";
    case QaFormat::hotpotQa:
      return "hotpotqa";
    case QaFormat::triviaQa:
      return "triviaqa";
    case QaFormat::msMarco:
      return "msmarco";
    case QaFormat::naturalQuestions:
      return "nq";
    case QaFormat::boolQ:
      return "boolq";
    case QaFormat::lastWord:
      return "lambada";
    case QaFormat::keyValues:
      return "kv-retrieval";
    case QaFormat::multipleChoice:
      return "multiple-choice";
  }
  return "";
}

Result<TaskPrompt> TaskPrompt::make(const QuestionSet& set, const AskOptions& options) {
  std::string source = options.prompt.empty() ? defaultPrompt(taskOf(set.format)) : options.prompt;
  auto parsed = jinja::Template::parse(source, kName);
  if (!parsed) return fail(ErrorCode::usage, parsed.error().message, "--prompt");
  TaskPrompt prompt(std::move(*parsed), std::move(source), set, options);
  STRATA_CHECK(prompt.learnForm());
  STRATA_CHECK(prompt.writeShots());
  return prompt;
}

/// What the template writes of a question, by marks in place of its parts.
Result<void> TaskPrompt::learnForm() {
  Question probe;
  probe.question = kQuestionMark;
  probe.passages.push_back({"", kContextMark});
  probe.choices = {"a", "b"};
  STRATA_TRY(const std::string asked, written(probe, 0, {kContextMark, kLettersMark, {}}));
  probe.question.clear();  // of a question without a text some templates write the context alone
  STRATA_TRY(const std::string bare, written(probe, 0, {kContextMark, kLettersMark, {}}));
  m_byLetter = timesIn(asked + bare, kLettersMark) > 0;
  if (timesIn(asked, kQuestionMark) + timesIn(asked + bare, kContextMark) > 0) return {};
  return fail(ErrorCode::usage,
              "The prompt has neither {{ question }} nor {{ context }}, so that it asks nothing; add one.", "--prompt");
}

Result<std::string> TaskPrompt::written(const Question& question, std::uint64_t number, const Parts& parts) const {
  Json passages = Json::array();
  if (!m_options.closedBook) {
    for (std::size_t i = 0; i < question.passages.size(); ++i) {
      const Passage& passage = question.passages[parts.order.empty() ? i : parts.order[i]];
      passages.push_back({{"title", passage.title}, {"text", passage.text}});
    }
  }
  const bool first =
      randomUniform(drawOf(m_options.seed, number, RandomStream::questionFirst)) < m_options.questionFirst;
  Json variables = {{"question", question.question},     {"context", parts.context}, {"passages", std::move(passages)},
                    {"title", question.group},           {"question_first", first},  {"choices", question.choices},
                    {"lettered_choices", parts.letters}, {"no_answer", nullptr}};
  if (m_mayLackAnswers) variables["no_answer"] = noAnswerOf(m_format);
  return rendered(m_template, variables);
}

Result<QuestionPrompt> TaskPrompt::alone(const Question& question, std::uint64_t number) const {
  PromptOptions options;
  if (m_options.permutePassages && question.passages.size() > 1) {
    DrawPosition at = drawOf(m_options.seed, number, RandomStream::passageOrder);
    options.order.resize(question.passages.size());
    std::iota(options.order.begin(), options.order.end(), 0u);
    for (std::size_t i = options.order.size(); i > 1; --i) {
      at.layer = static_cast<std::uint32_t>(i);
      std::swap(options.order[i - 1], options.order[randomBelow(at, i)]);
    }
  }
  if (m_byLetter && question.choices.size() > kLetters) {
    return fail(
        ErrorCode::invalidData,
        "The question " + question.id + " has more choices than there are letters; use a prompt without letters.",
        question.id);
  }
  QuestionPrompt prompt;
  prompt.passages = m_options.closedBook ? "" : questionPrompt(question, options).passages;
  STRATA_TRY(std::string text,
             written(question, number,
                     {prompt.passages.empty() ? "" : kContextMark, lettered(question.choices), options.order}));
  const std::size_t times = timesIn(text, kContextMark);
  if (times > 1) {
    return fail(ErrorCode::usage,
                "The prompt writes {{ context }} twice, so that it cannot be shortened; write it once.", "--prompt");
  }
  if (times == 0) prompt.passages.clear();
  const std::size_t at = std::min(text.find(kContextMark), text.size());
  prompt.head = text.substr(0, at);
  if (times == 1) prompt.tail = text.substr(at + std::char_traits<char>::length(kContextMark));
  return prompt;
}

Result<void> TaskPrompt::writeShots() {
  constexpr std::uint64_t kShotDraws = 1ull << 40;  // their numbers, beyond those of the questions asked
  for (std::size_t i = 0; i < m_options.shots.size(); ++i) {
    const Question& shot = m_options.shots[i];
    STRATA_TRY(const QuestionPrompt prompt, alone(shot, kShotDraws + i));
    if (isChat()) {
      m_turns.push_back(user(prompt.whole()));
      m_turns.push_back({{"role", "assistant"}, {"content", target(shot)}});
    } else {
      m_before += prompt.whole() + completion(target(shot)) + "\n\n";
    }
  }
  return {};
}

Result<QuestionPrompt> TaskPrompt::of(const Question& question, std::uint64_t number) const {
  STRATA_TRY(QuestionPrompt prompt, alone(question, number));
  if (!isChat()) {
    prompt.head.insert(0, m_before);
    return prompt;
  }
  const std::string mark = prompt.passages.empty() ? "" : kContextMark;
  Json turns = m_turns;
  turns.push_back(user(prompt.with(mark)));
  STRATA_TRY(const std::string text, m_options.chat->render(turns, Json(), true));
  if (!mark.empty() && timesIn(text, mark) != 1) {
    return fail(ErrorCode::invalidData, "The model's chat template changes what it is given; ask without it.",
                "--chat");
  }
  const std::size_t at = mark.empty() ? text.size() : text.find(mark);
  prompt.head = text.substr(0, at);
  prompt.tail = mark.empty() ? "" : text.substr(at + mark.size());
  return prompt;
}

std::string TaskPrompt::target(const Question& question) const {
  if (m_byLetter && !question.choices.empty()) return question.target.empty() ? "" : letterOf(question.right);
  return questionAnswer(question, noAnswerOf(m_format));
}

std::vector<std::string> TaskPrompt::choices(const Question& question) const {
  if (!m_byLetter) return question.choices;
  std::vector<std::string> letters;
  for (std::size_t i = 0; i < question.choices.size(); ++i) letters.push_back(letterOf(i));
  return letters;
}

}  // namespace strata
