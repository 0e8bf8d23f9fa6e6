#include "core/project/launcher.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "core/base/json.h"
#include "core/project/project.h"
#include "support.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

struct Launchers : ::testing::Test {
  Launchers() { setenv("XDG_CONFIG_HOME", (temporary.path() / "config").c_str(), 1); }
  ~Launchers() override { unsetenv("XDG_CONFIG_HOME"); }
  TemporaryFolder temporary;
  fs::path project = Project::openOrCreate(temporary.path() / "project")->folder();
};

TEST_F(Launchers, BelongToThePersonAndNotToTheProject) {
  EXPECT_EQ(launcherOf(project).value(), "");
  ASSERT_TRUE(storeLauncher(project, "mpirun -np 8"));
  EXPECT_EQ(launcherOf(project).value(), "mpirun -np 8");
  EXPECT_EQ(launcherOf(temporary.path() / "other").value(), "");
  for (const auto& entry : fs::recursive_directory_iterator(project)) {
    if (entry.is_regular_file()) EXPECT_EQ(testing::readText(entry.path()).find("mpirun"), std::string::npos);
  }
}

TEST_F(Launchers, AreThoseOfAFolderHoweverItIsReached) {
  ASSERT_TRUE(storeLauncher(project / "", "srun -n 2"));
  fs::create_directory_symlink(project, temporary.path() / "link");
  EXPECT_EQ(launcherOf(temporary.path() / "link").value(), "srun -n 2");
  ASSERT_TRUE(storeLauncher(temporary.path() / "link", ""));
  EXPECT_EQ(launcherOf(project).value(), "");
}

TEST_F(Launchers, OneThatAProjectBringsAlongIsNotTaken) {
  Json file = Json::parse(testing::readText(project / "strata.json"));
  file["launcher"] = "mpirun -np 64";
  testing::writeText(project / "strata.json", file.dump());
  ASSERT_TRUE(Project::open(project));
  EXPECT_EQ(launcherOf(project).value(), "");
}

TEST_F(Launchers, AreOneLine) {
  for (const std::string& wrong : {std::string("srun\n-N 2"), std::string("a\0b", 3), std::string(1001, 'x')}) {
    const auto stored = storeLauncher(project, wrong);
    ASSERT_FALSE(stored);
    EXPECT_THAT(stored.error().message, HasSubstr("one line"));
  }
}

TEST_F(Launchers, AFileThatIsBrokenIsNamedAndKept) {
  const fs::path file = temporary.path() / "config/strata/launchers.json";
  fs::create_directories(file.parent_path());
  for (const char* broken : {"[]", "{", R"({"x": )"}) {
    testing::writeText(file, broken);
    EXPECT_THAT(launcherOf(project).error().message, HasSubstr("launchers.json"));
    EXPECT_THAT(storeLauncher(project, "srun").error().message, HasSubstr("launchers.json"));
    EXPECT_EQ(testing::readText(file), broken);
  }
  testing::writeText(file, Json{{fs::canonical(project).string(), 8}}.dump());
  EXPECT_THAT(launcherOf(project).error().message, HasSubstr("not text"));
}

TEST(RanksOfALauncher, AreWhatItsOptionsSay) {
  EXPECT_EQ(ranksOf(""), 1);
  EXPECT_EQ(ranksOf("mpirun -np 8"), 8);
  EXPECT_EQ(ranksOf("OMP_NUM_THREADS=2 mpirun --oversubscribe -n 4 --bind-to none"), 4);
  EXPECT_EQ(ranksOf("mpiexec --np 3"), 3);
  EXPECT_EQ(ranksOf("srun -n 16"), 16);
  EXPECT_EQ(ranksOf("srun -n16 -N2"), 16);
  EXPECT_EQ(ranksOf("srun --ntasks=32 --gpus-per-task 1"), 32);
  EXPECT_EQ(ranksOf("srun --ntasks 5"), 5);
  for (const char* silent :
       {"srun", "mpirun --hostfile hosts", "mpirun -np", "mpirun -np all", "mpirun -np 0", "./start"})
    EXPECT_EQ(ranksOf(silent), std::nullopt) << silent;
}

}  // namespace
}  // namespace strata
