#include "core/report/paired_result.h"

#include <gmock/gmock.h>

#include "core/metrics/significance.h"
#include "core/report/numbers.h"
#include "evaluation_fixture.h"

namespace strata {
namespace {

using testing::EvaluatedProject;
using testing::GivenAnswer;
using ::testing::HasSubstr;

EvaluatedAnswers scoresOf(const std::vector<GivenAnswer>& answers, const std::string& task = "squad") {
  EvaluatedAnswers scores{task, {}};
  for (const GivenAnswer& each : answers) {
    RunAnswer answer{"full", each.id, each.answer, {{"f1", each.f1}, {"em", each.em}}, {}};
    answer.asked.cluster = each.article;
    scores.answers.push_back(std::move(answer));
  }
  return scores;
}

EvaluatedAnswers lossesOf(const std::vector<std::pair<double, double>>& lossAndTokens) {
  EvaluatedAnswers scores{"nll", {}};
  for (std::size_t i = 0; i < lossAndTokens.size(); ++i) {
    scores.answers.push_back({"full",
                              std::to_string(i + 1),
                              "",
                              {{"nll", lossAndTokens[i].first}, {"tokens", lossAndTokens[i].second}},
                              {}});
  }
  return scores;
}

TEST(PairedResult, QuestionsAreMatchedById) {
  const EvaluatedAnswers a = scoresOf({{"x", 1, 1}, {"y", 0.5, 0}, {"z", 0, 0}, {"only a", 1, 1}});
  const EvaluatedAnswers b = scoresOf({{"z", 1, 1}, {"only b", 0, 0}, {"x", 1, 1}, {"y", 1, 1}, {"b too", 0, 0}});
  const auto result = comparePair(a, b, "f1");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->n, 3);
  EXPECT_EQ(result->inAAlone, 1);
  EXPECT_EQ(result->inBAlone, 2);
  EXPECT_DOUBLE_EQ(result->meanA, 0.5);
  EXPECT_DOUBLE_EQ(result->meanB, 1);
  EXPECT_DOUBLE_EQ(result->difference, 0.5);
  EXPECT_EQ(result->mcnemar->onlyA, 0);
  EXPECT_EQ(result->mcnemar->onlyB, 2);
  EXPECT_DOUBLE_EQ(result->mcnemar->p, 0.5);
}

TEST(PairedResult, TheDifferenceIsThatOfBFromAAndTheSameEachTime) {
  const EvaluatedAnswers a = scoresOf(EvaluatedProject::questions(200, 0.7)),
                         b = scoresOf(EvaluatedProject::questions(200, 0.5, 1));
  const auto there = comparePair(a, b, "f1"), back = comparePair(b, a, "f1"), again = comparePair(a, b, "f1");
  EXPECT_LT(there->difference, 0);
  EXPECT_DOUBLE_EQ(there->difference, -back->difference);
  EXPECT_NEAR(there->interval.low, -back->interval.high, 1e-12);
  EXPECT_EQ(there->interval.low, again->interval.low);
  EXPECT_EQ(there->interval.high, again->interval.high);
  EXPECT_EQ(there->clusters, 40);
  EXPECT_FALSE(there->isOfFewClusters);
}

TEST(PairedResult, OneArticleDoesNotMakeAnIntervalOfNoWidth) {
  std::vector<GivenAnswer> a = EvaluatedProject::questions(60, 0.7), b = EvaluatedProject::questions(60, 0.5, 1);
  const auto alone = [](std::vector<GivenAnswer> answers, const char* article) {
    for (GivenAnswer& each : answers) each.article = article;
    return scoresOf(answers);
  };
  const auto one = comparePair(alone(a, "book"), alone(b, "book"), "f1"),
             free = comparePair(alone(a, ""), alone(b, ""), "f1");
  EXPECT_EQ(one->clusters, 1);
  EXPECT_TRUE(one->isOfFewClusters);
  EXPECT_EQ(one->interval.low, free->interval.low);
  EXPECT_EQ(one->detectable, free->detectable);
  EXPECT_FALSE(free->isOfFewClusters);
  EXPECT_GT(free->interval.high - free->interval.low, 0.05);
}

TEST(PairedResult, LossesAreWeightedByTokensAsTheEvaluationReportsThem) {
  const auto result = comparePair(lossesOf({{2, 10}, {4, 30}}), lossesOf({{1, 10}, {5, 30}}), "nll");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_DOUBLE_EQ(result->meanA, 140.0 / 40);
  EXPECT_DOUBLE_EQ(result->meanB, 160.0 / 40);
  EXPECT_FALSE(result->mcnemar);
  EXPECT_EQ(defaultMetric(lossesOf({{2, 10}})), "nll");
}

TEST(PairedResult, SeveralMapsAreCorrectedByHolmAndDrawnAsAlone) {
  const EvaluatedAnswers a = scoresOf(EvaluatedProject::questions(150, 0.7)),
                         b = scoresOf(EvaluatedProject::questions(150, 0.6, 1)),
                         c = scoresOf(EvaluatedProject::questions(150, 0.4, 2));
  const auto both = compareAll(a, {&b, &c}, "f1");
  const auto alone = comparePair(a, c, "f1");
  EXPECT_EQ((*both)[1].interval.low, alone->interval.low);
  const std::vector<double> expected = holmAdjusted({(*both)[0].mcnemar->p, (*both)[1].mcnemar->p});
  EXPECT_EQ((*both)[0].mcnemar->adjusted, expected[0]);
  EXPECT_EQ((*both)[1].mcnemar->adjusted, expected[1]);
}

TEST(PairedResult, WhatCannotBePairedIsRefused) {
  const EvaluatedAnswers a = scoresOf({{"x", 1, 1}}), b = scoresOf({{"y", 1, 1}});
  EXPECT_THAT(comparePair(a, b, "f1").error().message, HasSubstr("no question in common"));
  EXPECT_THAT(comparePair(a, a, "bleu_1").error().message, HasSubstr("choose one of: em, f1"));
  EvaluationRun one, other;
  one.info.id = "one";
  other.info.id = "other";
  one.task = other.task = "nll";
  one.dataHash = "d1";
  other.dataHash = "d2";
  EXPECT_THAT(checkComparable(one, other).error().message, HasSubstr("different data"));
  one.task = other.task = "squad";  // whose questions have ids of their own
  EXPECT_TRUE(checkComparable(one, other));
  other.task = "hotpotqa";
  EXPECT_THAT(checkComparable(one, other).error().message, HasSubstr("different tasks"));
}

TEST(PairedResult, TheHintSaysWhatMayNotShow) {
  PairedResult result;
  result.metric = "f1";
  result.n = 200;
  result.detectable = 0.041;
  result.mcnemar = McNemarResult();
  EXPECT_EQ(powerSentence(result), "With 200 questions a difference below 4.1 points may not show.");
}

TEST(ReportNumbers, AreReadInTheSameFormEverywhere) {
  EXPECT_EQ(printScore("f1", 0.8667), "86.7 %");
  EXPECT_EQ(printScore("nll", 1.23456), "1.2346");
  EXPECT_EQ(printDifference("f1", -0.0312), "-3.1 points");
  EXPECT_EQ(printDifference("f1", -0.0001), "+0.0 points");
  EXPECT_EQ(printP(0.00001), "< 0.0001");
  EXPECT_EQ(printCount(1234567), "1,234,567");
  EXPECT_EQ(printCount(-1234), "-1,234");
  EXPECT_EQ(printSize(1536), "1.5 KiB");
  EXPECT_EQ(printSeconds(4320), "72 min");
  EXPECT_EQ(printSeconds(7500), "2 h 5 min");
  EXPECT_EQ(printNumber(-0.0001, 2), "0");
}

TEST(EvaluationRun, AMapIsFoundByAnyTextOfIt) {
  const EvaluatedProject project;
  const std::string id = project.evaluate({{"full", {0, 1, 2, 3}, EvaluatedProject::questions(5, 0.5)},
                                           {"retention:.5", {0, 0, 2, 2}, EvaluatedProject::questions(5, 0.5)}});
  const auto run = readEvaluation(project.path(), id);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(findMap(*run, "stride:2")->name, "retention:.5");
  EXPECT_EQ(findMap(*run, "0,0,2,2")->name, "retention:.5");
  EXPECT_THAT(findMap(*run, "").error().message, HasSubstr("full; retention:.5"));
  EXPECT_THAT(findMap(*run, "stride:4").error().message, HasSubstr("did not measure"));
  EXPECT_THAT(readEvaluation(project.path(), "none").error().message, HasSubstr("has no run none"));
  EXPECT_EQ(splitEvaluationName("a@0,0,2,2").map, "0,0,2,2");
  EXPECT_EQ(splitEvaluationName("/x@y/runs/a@full").run, "/x@y/runs/a");
}

}  // namespace
}  // namespace strata
