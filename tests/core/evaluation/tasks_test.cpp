#include "core/evaluation/tasks.h"

#include "core/config/eval_config.h"
#include "core/evaluation/masked_nll.h"
#include "core/evaluation/question_rules.h"
#include "core/model/score.h"
#include "stories.h"
#include "support.h"

namespace strata {
namespace {

using testing::TemporaryFolder;
using testing::writeText;

Question questionOf(const std::string& id, const std::vector<Passage>& passages, const std::string& text,
                    const std::vector<std::string>& answers) {
  Question question;
  question.id = id;
  question.passages = passages;
  question.question = text;
  question.answers = answers;
  question.answerable = !answers.empty();
  if (question.answerable) question.target = answers.front();
  return question;
}

QuestionSet twoQuestions() {
  QuestionSet data;
  data.questions = {
      questionOf("a", {{"", "Lily has a red ball. She plays in the park."}}, "What has Lily?", {"a red ball"}),
      questionOf("b", {{"", "Tom has a dog."}}, "Who has a dog?", {"Tom", "a boy"})};
  return data;
}

std::string promptOf(const QuestionSet& set, const Question& question) {
  return QuestionTask(set).promptOf(question).whole();
}

TEST(QuestionTask, PromptsAreWordForWord) {
  const Question squad = questionOf("a", {{"", "C."}}, "Q?", {});
  EXPECT_EQ(promptOf(setOf(QaFormat::squad), squad), "Context: C.\nQuestion: Q?\nAnswer:");
  EXPECT_EQ(promptOf(setOf(QaFormat::squad, true), squad),
            "Context: C.\nQuestion: Q?\nIf there is no answer, say unanswerable.\nAnswer:");
  const Question hotpot = questionOf("a", {{"T", "One. Two."}, {"U", "Three."}}, "Q?", {"x"});
  EXPECT_EQ(promptOf(setOf(QaFormat::hotpotQa), hotpot),
            "Passages:\n[1] T: One. Two.\n[2] U: Three.\nQuestion: Q?\nAnswer:");
  EXPECT_EQ(promptOf(setOf(QaFormat::triviaQa), questionOf("a", {}, "Q?", {"x"})), "Question: Q?\nAnswer:");
  EXPECT_EQ(promptOf(setOf(QaFormat::msMarco, true), questionOf("a", {{"", "P."}, {"", "R."}}, "q", {"x"})),
            "Passages:\n[1] P.\n[2] R.\nQuestion: q\nIf there is no answer, say No Answer Present.\nAnswer:");
}

TEST(QuestionTask, AnAnswerIsItsTrimmedFirstLine) {
  const QuestionTask task(setOf(QaFormat::hotpotQa));
  EXPECT_EQ(task.readAnswer("  a red ball \t\nand more"), "a red ball");
  EXPECT_EQ(task.readAnswer("\nlate"), "");
}

TEST(QuestionTask, SayingThatThereIsNoAnswerGivesNoneWhereTheDataMayLackOne) {
  const QuestionTask squad(setOf(QaFormat::squad, true)), marco(setOf(QaFormat::msMarco, true));
  EXPECT_EQ(squad.readAnswer(" Unanswerable."), "");
  EXPECT_EQ(squad.readAnswer(" unanswerable question"), "unanswerable question");
  EXPECT_EQ(QuestionTask(setOf(QaFormat::squad)).readAnswer(" Unanswerable."), "Unanswerable.");
  EXPECT_EQ(marco.readAnswer(" no answer present"), "");
}

TEST(QuestionTask, TheLossIsOnTheAnswerInTheDatasWords) {
  Question trivia = questionOf("a", {}, "Q?", {"sun"});
  trivia.target = "The Sun";
  EXPECT_EQ(QuestionTask(setOf(QaFormat::triviaQa)).targetOf(trivia), "The Sun");
  EXPECT_EQ(QuestionTask(setOf(QaFormat::squad, true)).targetOf(questionOf("a", {}, "Q?", {})), "unanswerable");
  EXPECT_EQ(QuestionTask(setOf(QaFormat::msMarco, true)).targetOf(questionOf("a", {}, "Q?", {})), "No Answer Present.");
}

TEST(QuestionTask, EachDataSetScoresByItsOwnRules) {
  const Question question = questionOf("a", {}, "Q?", {"yes"});
  EXPECT_EQ(QuestionTask(setOf(QaFormat::hotpotQa)).score("yes sir", question).f1, 0);
  EXPECT_GT(QuestionTask(setOf(QaFormat::squad)).score("yes sir", question).f1, 0);
  const Question rock = questionOf("a", {}, "Q?", {"rock n roll"});
  EXPECT_EQ(QuestionTask(setOf(QaFormat::triviaQa)).score("Rock-n-Roll", rock).exact, 1);
  EXPECT_EQ(QuestionTask(setOf(QaFormat::squad)).score("Rock-n-Roll", rock).exact, 0);
}

TEST(QuestionTask, AnswersThatEqualTheGoldScoreOne) {
  const auto model = openStories();
  QuestionSet data = twoQuestions();
  TaskHooks hooks;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& answers) -> Result<void> {
    for (const TaskAnswer& answer : answers) {
      for (Question& question : data.questions) {
        if (question.id == answer.question) question.answers = {answer.answer + " x"};
      }
    }
    return {};
  };
  const QuestionSet asked = data;
  ASSERT_TRUE(evaluateQuestions(model, maps("full"), asked, {}, hooks));
  for (Question& question : data.questions)
    question.answers = {question.answers[0].substr(0, question.answers[0].size() - 2)};
  const auto results = evaluateQuestions(model, maps("full"), data, {});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_DOUBLE_EQ(results->front().metrics.at("em"), 1);
  EXPECT_DOUBLE_EQ(results->front().metrics.at("f1"), 1);
  EXPECT_EQ(results->front().n, 2);
}

TEST(QuestionTask, TheLossIsThatOfTheGoldAnswersTokens) {
  const auto model = openStories();
  const QuestionSet data = twoQuestions();
  const auto results = evaluateQuestions(model, maps("stride:2"), data, {});
  ASSERT_TRUE(results) << results.error().message;
  double sum = 0;
  std::int64_t tokens = 0;
  const SharingMap map = parseMap("stride:2", 5).value();
  for (const Question& question : data.questions) {
    const Tokenizer& tokenizer = *model->tokenizer();
    std::vector<TokenId> prompt = tokenizer.withSpecials(tokenizer.encode(promptOf(data, question)));
    std::vector<TokenId> all = prompt;
    for (const TokenId id : encodePair(tokenizer, promptOf(data, question), " " + question.answers[0]).completion)
      all.push_back(id);
    sum += scoreWindows(*model, map, {all})->nllSum -
           scoreWindows(*model, map, {prompt})->nllSum;  // causal: the rest is the answer's
    tokens += static_cast<std::int64_t>(all.size() - prompt.size());
  }
  EXPECT_EQ(results->front().tokens, tokens);
  EXPECT_NEAR(results->front().metrics.at("nll"), sum / static_cast<double>(tokens), 1e-4);
}

TEST(QuestionTask, ALongPassageLosesItsEndAndIsCounted) {
  const auto model = openStories(120);
  QuestionSet data = twoQuestions();
  for (int i = 0; i < 50; ++i) data.questions[0].passages[0].text += " She saw a big dog.";
  const auto results = evaluateQuestions(model, maps("full"), data, {});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->front().truncated, 1);
}

TEST(QuestionTask, AQuestionThatNeverFitsIsNamed) {
  const auto results = evaluateQuestions(openStories(40), maps("full"), twoQuestions(), {});
  ASSERT_FALSE(results);
  EXPECT_NE(results.error().message.find("question a"), std::string::npos) << results.error().message;
}

TEST(QuestionTask, ALimitTakesTheFirstQuestionsAndACancelEnds) {
  const auto model = openStories();
  EXPECT_EQ(evaluateQuestions(model, maps("full"), twoQuestions(), {.limit = 1})->front().n, 1);
  const std::atomic<bool> cancel{true};
  TaskHooks hooks;
  hooks.cancel = &cancel;
  EXPECT_EQ(evaluateQuestions(model, maps("full"), twoQuestions(), {}, hooks).error().code, ErrorCode::cancelled);
}

TEST(QuestionTask, OfManyPassagesTheLastLoseTheirEnd) {
  const auto model = openStories(160);
  QuestionSet data = setOf(QaFormat::hotpotQa);
  std::vector<Passage> passages;
  for (int i = 0; i < 10; ++i) passages.push_back({"Story", "Tom has a big dog. The dog likes to run and play."});
  data.questions = {questionOf("a", passages, "Who has a dog?", {"Tom"}), questionOf("b", {}, "Who is it?", {"Tim"})};
  const auto results = evaluateQuestions(model, maps("full"), data, {});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->front().truncated, 1);
  EXPECT_EQ(results->front().n, 2);
  EXPECT_FALSE(results->front().metrics.contains("rouge_l"));
}

TEST(QuestionTask, LongAnswersHaveRougeAndBleuOverTheQuestionsWithAnAnswer) {
  const auto model = openStories();
  QuestionSet data = setOf(QaFormat::msMarco, true);
  data.questions = {questionOf("a", {{"", "Tom has a big dog."}}, "who has a dog", {"Tom has a big dog."}),
                    questionOf("b", {{"", "Lily likes to play."}}, "who is it", {}),
                    questionOf("c", {{"", "It was a sunny day."}}, "what day was it", {})};
  data.questions[2].answerable = true;  // nobody knows
  std::vector<TaskAnswer> answers;
  TaskHooks hooks;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& some) -> Result<void> {
    answers.insert(answers.end(), some.begin(), some.end());
    return {};
  };
  const auto results = evaluateQuestions(model, maps("full"), data, {}, hooks);
  ASSERT_TRUE(results) << results.error().message;
  const TaskResult& result = results->front();
  EXPECT_EQ(result.n, 2);
  ASSERT_EQ(answers.size(), 2u);
  ASSERT_TRUE(result.metrics.contains("bleu_1") && result.metrics.contains("answerable_f1"));
  EXPECT_DOUBLE_EQ(result.metrics.at("rouge_l"), answers[0].scores.at("rouge_l"));
  EXPECT_DOUBLE_EQ(result.metrics.at("f1"), answers[0].scores.at("f1"));
  EXPECT_FALSE(answers[1].scores.contains("rouge_l"));
}

TEST(QuestionTask, AnswersWithoutTheirQuestionsAreRefused) {
  QuestionSet data = setOf(QaFormat::msMarco, true);
  data.questions = {questionOf("7", {}, "", {"x"})};
  const auto results = evaluateQuestions(openStories(), maps("full"), data, {});
  ASSERT_FALSE(results);
  EXPECT_NE(results.error().message.find("no text of questions"), std::string::npos) << results.error().message;
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
    EXPECT_NEAR(result.metrics.at("nll"), expected->nll(), 1e-5) << result.map;
  }
  EXPECT_EQ((*results)[0].n, 2);
  EXPECT_EQ((*results)[1].kvBytesPerToken * 5, (*results)[0].kvBytesPerToken * 3);
}

TEST(NllTask, EachDocumentHasItsOwnLossAndTheyAddUp) {
  const TemporaryFolder folder;
  const std::string first = "Once upon a time, there was a dog. The dog liked to run.",
                    second = "One day it was sunny.";
  writeText(folder.path() / "a.txt", first + "\n<|endoftext|>\n" + second);
  const auto model = openStories(12);
  std::vector<TaskAnswer> told;
  TaskHooks hooks;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& some) -> Result<void> {
    told.insert(told.end(), some.begin(), some.end());
    return {};
  };
  const auto results = evaluateNll(*model, maps("stride:2"), folder.path() / "a.txt", {}, hooks);
  ASSERT_TRUE(results) << results.error().message;
  ASSERT_EQ(told.size(), 2u);
  std::sort(told.begin(), told.end(), [](const auto& a, const auto& b) { return a.question < b.question; });
  double sum = 0;
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].question, std::to_string(i + 1));
    const auto windows = windowsOf(*model->tokenizer(), i == 0 ? first : second, 12);
    const auto alone = scoreWindows(*model, results->front().src, windows);
    EXPECT_EQ(told[i].scores.at("tokens"), static_cast<double>(alone->tokens));
    EXPECT_NEAR(told[i].scores.at("nll"), alone->nll(), 1e-5);
    sum += told[i].scores.at("nll") * told[i].scores.at("tokens");
  }
  EXPECT_NEAR(sum / static_cast<double>(results->front().tokens), results->front().metrics.at("nll"), 1e-9);
}

TEST(EvalTasks, AreThoseThatTheConfigurationOffers) {
  std::vector<std::string> offered, known;
  for (const Choice& choice : kTaskChoices) {
    if (*choice.value != '\0') offered.emplace_back(choice.value);
  }
  for (const EvalTask& task : evalTasks()) known.emplace_back(task.name);
  EXPECT_EQ(known, offered);
  EXPECT_EQ(findEvalTask("dance"), nullptr);
}

TEST(NllTask, BrokenAndEmptyTextsAreLeftOutAsInTraining) {
  const TemporaryFolder folder;
  const auto model = openStories();
  const auto evaluated = [&](const std::string& lines) {
    writeText(folder.path() / "a.jsonl", lines);
    return evaluateNll(*model, maps("full"), folder.path() / "a.jsonl", {});
  };
  std::string good;
  for (int i = 0; i < 20; ++i) good += "{\"text\": \"Once upon a time " + std::to_string(i) + "\"}\n";
  const auto clean = evaluated(good);
  ASSERT_TRUE(clean) << clean.error().message;
  const auto mixed =
      evaluated("{\"text\": \n{\"text\": \"\"}\n" + good + "{\"prompt\": \"a\", \"completion\": \"b\"}\n");
  ASSERT_TRUE(mixed) << mixed.error().message;
  EXPECT_EQ(mixed->front().n, 20);
  EXPECT_EQ(mixed->front().tokens, clean->front().tokens);
  EXPECT_DOUBLE_EQ(mixed->front().metrics.at("nll"), clean->front().metrics.at("nll"));
  const auto refused = evaluated(good + "{\n{\n{\n{\n");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("Broken are 4 of 24 records"), std::string::npos) << refused.error().message;
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
  EXPECT_NEAR(results->front().metrics.at("nll"), sum / static_cast<double>(tokens), 1e-4);
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
  const auto together = sumNll(*model, map.map, rows);
  ASSERT_TRUE(together) << together.error().message;
  ASSERT_EQ(together->size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto alone = scoreWindows(*model, map.map, {rows[i].ids});
    EXPECT_EQ((*together)[i].tokens, alone->tokens);
    EXPECT_NEAR((*together)[i].sum, alone->nllSum, 1e-3);
  }
}

}  // namespace
}  // namespace strata
