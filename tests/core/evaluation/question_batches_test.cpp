#include "core/evaluation/question_batches.h"

#include <algorithm>
#include <set>

#include "core/evaluation/tasks.h"
#include "core/model/generate.h"
#include "core/model/score.h"
#include "support.h"

namespace strata {
namespace {

std::shared_ptr<const Model> storyModel() {
  OpenOptions options;
  options.path = testing::sourceFolder() / "resources/models/stories260K";
  return Model::open(options).value();
}

/// What questions about three stories come to: five, four and one of them, behind long passages.
struct Asked {
  std::vector<Question> questions;
  std::vector<PreparedQuestion> prepared;

  explicit Asked(const Model& model) {
    const std::vector<std::pair<std::string, int>> stories = {
        {"One day a girl named Lily went to the park with her mom. She saw a big red ball under a tree. ", 5},
        {"Tom had a small dog. The dog liked to run in the garden and to sleep in the sun all day. ", 4},
        {"The moon was full. ", 1}};
    for (const auto& [story, count] : stories) {
      for (int i = 0; i < count; ++i) {
        Question question;
        question.id = "q" + std::to_string(questions.size());
        question.question = std::string(static_cast<std::size_t>(1 + 3 * i), 'w') + "hat did they see?";
        question.answers = {i % 2 == 0 ? "a ball" : "the sun and the moon"};
        questions.push_back(question);
      }
    }
    std::size_t at = 0;
    for (const auto& [story, count] : stories) {
      for (int i = 0; i < count; ++i, ++at) {
        const Question& question = questions[at];
        const Tokenizer& tokenizer = *model.tokenizer();
        const std::string prompt = story + story + "\nQuestion: " + question.question + "\nAnswer:";
        prepared.push_back({&question, tokenizer.withSpecials(tokenizer.encode(prompt)),
                            tokenizer.encode(" " + question.answers.front()), story});
      }
    }
  }
};

TEST(QuestionBatches, ThePassageOfSeveralQuestionsIsSharedAndTheRestGoesByLength) {
  const auto model = storyModel();
  const Asked asked(*model);
  const auto batches = planBatches(asked.prepared, {.answerTokens = 8, .bytesPerToken = 1});
  ASSERT_EQ(batches.size(), 1u);
  std::vector<std::size_t> sizes;
  for (const PromptGroup& group : batches[0].groups) {
    sizes.push_back(group.questions.size());
    EXPECT_EQ(group.shared > 0, group.questions.size() > 1);
    for (const std::size_t at : group.questions) {
      const auto& prompt = asked.prepared[at].prompt;
      EXPECT_LT(group.shared, prompt.size()) << "each has something of its own";
      EXPECT_TRUE(std::equal(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(group.shared),
                             asked.prepared[group.questions[0]].prompt.begin()));
    }
  }
  std::sort(sizes.begin(), sizes.end());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 4, 5}));
}

TEST(QuestionBatches, ABatchTakesNoMoreMemoryThanItMay) {
  const auto model = storyModel();
  const Asked asked(*model);
  std::size_t longest = 0;
  for (const PreparedQuestion& each : asked.prepared) longest = std::max(longest, each.prompt.size());
  const auto room = static_cast<std::int64_t>(2 * (longest + 8));
  const auto batches = planBatches(asked.prepared, {.answerTokens = 8, .bytesPerToken = 1, .cacheBytes = room});
  std::size_t all = 0;
  for (const QuestionBatch& batch : batches) {
    EXPECT_LE(batch.questions().size(), 2u);
    all += batch.questions().size();
  }
  EXPECT_EQ(all, asked.prepared.size()) << "each is asked once";
}

TEST(QuestionBatches, AnswersAndLossesAreThoseOfOneQuestionAtATime) {
  const auto model = storyModel();
  const Asked asked(*model);
  for (const char* text : {"full", "stride:2", "0,1,1,0,1"}) {
    SCOPED_TRACE(text);
    const SharingMap map = parseMap(text, 5).value();
    const auto batch = planBatches(asked.prepared, {.answerTokens = 8, .bytesPerToken = 1}).front();
    const auto outcomes = answerBatch(model, map, asked.prepared, batch, 8, {});
    ASSERT_TRUE(outcomes) << outcomes.error().message;
    const std::vector<std::size_t> order = batch.questions();
    ASSERT_EQ(outcomes->size(), order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      const PreparedQuestion& one = asked.prepared[order[i]];
      GenerateConfig config;
      config.maxTokens = 8;
      GenerateHooks hooks;
      hooks.stopWhen = [](const std::string& said) { return said.find('\n') != std::string::npos; };
      const auto alone = generate(model, map, {one.prompt}, config, hooks);
      EXPECT_EQ((*outcomes)[i].text, alone->answers.front().text);
      ScoredRow row{one.prompt, std::vector<bool>(one.prompt.size(), false)};
      row.ids.insert(row.ids.end(), one.gold.begin(), one.gold.end());
      row.predicted.resize(row.ids.size(), true);
      const NllSum gold = sumNll(*model, map, {row}).value().front();
      EXPECT_EQ((*outcomes)[i].gold.tokens, gold.tokens);
      EXPECT_NEAR((*outcomes)[i].gold.sum, gold.sum, 1e-4);
    }
  }
}

TEST(QuestionBatches, WhatAnEarlierStartFoundIsNotAskedAgainAndTheRestIsBitForBitTheSame) {
  const auto model = storyModel();
  QuestionSet data;
  data.questions = Asked(*model).questions;
  for (Question& each : data.questions) {
    each.answerable = true;
    each.target = each.answers.front();
    each.passages = {{"", "One day a girl named Lily went to the park with her mom. She saw a big red ball."}};
  }
  for (int i = 0; i < 30; ++i) {
    Question more = data.questions[static_cast<std::size_t>(i % 10)];
    more.id = "more" + std::to_string(i);
    more.passages[0].text += " And again " + std::to_string(i / 3) + " times.";
    data.questions.push_back(more);
  }
  const std::vector<NamedMap> maps = parseMaps("full;stride:2", 5).value();
  std::vector<std::vector<TaskAnswer>> told;
  TaskHooks hooks;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& some) -> Result<void> {
    told.push_back(some);
    return {};
  };
  const auto whole = evaluateQuestions(model, maps, data, {}, hooks);
  ASSERT_TRUE(whole) << whole.error().message;
  ASSERT_GE(told.size(), 4u) << "several batches";

  KnownAnswers known;
  const std::size_t kept = told.size() / 2;
  for (std::size_t i = 0; i < kept; ++i) {
    for (const TaskAnswer& each : told[i]) known[{each.map, each.question}] = each;
  }
  std::set<std::pair<std::string, std::string>> again;
  hooks.known = &known;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& some) -> Result<void> {
    for (const TaskAnswer& each : some) {
      EXPECT_FALSE(known.contains({each.map, each.question})) << "told twice";
      EXPECT_TRUE(again.insert({each.map, each.question}).second) << "told twice";
    }
    return {};
  };
  const auto resumed = evaluateQuestions(model, maps, data, {}, hooks);
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_EQ(again.size() + known.size(), 2 * data.questions.size());
  for (std::size_t m = 0; m < maps.size(); ++m) EXPECT_EQ((*resumed)[m].metrics, (*whole)[m].metrics);
}

}  // namespace
}  // namespace strata
