#include "core/project/project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/project/model_name.h"
#include "support.h"

namespace strata {
namespace {

using strata::testing::readText;
using strata::testing::TemporaryFolder;
using strata::testing::writeText;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST(Project, IsMadeWhereNothingIs) {
  TemporaryFolder folder;
  const auto project = Project::openOrCreate(folder.path() / "deep" / "stories");
  ASSERT_TRUE(project) << project.error().message;
  EXPECT_EQ(project->name(), "stories");
  EXPECT_EQ(Json::parse(readText(project->folder() / "strata.json")),
            (Json{{"format", "strata-project"}, {"version", 1}, {"name", "stories"}}));
}

TEST(Project, IsMadeInAnEmptyFolderAndOpenedThereAgain) {
  TemporaryFolder folder;
  ASSERT_TRUE(Project::openOrCreate(folder.path()));
  writeText(folder.path() / "maps/half.json", "{}");
  EXPECT_TRUE(Project::openOrCreate(folder.path()));
  EXPECT_TRUE(Project::open(folder.path()));
}

TEST(Project, IsMadeInAFolderThatAKilledCreationLeft) {
  TemporaryFolder folder;
  writeText(folder.path() / ".strata.json.tmp-123-0", "{\"form");
  EXPECT_TRUE(Project::openOrCreate(folder.path()));
}

TEST(Project, RefusesAFolderWithOtherThingsInIt) {
  TemporaryFolder folder;
  writeText(folder.path() / "holiday.jpg", "x");
  const auto project = Project::openOrCreate(folder.path());
  ASSERT_FALSE(project);
  EXPECT_EQ(project.error().code, ErrorCode::usage);
  EXPECT_THAT(project.error().message, HasSubstr("no strata.json"));
  EXPECT_FALSE(fs::exists(folder.path() / "strata.json"));
}

TEST(Project, RefusesAFileAndAMissingFolder) {
  TemporaryFolder folder;
  writeText(folder.path() / "file", "x");
  EXPECT_FALSE(Project::openOrCreate(folder.path() / "file"));
  EXPECT_FALSE(Project::openOrCreate(folder.path() / "file" / "below"));
  const auto missing = Project::open(folder.path() / "nowhere");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::notFound);
}

TEST(Project, NamesItsModelsAndWhatStandsOnEachSide) {
  TemporaryFolder folder;
  writeText(folder.path() / "strata.json", R"({"format": "strata-project", "version": 1,
    "models": {"base": "../models/base", "mine": "/data/mine"},
    "sides": {"a": {"model": "base"}, "b": {"model": "mine", "map": "stride:2"}}})");
  const auto project = Project::open(folder.path());
  ASSERT_TRUE(project) << project.error().message;
  EXPECT_EQ(project->models().at("base"), (folder.path() / "../models/base").lexically_normal());
  EXPECT_EQ(project->models().at("mine"), fs::path("/data/mine"));
  EXPECT_EQ(project->sideA(), (ProjectSide{"base", "full"}));
  EXPECT_EQ(project->sideB(), (ProjectSide{"mine", "stride:2"}));
  EXPECT_EQ(locateModel("mine", folder.path())->folder, fs::path("/data/mine"));
  EXPECT_EQ(locateModel("other", folder.path())->folder, fs::path("other"));
  EXPECT_EQ(locateModel("mine")->folder, fs::path("mine"));
}

TEST(Project, NamesTheFileWhenStrataJsonIsBroken) {
  const std::pair<const char*, const char*> cases[] = {
      {"{", "strata.json"},
      {"", "strata.json"},
      {"[]", "format"},
      {"{\"format\": \"other\", \"version\": 1}", "format"},
      {"{\"format\": 7, \"version\": 1}", "format"},
      {"{\"format\": \"strata-project\"}", "version"},
      {"{\"format\": \"strata-project\", \"version\": \"1\"}", "version"},
      {"{\"format\": \"strata-project\", \"version\": 2}", "newer"},
      {"{\"format\": \"strata-project\", \"version\": 1, \"name\": 5}", "name"},
      {R"({"format": "strata-project", "version": 1, "models": []})", "no object of names and folders"},
      {R"({"format": "strata-project", "version": 1, "models": {"a/b": "x"}})", "\"a/b\""},
      {R"({"format": "strata-project", "version": 1, "models": {"m": 1}})", "the model \"m\" no folder"},
      {R"({"format": "strata-project", "version": 1, "sides": []})", "no object with \"a\""},
      {R"({"format": "strata-project", "version": 1, "sides": {"b": {}}})", "side \"b\" a \"model\""},
      {R"({"format": "strata-project", "version": 1, "sides": {"a": {"model": "m", "map": 5}}})", "side \"a\""},
  };
  for (const auto& [text, expected] : cases) {
    TemporaryFolder folder;
    writeText(folder.path() / "strata.json", text);
    for (const auto& project : {Project::open(folder.path()), Project::openOrCreate(folder.path())}) {
      ASSERT_FALSE(project) << text;
      EXPECT_THAT(project.error().message, HasSubstr(expected)) << text;
      EXPECT_THAT(project.error().message, HasSubstr("strata.json")) << text;
    }
    EXPECT_EQ(readText(folder.path() / "strata.json"), text) << "a broken file is left for its owner to mend";
  }
}

}  // namespace
}  // namespace strata
