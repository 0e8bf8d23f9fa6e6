// Tasks scored by the likelihood of given answers, against the loss of each answer computed by itself.

#include <gmock/gmock.h>

#include <cmath>

#include "core/evaluation/prepare_task.h"
#include "core/evaluation/tasks.h"
#include "core/model/score.h"
#include "stories.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::writeText;

Question choiceOf(const std::string& id, const std::string& text, const std::vector<std::string>& choices,
                  std::size_t right) {
  Question question;
  question.id = id;
  question.question = text;
  question.choices = choices;
  question.right = right;
  question.target = choices[right];
  question.answers = {question.target};
  return question;
}

QuestionSet threeChoices() {
  QuestionSet set;
  set.format = QaFormat::multipleChoice;
  set.questions = {choiceOf("a", "What has Lily?", {"a ball", "a very big and very old green car", "x"}, 1),
                   choiceOf("b", "Who barks?", {"the dog", "the little cat in the garden"}, 0),
                   choiceOf("c", "Who says meow?", {"a dog", "a cat"}, 1)};
  return set;
}

/// -log p of " answer" behind the prompt.
double lossOf(const Model& model, const SharingMap& map, const std::string& prompt, const std::string& answer) {
  const Tokenizer& tokenizer = *model.tokenizer();
  PromptAndCompletion pair = encodePair(tokenizer, prompt, " " + answer);
  const std::vector<TokenId> before = tokenizer.withSpecials(pair.prompt);
  std::vector<TokenId> all = before;
  all.insert(all.end(), pair.completion.begin(), pair.completion.end());
  return scoreWindows(model, map, {all})->nllSum - scoreWindows(model, map, {before})->nllSum;
}

TEST(ChoiceTask, ChoosesTheLikeliestAndOneLikeliestByCharacters) {
  const auto model = openStories();
  const QuestionSet set = threeChoices();
  std::vector<TaskAnswer> told;
  TaskHooks hooks;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& answers) -> Result<void> {
    told.insert(told.end(), answers.begin(), answers.end());
    return {};
  };
  const auto results = evaluateQuestions(model, maps("full;stride:2"), set, {}, hooks);
  ASSERT_TRUE(results) << results.error().message;
  ASSERT_EQ(told.size(), 6u);
  for (const TaskResult& result : *results) {
    double acc = 0, accNorm = 0;
    for (const Question& question : set.questions) {
      std::size_t best = 0, bestNorm = 0;
      std::vector<double> sums, norms;
      for (const std::string& choice : question.choices) {
        sums.push_back(-lossOf(*model, result.src, "Question: " + question.question + "\nAnswer:", choice));
        norms.push_back(sums.back() / static_cast<double>(choice.size()));
      }
      best = static_cast<std::size_t>(std::max_element(sums.begin(), sums.end()) - sums.begin());
      bestNorm = static_cast<std::size_t>(std::max_element(norms.begin(), norms.end()) - norms.begin());
      acc += best == question.right ? 1 : 0;
      accNorm += bestNorm == question.right ? 1 : 0;
      const auto answer = std::find_if(told.begin(), told.end(), [&](const TaskAnswer& each) {
        return each.map == result.map && each.question == question.id;
      });
      ASSERT_NE(answer, told.end());
      EXPECT_EQ(answer->answer, question.choices[best]);
      EXPECT_EQ(answer->asked.expected, question.target);
      EXPECT_NEAR(answer->scores.at("nll") * answer->scores.at("tokens"), -sums[question.right], 1e-3);
    }
    EXPECT_DOUBLE_EQ(result.metrics.at("acc"), acc / 3) << result.map;
    EXPECT_DOUBLE_EQ(result.metrics.at("acc_norm"), accNorm / 3) << result.map;
    EXPECT_EQ(result.n, 3);
  }
}

TEST(ChoiceTask, LettersAreChosenWhereThePromptListsThem) {
  const auto model = openStories();
  QuestionSet set = threeChoices();
  TaskOptions options;
  options.ask.prompt = "{{ question }}\n{{ lettered_choices }}\nAnswer:";
  TaskHooks hooks;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& answers) -> Result<void> {
    for (const TaskAnswer& answer : answers) {
      const Question& question = set.questions[static_cast<std::size_t>(answer.question[0] - 'a')];
      std::string prompt = question.question + "\n";
      std::vector<double> losses;
      for (std::size_t i = 0; i < question.choices.size(); ++i)
        prompt += std::string(1, static_cast<char>('A' + i)) + ". " + question.choices[i] + "\n";
      for (std::size_t i = 0; i < question.choices.size(); ++i)
        losses.push_back(
            lossOf(*model, SharingMap::full(5), prompt + "Answer:", std::string(1, static_cast<char>('A' + i))));
      const auto best = std::min_element(losses.begin(), losses.end()) - losses.begin();
      EXPECT_EQ(answer.answer, question.choices[static_cast<std::size_t>(best)]);
      EXPECT_EQ(answer.scores.at("acc"), answer.scores.at("acc_norm")) << "letters are equally long";
    }
    return {};
  };
  ASSERT_TRUE(evaluateQuestions(model, maps("full"), set, options, hooks));
}

TEST(ChoiceTask, TheLastWordIsRightWhereGreedyDecodingSaysIt) {
  const auto model = openStories();
  QuestionSet set;
  set.format = QaFormat::lastWord;
  for (const auto& [context, word] :
       {std::pair{"Once upon a", "time"}, std::pair{"Once upon a time, there was a little", "zebra"}}) {
    Question question;
    question.id = std::to_string(set.questions.size());
    question.passages.push_back({"", context});
    question.target = word;
    question.answers = {word};
    set.questions.push_back(question);
  }
  std::map<std::string, TaskAnswer> told;
  TaskHooks hooks;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& answers) -> Result<void> {
    for (const TaskAnswer& answer : answers) told[answer.question] = answer;
    return {};
  };
  const auto results = evaluateQuestions(model, maps("full"), set, {}, hooks);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(told.at("0").answer, "time");
  EXPECT_EQ(told.at("0").scores.at("acc"), 1);
  EXPECT_NE(told.at("1").answer, "zebra");
  EXPECT_DOUBLE_EQ(results->front().metrics.at("acc"), 0.5);
  const SharingMap full = SharingMap::full(5);
  const double sum = lossOf(*model, full, "Once upon a", "time") +
                     lossOf(*model, full, "Once upon a time, there was a little", "zebra");
  EXPECT_NEAR(results->front().metrics.at("perplexity"), std::exp(sum / 2), 1e-3 * std::exp(sum / 2));
}

TEST(ChoiceTask, ATextWithoutAQuestionLosesItsStart) {
  const auto model = openStories(24);
  QuestionSet set;
  set.format = QaFormat::lastWord;
  Question question;
  question.id = "0";
  question.passages.push_back({"", "It was a very long day and Tom was tired of it all. Once upon a"});
  question.target = "time";
  question.answers = {"time"};
  set.questions = {question};
  TaskAnswer told;
  TaskHooks hooks;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& answers) -> Result<void> {
    told = answers.front();
    return {};
  };
  const auto results = evaluateQuestions(model, maps("full"), set, {}, hooks);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->front().truncated, 1);
  EXPECT_THAT(told.asked.context, ::testing::EndsWith("Once upon a"));
  EXPECT_LT(told.asked.context.size(), question.passages[0].text.size());
}

TEST(ChoiceTask, WhatIsKnownIsNotComputedAgain) {
  const auto model = openStories();
  const QuestionSet set = threeChoices();
  KnownAnswers known;
  TaskHooks hooks;
  int told = 0;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& answers) -> Result<void> {
    for (const TaskAnswer& answer : answers) {
      known[{answer.map, answer.question}] = answer;
      ++told;
    }
    return {};
  };
  const auto first = evaluateQuestions(model, maps("full"), set, {}, hooks);
  ASSERT_TRUE(first) << first.error().message;
  hooks.known = &known;
  const auto again = evaluateQuestions(model, maps("full"), set, {}, hooks);
  EXPECT_EQ(told, 3);
  EXPECT_EQ(again->front().metrics, first->front().metrics);
  known.erase({"full", "b"});
  const auto mixed = evaluateQuestions(model, maps("full"), set, {}, hooks);
  EXPECT_EQ(told, 4);
  EXPECT_EQ(mixed->front().metrics, first->front().metrics);
}

TEST(ChoiceTask, WhatCannotBeAskedIsRefusedByName) {
  QuestionSet set = threeChoices();
  set.questions[1].choices.assign(27, "x");
  TaskOptions lettered;
  lettered.ask.prompt = "{{ question }}\n{{ lettered_choices }}\nAnswer:";
  const auto results = evaluateQuestions(openStories(), maps("full"), set, lettered);
  ASSERT_FALSE(results);
  EXPECT_THAT(results.error().message, HasSubstr("question b has more choices than there are letters"));
}

TEST(PairsTask, AValueCountsWhereverItStandsAndPairsAreNeverCut) {
  const QuestionSet set = keyValueQuestions(2, 1, 1);
  const auto refused = evaluateQuestions(openStories(60), maps("full"), set, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("use a longer context or fewer pairs"));
  const auto results = evaluateQuestions(openStories(), maps("full"), set, {});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_FALSE(results->front().metrics.contains("f1"));
  EXPECT_EQ(results->front().metrics.at("acc"), 0);
}

std::string linesOf(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    lines += "{\"question\": \"Who has " + number + "?\", \"answers\": [\"Tom\"], \"ctxs\": [{\"title\": \"T" +
             std::to_string(i / 2) + "\", \"text\": \"Tom has " + number + ".\"}]}\n";
  }
  return lines;
}

TEST(PreparedTask, DrawsExamplesFromOtherArticlesThanThoseAskedAbout) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "a.jsonl";
  writeText(path, linesOf(10));
  EvalConfig config;
  config.model = "m";
  config.task = "nq";
  config.data = path;
  config.limit = 3;  // T0 whole, and half of T1
  config.shots = 4;
  std::set<std::string> drawn;
  for (config.seed = 1; config.seed < 20; ++config.seed) {
    const auto asked = readAsked(config);
    ASSERT_TRUE(asked) << asked.error().message;
    ASSERT_EQ(asked->ask.shots.size(), 4u);
    for (const Question& shot : asked->ask.shots) drawn.insert(shot.group);
  }
  EXPECT_THAT(drawn, ::testing::ElementsAre("T2", "T3", "T4"));
  config.shots = 7;
  EXPECT_EQ(readAsked(config)->ask.shots.size(), 7u) << "where they are needed, the same article's too";
  config.shots = 8;
  EXPECT_THAT(readAsked(config).error().message,
              HasSubstr("only 7 questions with answers are left that are not asked"));
  config.shotsData = folder.path() / "b.jsonl";
  writeText(config.shotsData, linesOf(20));
  const auto fromFile = readAsked(config);
  ASSERT_TRUE(fromFile) << fromFile.error().message;
  for (const Question& shot : fromFile->ask.shots) EXPECT_GT(std::stoi(shot.id), 2) << "asked ones are no examples";
}

TEST(PreparedTask, SaysHowItAsksAndAnswers) {
  const TemporaryFolder folder;
  const auto model = openStories(200);
  EvalConfig config;
  config.model = "m";
  config.task = "nq";
  config.data = folder.path() / "a.jsonl";
  config.limit = 2;
  config.shots = 1;
  writeText(config.data, linesOf(6));
  const auto task = prepareTask(config, model, maps("full"), nullptr);
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->settings["decoding"]["max_tokens"], 32);
  EXPECT_EQ(task->settings["shots"].size(), 1u);
  EXPECT_EQ(task->settings["prompt"], defaultPrompt("nq"));
  const auto results = task->run({});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->front().n, 2);
  EXPECT_TRUE(results->front().metrics.contains("subspan_em"));
  config = {};
  config.model = "m";
  config.task = "nll";
  config.data = folder.path() / "a.txt";
  writeText(config.data, "Once upon a time there was a dog. It ran and ran and ran all day long.");
  EXPECT_EQ(prepareTask(config, model, maps("full"), nullptr)->settings["window"], 200);
  config.window = 8;
  const auto windowed = prepareTask(config, model, maps("full"), nullptr);
  EXPECT_EQ(windowed->settings["window"], 8);
  const auto losses = windowed->run({});
  ASSERT_TRUE(losses) << losses.error().message;
  const auto expected = scoreWindows(
      *model, SharingMap::full(5),
      windowsOf(*model->tokenizer(), "Once upon a time there was a dog. It ran and ran and ran all day long.", 8));
  EXPECT_EQ(losses->front().tokens, expected->tokens);
  EXPECT_NEAR(losses->front().metrics.at("nll"), expected->nll(), 1e-5);
}

}  // namespace
}  // namespace strata
