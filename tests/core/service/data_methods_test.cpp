// Data sets through the engine's methods.

#include <gmock/gmock.h>

#include "core/base/files.h"
#include "project_fixture.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kPairs =
    "{\"prompt\": \"Say a.\", \"completion\": \"a\"}\n"
    "{\"prompt\": \"Say b.\", \"completion\": \"b b b\"}\n"
    "{\"prompt\": \"Say c.\", \"completion\": \"\"}\n"
    "{\"prompt\": \"Say a.\", \"completion\": \"a\"}\n";

TEST_F(ProjectMethods, ADataCheckCountsRowsAndShowsWhatIsTrainedOn) {
  openNew();
  writeText(folder() / "project/pairs.jsonl", kPairs);
  const Json check = answer("data/check", {{"path", "pairs.jsonl"}, {"model", model("stories260K")}, {"preview", 2}});
  EXPECT_EQ(check["path"], (folder() / "project/pairs.jsonl").string());
  EXPECT_EQ(check["records"], 4);
  EXPECT_EQ(check["rows"], 3);
  EXPECT_EQ(check["dropped"], 1);
  EXPECT_EQ(check["duplicates"], 1);
  EXPECT_EQ(check["dropped_records"][0]["line"], 3);
  EXPECT_EQ(check["keys"],
            Json::parse(R"([{"name": "prompt", "sample": "Say a."}, {"name": "completion", "sample": "a"}])"));
  EXPECT_EQ(check["refused"], "");
  EXPECT_EQ(check["has_tokens"], true);
  EXPECT_EQ(check["hash"], *sha256OfFile(folder() / "project/pairs.jsonl"));
  ASSERT_EQ(check["preview"].size(), 2u);
  const Json& parts = check["preview"][0]["parts"];
  ASSERT_EQ(parts.size(), 2u) << parts.dump();
  EXPECT_EQ(parts[0]["trained"], false);
  EXPECT_THAT(parts[0]["text"].get<std::string>(), HasSubstr("Say a."));
  EXPECT_EQ(parts[1]["trained"], true);
  EXPECT_THAT(parts[1]["text"].get<std::string>(), HasSubstr("a"));
  std::int64_t rows = 0;
  for (const Json& bin : check["lengths"]) rows += bin["rows"].get<std::int64_t>();
  EXPECT_EQ(rows, 3);
  const Json skipped =
      answer("data/check", {{"path", "pairs.jsonl"}, {"model", model("stories260K")}, {"preview", 2}, {"skip", 1}});
  EXPECT_EQ(skipped["preview"][0], check["preview"][1]);
}

TEST_F(ProjectMethods, ADataCheckTellsWhatOfTheEvaluationDataTrainingWouldSee) {
  openNew();
  writeText(folder() / "project/pairs.jsonl", kPairs);
  writeText(folder() / "project/held.jsonl",
            "{\"prompt\": \"Say a.\", \"completion\": \"a\"}\n{\"prompt\": \"Say z.\", \"completion\": \"z\"}\n");
  const Json check = answer("data/check", {{"path", "pairs.jsonl"}, {"eval_data", "held.jsonl"}});
  EXPECT_EQ(check["overlap"]["records"], 2);
  EXPECT_EQ(check["overlap"]["same_rows"], 1);
  EXPECT_EQ(check["overlap"]["same_words"], 0);
  EXPECT_TRUE(answer("data/check", {{"path", "pairs.jsonl"}})["overlap"].is_null());
  EXPECT_TRUE(answer("data/check", {{"path", "pairs.jsonl"}, {"eval_data", "none.jsonl"}})["overlap"].is_null());
}

TEST_F(ProjectMethods, ADataCheckSaysWhyTrainingWouldRefuse) {
  writeText(folder() / "odd.jsonl", "{\"a\": 1, \"b\": 2}\n");
  const Json check = answer("data/check", {{"path", (folder() / "odd.jsonl").string()}});
  EXPECT_NE(check["refused"], "");
  EXPECT_EQ(check["has_tokens"], false);
  EXPECT_EQ(check["keys"], Json::parse(R"([{"name": "a", "sample": "1"}, {"name": "b", "sample": "2"}])"));
  const Json mapped = answer(
      "data/check", {{"path", (folder() / "odd.jsonl").string()}, {"columns", {{"prompt", "x"}, {"completion", "y"}}}});
  EXPECT_NE(mapped["refused"], "");
  EXPECT_THAT(refusal("data/check", {{"path", (folder() / "none.txt").string()}}), HasSubstr("none.txt"));
}

TEST_F(ProjectMethods, ADataCheckOfABigFileIsBinnedPagedAndCanBeCancelled) {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += "{\"prompt\": \"" + std::string(static_cast<std::size_t>(i % 400), 'x') + "\", \"completion\": \"y" +
            std::to_string(i) + "\"}\n";
  }
  writeText(folder() / "big.jsonl", text);
  const Json params = {
      {"path", (folder() / "big.jsonl").string()}, {"model", model("stories260K")}, {"length", 100}, {"preview", 50}};
  const Json check = answer("data/check", params);
  EXPECT_LE(check["lengths"].size(), 24u);
  EXPECT_GT(check["lengths"].size(), 4u);
  std::int64_t rows = 0, to = check["lengths"][0]["from"];
  for (const Json& bin : check["lengths"]) {
    EXPECT_EQ(bin["from"], to);
    to = bin["to"];
    rows += bin["rows"].get<std::int64_t>();
  }
  EXPECT_EQ(rows, 3000);
  EXPECT_GT(check["truncated"], 100);
  EXPECT_LT(check.dump().size(), 256u << 10);
  EXPECT_GT(progressCalls, 2);
  cancelled = true;
  const auto stopped = call("data/check", params);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

TEST_F(ProjectMethods, ASampleValueIsShortAndOnOneLine) {
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ä";
  writeText(folder() / "long.jsonl",
            dumpLine({{"prompt", umlauts}, {"completion", "one\ntwo"}, {"list", {1, 2}}}) + "\n");
  const Json keys = answer("data/check", {{"path", (folder() / "long.jsonl").string()}})["keys"];
  const std::string sample = keys[0]["sample"];
  EXPECT_EQ(sample, umlauts.substr(0, 2 * 119) + "…");
  EXPECT_EQ(keys[1]["sample"], "one two");
  EXPECT_EQ(keys[2]["sample"], "[1,2]");
}

TEST_F(ProjectMethods, ADataSetStaysInTheListWithItsMapping) {
  openNew();
  writeText(folder() / "pairs.jsonl", kPairs);
  const std::string path = (folder() / "pairs.jsonl").string();
  const Json mapping = {{"prompt", "prompt"}, {"completion", "completion"}};
  const Json list = answer("data/add", {{"path", path}, {"name", "pairs"}, {"columns", mapping}})["files"];
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]["name"], "pairs");
  EXPECT_EQ(list[0]["path"], path);
  EXPECT_EQ(list[0]["added"], true);
  EXPECT_EQ(answer("data/list")["files"][0]["columns"], Json({{"completion", "completion"}, {"prompt", "prompt"}}));
  EXPECT_THAT(refusal("data/add", {{"path", path}, {"columns", {{"nonsense", "x"}}}}), HasSubstr("nonsense"));
  EXPECT_THAT(refusal("data/add", {{"path", "/none"}}), HasSubstr("/none"));
  writeText(folder() / "project/own.txt", "words");
  answer("data/add", {{"path", "own.txt"}});
  EXPECT_EQ(answer("data/list")["files"].size(), 2u) << "a file of the project is listed once";
  EXPECT_EQ(answer("data/remove", {{"name", "pairs"}})["files"].size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(ProjectMethods, TheProjectsDataFilesAreListed) {
  answer("project/open");
  std::vector<std::string> names;
  const Json list = answer("data/list");
  for (const Json& file : list["files"]) names.push_back(file["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"heldout.txt", "novels.txt", "recall.json", "train.txt"}));
}

}  // namespace
}  // namespace strata::testing
