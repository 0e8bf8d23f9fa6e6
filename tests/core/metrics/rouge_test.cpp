#include "core/metrics/rouge.h"

#include <gtest/gtest.h>

#include <string>

#include "core/metrics/subsequence.h"

namespace strata {
namespace {

TEST(Rouge, CountsSharedWordsAsOftenAsTheyAreInBoth) {
  const RougeScore score = rougeN("the cat, the hat", "The THE the dog", 1);
  EXPECT_DOUBLE_EQ(score.precision, 2.0 / 4);
  EXPECT_DOUBLE_EQ(score.recall, 2.0 / 4);
  EXPECT_DOUBLE_EQ(rougeN("a b c", "b c d", 2).f1, 0.5);
  EXPECT_EQ(rougeN("a", "a", 2).f1, 0);
}

TEST(Rouge, PartsWordsAtAllButAsciiLettersAndDigits) {
  EXPECT_DOUBLE_EQ(rougeN("caf\u00E9-bar", "caf bar", 1).f1, 1);
  EXPECT_DOUBLE_EQ(rougeN("1,000", "1 000", 1).f1, 1);
}

TEST(Rouge, StemsWordsOfMoreThanThreeLetters) {
  EXPECT_EQ(rougeN("running cats", "runs cat", 1).f1, 0);
  EXPECT_DOUBLE_EQ(rougeN("running cats", "runs cat", 1, true).f1, 1);
  EXPECT_EQ(rougeN("was", "wa", 1, true).f1, 0);
}

TEST(Rouge, OfTheLongestSubsequenceKeepsTheOrder) {
  EXPECT_DOUBLE_EQ(rougeL("a b c d", "d a x c").f1, 0.5);
  EXPECT_EQ(rougeL("", "a").f1, 0);
}

TEST(Rouge, OfSummariesUnitesTheSubsequencesOfASentence) {
  const RougeScore score = rougeLsum("w1 w2 w3 w4 w5", "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5");
  EXPECT_DOUBLE_EQ(score.recall, 0.8);
  EXPECT_DOUBLE_EQ(score.precision, 0.4);
}

TEST(Rouge, OfVeryLongTextsIsBounded) {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += "w" + std::to_string(i % 977) + " ";
  EXPECT_NEAR(rougeL(text, text).f1, static_cast<double>(kMaxSubsequenceTokens) / 40000, 1e-12);
}

TEST(Subsequence, PlacesAreThoseOfOneOfItsLongest) {
  EXPECT_EQ(subsequencePlaces({"a", "b", "c", "b"}, {"b", "c", "b"}), (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_TRUE(subsequencePlaces({}, {"a"}).empty());
}

}  // namespace
}  // namespace strata
