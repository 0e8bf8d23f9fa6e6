// Rows of questions, splits, duplicates, what is dropped, and the overlap of two data sets.

#include <gmock/gmock.h>

#include "byte_tokenizer.h"
#include "core/data/dataset.h"
#include "core/data/overlap.h"
#include "core/data/question_prompt.h"
#include "support.h"

namespace strata {
namespace {

using testing::ByteTokenizer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::TemporaryFolder;
using testing::writeText;

class DataRows : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& content, const std::string& name = "a.jsonl") {
    writeText(m_folder.path() / name, content);
    return m_folder.path() / name;
  }
  static Dataset opened(const std::filesystem::path& path, const DataOptions& options) {
    auto data = Dataset::open(path, ByteTokenizer(), options);
    EXPECT_TRUE(data.has_value()) << data.error().message;
    return data ? std::move(*data) : Dataset();
  }
  static std::string text(const Row& row, bool trained = false) {
    std::string out;
    for (std::size_t i = 0; i < row.ids.size(); ++i) {
      if (trained && !row.trained[i]) continue;
      out += row.ids[i] == ByteTokenizer::kBos   ? '^'
             : row.ids[i] == ByteTokenizer::kEos ? '$'
                                                 : static_cast<char>(row.ids[i]);
    }
    return out;
  }
  static std::string question(int i, const std::string& context, const std::string& title = "T") {
    const std::string n = std::to_string(i);
    return R"({"id": ")" + n + R"(", "title": ")" + title + R"(", "context": ")" + context + R"(", "question": "q)" +
           n + R"(", "answers": {"text": ["a)" + n + R"("], "answer_start": [0]}})" + "\n";
  }
  TemporaryFolder m_folder;
};

TEST_F(DataRows, AQuestionIsAskedAsEvaluationAsksIt) {
  const Dataset data = opened(file(question(1, "c")), {.length = 128});
  EXPECT_EQ(text(data.rows()[0]), "^Context: c\nQuestion: q1\nAnswer: a1$");
  EXPECT_EQ(text(data.rows()[0], true), " a1$");
}

TEST_F(DataRows, OneQuestionWithoutAnswerChangesThePromptOfAll) {
  const std::string none =
      R"({"id": "2", "context": "c", "question": "q", "answers": {"text": [], "answer_start": []}})";
  const Dataset data = opened(file(question(1, "c") + none), {.length = 128});
  EXPECT_EQ(text(data.rows()[0]), "^Context: c\nQuestion: q1\nIf there is no answer, say unanswerable.\nAnswer: a1$");
  EXPECT_EQ(text(data.rows()[1], true), " unanswerable$");
}

TEST_F(DataRows, ALongPassageLosesItsEndInWholeCharacters) {
  const Dataset whole = opened(file(question(1, "abcdé")), {.length = 64});
  const int length = static_cast<int>(whole.rows()[0].ids.size()) - 1;
  const Dataset data = opened(file(question(1, "abcdé")), {.length = length});
  EXPECT_EQ(text(data.rows()[0]), "^Context: abcd\nQuestion: q1\nAnswer: a1$");
  EXPECT_EQ(data.report().truncated, 1);
  EXPECT_EQ(data.report().lengths.front(), whole.rows()[0].ids.size());
  EXPECT_EQ(text(opened(file(question(1, "abc")), {.length = 13}).rows()[0]), "^\nAnswer: a1$");
}

TEST_F(DataRows, TheQuestionStandsFirstAsOftenAsToldAndTheSameEveryTime) {
  std::string content;
  for (int i = 0; i < 400; ++i) content += question(i, "c");
  const auto path = file(content);
  const auto first = [&](double probability, std::uint64_t seed) {
    std::string which;
    const Dataset data = opened(path, {.length = 128, .questionFirst = probability, .seed = seed});
    for (const Row& row : data.rows()) which += text(row).starts_with("^Question") ? '1' : '0';
    return which;
  };
  EXPECT_EQ(first(0, 1), std::string(400, '0'));
  EXPECT_EQ(first(1, 1), std::string(400, '1'));
  const std::string half = first(.5, 1);
  EXPECT_NEAR(std::count(half.begin(), half.end(), '1'), 200, 50);  // 5 standard deviations
  EXPECT_EQ(half, first(.5, 1));
  EXPECT_NE(half, first(.5, 2));
  EXPECT_EQ(text(opened(path, {.length = 128, .questionFirst = 1}).rows()[0]),
            "^Question: q0\nContext: c\nAnswer: a0$");
}

TEST_F(DataRows, PassagesAreReorderedAndNoneIsLost) {
  std::string content;
  for (int i = 0; i < 60; ++i) {
    content += R"({"question": "q)" + std::to_string(i) +
               R"(", "answer": "a", "passages": ["x", "y", "z"]})"
               "\n";
  }
  const Dataset data = opened(file(content), {.length = 128, .permutePassages = true});
  std::map<std::string, int> orders;
  for (const Row& row : data.rows()) {
    const std::string shown = text(row);
    const std::size_t begin = shown.find("[1]");
    ++orders[shown.substr(begin, shown.find("\nQuestion") - begin)];
  }
  EXPECT_EQ(orders.size(), 6u);
  EXPECT_TRUE(orders.contains("[1] z\n[2] y\n[3] x"));
}

TEST_F(DataRows, ASplitKeepsGroupsTogetherAndGivesEveryRowToOneSide) {
  std::string content;
  for (int i = 0; i < 300; ++i) content += question(i, "c", "title " + std::to_string(i / 3));
  const auto path = file(content);
  const auto part = [&](DataPart part, std::uint64_t seed) {
    std::set<std::string> rows;
    const Dataset data = opened(path, {.length = 128, .seed = seed, .split = .3, .part = part});
    for (const Row& row : data.rows()) rows.insert(text(row));
    return rows;
  };
  const auto train = part(DataPart::train, 1), held = part(DataPart::held, 1);
  EXPECT_EQ(train.size() + held.size(), 300u);
  EXPECT_NEAR(static_cast<double>(held.size()), 90, 3 * 23);
  EXPECT_EQ(held.size() % 3, 0u);
  for (const std::string& row : held) EXPECT_FALSE(train.contains(row));
  EXPECT_EQ(held, part(DataPart::held, 1));
  EXPECT_NE(held, part(DataPart::held, 2));
}

TEST_F(DataRows, ASplitThatLeavesNothingIsSaid) {
  const auto path = file("{\"text\": \"a\"}\n");
  const auto held = Dataset::open(path, ByteTokenizer(), {.split = .001, .part = DataPart::held});
  EXPECT_THAT(held.error().message, HasSubstr("leaves no rows held out"));
}

TEST_F(DataRows, DuplicatesAreCountedWithTheirLinesAndKept) {
  const std::string row = "{\"prompt\": \"a\", \"completion\": \"b\"}\n";
  const Dataset data =
      opened(file(row + "\n{\"completion\": \"b\", \"prompt\": \"a\", \"id\": 3}\n" + row), {.length = 16});
  EXPECT_EQ(data.rows().size(), 3u);
  EXPECT_EQ(data.report().duplicateRows, 2);
  EXPECT_EQ(data.report().duplicates[1].line, 4);
  EXPECT_EQ(data.report().duplicates[1].firstLine, 1);
}

TEST_F(DataRows, ATenthMayBeBrokenAndIsLeftOut) {
  const std::string good = "{\"prompt\": \"a\", \"completion\": \"b\"}\n";
  std::string content;
  for (int i = 0; i < 9; ++i) content += good;
  const Dataset data = opened(file(content + "{\"prompt\": 1}\n"), {.length = 16});
  EXPECT_EQ(data.rows().size(), 9u);
  ASSERT_EQ(data.report().dropped.size(), 1u);
  EXPECT_EQ(data.report().dropped[0].line, 10);
  EXPECT_EQ(data.report().broken, 1);
  const auto more = Dataset::open(file(content + "{\"prompt\": 1}\nx\n"), ByteTokenizer(), {.length = 16});
  EXPECT_THAT(more.error().message, HasSubstr("a.jsonl:10: \"prompt\" must be a string"));
  EXPECT_THAT(more.error().message, HasSubstr("a.jsonl:11: the record is not valid JSON"));
  EXPECT_THAT(more.error().message, HasSubstr("Broken are 2 of 11 records"));
}

TEST_F(DataRows, AHundredBrokenRecordsAtTheStartEndTheReading) {
  std::string content;
  for (int i = 0; i < 100; ++i) content += "x\n";
  for (int i = 0; i < 2000; ++i) content += "{\"text\": \"a\"}\n";
  EXPECT_THAT(Dataset::open(file(content), ByteTokenizer(), {}).error().message, HasSubstr("100 of 100 records"));
}

TEST_F(DataRows, ACheckGoesOnPastWhateverIsBroken) {
  file("[{\"prompt\": \"a\", \"completion\": \"b\"}, {\"prompt\"", "a.json");
  file("x\n{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"a\": 1}\n", "b.jsonl");
  file("prompt,completion\nq,a\nq\n", "c.csv");
  const auto report = checkData(m_folder.path(), {.keepGoing = true});
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->rows, 3);
  EXPECT_EQ(report->files.size(), 3u);
  ASSERT_EQ(report->dropped.size(), 4u);
  EXPECT_THAT(report->dropped[0].reason, HasSubstr("the file ends inside a record"));
  EXPECT_EQ(report->dropped[0].line, 1);
  EXPECT_EQ(report->dropped[2].line, 3);
  EXPECT_THAT(report->refusal, HasSubstr("Broken are 4 of 7"));
  EXPECT_FALSE(Dataset::open(m_folder.path(), ByteTokenizer(), {}).has_value());
}

TEST_F(DataRows, OverlapIsFoundByRowPassageAndThirteenWords) {
  const std::string words = "one two three four five six seven eight nine ten eleven twelve";
  const auto train = file(
      R"({"prompt": "p", "completion": "c"})"
      "\n"
      R"({"prompt": "same prompt", "completion": "other"})"
      "\n"
      R"({"prompt": "x", "completion": "So: One, two three four five six seven eight nine ten ELEVEN twelve thirteen!"})"
      "\n"
      R"({"prompt": "y", "completion": ")" +
          words + "\"}\n",
      "train.jsonl");
  const auto held = file(R"({"prompt": "p", "completion": "c"})"
                         "\n"
                         R"({"prompt": "same prompt", "completion": "d"})"
                         "\n"
                         R"({"prompt": "z", "completion": "and )" +
                             words + " thirteen fourteen\"}\n",
                         "held.jsonl");
  const auto overlap = findOverlap(train, held, {});
  ASSERT_TRUE(overlap.has_value());
  EXPECT_EQ(overlap->records, 4);
  EXPECT_EQ(overlap->others, 3);
  EXPECT_EQ(overlap->sameRows, 1);
  EXPECT_EQ(overlap->samePassages, 1);
  EXPECT_EQ(overlap->sameWords, 1);
  ASSERT_EQ(overlap->rows.size(), 3u);
  EXPECT_EQ(overlap->rows[2].line, 3);
}

TEST_F(DataRows, WordsThatManyRecordsShareAreNoOverlap) {
  const std::string format = "below is an instruction that describes a task write a response that completes it";
  std::string content;
  for (int i = 0; i < 11; ++i) content += R"({"text": ")" + format + " " + std::to_string(i) + "\"}\n";
  const auto train = file(content, "train.jsonl");
  const auto held = file(R"({"text": ")" + format + " x\"}\n", "held.jsonl");
  EXPECT_EQ(findOverlap(train, held, {})->sameWords, 0);
}

}  // namespace
}  // namespace strata
