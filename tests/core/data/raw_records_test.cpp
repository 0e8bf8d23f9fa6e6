#include "core/data/raw_records.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "core/data/input_file.h"
#include "parquet_file.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::sharedData;
using ::testing::StartsWith;
using testing::TemporaryFolder;
using testing::writeText;

/// What a file gave: "line value" for each record, "line: reason" for each dropped one, and the error that ended it.
struct Read {
  std::vector<std::string> records, dropped;
  std::string error;
};

Read readAllOf(const std::filesystem::path& file, const IsRecord& isRecord = {}) {
  Read read;
  RecordSink sink;
  sink.take = [&](RawRecord&& record) -> Result<void> {
    read.records.push_back(std::to_string(record.line) + " " + dumpLine(record.value));
    return {};
  };
  sink.drop = [&](DroppedRow&& row) -> Result<void> {
    read.dropped.push_back(std::to_string(row.line) + ": " + row.reason);
    return {};
  };
  if (const auto done = readRawRecords(file, isRecord, sink); !done) read.error = done.error().message;
  return read;
}

class RawRecordsTest : public ::testing::Test {
 protected:
  Read read(const std::string& name, const std::string& content, const IsRecord& isRecord = {}) {
    writeText(m_folder.path() / name, content);
    return readAllOf(m_folder.path() / name, isRecord);
  }
  TemporaryFolder m_folder;
};

using JsonRecords = RawRecordsTest;
using CsvRecords = RawRecordsTest;
using ParquetRecords = RawRecordsTest;
using GzipRecords = RawRecordsTest;

TEST_F(JsonRecords, AListGivesItsElementsWithTheirLines) {
  const Read got = read("a.json", "\xEF\xBB\xBF[\n {\"a\": 1},\n\n {\"b\": \"],[\\\"\"}, 3]\n");
  EXPECT_THAT(got.records, ElementsAre("2 {\"a\":1}", "4 {\"b\":\"],[\\\"\"}", "4 3"));
  EXPECT_EQ(got.error, "");
  EXPECT_THAT(read("a.json", "[ ]").records, IsEmpty());
}

TEST_F(JsonRecords, ABrokenElementCostsNoOther) {
  const Read got = read("a.json", "[{\"a\": 1},\n{\"a\": x},\n{\"a\": 1, \"a\": 2},\n{\"a\": 3}]");
  EXPECT_THAT(got.records, ElementsAre("1 {\"a\":1}", "4 {\"a\":3}"));
  EXPECT_THAT(got.dropped,
              ElementsAre(HasSubstr("2: the record is not valid JSON"), HasSubstr("3: the record has the key")));
}

TEST_F(JsonRecords, AListThatBreaksOffIsAnErrorWithItsLine) {
  EXPECT_THAT(read("a.json", "[{\"a\": 1},\n{\"a\"").error, HasSubstr("a.json:2: the file ends inside a record"));
  EXPECT_THAT(read("a.json", "[{\"a\": 1}\n{\"a\": 2}]").error, HasSubstr("a.json:2: after a record"));
  EXPECT_THAT(read("a.json", "[1] x").error, HasSubstr("something after the list"));
  EXPECT_THAT(read("a.json", "[1,]").error, HasSubstr("a value is missing"));
  EXPECT_THAT(read("a.json", "{\"data\": [{\"a\": 1},\n{\"a\"").error,
              HasSubstr("a.json:2: the file ends inside a record"));
}

TEST_F(JsonRecords, AnObjectHoldsAListOrIsARecord) {
  const auto isRecord = [](const std::vector<std::string>& keys) { return keys.front() == "messages"; };
  EXPECT_THAT(read("a.json", R"({"features": [{"x": 1}], "data": [{"a": 1}, {"a": 2}]})", isRecord).records,
              ElementsAre("1 {\"a\":1}", "1 {\"a\":2}"));
  EXPECT_THAT(read("a.json", R"({"version": 2, "turns": [{"a": 1}]})", isRecord).records, ElementsAre("1 {\"a\":1}"));
  EXPECT_THAT(read("a.json", R"({"messages": [{"a": 1}]})", isRecord).records,
              ElementsAre("1 {\"messages\":[{\"a\":1}]}"));
  EXPECT_THAT(read("a.json", R"({"a": [1, 2]})", isRecord).records, ElementsAre("1 {\"a\":[1,2]}"));
}

TEST_F(JsonRecords, ObjectsOneAfterAnotherAreReadWhateverTheNameSays) {
  EXPECT_THAT(read("a.json", "{\"a\": 1}\n{\"a\": [{}]}\n").records, ElementsAre("1 {\"a\":1}", "2 {\"a\":[{}]}"));
  EXPECT_THAT(read("a.jsonl", "[\n{\"a\": 1},\n{\"a\": 2}]").records, ElementsAre("2 {\"a\":1}", "3 {\"a\":2}"));
  EXPECT_THAT(read("a.jsonl", "{\n\"a\": 1\n}\n{\n\"a\": 2}").records, ElementsAre("1 {\"a\":1}", "4 {\"a\":2}"));
}

TEST_F(JsonRecords, ABrokenObjectCostsNoOther) {
  for (const std::string broken : {"{\"a\": [1 2]}", "{\"a\"}", "{1: 2}", "{\"a\": }", "{\"a\": 1,}", "{\"a\" 1}"}) {
    const Read got = read("a.json", broken + "\n{\"a\": 1}");
    EXPECT_THAT(got.records, ElementsAre("2 {\"a\":1}"));
    EXPECT_THAT(got.dropped, ElementsAre(StartsWith("1: the record is not valid JSON"))) << broken;
  }
}

TEST_F(JsonRecords, LinesAreReadOneByOne) {
  const Read got = read("a.jsonl", "{\"a\": 1}\r\n\n{\"a\":\n {\"a\": 2}");
  EXPECT_THAT(got.records, ElementsAre("1 {\"a\":1}", "4 {\"a\":2}"));
  EXPECT_THAT(got.dropped, ElementsAre(StartsWith("3: the record is not valid JSON")));
}

TEST_F(CsvRecords, TheFirstRowNamesTheColumns) {
  const Read got = read("a.csv", "\xEF\xBB\xBFq,a\r\n1,\"x, \"\"y\"\"\r\nz\"\r\n\r\n2,\r\n");
  EXPECT_THAT(got.records, ElementsAre("2 {\"q\":\"1\",\"a\":\"x, \\\"y\\\"\\r\\nz\"}", "5 {\"q\":\"2\",\"a\":\"\"}"));
  EXPECT_THAT(got.dropped, IsEmpty());
}

TEST_F(CsvRecords, TheDelimiterIsFound) {
  EXPECT_THAT(read("a.csv", "q;a\n1,5;2\n").records, ElementsAre("2 {\"q\":\"1,5\",\"a\":\"2\"}"));
  EXPECT_THAT(read("a.csv", "q\ta\n1\t2").records, ElementsAre("2 {\"q\":\"1\",\"a\":\"2\"}"));
  EXPECT_THAT(read("a.csv", "\"q;x\",a\n1,2").records, ElementsAre("2 {\"q;x\":\"1\",\"a\":\"2\"}"));
  EXPECT_THAT(read("a.tsv", "q,x\ta\n1\t2").records, ElementsAre("2 {\"q,x\":\"1\",\"a\":\"2\"}"));
  EXPECT_THAT(read("a.csv", "text\nab\n").records, ElementsAre("2 {\"text\":\"ab\"}"));
}

TEST_F(CsvRecords, BrokenRowsAreDroppedByLine) {
  const Read got = read("a.csv", "q,a\n1\n1,2,3\n\"1\"x,2\n\xFF,2\n1,2\n\"open,2\n");
  EXPECT_THAT(got.records, ElementsAre("6 {\"q\":\"1\",\"a\":\"2\"}"));
  EXPECT_THAT(got.dropped, ElementsAre(StartsWith("2: the row has 1 fields"), StartsWith("3: the row has 3 fields"),
                                       StartsWith("4: there is text after a closing quote"),
                                       StartsWith("5: the text is not UTF-8"), StartsWith("7: a quote is opened")));
  EXPECT_THAT(read("a.csv", "q,q\n1,2").error, HasSubstr("a.csv:1: the column \"q\" comes twice"));
  EXPECT_THAT(read("a.csv", "").records, IsEmpty());
}

TEST_F(GzipRecords, AreReadByWhatTheyHold) {
  const auto path = m_folder.path() / "a.jsonl.gz";
  const std::string content = "{\"a\": 1}\n{\"a\": 2}\n";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  EXPECT_THAT(readAllOf(path).records, ElementsAre("1 {\"a\":1}", "2 {\"a\":2}"));
  const std::string whole = testing::readText(path);
  writeText(path, whole.substr(0, whole.size() - 6));
  EXPECT_THAT(readAllOf(path).error, HasSubstr("the file is not whole"));
  std::string flipped = whole;
  flipped[12] = static_cast<char>(~flipped[12]);
  writeText(path, flipped);
  EXPECT_THAT(readAllOf(path).error, HasSubstr("a.jsonl.gz"));
}

TEST_F(ParquetRecords, RowsAreObjects) {
  const auto path = m_folder.path() / "a.parquet";
  testing::writeParquet(path, {"what?", "why?"}, {{"x", "y"}, {}});
  EXPECT_THAT(readAllOf(path).records,
              ElementsAre("1 {\"question\":\"what?\",\"answers\":{\"text\":[\"x\",\"y\"]},\"n\":1}",
                          "2 {\"question\":\"why?\",\"answers\":{\"text\":[]},\"n\":null}"));
}

TEST_F(ParquetRecords, ManyRowGroupsAreReadOneAfterAnother) {
  const auto path = m_folder.path() / "a.parquet";
  testing::writeParquet(path, std::vector<std::string>(5000, "q"), std::vector<std::vector<std::string>>(5000, {"a"}),
                        700);
  const Read got = readAllOf(path);
  ASSERT_EQ(got.records.size(), 5000u);
  EXPECT_THAT(got.records.back(), StartsWith("5000 "));
}

TEST_F(ParquetRecords, ASmallFileThatAsksForGigabytesIsASentence) {
  const auto path = m_folder.path() / "huge.parquet";
  std::filesystem::copy_file(testing::sourceFolder() / "tests/fuzz/seeds/parquet/huge_dictionary", path);
  const Read got = readAllOf(path);
  EXPECT_THAT(got.error, HasSubstr("more memory than a file of this size can need"));
}

TEST_F(ParquetRecords, ABrokenFileIsASentence) {
  const auto path = m_folder.path() / "a.parquet";
  testing::writeParquet(path, {"what?", "why?"}, {{"x", "y"}, {}});
  const std::string whole = testing::readText(path);
  int refused = 0;
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    writeText(path, whole.substr(0, size));
    const Read got = readAllOf(path);
    EXPECT_THAT(got.error, HasSubstr("a.parquet")) << size;
    EXPECT_THAT(got.error, HasSubstr("is it whole?")) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(~flipped[at]);
    writeText(path, flipped);
    refused += readAllOf(path).error.empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
}

TEST_F(RawRecordsTest, EveryFileOfTheJsonTestSuiteGivesRowsOrASentence) {
  STRATA_NEEDS_SHARED_DATA();
  const auto archive = readAll(sharedData() / "malformed/JSONTestSuite.tar.gz");
  ASSERT_TRUE(archive.has_value()) << archive.error().message;
  int files = 0, valid = 0;
  // The tar format: a header of 512 bytes (name at 0, size in octal at 124, type at 156), then the content, padded.
  for (std::size_t at = 0; at + 512 <= archive->size() && (*archive)[at] != '\0';) {
    const std::string name = archive->substr(at, 100).c_str();
    const std::size_t size = std::stoul(archive->substr(at + 124, 11), nullptr, 8);
    const char type = (*archive)[at + 156];
    if ((type == '0' || type == '\0') && name.ends_with(".json")) {
      ++files;
      const std::string base = std::filesystem::path(name).filename();
      for (const std::string ending : {".json", ".jsonl"}) {
        writeText(m_folder.path() / ("case" + ending), archive->substr(at + 512, size));
        const Read got = readAllOf(m_folder.path() / ("case" + ending));
        if (ending == ".json" && base.starts_with("y_") && got.error.empty() && got.dropped.empty()) ++valid;
        for (const std::string& reason : got.dropped) EXPECT_THAT(reason, HasSubstr(": ")) << name;
      }
    }
    at += 512 + (size + 511) / 512 * 512;
  }
  EXPECT_GT(files, 300);
  // Of the 95 valid texts all are read but those with a key twice.
  EXPECT_GE(valid, 92);
}

}  // namespace
}  // namespace strata
