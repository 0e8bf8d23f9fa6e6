#include "core/base/json.h"

#include <chrono>
#include <clocale>
#include <cstdlib>
#include <filesystem>

#include "support.h"

namespace strata {
namespace {

using ::strata::testing::TemporaryFolder;

std::string complaintAbout(std::string_view text) {
  const auto parsed = parseJson(text, "sample.json");
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, ErrorCode::invalidData);
  EXPECT_EQ(parsed.error().context, "sample.json");
  return parsed.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Json, KeepsTheOrderOfKeysAndAllTypes) {
  const std::string text = R"({"z":1,"a":[true,null,-2,1.5,"x"],"m":{"b":{},"a":[]},"big":18446744073709551615})";
  const auto parsed = parseJson(text, "sample.json");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->dump(), text);
  EXPECT_EQ((*parsed)["a"][2], -2);
  EXPECT_EQ((*parsed)["big"], 18446744073709551615ull);
}

TEST(Json, RefusesADuplicateKeyAtAnyDepthAndSaysWhere) {
  const std::string complaint = complaintAbout("{\"a\": {\n  \"b\": 1,\n  \"c\": 2, \"b\": 3}}");
  EXPECT_TRUE(contains(complaint, "the key \"b\" twice")) << complaint;
  EXPECT_TRUE(contains(complaint, "sample.json")) << complaint;
  EXPECT_TRUE(contains(complaint, "line 3, column 13")) << complaint;  // the key's closing quote
}

TEST(Json, AcceptsTheSameKeyInDifferentObjects) {
  EXPECT_EQ(complaintAbout(R"({"a": {"a": 1}, "b": {"a": [{"a": 2}, {"a": 3}]}})"), "accepted");
}

TEST(Json, RecognisesADuplicateKeyWrittenWithAnEscape) {
  EXPECT_TRUE(contains(complaintAbout(R"({"a": 1, "\u0061": 2})"), "twice"));
}

TEST(Json, AcceptsADepthOf128AndRefuses129) {
  EXPECT_EQ(complaintAbout(std::string(128, '[') + std::string(128, ']')), "accepted");
  const std::string complaint = complaintAbout(std::string(129, '[') + std::string(129, ']'));
  EXPECT_TRUE(contains(complaint, "deeper than 128")) << complaint;
  EXPECT_TRUE(contains(complaint, "at column 129")) << complaint;
}

TEST(Json, SurvivesAMegabyteOfBrackets) {
  EXPECT_TRUE(contains(complaintAbout(std::string(1 << 20, '[')), "deeper"));
  std::string objects;
  while (objects.size() < 1 << 20) objects += "{\"a\":";
  EXPECT_TRUE(contains(complaintAbout(objects), "deeper"));
}

TEST(Json, SaysLineAndColumnOfASyntaxError) {
  const std::string complaint = complaintAbout("{\n  \"a\": 1,\n  \"b\" 2\n}");
  EXPECT_TRUE(contains(complaint, "line 3, column 7")) << complaint;
  EXPECT_TRUE(contains(complaint, "expected ':'")) << complaint;
}

TEST(Json, RefusesAnythingAfterTheValue) {
  EXPECT_NE(complaintAbout("{} x"), "accepted");
  EXPECT_NE(complaintAbout("1 2"), "accepted");
  EXPECT_NE(complaintAbout(""), "accepted");
  EXPECT_NE(complaintAbout("  \n"), "accepted");
}

TEST(Json, RefusesAZeroByteEvenAfterTheValue) {
  const std::string complaint = complaintAbout(std::string_view("12\0 {", 5));
  EXPECT_TRUE(contains(complaint, "zero byte, at column 3")) << complaint;
}

TEST(Json, RefusesInvalidUtf8) {
  EXPECT_NE(complaintAbout("\"\xff\""), "accepted");
  EXPECT_NE(complaintAbout("\"\xed\xa0\x80\""), "accepted");  // a surrogate in UTF-8
  EXPECT_NE(complaintAbout("\"\xc0\x80\""), "accepted");      // an overlong zero
  EXPECT_EQ(complaintAbout("\"\xf0\x9f\x8c\x8d\""), "accepted");
}

TEST(Json, RefusesNumbersThatOverflow) {
  EXPECT_TRUE(contains(complaintAbout("[1e999]"), "out of range"));
  EXPECT_TRUE(contains(complaintAbout("-1e999"), "out of range"));
  EXPECT_EQ(complaintAbout("[1e308, 1e-999]"), "accepted");
}

TEST(Json, DumpsOneLineWhateverTheBytes) {
  Json value;
  value["text"] = "a\nb\xff";
  EXPECT_EQ(dumpLine(value), "{\"text\":\"a\\nb\xef\xbf\xbd\"}");
}

TEST(Json, ParsesAVocabularyInLinearTime) {
  std::string text = "{\"start\":0";
  for (int id = 1; id < 200000; ++id) text += ",\"token" + std::to_string(id) + "\":" + std::to_string(id);
  text += "}";
  const auto start = std::chrono::steady_clock::now();
  const auto parsed = parseJson(text, "vocabulary");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->size(), 200000u);
  // Quadratic look-up of keys takes minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(Json, ReadsAFileAndNamesItInErrors) {
  const TemporaryFolder folder;
  testing::writeText(folder.path() / "good.json", "{\"a\": 1}");
  testing::writeText(folder.path() / "bad.json", "{\"a\": }");
  EXPECT_EQ(*readJson(folder.path() / "good.json"), Json::parse("{\"a\": 1}"));
  const auto bad = readJson(folder.path() / "bad.json");
  ASSERT_FALSE(bad);
  EXPECT_TRUE(contains(bad.error().message, (folder.path() / "bad.json").string()));
  EXPECT_EQ(readJson(folder.path() / "absent.json").error().code, ErrorCode::notFound);
  EXPECT_FALSE(readJson(folder.path() / "good.json", 3));
}

// y_ must be accepted, n_ refused, i_ is up to the parser but must not crash it. We refuse duplicate keys on purpose.
TEST(Json, AgreesWithJsonTestSuite) {
  STRATA_NEEDS_SHARED_DATA();
  const auto archive = testing::sharedData() / "malformed" / "JSONTestSuite.tar.gz";
  const TemporaryFolder folder;
  const std::string command = "tar -xzf '" + archive.string() + "' -C '" + folder.path().string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  int checked = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (entry.path().extension() != ".json") continue;
    const std::string name = entry.path().filename().string();
    const bool accepted = parseJson(testing::readText(entry.path()), name).has_value();
    const bool duplicate = name.starts_with("y_object_duplicated_key");
    if (name.starts_with("y_")) {
      EXPECT_EQ(accepted, !duplicate) << name;
    }
    if (name.starts_with("n_")) {
      EXPECT_FALSE(accepted) << name;
    }
    ++checked;
  }
  EXPECT_GT(checked, 300);
}

}  // namespace
}  // namespace strata
