#include "core/data/squad.h"

#include <gmock/gmock.h>

#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::sharedData;
using testing::TemporaryFolder;
using testing::writeText;

Result<SquadData> read(const std::string& content) {
  const TemporaryFolder folder;
  writeText(folder.path() / "squad.json", content);
  return readSquad(folder.path() / "squad.json");
}

// A file with one paragraph whose questions are given.
std::string withQuestions(const std::string& questions) {
  return R"({"version": "1.1", "data": [{"title": "T", "paragraphs": [{"context": "C", "qas": [)" + questions +
         "]}]}]}";
}

std::string errorOf(const std::string& content) {
  const auto data = read(content);
  EXPECT_FALSE(data.has_value());
  return data ? "" : data.error().message;
}

TEST(Squad, ReadsQuestionsWithTheirGoldAnswers) {
  const auto data = read(
      withQuestions(R"({"id": "1", "question": "Q?", "answers": [{"text": "a", "answer_start": 0}, {"text": "b"}]})"));
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_FALSE(data->version2);
  ASSERT_EQ(data->questions.size(), 1u);
  EXPECT_EQ(data->questions[0].id, "1");
  EXPECT_EQ(data->questions[0].context, "C");
  EXPECT_EQ(data->questions[0].question, "Q?");
  EXPECT_THAT(data->questions[0].answers, ElementsAre("a", "b"));
}

TEST(Squad, AnImpossibleQuestionHasNoAnswersWhateverIsPlausible) {
  const auto data = read(withQuestions(
      R"({"id": "1", "question": "Q?", "answers": [], "is_impossible": true, "plausible_answers": [{"text": "p"}]})"));
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_TRUE(data->version2);
  EXPECT_THAT(data->questions[0].answers, IsEmpty());
}

TEST(Squad, ErrorsNameTheMember) {
  const std::string path = "data[0].paragraphs[0].qas[1]";
  const std::string good = R"({"id": "1", "question": "Q", "answers": []},)";
  EXPECT_THAT(errorOf(withQuestions(good + R"({"id": 2})")), HasSubstr(path + ".id: must be a string"));
  EXPECT_THAT(errorOf(withQuestions(good + "3")), HasSubstr(path + ": must be an object"));
  EXPECT_THAT(errorOf(withQuestions(good + R"({"id": "2", "answers": []})")),
              HasSubstr(path + ".question: is missing"));
  EXPECT_THAT(errorOf(withQuestions(good + R"({"id": "2", "question": "Q", "answers": {}})")),
              HasSubstr(path + ".answers: must be a list"));
  EXPECT_THAT(errorOf(withQuestions(good + R"({"id": "2", "question": "Q", "answers": [{"text": null}]})")),
              HasSubstr(path + ".answers[0].text: must be a string"));
  EXPECT_THAT(errorOf(withQuestions(good + R"({"id": "1", "question": "Q", "answers": []})")),
              HasSubstr(path + ".id: \"1\" is the id of an earlier question"));
  EXPECT_THAT(errorOf(withQuestions(R"({"id": "1", "question": "Q", "answers": [], "is_impossible": 1})")),
              HasSubstr("qas[0].is_impossible: must be true or false"));
  EXPECT_THAT(errorOf(R"({"data": [{}]})"), HasSubstr("data[0].paragraphs: is missing"));
  EXPECT_THAT(errorOf(R"({"data": []})"), HasSubstr("data: holds no questions"));
  EXPECT_THAT(errorOf("{}"), HasSubstr("data: is missing"));
  EXPECT_THAT(errorOf("[]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(errorOf("{"), HasSubstr("squad.json"));
}

TEST(Squad, ReadsTheDevelopmentSets) {
  STRATA_NEEDS_SHARED_DATA();
  const auto first = readSquad(sharedData() / "qa/squad/dev-v1.1.reconstructed.json");
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_FALSE(first->version2);
  EXPECT_EQ(first->questions.size(), 10570u);
  const auto second = readSquad(sharedData() / "qa/squad/dev-v2.0.reconstructed.json");
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_TRUE(second->version2);
  EXPECT_EQ(second->questions.size(), 11873u);
}

}  // namespace
}  // namespace strata
