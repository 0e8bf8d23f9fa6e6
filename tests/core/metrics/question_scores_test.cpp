#include "core/metrics/question_scores.h"

#include <gmock/gmock.h>

#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::writeText;

Question questionOf(const std::string& id, const std::vector<std::string>& answers) {
  Question question;
  question.id = id;
  question.answers = answers;
  return question;
}

TEST(ScoreSquad, AMissingPredictionCountsAsZero) {
  QuestionSet data;
  data.questions = {questionOf("1", {"cat"}), questionOf("2", {"dog"}), questionOf("3", {}), questionOf("4", {})};
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
  EXPECT_THAT(readPredictions(path).error().message, HasSubstr("p.json: b: must be a string"));
  writeText(path, "[]");
  EXPECT_THAT(readPredictions(path).error().message, HasSubstr("must hold one object"));
  EXPECT_EQ(readPredictions(folder.path() / "none.json").error().code, ErrorCode::notFound);
}

TEST(ReadHotpotPredictions, TakesAnswersAloneOrWithTheirFacts) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "p.json";
  writeText(path, R"({"a": "x"})");
  EXPECT_EQ(readHotpotPredictions(path)->answers.at("a"), "x");
  EXPECT_FALSE(readHotpotPredictions(path)->facts);
  writeText(path, R"({"answer": {"a": "x"}, "sp": {"a": [["T", 1]]}})");
  EXPECT_THAT(readHotpotPredictions(path)->facts->at("a"), ElementsAre(SupportingFact{"T", 1}));
  writeText(path, R"({"answer": {"a": "x"}, "sp": {"a": [["T"]]}})");
  EXPECT_THAT(readHotpotPredictions(path).error().message,
              HasSubstr("sp.a[0]: must be a title and the number of a sentence"));
}

QuestionSet hotpotQuestions() {
  QuestionSet data;
  data.format = QaFormat::hotpotQa;
  data.questions = {questionOf("1", {"red ball"}), questionOf("2", {"yes"})};
  data.questions[0].supportingFacts = {{"A", 0}, {"B", 1}};
  data.questions[1].supportingFacts = {{"A", 0}};
  return data;
}

TEST(ScoreHotpot, JoinsAnswersAndFacts) {
  HotpotPredictions predictions;
  predictions.answers = {{"1", "ball"}, {"2", "yes"}};
  predictions.facts = {{"1", {{"A", 0}, {"C", 0}, {"C", 0}}}, {"2", {{"A", 0}}}};
  const HotpotScores scores = scoreHotpot(hotpotQuestions(), predictions);
  EXPECT_DOUBLE_EQ(scores.answer.f1, (2.0 / 3 + 1) / 2);  // precision 1, recall 1/2
  EXPECT_DOUBLE_EQ(scores.facts->f1, (0.5 + 1) / 2);      // precision and recall 1/2
  EXPECT_DOUBLE_EQ(scores.joint->f1, (2 * 0.5 * 0.25 / 0.75 + 1) / 2);
  EXPECT_DOUBLE_EQ(scores.joint->exact, 0.5);
}

TEST(ScoreHotpot, AMissingAnswerCountsAsZeroThereAndInTheJoint) {
  HotpotPredictions predictions;
  predictions.answers = {{"2", "yes"}};
  predictions.facts = {{"1", {{"A", 0}, {"B", 1}}}};
  const HotpotScores scores = scoreHotpot(hotpotQuestions(), predictions);
  EXPECT_EQ(scores.missing, 1);
  EXPECT_EQ(scores.missingFacts, 1);
  EXPECT_EQ(scores.answer.exact, 0.5);
  EXPECT_EQ(scores.facts->exact, 0.5);
  EXPECT_EQ(scores.joint->exact, 0);
}

TEST(ScoreTrivia, CountsAQuestionOnceForEachOfItsDocuments) {
  QuestionSet data;
  data.format = QaFormat::triviaQa;
  data.questions = {questionOf("q", {"sun"}), questionOf("r", {"moon"})};
  data.questions[0].documentKeys = {"q--a", "q--b", "q--c"};
  const TriviaScores byDocument = scoreTrivia(data, {{"q--a", "The Sun"}, {"q--b", "moon"}});
  EXPECT_EQ(byDocument.n, 3);
  EXPECT_EQ(byDocument.missing, 1);
  EXPECT_DOUBLE_EQ(byDocument.exact, 1.0 / 3);
  const TriviaScores byQuestion = scoreTrivia(data, {{"q", "The Sun"}});
  EXPECT_EQ(byQuestion.n, 2);
  EXPECT_EQ(byQuestion.exact, 0.5);
}

}  // namespace
}  // namespace strata
