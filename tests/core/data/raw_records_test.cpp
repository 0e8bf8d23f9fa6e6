#include "core/data/raw_records.h"

#include <arrow/extension/json.h>
#include <arrow/json/from_string.h>
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
  EXPECT_THAT(read("a.json", R"({"messages": [1], "examples": [{"a": 1}]})", isRecord).records,
              ElementsAre("1 {\"messages\":[1],\"examples\":[{\"a\":1}]}"));
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

/// `rows` of two fields, where those with these numbers (from 0) are `stray` instead.
std::string tableWith(const std::string& stray, std::initializer_list<int> where, int rows = 1000) {
  std::string table = "q,a\n";
  for (int i = 0; i < rows; ++i) {
    const bool isStray = std::find(where.begin(), where.end(), i) != where.end();
    table += isStray ? stray + "\n" : "q" + std::to_string(i) + ",a" + std::to_string(i) + "\n";
  }
  return table;
}

TEST_F(CsvRecords, AQuoteThatIsNeverClosedCostsItsOwnRowAlone) {
  const Read got = read("a.csv", tableWith("\"oops,a", {50}));
  EXPECT_EQ(got.records.size(), 999u);
  EXPECT_THAT(got.dropped, ElementsAre(StartsWith("52: a quote is opened in this row and never closed")));
  EXPECT_EQ(got.records[50], "53 {\"q\":\"q51\",\"a\":\"a51\"}");
}

TEST_F(CsvRecords, AQuoteThatEndsInsideALaterRowCostsBothRowsAlone) {
  const Read got = read("a.csv", tableWith("\"Well, x", {10, 900}));
  EXPECT_EQ(got.records.size(), 998u);
  EXPECT_THAT(got.dropped, ElementsAre(StartsWith("12: a quote is opened in this row and closed in a later one"),
                                       StartsWith("902: a quote is opened in this row and never closed")));
}

TEST_F(CsvRecords, AQuoteThatALaterRowHappensToCloseCostsNoRowsBetween) {
  std::string table = tableWith("\"oops,a", {10});
  table += "q,5\"\n" + tableWith("", {}, 3).substr(4);
  const Read got = read("a.csv", table);
  EXPECT_EQ(got.records.size(), 1003u);
  EXPECT_THAT(got.dropped, ElementsAre(StartsWith("12: the row has 1 fields")));
}

TEST_F(CsvRecords, ATextOfManyLinesInARowWithAFieldTooManyIsNotTakenForRows) {
  const Read got = read("a.csv", "q,a\n1,\"First of all\nwe rest\nthen we eat\",3\n1,2\n");
  EXPECT_THAT(got.records, ElementsAre("5 {\"q\":\"1\",\"a\":\"2\"}"));
  EXPECT_THAT(got.dropped, ElementsAre(StartsWith("2: the row has 3 fields")));
}

TEST_F(CsvRecords, AFileMadeToBeReadAgainAndAgainIsASentence) {
  // Each row's quote is closed and another opened in every row after it, so that each would be read to the end.
  std::string table = "q,a\n";
  for (int i = 0; i < 60'000; ++i) table += "a\",b,\"\n";
  EXPECT_THAT(read("a.csv", table).error, HasSubstr("quotes are opened in too many rows"));
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

TEST_F(GzipRecords, AFileThatExpandsBeyondMeasureIsRefused) {
  const auto path = m_folder.path() / "bomb.json.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  const std::string spaces(1 << 20, ' ');
  for (int i = 0; i < 80; ++i) gzwrite(file, spaces.data(), static_cast<unsigned>(spaces.size()));
  gzclose(file);
  EXPECT_THAT(readAllOf(path).error, HasSubstr("expands more than 200 times"));
}

TEST_F(JsonRecords, ALoneObjectOverTheLimitIsSkippedBeforeItIsParsed) {
  const auto path = m_folder.path() / "a.json";
  writeText(path, "{\"a\":\n\"" + std::string((256u << 20) + 1, 'x') + "\"}");
  const auto result = readAllOf(path);
  EXPECT_THAT(result.records, IsEmpty());
  EXPECT_THAT(result.dropped, ElementsAre(HasSubstr("longer than 256 MiB")));
}

TEST_F(ParquetRecords, RowsAreObjects) {
  const auto path = m_folder.path() / "a.parquet";
  testing::writeParquet(path, {"what?", "why?"}, {{"x", "y"}, {}});
  EXPECT_THAT(readAllOf(path).records,
              ElementsAre("1 {\"question\":\"what?\",\"answers\":{\"text\":[\"x\",\"y\"]},\"n\":1}",
                          "2 {\"question\":\"why?\",\"answers\":{\"text\":[]},\"n\":null}"));
}

/// A file of one row: each column with its type and its value as a JSON list.
void writeColumns(const std::filesystem::path& path,
                  const std::vector<std::tuple<std::string, std::shared_ptr<arrow::DataType>, std::string>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, type, value] : columns) {
    const bool extension = type->id() == arrow::Type::EXTENSION;
    const auto stored = extension ? static_cast<const arrow::ExtensionType&>(*type).storage_type() : type;
    PARQUET_ASSIGN_OR_THROW(auto array, arrow::json::ArrayFromJSONString(stored, value));
    fields.push_back(arrow::field(name, type));
    arrays.push_back(extension ? arrow::ExtensionType::WrapArray(type, array) : array);
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  PARQUET_ASSIGN_OR_THROW(const auto file, arrow::io::FileOutputStream::Open(path.string()));
  PARQUET_THROW_NOT_OK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 1,
                                                  parquet::default_writer_properties(),
                                                  parquet::ArrowWriterProperties::Builder().store_schema()->build()));
  PARQUET_THROW_NOT_OK(file->Close());
}

TEST_F(ParquetRecords, TypesBecomeWhatTheyMean) {
  const auto path = m_folder.path() / "a.parquet";
  writeColumns(path, {{"json", arrow::extension::json(arrow::utf8()), R"(["[1, 2]"])"},
                      {"map", arrow::map(arrow::utf8(), arrow::int32()), R"([[["a", 1], ["b", 2]]])"},
                      {"pairs", arrow::map(arrow::int32(), arrow::utf8()), R"([[[1, "a"]]])"},
                      {"view", arrow::utf8_view(), R"(["text"])"},
                      {"bytes", arrow::binary_view(), R"(["text"])"},
                      {"day", arrow::date32(), "[1]"},
                      {"half", arrow::float16(), "[1.5]"},
                      {"sum", arrow::decimal128(5, 2), R"(["1.50"])"}});
  EXPECT_THAT(readAllOf(path).records,
              ElementsAre(R"(1 {"json":"[1, 2]","map":{"a":1,"b":2},"pairs":[[1,"a"]],"view":"text","bytes":"text",)"
                          R"("day":"1970-01-02","half":1.5,"sum":"1.50"})"));
}

TEST_F(ParquetRecords, AValueThatIsNoTextOrNumberIsDroppedWithItsColumnAndType) {
  const auto path = m_folder.path() / "a.parquet";
  writeColumns(path,
               {{"prompt", arrow::utf8(), R"(["a"])"}, {"took", arrow::duration(arrow::TimeUnit::SECOND), "[3]"}});
  EXPECT_THAT(readAllOf(path).dropped,
              ElementsAre("1: column \"took\": values of the type duration[s] cannot be read; leave the column out or "
                          "write it as text."));
  writeColumns(path, {{"map", arrow::map(arrow::utf8(), arrow::int32()), R"([[["a", 1], ["a", 2]]])"}});
  EXPECT_THAT(readAllOf(path).dropped, ElementsAre(HasSubstr("column \"map\": a map has the key \"a\" twice")));
}

TEST_F(ParquetRecords, AColumnThatComesTwiceIsRefused) {
  const auto path = m_folder.path() / "a.parquet";
  writeColumns(path, {{"prompt", arrow::utf8(), R"(["a"])"}, {"prompt", arrow::utf8(), R"(["b"])"}});
  EXPECT_THAT(readAllOf(path).error, HasSubstr("a.parquet: the column \"prompt\" comes twice; rename one."));
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
