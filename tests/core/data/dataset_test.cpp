#include "core/data/dataset.h"

#include <gmock/gmock.h>

#include "byte_tokenizer.h"
#include "core/data/overlap.h"
#include "support.h"

namespace strata {
namespace {

using testing::ByteTokenizer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::sharedData;
using ::testing::StartsWith;
using testing::TemporaryFolder;
using testing::writeText;

// Shows a row as text: "^" is BOS, "$" EOS.
std::string shown(const Row& row) {
  std::string text;
  for (const TokenId id : row.ids) {
    text += id == ByteTokenizer::kBos ? '^' : id == ByteTokenizer::kEos ? '$' : static_cast<char>(id);
  }
  return text;
}

std::vector<std::string> shown(const Dataset& data) {
  std::vector<std::string> rows;
  for (const Row& row : data.rows()) rows.push_back(shown(row));
  return rows;
}

// "1" for each trained position.
std::string mask(const Row& row) {
  std::string text;
  for (const bool trained : row.trained) text += trained ? '1' : '0';
  return text;
}

class DatasetTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& content) {
    writeText(m_folder.path() / name, content);
    return m_folder.path() / name;
  }
  Result<Dataset> open(const std::filesystem::path& path, DataOptions options, bool specials = true) {
    return Dataset::open(path, ByteTokenizer(specials), options);
  }
  Dataset opened(const std::filesystem::path& path, DataOptions options, bool specials = true) {
    auto data = open(path, options, specials);
    EXPECT_TRUE(data.has_value()) << data.error().message;
    return data ? std::move(*data) : Dataset();
  }
  Dataset lines(const std::string& content, DataOptions options, bool specials = true) {
    return opened(file("a.jsonl", content), options, specials);
  }
  std::string lineError(const std::string& content) {
    const auto path = file("a.jsonl", content);
    const auto data = open(path, {.length = 16});
    EXPECT_FALSE(data.has_value());
    if (data) return "";
    const std::string& message = data.error().message;
    EXPECT_THAT(message, StartsWith(path.string()));
    return message.substr(path.string().size());
  }

  TemporaryFolder m_folder;
};

TEST_F(DatasetTest, TextIsOneStreamOfDocumentsCutIntoRows) {
  const Dataset data = opened(file("a.txt", "abcdef\n<|endoftext|>\ngh\n<|endoftext|>\n"), {.length = 5});
  EXPECT_THAT(shown(data), ElementsAre("^abcd", "ef$^g", "h$"));
  EXPECT_EQ(mask(data.rows()[1]), "01111");
  EXPECT_FALSE(data.packed());
  EXPECT_EQ(data.report().format, "text");
  EXPECT_EQ(data.report().tokens, 12);
  EXPECT_EQ(data.report().trainedTokens, 9);
}

TEST_F(DatasetTest, ALastPieceOfOneTokenIsNoRow) {
  EXPECT_THAT(shown(opened(file("a.txt", "abcd"), {.length = 5})), ElementsAre("^abcd"));
  EXPECT_THAT(shown(opened(file("a.txt", "abcde"), {.length = 5})), ElementsAre("^abcd", "e$"));
}

TEST_F(DatasetTest, TextLinesAreDocuments) {
  const Dataset data =
      lines("{\"text\": \"ab\", \"source\": 3}\r\n\n  \n{\"text\": \"c<|endoftext|>\"}", {.length = 64});
  EXPECT_THAT(shown(data), ElementsAre("^ab$^c<|endoftext|>$"));
}

TEST_F(DatasetTest, AFolderIsReadInNameOrder) {
  file("b.txt", "B");
  file("a.jsonl", "{\"text\": \"A\"}\n");
  file("notes.md", "not data");
  file("._a.jsonl", "what macOS keeps beside a file");
  EXPECT_THAT(shown(opened(m_folder.path(), {.length = 64})), ElementsAre("^A$^B$"));
}

TEST_F(DatasetTest, WithoutSpecialTokensNoneAreAdded) {
  EXPECT_THAT(shown(opened(file("a.txt", "abc"), {.length = 64}, false)), ElementsAre("abc"));
  const Dataset pairs = lines(R"({"prompt": "", "completion": "xyz"})", {.length = 64}, false);
  EXPECT_THAT(shown(pairs), ElementsAre("xyz"));
  EXPECT_EQ(mask(pairs.rows()[0]), "011");
}

TEST_F(DatasetTest, AByteOrderMarkIsNoText) {
  EXPECT_THAT(shown(opened(file("a.txt", "\xEF\xBB\xBFx"), {.length = 64})), ElementsAre("^x$"));
  EXPECT_THAT(shown(lines("\xEF\xBB\xBF{\"text\": \"x\"}", {.length = 64})), ElementsAre("^x$"));
}

TEST_F(DatasetTest, OnlyTheCompletionAndItsEosAreTrained) {
  const std::string content = R"({"prompt": "pq", "completion": "cd", "id": 7})";
  const Dataset data = lines(content, {.length = 16});
  EXPECT_THAT(shown(data), ElementsAre("^pqcd$"));
  EXPECT_EQ(mask(data.rows()[0]), "000111");
  EXPECT_TRUE(data.packed());
  EXPECT_EQ(data.report().format, "prompt/completion");
  EXPECT_EQ(data.report().trainedTokens, 3);
  const Dataset all = lines(content, {.length = 16, .trainOnPrompt = true});
  EXPECT_EQ(mask(all.rows()[0]), "011111");
}

TEST_F(DatasetTest, ALongPromptLosesItsStartAndALongCompletionItsEnd) {
  const Dataset data = lines(
      "{\"prompt\": \"pqrs\", \"completion\": \"cd\"}\n"
      "{\"prompt\": \"pq\", \"completion\": \"cdefghi\"}\n"
      "{\"prompt\": \"p\", \"completion\": \"cdef\"}\n"
      "{\"prompt\": \"pq\", \"completion\": \"cd\"}\n",
      {.length = 6});
  EXPECT_THAT(shown(data), ElementsAre("^rscd$", "^cdefg", "^cdef$", "^pqcd$"));
  EXPECT_EQ(mask(data.rows()[0]), "000111");
  EXPECT_EQ(mask(data.rows()[1]), "011111");
  EXPECT_EQ(data.report().truncated, 3);
}

TEST_F(DatasetTest, AnEmptyCompletionIsDroppedAndReported) {
  const Dataset data =
      lines("{\"prompt\": \"a\", \"completion\": \"\"}\n\n{\"prompt\": \"a\", \"completion\": \"b\"}\n", {.length = 8});
  EXPECT_EQ(data.report().rows, 1);
  ASSERT_EQ(data.report().dropped.size(), 1u);
  EXPECT_EQ(data.report().dropped[0].line, 1);
  EXPECT_THAT(data.report().dropped[0].reason, HasSubstr("completion is empty"));
  EXPECT_THAT(data.report().dropped[0].file, HasSubstr("a.jsonl"));
}

TEST_F(DatasetTest, BrokenLinesAreNamed) {
  EXPECT_THAT(lineError("{\"text\": \"a\"}\n{\"text\": "), StartsWith(":2: the record is not valid JSON"));
  EXPECT_THAT(lineError("\n[1]"), StartsWith(":2: a record must be a JSON object"));
  EXPECT_THAT(lineError("{\"prompt\": \"a\"}"), StartsWith(":1: the key \"completion\" is missing"));
  EXPECT_THAT(lineError("{\"completion\": \"a\"}"), StartsWith(":1: the key \"prompt\" is missing"));
  EXPECT_THAT(lineError("{\"prompt\": 1, \"completion\": \"a\"}"), StartsWith(":1: \"prompt\" must be a string"));
  EXPECT_THAT(lineError("{\"text\": null}"), StartsWith(":1: \"text\" must be a string"));
  EXPECT_THAT(lineError("{\"body\": \"a\"}"), StartsWith(":1: no known shape has these keys (body); known are text"));
  EXPECT_THAT(lineError("{\"text\": \"a\xFF\"}"), StartsWith(":1"));
  EXPECT_THAT(lineError("{\"text\": \"a\"}\n{\"prompt\": \"a\", \"completion\": \"b\"}"),
              StartsWith(":2: this is prompt/completion, but the data set began with text"));
}

TEST_F(DatasetTest, RefusesWhatHoldsNothingToTrainOn) {
  EXPECT_THAT(lineError(""), HasSubstr("holds no rows"));
  EXPECT_THAT(lineError("\n \n"), HasSubstr("holds no rows"));
  EXPECT_THAT(lineError("{\"prompt\": \"a\", \"completion\": \"\"}"), HasSubstr("holds no rows"));
  EXPECT_THAT(open(file("a.txt", ""), {.length = 8}).error().message, HasSubstr("holds no rows"));
  EXPECT_THAT(open(file("a.txt", "x"), {.length = 8}, false).error().message, HasSubstr("holds no rows"));
}

TEST_F(DatasetTest, RefusesFilesItCannotRead) {
  EXPECT_EQ(open(m_folder.path() / "none.txt", {}).error().code, ErrorCode::notFound);
  EXPECT_EQ(open(m_folder.path(), {}).error().code, ErrorCode::notFound);
  EXPECT_EQ(open(file("a.xml", "x"), {}).error().code, ErrorCode::unsupported);
  EXPECT_THAT(open(file("a.txt", "one\ntwo\nthr\xE9\n"), {}).error().message,
              HasSubstr("a.txt:3: the text is not UTF-8"));
  std::filesystem::create_directory(m_folder.path() / "d.jsonl");
  std::filesystem::create_directory(m_folder.path() / "d.jsonl/inner.jsonl");
  EXPECT_EQ(open(m_folder.path() / "d.jsonl", {}).error().code, ErrorCode::notFound);
}

TEST_F(DatasetTest, RefusesALengthThatHoldsNoPrediction) {
  EXPECT_EQ(open(file("a.txt", "abc"), {.length = 1}).error().code, ErrorCode::usage);
  EXPECT_EQ(open(file("a.txt", "abc"), {.length = -5}).error().code, ErrorCode::usage);
  EXPECT_THAT(shown(opened(file("a.txt", "abc"), {.length = 2})), ElementsAre("^a", "bc"));
}

TEST_F(DatasetTest, RefusesIdsOutsideTheModelsVocabulary) {
  EXPECT_THAT(open(file("a.txt", "abc"), {.length = 8, .vocab = 98}).error().message,
              HasSubstr("token id 98 is outside the vocabulary of 98"));
}

TEST_F(DatasetTest, RefusesALineOver64Mebibytes) {
  const std::string start = "{\"text\": \"a\"}\n";
  EXPECT_THAT(lineError(start + std::string((64u << 20) + 1, ' ')), StartsWith(":2: the record is longer than 64 MiB"));
}

TEST_F(DatasetTest, LinesLongerThanTheReadBufferAreWhole) {
  const std::string word(3u << 20, 'w');
  const Dataset data =
      lines("{\"prompt\": \"a\", \"completion\": \"" + word + "\"}\r\n{\"prompt\": \"a\", \"completion\": \"b\"}",
            {.length = 4u << 20});
  ASSERT_EQ(data.rows().size(), 2u);
  EXPECT_EQ(data.rows()[0].ids.size(), word.size() + 3);
  EXPECT_EQ(shown(data.rows()[1]), "^ab$");
}

TEST_F(DatasetTest, CheckingNeedsNoTokenizer) {
  const auto report = checkData(
      file("a.jsonl", "{\"prompt\": \"a\", \"completion\": \"\"}\n{\"prompt\": \"\", \"completion\": \"b\"}"));
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->format, "prompt/completion");
  EXPECT_EQ(report->rows, 1);
  EXPECT_EQ(report->dropped.size(), 1u);
  EXPECT_THAT(checkData(file("a.jsonl", "{}")).error().message, HasSubstr("a.jsonl:1: "));
}

TEST_F(DatasetTest, ACheckSaysThatTrainingRefusesAFileWhichBreaksOff) {
  std::string content = "[";
  for (int i = 0; i < 50; ++i) content += R"({"prompt": "a", "completion": "b"},)";
  const auto path = file("a.json", content + "]");
  const auto report = checkData(path, {.keepGoing = true});
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->rows, 50);
  EXPECT_EQ(report->droppedRows, 1);
  EXPECT_THAT(report->refusal, HasSubstr("a.json:1: a value is missing here"));
  EXPECT_EQ(open(path, {}).error().message, report->refusal);
}

TEST_F(DatasetTest, AGroupWrittenAsAFractionKeepsItsRowsTogether) {
  std::string content;
  for (int i = 0; i < 100; ++i) {
    content +=
        R"({"prompt": "p)" + std::to_string(i) + R"(", "completion": "c", "group": )" + std::to_string(i % 2) + ".0}\n";
  }
  const auto path = file("a.jsonl", content);
  const auto held = checkData(path, {.split = .5, .part = DataPart::held});
  EXPECT_TRUE(!held || held->rows % 50 == 0);
}

TEST_F(DatasetTest, AnOverlapWithNothingIsAnErrorAndWhatIsNotComparedIsCounted) {
  const auto train = file("train.jsonl", "{\"q\": \"x\", \"a\": \"y\"}\n");
  const Columns columns = {{"prompt", "q"}, {"completion", "a"}};
  const auto none = findOverlap(train, file("held.jsonl", "{\"b\": 1}\n"), columns);
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message, HasSubstr("held.jsonl holds no record to compare with: "));
  EXPECT_FALSE(findOverlap(train, file("held.jsonl", ""), columns).has_value());
  const auto other = findOverlap(train, file("held.jsonl", "x\n{\"prompt\": \"x\", \"completion\": \"y\"}\n"), columns);
  ASSERT_TRUE(other.has_value()) << other.error().message;
  EXPECT_EQ(other->sameRows, 1);
  EXPECT_EQ(other->othersDropped, 1);
  EXPECT_THAT(other->firstDropped, HasSubstr("held.jsonl:1: "));
}

TEST_F(DatasetTest, TheSampleStoriesBecomeRowsOfOneLength) {
  STRATA_NEEDS_SHARED_DATA();
  auto tokenizer = openTokenizer(sharedData() / "models/stories260K");
  ASSERT_TRUE(tokenizer.has_value());
  const auto data = Dataset::open(sharedData() / "corpora/tinystories_sample.txt", **tokenizer, {.length = 256});
  ASSERT_TRUE(data.has_value()) << data.error().message;
  std::int64_t eos = 0;
  for (const Row& row : data->rows()) eos += std::count(row.ids.begin(), row.ids.end(), 2);
  EXPECT_EQ(eos, 2317);  // 2316 separators, and a last story that the file cuts off
  for (std::size_t i = 0; i + 1 < data->rows().size(); ++i) ASSERT_EQ(data->rows()[i].ids.size(), 256u);
}

}  // namespace
}  // namespace strata
