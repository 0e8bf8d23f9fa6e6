#include "core/project/map_files.h"

#include <gmock/gmock.h>

#include "core/base/files.h"
#include "core/project/project.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::readText;
using testing::TemporaryFolder;
using testing::writeText;
namespace fs = std::filesystem;

class MapFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    project = folder.path() / "project";
    model = folder.path() / "model";
    fs::create_directories(model);
    writeText(model / "config.json", "{}");
    ASSERT_TRUE(Project::openOrCreate(project));
    auto opened = Project::open(project);
    ASSERT_TRUE(opened->addModel(model, "tiny"));
  }
  /// An evaluation of the model that is done.
  std::string evaluation(const Json& results) {
    auto opened = Project::open(project);
    auto run = Run::create(*opened, "eval", {{"model", model.string()}, {"adapter", ""}});
    EXPECT_TRUE(run);
    writeText(run->folder() / "results.json", dumpLine({{"results", results}}));
    EXPECT_TRUE(run->setState(RunState::done));
    evaluations.push_back(run->info().id);
    return run->info().id;
  }
  std::vector<KnownMap> known() const {
    return knownMaps(project, std::vector<std::string>(evaluations.rbegin(), evaluations.rend()));
  }
  TemporaryFolder folder;
  fs::path project, model;
  std::vector<std::string> evaluations;  // that are done, the oldest first
};

TEST_F(MapFiles, AStoredMapComesBackWithItsModelAndScores) {
  const Json extra = {{"model", "tiny"}, {"scores", {{{"metric", "f1"}, {"value", .9}, {"n", 100}}}}};
  ASSERT_TRUE(writeMap(project, "half", *parseMap("stride:2", 4), extra));
  const auto maps = known();
  ASSERT_EQ(maps.size(), 1u);
  EXPECT_EQ(maps[0].name, "half");
  EXPECT_THAT(maps[0].map.src(), ElementsAre(0, 0, 2, 2));
  EXPECT_EQ(maps[0].model, model);
  ASSERT_EQ(maps[0].scores.size(), 1u);
  EXPECT_EQ(maps[0].scores[0].metric, "f1");
  EXPECT_EQ(maps[0].scores[0].n, 100);
  EXPECT_TRUE(maps[0].run.empty());
}

TEST_F(MapFiles, WhatAnEvaluationMeasuredIsKnownByItsMapAndModel) {
  const std::string run = evaluation({{{"map", "retention:.5"},
                                       {"src", {0, 0, 2, 2}},
                                       {"f1", .8},
                                       {"nll", 3.5},
                                       {"n", 50},
                                       {"tokens", 900},
                                       {"em", nullptr}}});
  const auto maps = known();
  ASSERT_EQ(maps.size(), 1u);
  EXPECT_EQ(maps[0].run, run);
  EXPECT_EQ(maps[0].model, model);
  EXPECT_EQ(maps[0].map.owners(), 2);
  ASSERT_EQ(maps[0].scores.size(), 2u) << "what is null was not measured";
  EXPECT_EQ(maps[0].scores[0].metric, "f1");
  EXPECT_EQ(maps[0].scores[0].n, 50);
  EXPECT_EQ(maps[0].scores[1].n, 900);
}

TEST_F(MapFiles, OneBrokenFileOrRunHidesNoOther) {
  ASSERT_TRUE(writeMap(project, "good", *parseMap("full", 4), Json::object()));
  writeText(project / "maps/bad.json", "{\"format\": \"strata-map\", \"version\": 1, \"layers\": 2, \"src\": [0, 5]}");
  evaluation(Json(3));
  const std::string second = evaluation({{{"map", "full"}, {"src", {0, 1}}, {"f1", .5}}});
  const auto maps = known();
  ASSERT_EQ(maps.size(), 3u);
  EXPECT_EQ(maps[0].name, "bad");
  EXPECT_THAT(maps[0].problem, HasSubstr("layer 1"));
  EXPECT_EQ(maps[1].problem, "");
  EXPECT_EQ(maps[2].run, second);
}

TEST_F(MapFiles, ALinkIsNotFollowed) {
  writeText(folder.path() / "elsewhere.json", dumpLine(mapToJson(*parseMap("full", 4))));
  fs::create_directories(project / "maps");
  fs::create_symlink(folder.path() / "elsewhere.json", project / "maps/link.json");
  const auto maps = known();
  ASSERT_EQ(maps.size(), 1u);
  EXPECT_NE(maps[0].problem, "");
}

TEST_F(MapFiles, ANameStaysInsideTheFolder) {
  for (const char* name : {"", "../half", "a/b", ".hidden"}) {
    EXPECT_FALSE(writeMap(project, name, *parseMap("full", 4), Json::object())) << name;
  }
  EXPECT_FALSE(fs::exists(project / "maps"));
}

TEST_F(MapFiles, ACopyOfTheSampleHasItsMapsAndKeepsItsOwn) {
  ASSERT_TRUE(writeMap(project, "quarter", *parseMap("0,0,2,2", 4), {{"model", "tiny"}}));
  const fs::path copy = folder.path() / "copy";
  ASSERT_TRUE(copyProject(project, copy));
  ASSERT_EQ(knownMaps(copy, {}).size(), 1u);
  EXPECT_EQ(knownMaps(copy, {})[0].model, model);
  ASSERT_TRUE(writeMap(copy, "quarter", *parseMap("full", 4), Json::object()));
  ASSERT_TRUE(writeMap(project, "new", *parseMap("full", 4), Json::object()));
  ASSERT_TRUE(copyProject(project, copy));
  const auto maps = knownMaps(copy, {});
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_TRUE(maps[1].map.isFull()) << "the user's own stays";
}

TEST_F(MapFiles, WhatASearchMeasuredHasItsTextAndItsIntervals) {
  auto opened = Project::open(project);
  auto run = strata::Run::create(*opened, "search", {{"model", model.string()}, {"text", "/novels.txt"}});
  ASSERT_TRUE(run);
  writeText(run->folder() / "results.json",
            dumpLine({{"text_hash", "abc"},
                      {"metric", "nll"},
                      {"results",
                       {{{"map", "full"}, {"src", {0, 1}}, {"nll", 3.5}, {"half_width", .1}, {"tokens", 9}},
                        {{"map", "even:1"}, {"src", {0, 0}}, {"nll", 4}, {"half_width", nullptr}}}}}));
  const auto maps = measuredMaps(project, {run->info().id});
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[0].text, "/novels.txt");
  EXPECT_EQ(maps[0].textHash, "abc");
  ASSERT_EQ(maps[0].scores.size(), 1u);
  EXPECT_EQ(maps[0].scores[0].halfWidth, .1);
  EXPECT_EQ(maps[0].scores[0].n, 9);
  EXPECT_FALSE(maps[1].scores[0].halfWidth);
}

TEST_F(MapFiles, AMapIsRenamedUnlessAnotherHasTheName) {
  ASSERT_TRUE(writeMap(project, "a", *parseMap("stride:2", 4), {{"note", "kept"}}));
  ASSERT_TRUE(writeMap(project, "b", *parseMap("full", 4), {}));
  const auto taken = renameMap(project, "a", "b");
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("named \"b\" already"));
  ASSERT_TRUE(renameMap(project, "a", "c"));
  ASSERT_TRUE(renameMap(project, "c", "c"));
  EXPECT_EQ((*readStoredMap(project, "c"))["note"], "kept");
  for (const char* bad : {"", "../x", "a/b", ".x"}) {
    EXPECT_FALSE(renameMap(project, "c", bad)) << bad;
    EXPECT_FALSE(renameMap(project, bad, "d")) << bad;
  }
  EXPECT_THAT(renameMap(project, "none", "d").error().message, HasSubstr("no map \"none\""));
}

TEST_F(MapFiles, AMapInTheTrashComesBackUnderAFreeName) {
  ASSERT_TRUE(writeMap(project, "half", *parseMap("stride:2", 4), {}));
  EXPECT_EQ(*trashMap(project, "half"), "half");
  EXPECT_TRUE(known().empty());
  ASSERT_TRUE(writeMap(project, "half", *parseMap("full", 4), {}));
  EXPECT_EQ(*trashMap(project, "half"), "half 2") << "the trash holds both";
  ASSERT_EQ(trashedMaps(project).size(), 2u);
  ASSERT_TRUE(writeMap(project, "half", *parseMap("prefix:1", 4), {}));
  EXPECT_EQ(*restoreMap(project, "half"), "half 2");
  EXPECT_THAT(known()[1].map.src(), ElementsAre(0, 0, 2, 2));
  ASSERT_TRUE(deleteTrashedMap(project, "half 2"));
  EXPECT_TRUE(trashedMaps(project).empty());
  EXPECT_FALSE(deleteTrashedMap(project, "half 2"));
}

TEST_F(MapFiles, ALinkIsNeitherMovedNorReplaced) {
  writeText(folder.path() / "elsewhere.json", "{}");
  fs::create_directories(project / "maps/trash");
  fs::create_symlink(folder.path() / "elsewhere.json", project / "maps/link.json");
  ASSERT_TRUE(writeMap(project, "half", *parseMap("stride:2", 4), {}));
  EXPECT_FALSE(renameMap(project, "link", "other"));
  EXPECT_FALSE(trashMap(project, "link"));
  EXPECT_FALSE(renameMap(project, "half", "link"));
  EXPECT_EQ(readText(folder.path() / "elsewhere.json"), "{}");
}

TEST_F(MapFiles, AFileThatIsNoMapIsRefusedWithTheLayerAtFault) {
  const fs::path file = folder.path() / "map.json";
  const auto refusal = [&](const std::string& members, int layers = 0) {
    writeText(file, R"({"format": "strata-map", "version": 1, )" + members + "}");
    const auto read = readMapFile(file, layers);
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_EQ(refusal(R"("layers": 3, "src": [0, 0, 2])", 3), "accepted");
  EXPECT_THAT(refusal(R"("layers": 3, "src": [0, 0, 2])", 12), HasSubstr("made for 3 layers; this model has 12"));
  EXPECT_THAT(refusal(R"("layers": 3, "src": [0, 2, 2])"), HasSubstr("layer 1"));
  EXPECT_THAT(refusal(R"("layers": 3, "src": [0, 0, 1])"), HasSubstr("layer 2"));
  EXPECT_THAT(refusal(R"("layers": 2, "src": [1, 0])"), HasSubstr("layer 0"));
  EXPECT_THAT(refusal(R"("layers": 2, "src": [0, 1e9])"), HasSubstr("layer 1"));
  EXPECT_THAT(refusal(R"("layers": 2, "src": [0, 1000000000])"), HasSubstr("layer 1"));
  EXPECT_THAT(refusal(R"("layers": 2, "src": [0, -1])"), HasSubstr("layer 1"));
  EXPECT_THAT(refusal(R"("layers": 2, "src": [0, 0.5])"), HasSubstr("layer 1"));
  EXPECT_THAT(refusal(R"("layers": 2, "src": [0, "1"])"), HasSubstr("layer 1"));
  EXPECT_THAT(refusal(R"("layers": 4, "src": [0, 1])"), HasSubstr("4 layers"));
  EXPECT_THAT(refusal(R"("layers": 1000000000, "src": [0])"), HasSubstr("1000000000 layers"));
  EXPECT_THAT(refusal(R"("layers": 2, "src": [0, 1], "src": [0, 0])"), HasSubstr("\"src\" twice"));
  EXPECT_THAT(refusal("\"x\": \"" + std::string(5 << 20, 'a') + "\""), HasSubstr("map.json"));
}

}  // namespace
}  // namespace strata
