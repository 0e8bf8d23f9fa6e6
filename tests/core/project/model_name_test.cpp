// Runs that name runs as their models: rings, and checkpoints that are not what was saved.

#include "core/project/model_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/project/project.h"
#include "core/project/run_checkpoint.h"
#include "support.h"

namespace strata {
namespace {

using strata::testing::TemporaryFolder;
using strata::testing::writeText;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

struct ModelNames : ::testing::Test {
  TemporaryFolder temporary;
  Project project = *Project::openOrCreate(temporary.path() / "project");
  const fs::path base = temporary.path() / "base";

  void SetUp() override { writeText(base / "config.json", "{}"); }

  /// A run with a checkpoint, of a full model or of an adapter; its folder. `model` of its configuration is set after.
  fs::path makeRun(const char* file = "adapter_config.json") {
    const fs::path run = strata::Run::create(project, "train", Json::object())->folder();
    EXPECT_TRUE(saveCheckpoint(run, 1, [&](const fs::path& staged) -> Result<void> {
      writeText(staged / file, "{}");
      return {};
    }));
    return run;
  }
  static void setModel(const fs::path& run, const std::string& model) {
    ASSERT_TRUE(strata::Run::reopen(run)->setConfig(Json{{"model", model}}));
  }
  std::string refusal(const fs::path& run, Locate how = Locate::verified) const {
    const auto found = locateModel(run.filename(), project.folder(), how);
    return found ? "it was located" : found.error().message;
  }
};

TEST_F(ModelNames, AnAdapterRunIsItsBaseAndItsCheckpoint) {
  const fs::path run = makeRun();
  setModel(run, base);
  const auto found = locateModel(run.filename(), project.folder());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->folder, base);
  EXPECT_EQ(found->adapter, checkpointFolder(run, 1));
  EXPECT_EQ(*originalOf(*found), base);
}

TEST_F(ModelNames, ARunThatNamesItselfIsRefused) {
  const fs::path run = makeRun();
  const std::string id = run.filename();
  for (const std::string& name : {run.string(), id, id + "@1", run.string() + "/"}) {
    setModel(run, name);
    for (const Locate how : {Locate::verified, Locate::place}) {
      EXPECT_THAT(refusal(run, how), HasSubstr("go in a ring (" + id + " -> " + id + ")")) << name;
    }
  }
}

TEST_F(ModelNames, RingsOfRunsAreRefusedHoweverLong) {
  std::vector<fs::path> runs;
  for (int i = 0; i < 30; ++i) runs.push_back(makeRun());
  for (const std::size_t length : {2, 3, 30}) {
    for (std::size_t i = 0; i < length; ++i) setModel(runs[i], runs[(i + 1) % length]);
    for (std::size_t i = 0; i < length; ++i) EXPECT_THAT(refusal(runs[i]), HasSubstr("go in a ring")) << length;
  }
  const fs::path before = makeRun();
  setModel(before, runs[0]);
  EXPECT_THAT(refusal(before), HasSubstr("go in a ring")) << "a run that leads into a ring";
}

TEST_F(ModelNames, FullRunsInARingOpenButHaveNoOriginal) {
  const fs::path first = makeRun("config.json"), second = makeRun("config.json");
  setModel(first, second);
  setModel(second, first);
  const auto found = locateModel(first.filename(), project.folder());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->folder, checkpointFolder(first, 1));
  const auto original = originalOf(*found);
  ASSERT_FALSE(original);
  EXPECT_THAT(original.error().message, HasSubstr("go in a ring"));
}

TEST_F(ModelNames, AnExportGoesBackToTheFirstModel) {
  const fs::path first = makeRun("config.json"), second = makeRun("config.json"), third = makeRun();
  setModel(first, base);
  setModel(second, first);
  setModel(third, second.string() + "@1");
  EXPECT_EQ(*originalOf(*locateModel(third.filename(), project.folder())), base);
  setModel(first, "");
  EXPECT_EQ(*originalOf(*locateModel(third.filename(), project.folder())), checkpointFolder(first, 1));
}

TEST_F(ModelNames, AnAdapterOverAnAdapterIsRefused) {
  const fs::path first = makeRun(), second = makeRun();
  setModel(first, base);
  setModel(second, first);
  EXPECT_THAT(refusal(second), HasSubstr("an adapter over another adapter"));
}

TEST_F(ModelNames, ADamagedCheckpointIsRefusedHoweverItIsNamed) {
  const fs::path full = makeRun("config.json"), adapter = makeRun();
  setModel(full, base);
  setModel(adapter, full);
  ASSERT_TRUE(locateModel(adapter.filename(), project.folder()));
  const fs::path checkpoint = checkpointFolder(full, 1);
  writeText(checkpoint / "config.json", "[]");
  const std::string id = full.filename();
  for (const std::string& name : {id, id + "@1", full.string(), checkpoint.string(), adapter.filename().string()}) {
    const auto found = locateModel(name, project.folder());
    ASSERT_FALSE(found) << name;
    EXPECT_THAT(found.error().message, HasSubstr("config.json is damaged")) << name;
    EXPECT_TRUE(locateModel(name, project.folder(), Locate::place)) << name;
  }
  const auto adapterOnly = originalOf({base, checkpointFolder(adapter, 1), adapter});
  EXPECT_TRUE(adapterOnly) << "the export of the adapter takes names from the first model alone";
}

TEST_F(ModelNames, ATemplateOfTheProjectIsNoLink) {
  const auto plain = locateModel(base.string(), project.folder());
  ASSERT_TRUE(plain);
  const fs::path file = templateFileOf(*plain, project.folder());
  fs::create_directories(file.parent_path());
  fs::create_symlink("/etc/hostname", file);
  const auto linked = locateModel(base.string(), project.folder());
  ASSERT_FALSE(linked);
  EXPECT_THAT(linked.error().message, HasSubstr("is a symbolic link"));
}

}  // namespace
}  // namespace strata
