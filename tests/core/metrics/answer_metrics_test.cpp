#include "core/metrics/answer_metrics.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

TEST(NormalizeAnswer, DropsCasePunctuationArticlesAndExtraSpaces) {
  EXPECT_EQ(normalizeAnswer("The  Cat's \"hat\", a (big) one!"), "cats hat big one");
  EXPECT_EQ(normalizeAnswer("an apple and the theatre"), "apple and theatre");
  EXPECT_EQ(normalizeAnswer("The."), "");
  EXPECT_EQ(normalizeAnswer(""), "");
}

TEST(NormalizeAnswer, RemovesPunctuationBeforeItLooksForArticles) {
  EXPECT_EQ(normalizeAnswer("a-n"), "");  // becomes the article "an"
  EXPECT_EQ(normalizeAnswer("the_cat"), "thecat");
  EXPECT_EQ(normalizeAnswer("A.B."), "ab");
}

TEST(NormalizeAnswer, WordBoundariesAreThoseOfUnicode) {
  EXPECT_EQ(normalizeAnswer("aé a\u2013b"), "aé \u2013b");  // an en dash is no word character and no ASCII punctuation
  EXPECT_EQ(normalizeAnswer("a\u0301"), "\u0301");          // nor is a combining accent
  EXPECT_EQ(normalizeAnswer("x\u2014the\u2014y"), "x\u2014 \u2014y");
  EXPECT_EQ(normalizeAnswer("a²"), "a²");
}

TEST(NormalizeAnswer, SplitsAtUnicodeWhiteSpace) {
  EXPECT_EQ(normalizeAnswer("x\u00A0y\u3000z\u2009w\x1Cv\u0085u"), "x y z w v u");
  EXPECT_EQ(normalizeAnswer("x\u200By"), "x\u200By");  // the zero-width space is no white space
}

TEST(NormalizeAnswer, LowersAsPythonDoes) {
  EXPECT_EQ(normalizeAnswer("İSTANBUL ÉCOLE"), "i\u0307stanbul école");
  EXPECT_EQ(normalizeAnswer("ΟΔΟΣ ΣΑΣ Σ ΑΣΑ"), "οδος σας σ ασα");
  EXPECT_EQ(normalizeAnswer("ΑΣ\u0301 ΑΣ\u0301Α"), "ας\u0301 ασ\u0301α");
  EXPECT_EQ(normalizeAnswer("ẞ"), "ß");
}

TEST(NormalizeAnswer, InvalidBytesBecomeReplacementCharacters) {
  EXPECT_EQ(normalizeAnswer("x\xFFy"), "x\uFFFDy");
}

TEST(ScoreAnswer, TakesTheBestGoldAnswer) {
  EXPECT_EQ(scoreAnswer("the Cat", {"dog", "cat"}).exact, 1);
  const AnswerScore score = scoreAnswer("big black cat", {"black cat cat", "dog"});
  EXPECT_EQ(score.exact, 0);
  EXPECT_DOUBLE_EQ(score.f1, 2.0 / 3);  // 2 of 3 predicted, 2 of 3 gold
}

TEST(ScoreAnswer, RepeatedTokensCountAsOftenAsTheyAreInBoth) {
  EXPECT_DOUBLE_EQ(scoreAnswer("cat cat", {"cat"}).f1, 2 * 0.5 * 1 / 1.5);
}

TEST(ScoreAnswer, WithoutGoldAnswersOnlyNothingIsRight) {
  EXPECT_EQ(scoreAnswer("", {}).f1, 1);
  EXPECT_EQ(scoreAnswer("The!", {}).exact, 1);
  EXPECT_EQ(scoreAnswer("cat", {}).f1, 0);
  EXPECT_EQ(scoreAnswer("", {"cat"}).f1, 0);
  EXPECT_EQ(scoreAnswer("", {"the", "cat"}).f1, 0);  // a gold answer without tokens is left out
  EXPECT_EQ(scoreAnswer("", {"the"}).exact, 1);
}

TEST(NormalizeTriviaAnswer, MakesSpacesOfPunctuation) {
  EXPECT_EQ(normalizeTriviaAnswer("Rock-'n'-Roll, the_Band"), "rock n roll band");
  EXPECT_EQ(normalizeTriviaAnswer("‘x’ ´y` A.B."), "x y b");  // the "a" of "A.B." is an article
  EXPECT_EQ(normalizeTriviaAnswer("x\u201Cy"), "x\u201Cy");   // other quotes stay
}

TEST(ScoreHotpotAnswer, GivesPrecisionAndRecall) {
  const AnswerScore score = scoreHotpotAnswer("the big black cat", "black cat, Tom");
  EXPECT_EQ(score.exact, 0);
  EXPECT_DOUBLE_EQ(score.precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(score.recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(score.f1, 2.0 / 3);
}

TEST(ScoreHotpotAnswer, YesAndNoMatchWholeOrNotAtAll) {
  EXPECT_EQ(scoreHotpotAnswer("yes sir", "yes").f1, 0);
  EXPECT_EQ(scoreHotpotAnswer("No", "no answer").f1, 0);
  EXPECT_EQ(scoreHotpotAnswer("noanswer", "noanswer at all").f1, 0);
  EXPECT_EQ(scoreHotpotAnswer("Yes!", "yes").f1, 1);
  EXPECT_GT(scoreHotpotAnswer("yes sir", "yes madam").f1, 0);
}

TEST(ScoreHotpotAnswer, NothingEqualsNothingButSharesNoToken) {
  EXPECT_EQ(scoreHotpotAnswer("The", "a").exact, 1);
  EXPECT_EQ(scoreHotpotAnswer("The", "a").f1, 0);
}

TEST(ScoreTriviaAnswer, TakesTheBestAlias) {
  EXPECT_EQ(scoreTriviaAnswer("Sunset_Blvd.", {"sunset boulevard", "sunset blvd"}).exact, 1);
  EXPECT_DOUBLE_EQ(scoreTriviaAnswer("West Sunset", {"west sunset boulevard", "sunset blvd"}).f1, 0.8);
  EXPECT_EQ(scoreTriviaAnswer("x", {}).f1, 0);
}

}  // namespace
}  // namespace strata
