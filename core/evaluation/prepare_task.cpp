#include "core/evaluation/prepare_task.h"

#include <algorithm>
#include <set>

#include "core/data/evidence.h"
#include "core/evaluation/question_preparer.h"
#include "core/evaluation/question_rules.h"

namespace strata {
namespace {

constexpr int kDrawnQuestions = 500;  // where no limit is given, as many as the published file has

using Text = std::pair<std::string, std::string>;

/// What two records of the same question share.
Text textOf(const Question& question) {
  return {question.question, question.passages.empty() ? "" : question.passages.front().text};
}

/// Examples for each question: from `rest`, which may hold questions that are asked.
Result<std::vector<Question>> drawShots(QuestionSet rest, const std::vector<const Question*>& asked,
                                        const EvalConfig& config) {
  std::set<Text> texts;
  std::set<std::string> groups;
  for (const Question* question : asked) {
    texts.insert(textOf(*question));
    if (!question->group.empty()) groups.insert(question->group);
  }
  std::vector<Question>& all = rest.questions;
  const auto drop = [&](const auto& isDropped) {
    all.erase(std::remove_if(all.begin(), all.end(), isDropped), all.end());
  };
  drop([&](const Question& each) { return texts.contains(textOf(each)) || (each.answerable && each.target.empty()); });
  // Of other articles, where there are enough of them.
  const auto isNear = [&](const Question& each) { return groups.contains(each.group); };
  const auto far = all.size() - static_cast<std::size_t>(std::count_if(all.begin(), all.end(), isNear));
  const auto wanted = static_cast<std::size_t>(config.shots);
  if (far >= wanted) drop(isNear);
  if (all.size() < wanted) {
    return fail(ErrorCode::usage,
                std::to_string(config.shots) + " examples are wanted, but only " + std::to_string(all.size()) +
                    " questions with answers are left that are not asked; give fewer, or more data for examples.",
                "--shots");
  }
  STRATA_TRY(QuestionSet drawn, sampleQuestions(std::move(rest), config.shots, config.seed));
  return std::move(drawn.questions);
}

Json idsOf(const std::vector<Question>& questions) {
  Json ids = Json::array();
  for (const Question& question : questions) ids.push_back(question.id);
  return ids;
}

/// TriviaQA's documents, where they are at hand.
Result<void> takeEvidence(const EvalConfig& config, AskedQuestions& asked) {
  const auto folder = evidenceFolder(config.data);
  if (asked.data.format != QaFormat::triviaQa || config.closedBook || !config.columns.empty() || folder.empty())
    return {};
  STRATA_TRY(const std::vector<const Question*> questions, askedOf(asked.data, asked.limit));
  std::set<std::string> ids;
  for (const Question* question : questions) ids.insert(question->id);
  asked.evidence = folder.string();
  return readEvidence(config.data, folder, ids, asked.data);
}

Json settingsOf(const EvalConfig& config, const AskedQuestions& asked, const TaskPrompt& prompt) {
  Json settings = {{"prompt", prompt.source()},
                   {"chat", config.chat},
                   {"shots", idsOf(asked.ask.shots)},
                   {"question_first", config.questionFirst},
                   {"permute_passages", config.permutePassages},
                   {"closed_book", config.closedBook},
                   {"seed", config.seed},
                   {"shortening", shorteningRule(asked.data.format)}};
  if (!asked.evidence.empty()) settings["evidence"] = asked.evidence;
  if (isAnsweredByChoice(asked.data.format)) {
    settings["scoring"] = "the likelihood of given answers";
  } else {
    settings["decoding"] = {
        {"temperature", 0}, {"max_tokens", QuestionTask(asked.data).answerTokens()}, {"stop", "\n"}};
  }
  return settings;
}

}  // namespace

Result<AskedQuestions> readAsked(const EvalConfig& config) {
  const EvalTask* task = findEvalTask(config.task);
  if (task == nullptr || !task->questions) {
    return fail(ErrorCode::usage, "The task " + config.task + " asks nothing.", "--task");
  }
  AskedQuestions asked;
  asked.limit = config.limit;
  if (config.kvPairs > 0) {
    if (asked.limit == 0) asked.limit = kDrawnQuestions;
    asked.data = keyValueQuestions(config.kvPairs, asked.limit + config.shots, config.seed);
  } else {
    STRATA_TRY(asked.data, readQuestions(config.data, task->questions, config.columns));
    STRATA_CHECK(takeEvidence(config, asked));
  }
  asked.ask.prompt = config.prompt;
  asked.ask.questionFirst = config.questionFirst;
  asked.ask.permutePassages = config.permutePassages;
  asked.ask.closedBook = config.closedBook;
  asked.ask.seed = config.seed;
  if (config.shots == 0) return asked;
  STRATA_TRY(const std::vector<const Question*> questions, askedOf(asked.data, asked.limit));
  QuestionSet rest = asked.data;
  if (!config.shotsData.empty()) {
    STRATA_TRY(rest, readQuestions(config.shotsData, task->questions, config.columns));
  }
  STRATA_TRY(asked.ask.shots, drawShots(std::move(rest), questions, config));
  return asked;
}

Result<PreparedTask> prepareTask(const EvalConfig& config, const std::shared_ptr<const Model>& model,
                                 const std::vector<NamedMap>& maps, const std::shared_ptr<const ChatRenderer>& chat) {
  STRATA_CHECK(checkEvalConfig(config));
  PreparedTask prepared;
  if (!findEvalTask(config.task)->questions) {
    TaskOptions options{.limit = config.limit, .chat = chat.get()};
    options.columns = config.columns;
    options.window = config.window;
    prepared.settings = {{"window", textWindow(*model, options)}};
    // The options point into `chat`, which is kept along.
    prepared.run = [=, kept = chat](const TaskHooks& hooks) {
      return evaluateNll(*model, maps, config.data, options, hooks);
    };
    return prepared;
  }
  STRATA_TRY(AskedQuestions read, readAsked(config));
  if (config.chat) read.ask.chat = chat.get();
  STRATA_TRY(const TaskPrompt prompt, TaskPrompt::make(read.data, read.ask));
  prepared.settings = settingsOf(config, read, prompt);
  const auto asked = std::make_shared<const AskedQuestions>(std::move(read));
  prepared.run = [=](const TaskHooks& hooks) {
    TaskOptions options{.limit = asked->limit, .chat = chat.get()};
    options.ask = asked->ask;
    return evaluateQuestions(model, maps, asked->data, options, hooks);
  };
  return prepared;
}

}  // namespace strata
