#include "core/metrics/marco_scores.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/metrics/english_words.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(EnglishWords, PartsMarksFromWords) {
  EXPECT_THAT(englishWords("Hello, (big) world!"), ElementsAre("hello", ",", "(", "big", ")", "world", "!"));
  EXPECT_THAT(englishWords("$21,550 per year."), ElementsAre("$", "21,550", "per", "year", "."));
  EXPECT_THAT(englishWords("5km, 70% of U.S. Inc."), ElementsAre("5", "km", ",", "70", "%", "of", "u.s.", "inc."));
  EXPECT_THAT(englishWords("well-known a,b 1-2 wait...what"),
              ElementsAre("well", "-", "known", "a", ",", "b", "1", "-", "2", "wait", "...", "what"));
}

TEST(EnglishWords, PartsContractions) {
  EXPECT_THAT(englishWords("You don't; it's they\u2019ll cant"),
              ElementsAre("you", "do", "n't", ";", "it", "'s", "they", "\u2019ll", "ca", "nt"));
  EXPECT_THAT(englishWords("Tom's well, 5pm"), ElementsAre("tom", "'s", "well", ",", "5", "pm"));
}

TEST(EnglishWords, KeepsAddressesWhole) {
  EXPECT_THAT(englishWords("see https://example.com/a-b?c=d."), ElementsAre("see", "https://example.com/a-b?c=d", "."));
  EXPECT_THAT(englishWords("the end.It was"), ElementsAre("the", "end", ".", "it", "was"));
}

TEST(EnglishWords, WhiteSpaceBeyondOneSpaceIsAnEmptyWord) {
  EXPECT_THAT(englishWords("a  b"), ElementsAre("a", "", "b"));
  EXPECT_THAT(englishWords("\na\n"), ElementsAre("", "a", ""));
  EXPECT_THAT(englishWords(""), IsEmpty());
}

TEST(MarcoRougeL, TakesTheBestPrecisionAndTheBestRecallOfAnyReference) {
  // precision 2/2 of the first reference, recall 1/1 of the second
  EXPECT_DOUBLE_EQ(marcoRougeL({"a", "b"}, {{"a", "b", "c", "d"}, {"b"}}), 1);
  // precision 1/2, recall 1/4: (1 + 1.44) * .5 * .25 / (.25 + 1.44 * .5)
  EXPECT_DOUBLE_EQ(marcoRougeL({"a", "x"}, {{"a", "b", "c", "d"}}), 2.44 * 0.125 / 0.97);
  EXPECT_EQ(marcoRougeL({}, {{"a"}}), 0);
}

TEST(BleuSum, ClipsCountsAndPunishesShortCandidates) {
  BleuSum sum;
  sum.add({"a", "a", "b"}, {{"a", "b", "c", "d"}, {"a", "b", "x", "y", "z", "z"}});
  // 2 of 3 words, 1 of 2 pairs; 3 words against the closest length 4
  const double brevity = std::exp(1 - 4.0 / 3);
  EXPECT_NEAR(sum.scores()[0], 2.0 / 3 * brevity, 1e-8);
  EXPECT_NEAR(sum.scores()[1], std::sqrt(2.0 / 3 / 2) * brevity, 1e-8);
  EXPECT_NEAR(sum.scores()[2], 0, 1e-4);
}

QuestionSet answersOf(const std::vector<std::pair<std::string, std::vector<std::string>>>& answers) {
  QuestionSet set;
  set.format = QaFormat::msMarco;
  for (const auto& [id, texts] : answers) {
    Question question;
    question.id = id;
    question.answers = texts;
    if (texts == std::vector<std::string>{kMarcoNoAnswer}) {
      question.answers.clear();
      question.answerable = false;
    }
    set.questions.push_back(question);
  }
  return set;
}

TEST(ScoreMarco, QuestionsWithoutAnAnswerCountOnlyInF1) {
  const auto references = answersOf({{"1", {"a b"}}, {"2", {kMarcoNoAnswer}}, {"3", {kMarcoNoAnswer}}, {"4", {"c"}}});
  const auto scores = scoreMarco(
      references, answersOf({{"1", {"a b"}}, {"2", {"x"}}, {"3", {kMarcoNoAnswer}}, {"4", {kMarcoNoAnswer}}}));
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_EQ(scores->n, 2);
  EXPECT_EQ(scores->unanswerable, 2);
  EXPECT_EQ(scores->missing, 0);
  EXPECT_DOUBLE_EQ(scores->rougeL, 0.5);
  EXPECT_DOUBLE_EQ(scores->exact, 0.5);
  EXPECT_DOUBLE_EQ(scores->answerableF1, 0.5);  // 1 true and 1 false positive, 1 false negative
}

TEST(ScoreMarco, AMissingCandidateIsAnEmptyOneAndTwoAnswersAreRefused) {
  const auto references = answersOf({{"1", {"a b"}}, {"2", {"c d"}}, {"3", {}}});
  const auto scores = scoreMarco(references, answersOf({{"1", {"a b"}}, {"9", {"x"}}}));
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_EQ(scores->n, 2);
  EXPECT_EQ(scores->missing, 1);
  EXPECT_NEAR(scores->bleu[0], std::exp(1 - 4.0 / 2), 1e-6);
  EXPECT_THAT(scoreMarco(references, answersOf({{"1", {"a", "b"}}})).error().message,
              ::testing::HasSubstr("more than one answer"));
}

}  // namespace
}  // namespace strata
