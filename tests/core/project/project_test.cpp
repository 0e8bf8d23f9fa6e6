#include "core/project/project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
