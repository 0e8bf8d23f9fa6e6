#include "core/evaluation/tasks.h"

#include "core/evaluation/masked_nll.h"
#include "core/model/score.h"
#include "support.h"

namespace strata {
namespace {

using testing::TemporaryFolder;
using testing::writeText;

std::shared_ptr<const Model> openStories(std::int64_t context = 0) {
  OpenOptions options;
  options.path = testing::sourceFolder() / "resources/models/stories260K";
  options.context = context;
  auto model = Model::open(options);
  EXPECT_TRUE(model) << model.error().message;
  return *model;
}

std::vector<NamedMap> maps(const std::string& text) {
  return parseMaps(text, 5).value();
}

SquadData twoQuestions() {
  SquadData data;
  data.questions = {{"a", "Lily has a red ball. She plays in the park.", "What has Lily?", {"a red ball"}},
                    {"b", "Tom has a dog.", "Who has a dog?", {"Tom", "a boy"}}};
  return data;
}

TEST(SquadTask, PromptsAreWordForWord) {
  const SquadQuestion question{"a", "C.", "Q?", {}};
  EXPECT_EQ(squadPrompt(question, "C.", false), "Context: C.\nQuestion: Q?\nAnswer:");
  EXPECT_EQ(squadPrompt(question, "C.", true),
            "Context: C.\nQuestion: Q?\nIf there is no answer, say unanswerable.\nAnswer:");
}

TEST(SquadTask, AnAnswerIsItsTrimmedFirstLine) {
  EXPECT_EQ(squadAnswer("  a red ball \t\nand more", false), "a red ball");
  EXPECT_EQ(squadAnswer("\nlate", false), "");
}

TEST(SquadTask, UnanswerableIsNoAnswerInVersionTwoAlone) {
  EXPECT_EQ(squadAnswer(" Unanswerable.", true), "");
  EXPECT_EQ(squadAnswer(" unanswerable question", true), "unanswerable question");
  EXPECT_EQ(squadAnswer(" Unanswerable.", false), "Unanswerable.");
}

TEST(SquadTask, AnswersThatEqualTheGoldScoreOne) {
  const auto model = openStories();
  SquadData data = twoQuestions();
  TaskHooks hooks;
  hooks.onAnswer = [&](const TaskAnswer& answer) -> Result<void> {
    for (SquadQuestion& question : data.questions) {
      if (question.id == answer.question) question.answers = {answer.answer + " x"};
    }
    return {};
  };
  const SquadData asked = data;
  ASSERT_TRUE(evaluateSquad(model, maps("full"), asked, {}, hooks));
  for (SquadQuestion& question : data.questions)
    question.answers = {question.answers[0].substr(0, question.answers[0].size() - 2)};
  const auto results = evaluateSquad(model, maps("full"), data, {});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_DOUBLE_EQ(*results->front().exact, 1);
  EXPECT_DOUBLE_EQ(*results->front().f1, 1);
  EXPECT_EQ(results->front().n, 2);
}

TEST(SquadTask, TheLossIsThatOfTheGoldAnswersTokens) {
  const auto model = openStories();
  const SquadData data = twoQuestions();
  const auto results = evaluateSquad(model, maps("stride:2"), data, {});
  ASSERT_TRUE(results) << results.error().message;
  double sum = 0;
  std::int64_t tokens = 0;
  const SharingMap map = parseMap("stride:2", 5).value();
  for (const SquadQuestion& question : data.questions) {
    const Tokenizer& tokenizer = *model->tokenizer();
    std::vector<TokenId> prompt =
        tokenizer.withSpecials(tokenizer.encode(squadPrompt(question, question.context, false)));
    std::vector<TokenId> all = prompt;
    for (const TokenId id :
         encodePair(tokenizer, squadPrompt(question, question.context, false), " " + question.answers[0]).completion)
      all.push_back(id);
    sum += scoreWindows(*model, map, {all})->nllSum -
           scoreWindows(*model, map, {prompt})->nllSum;  // causal: the rest is the answer's
    tokens += static_cast<std::int64_t>(all.size() - prompt.size());
  }
  EXPECT_EQ(results->front().tokens, tokens);
  EXPECT_NEAR(results->front().nll, sum / static_cast<double>(tokens), 1e-4);
}

TEST(SquadTask, ALongPassageLosesItsEndAndIsCounted) {
  const auto model = openStories(120);
  SquadData data = twoQuestions();
  for (int i = 0; i < 50; ++i) data.questions[0].context += " She saw a big dog.";
  const auto results = evaluateSquad(model, maps("full"), data, {});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->front().truncated, 1);
}

TEST(SquadTask, AQuestionThatNeverFitsIsNamed) {
  const auto results = evaluateSquad(openStories(40), maps("full"), twoQuestions(), {});
  ASSERT_FALSE(results);
  EXPECT_NE(results.error().message.find("question a"), std::string::npos) << results.error().message;
}

TEST(SquadTask, ALimitTakesTheFirstQuestionsAndACancelEnds) {
  const auto model = openStories();
  EXPECT_EQ(evaluateSquad(model, maps("full"), twoQuestions(), {.limit = 1})->front().n, 1);
  const std::atomic<bool> cancel{true};
  TaskHooks hooks;
  hooks.cancel = &cancel;
  EXPECT_EQ(evaluateSquad(model, maps("full"), twoQuestions(), {}, hooks).error().code, ErrorCode::cancelled);
}

TEST(NllTask, TextIsScoredInTheWindowsOfScoring) {
  const TemporaryFolder folder;
  const std::string first = "Once upon a time, there was a dog. The dog liked to run.",
                    second = "One day it was sunny.";
  writeText(folder.path() / "a.txt", first + "\n<|endoftext|>\n" + second);
  const auto model = openStories(12);
  std::vector<std::vector<TokenId>> windows;
  for (const std::string& text : {first, second}) {
    for (auto& window : windowsOf(*model->tokenizer(), text, 12)) windows.push_back(window);
  }
  const auto results = evaluateNll(*model, maps("full;stride:2"), folder.path() / "a.txt", {});
  ASSERT_TRUE(results) << results.error().message;
  for (const TaskResult& result : *results) {
    const auto expected = scoreWindows(*model, result.src, windows);
    EXPECT_EQ(result.tokens, expected->tokens);
    EXPECT_NEAR(result.nll, expected->nll(), 1e-5) << result.map;
  }
  EXPECT_EQ((*results)[0].n, 2);
  EXPECT_EQ((*results)[1].kvBytesPerToken * 5, (*results)[0].kvBytesPerToken * 3);
}

TEST(NllTask, OfPromptsAndCompletionsOnlyCompletionsCount) {
  const TemporaryFolder folder;
  writeText(folder.path() / "a.jsonl",
            "{\"prompt\": \"Once upon a\", \"completion\": \" time\"}\n{\"prompt\": \"The dog\", \"completion\": \" "
            "ran away fast\"}\n");
  const auto model = openStories();
  const Tokenizer& tokenizer = *model->tokenizer();
  double sum = 0;
  std::int64_t tokens = 0;
  for (const auto& [prompt, completion] : {std::pair{"Once upon a", " time"}, std::pair{"The dog", " ran away fast"}}) {
    const std::vector<TokenId> begin = tokenizer.withSpecials(tokenizer.encode(prompt));
    std::vector<TokenId> all = begin;
    for (const TokenId id : encodePair(tokenizer, prompt, completion).completion) all.push_back(id);
    all.push_back(*tokenizer.eosId());
    const SharingMap full = SharingMap::full(5);
    sum += scoreWindows(*model, full, {all})->nllSum - scoreWindows(*model, full, {begin})->nllSum;
    tokens += static_cast<std::int64_t>(all.size() - begin.size());
  }
  const auto results = evaluateNll(*model, maps("full"), folder.path() / "a.jsonl", {});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->front().tokens, tokens);
  EXPECT_NEAR(results->front().nll, sum / static_cast<double>(tokens), 1e-4);
}

TEST(MaskedNll, BatchesOfUnequalRowsEqualRowsOneByOne) {
  const auto model = openStories();
  std::vector<ScoredRow> rows;
  for (std::size_t length : {2, 30, 7, 100, 3}) {
    ScoredRow row;
    for (std::size_t i = 0; i < length; ++i) row.ids.push_back(static_cast<TokenId>(1 + (i * 37 + length) % 500));
    row.predicted.assign(length, true);
    rows.push_back(row);
  }
  const NamedMap map = maps("even:2").front();
  double sum = 0;
  for (const ScoredRow& row : rows) sum += scoreWindows(*model, map.map, {row.ids})->nllSum;
  const auto together = sumNll(*model, map, rows, {});
  ASSERT_TRUE(together) << together.error().message;
  EXPECT_EQ(together->tokens, 137);
  EXPECT_NEAR(together->sum, sum, 1e-3);
}

}  // namespace
}  // namespace strata
