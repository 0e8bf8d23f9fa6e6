#include "core/evaluation/answer_metrics.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "support.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using testing::readText;
using testing::sharedData;
using testing::TemporaryFolder;
using testing::writeText;

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

TEST(ScoreSquad, AMissingPredictionCountsAsZero) {
  SquadData data;
  data.questions = {{"1", "", "", {"cat"}}, {"2", "", "", {"dog"}}, {"3", "", "", {}}, {"4", "", "", {}}};
  const SquadScores scores = scoreSquad(data, {{"1", "cat"}, {"3", ""}, {"9", "of no question"}});
  EXPECT_EQ(scores.n, 4);
  EXPECT_EQ(scores.missing, 2);
  EXPECT_EQ(scores.exact, 0.5);
  EXPECT_EQ(scores.hasAnswer, 2);
  EXPECT_EQ(scores.hasAnswerF1, 0.5);
  EXPECT_EQ(scores.noAnswer, 2);
  EXPECT_EQ(scores.noAnswerExact, 0.5);
}

TEST(ReadPredictions, RefusesWhatIsNotAnObjectOfStrings) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "p.json";
  writeText(path, R"({"a": "x", "b": ""})");
  EXPECT_EQ(readPredictions(path).value().size(), 2u);
  writeText(path, R"({"a": "x", "b": 3})");
  EXPECT_THAT(readPredictions(path).error().message, HasSubstr("the answer of \"b\" must be a string"));
  writeText(path, "[]");
  EXPECT_THAT(readPredictions(path).error().message, HasSubstr("must hold one object"));
  EXPECT_EQ(readPredictions(folder.path() / "none.json").error().code, ErrorCode::notFound);
}

TEST(SquadGolden, TheOfficialEvaluatorsScoresAreReproduced) {
  STRATA_NEEDS_SHARED_DATA();
  const auto folder = sharedData() / "qa/squad";
  const auto golden = nlohmann::json::parse(readText(folder / "golden_scores.json")).at("scores");
  ASSERT_EQ(golden.size(), 5u);
  const auto first = readSquad(folder / "dev-v1.1.reconstructed.json").value();
  const auto second = readSquad(folder / "dev-v2.0.reconstructed.json").value();
  for (const auto& item : golden.items()) {
    const std::string name = item.key();
    const nlohmann::json& expected = item.value();
    const auto predictions = readPredictions(folder / "predictions" / name);
    ASSERT_TRUE(predictions.has_value()) << predictions.error().message;
    const SquadScores scores = scoreSquad(name.starts_with("v2") ? second : first, *predictions);
    const auto isClose = [&](const char* key, double share) {
      EXPECT_NEAR(100 * share, expected.at(key).get<double>(), 1e-9) << name << " " << key;
    };
    isClose("exact", scores.exact);
    isClose("f1", scores.f1);
    isClose("HasAns_exact", scores.hasAnswerExact);
    isClose("HasAns_f1", scores.hasAnswerF1);
    EXPECT_EQ(scores.n, expected.at("total").get<int>());
    EXPECT_EQ(scores.hasAnswer, expected.at("HasAns_total").get<int>());
    EXPECT_EQ(scores.missing, 0);
    if (expected.contains("NoAns_total")) {
      isClose("NoAns_exact", scores.noAnswerExact);
      isClose("NoAns_f1", scores.noAnswerF1);
      EXPECT_EQ(scores.noAnswer, expected.at("NoAns_total").get<int>());
    }
  }
}

}  // namespace
}  // namespace strata
