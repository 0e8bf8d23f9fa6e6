// A run's metrics and progress as another process reads them.

#include "core/project/run_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support.h"

namespace strata {
namespace {

using strata::testing::TemporaryFolder;
using ::testing::ElementsAre;

struct Readers : ::testing::Test {
  TemporaryFolder temporary;
  RunDatabase database = *RunDatabase::open(temporary.path());
  RunReader open(std::int64_t from = 0) const { return std::move(*RunReader::open(temporary.path(), from)); }
  void add(std::int64_t step, const char* name, double value) { ASSERT_TRUE(database.addMetric({step, name, value})); }
};

TEST_F(Readers, GiveEachMetricOnceAndThenNothing) {
  for (int step = 1; step <= 10; ++step) {
    add(step, "loss", 1.0 / step);
    add(step, "lr", step);
  }
  ASSERT_TRUE(database.flush());
  RunReader reader = open();
  const auto first = reader.next(8);
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_EQ(first->size(), 2u);
  EXPECT_THAT(first->front().step, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(first->back().value, ElementsAre(1, 2, 3, 4));
  std::size_t count = 8;
  for (auto more = reader.next(8); !more->empty(); more = reader.next(8)) {
    for (const MetricPoints& points : *more) count += points.step.size();
  }
  EXPECT_EQ(count, 20u);
  ASSERT_TRUE(database.addMetric({11, "loss", .05, 300, 2.5}));
  ASSERT_TRUE(database.flush());
  const auto later = reader.next(100);
  ASSERT_EQ(later->size(), 1u);
  EXPECT_EQ(later->front().name, "loss");
  EXPECT_THAT(later->front().step, ElementsAre(11));
  EXPECT_THAT(later->front().tokens, ElementsAre(300));
  EXPECT_THAT(later->front().seconds, ElementsAre(2.5));
  EXPECT_THAT(later->front().value, ElementsAre(.05));
  EXPECT_EQ(open(8).next(100)->front().step.front(), 8);
}

TEST_F(Readers, FollowARunThatWentBackBehindACheckpoint) {
  for (int step = 1; step <= 10; ++step) add(step, "loss", 1);
  ASSERT_TRUE(database.flush());
  RunReader reader = open();
  EXPECT_EQ(reader.next(100)->front().step.size(), 10u);
  ASSERT_TRUE(database.deleteAfter(5));
  EXPECT_TRUE(reader.next(100)->empty());
  add(6, "loss", 2);
  ASSERT_TRUE(database.flush());
  const auto again = reader.next(100);
  ASSERT_EQ(again->size(), 1u);
  EXPECT_THAT(again->front().step, ElementsAre(6));
}

TEST_F(Readers, FollowARunThatWentBackBehindTheStepTheyBeganAt) {
  for (int step = 1; step <= 10; ++step) add(step, "loss", step);
  ASSERT_TRUE(database.flush());
  RunReader reader = open(10);
  EXPECT_THAT(reader.next(100)->front().step, ElementsAre(10));
  ASSERT_TRUE(database.deleteAfter(5));
  EXPECT_TRUE(reader.next(100)->empty());
  add(6, "loss", 60);
  ASSERT_TRUE(database.flush());
  const auto again = reader.next(100);
  ASSERT_EQ(again->size(), 1u);
  EXPECT_THAT(again->front().step, ElementsAre(6));
  EXPECT_THAT(again->front().value, ElementsAre(60));
}

TEST_F(Readers, KnowHowFarATrainingIs) {
  RunInfo run;
  run.kind = "train";
  run.config = {{"steps", 100}, {"batch", 4}, {"length", 50}};
  EXPECT_EQ(open().progress(run)->secondsLeft(), -1);
  for (int step = 1; step <= 20; ++step) {
    add(step, "loss", step);
    add(step, "tokens_s", 100);
  }
  ASSERT_TRUE(database.flush());
  const auto progress = open().progress(run);
  ASSERT_TRUE(progress) << progress.error().message;
  EXPECT_EQ(progress->step, 20);
  EXPECT_EQ(progress->steps, 100);
  EXPECT_EQ(progress->loss, 20.0);
  EXPECT_DOUBLE_EQ(progress->stepSeconds, 2);
  EXPECT_DOUBLE_EQ(progress->secondsLeft(), 160);
}

TEST_F(Readers, TakeAStepsTimeFromTheStepsThemselvesWhereTheyTellIt) {
  RunInfo run;
  run.kind = "train";
  run.config = {{"steps", 100}, {"batch", 4}, {"length", 50}};
  for (int step = 1; step <= 20; ++step) {
    add(step, "loss", step);
    add(step, "tokens_s", 7);  // trained ones: padding and prompts are not in it
    add(step, "step_s", 3);
  }
  ASSERT_TRUE(database.flush());
  EXPECT_DOUBLE_EQ(open().progress(run)->stepSeconds, 3);
}

TEST_F(Readers, KnowHowFarAnEvaluationIs) {
  RunInfo run;
  run.kind = "eval";
  add(10, "done", 40);
  add(10, "seconds", 5);
  ASSERT_TRUE(database.flush());
  const auto progress = open().progress(run);
  EXPECT_EQ(progress->step, 10);
  EXPECT_EQ(progress->steps, 40);
  EXPECT_DOUBLE_EQ(progress->secondsLeft(), 15);
  EXPECT_EQ(progress->loss, std::nullopt);
}

TEST_F(Readers, KnowHowLongARunTookAndTheBestOfEachScore) {
  RunInfo run;
  run.kind = "train";
  const double losses[] = {3, 1, std::nan(""), 2};
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(database.addMetric({i + 1, "loss", 1, 10 * (i + 1), 1.5 * (i + 1)}));
    add(i + 1, "nll/full", losses[i]);
    add(i + 1, "f1/full", losses[i]);
  }
  add(1, "nll/stride:2", std::nan(""));
  for (const char* bound : {"f1_low/full", "f1_high/full"}) add(1, bound, 1);
  add(1, "answer_nll/full", 2);
  add(2, "answer_nll/full", 4);
  ASSERT_TRUE(database.flush());
  const auto progress = open().progress(run);
  ASSERT_TRUE(progress) << progress.error().message;
  EXPECT_DOUBLE_EQ(progress->seconds, 6);
  const std::map<std::string, double> best = {{"answer_nll/full", 2}, {"f1/full", 3}, {"nll/full", 1}};
  EXPECT_EQ(progress->best, best);
}

TEST_F(Readers, GiveAnswersByPagesWithAllTheirScores) {
  for (const char* id : {"q3", "q1", "q2"}) {
    ASSERT_TRUE(database.addAnswer(
        {"full",
         id,
         std::string("answer of ") + id,
         {{"em", 1}, {"rouge_l", .5}},
         {std::string("What is ") + id + "?", "this", "A passage.", "An article", {"this", "that"}, false}}));
  }
  ASSERT_TRUE(database.addAnswer({"stride:2", "q1", "another", {}, {}}));
  ASSERT_TRUE(database.flush());
  const RunReader reader = open();
  EXPECT_THAT(*reader.answerMaps(), ElementsAre("full", "stride:2"));
  EXPECT_EQ(*reader.answerCount("full"), 3);
  const auto page = reader.answers("full", 1, 5);
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->size(), 2u);
  EXPECT_EQ(page->front().question, "q2");
  EXPECT_EQ(page->front().answer, "answer of q2");
  EXPECT_EQ(page->front().asked.text, "What is q2?");
  EXPECT_EQ(page->front().asked.cluster, "An article");
  EXPECT_FALSE(page->front().asked.answerable);
  EXPECT_TRUE(page->front().asked.context.empty()) << "asked for by itself";
  EXPECT_EQ(page->front().asked.expected, "this");
  const std::map<std::string, double> scores = {{"em", 1}, {"rouge_l", .5}};
  EXPECT_EQ(page->back().scores, scores);
  EXPECT_TRUE(reader.answers("full", 3, 5)->empty());
  const auto whole = reader.question("q2");
  ASSERT_TRUE(whole && *whole) << "one question whole";
  EXPECT_EQ((*whole)->context, "A passage.");
  EXPECT_THAT((*whole)->references, ElementsAre("this", "that"));
  EXPECT_FALSE(*reader.question("q9"));
}

TEST_F(Readers, GiveTheAnswersFromAStepOn) {
  ASSERT_TRUE(database.addAnswer({"full", "q1", "early", {}, {"Why?", "so"}, 20}));
  ASSERT_TRUE(database.addAnswer({"full", "q2", "early", {}, {"How?", "so"}, 20}));
  ASSERT_TRUE(database.addAnswer({"full", "q2", "late", {}, {"How?", "so"}, 40}));
  ASSERT_TRUE(database.flush());
  const RunReader reader = open();
  EXPECT_EQ(*reader.answerCount("full"), 2) << "the newest of each question";
  EXPECT_EQ(*reader.answerCount("full", 21), 1);
  const auto late = reader.answers("full", 0, 5, 21);
  ASSERT_EQ(late->size(), 1u);
  EXPECT_EQ(late->front().answer, "late");
  EXPECT_EQ(late->front().step, 40);
  ASSERT_TRUE(database.deleteAfter(30));
  EXPECT_EQ(*open().answerCount("full"), 1) << "a run that goes back asks again";
}

TEST_F(Readers, AreFastBesideAMillionMetrics) {
  ASSERT_TRUE(database.flush());
  auto raw = Database::open({temporary.path(), "run.sqlite"}, Database::Mode::write);
  ASSERT_TRUE(raw->execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 200000)"
      " INSERT INTO metrics(step, name, value) SELECT i, 'loss', i FROM n UNION ALL SELECT i, 'lr', i FROM n"));
  const auto secondsOf = [&](int from, int steps) {
    double least = std::numeric_limits<double>::infinity();
    for (int round = 0; round < 5; ++round) {
      RunReader reader = open(from);
      const auto started = std::chrono::steady_clock::now();
      EXPECT_EQ(reader.next(2 * steps)->back().step.size(), static_cast<std::size_t>(steps));
      least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    }
    return least;
  };
  EXPECT_LT(secondsOf(200000, 1), secondsOf(1, 10'000));  // two points are read, not searched for
}

TEST(RunReader, SaysThatARunHasNoMetricsYet) {
  const TemporaryFolder temporary;
  const auto reader = RunReader::open(temporary.path());
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::notFound);
  EXPECT_FALSE(std::filesystem::exists(temporary.path() / "run.sqlite"));
  strata::testing::writeText(temporary.path() / "run.sqlite", "");  // its process has just begun
  EXPECT_EQ(RunReader::open(temporary.path()).error().code, ErrorCode::notFound);
}

}  // namespace
}  // namespace strata
