#include "core/project/map_files.h"

#include <gmock/gmock.h>

#include "core/base/files.h"
#include "core/project/project.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
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

}  // namespace
}  // namespace strata
