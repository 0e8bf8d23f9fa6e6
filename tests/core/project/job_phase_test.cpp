#include "core/project/job_phase.h"

#include <sys/stat.h>

#include "support.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using strata::testing::readText;
using strata::testing::TemporaryFolder;
using strata::testing::writeText;

TEST(JobPhase, IsReadAsItWasWrittenAndGoesWithItsWriter) {
  const TemporaryFolder run;
  EXPECT_FALSE(readPhase(run.path()));
  {
    PhaseFile file(run.path());
    EXPECT_EQ(readPhase(run.path())->phase, JobPhase::stepping);
    for (const JobPhase phase : {JobPhase::evaluating, JobPhase::saving, JobPhase::stepping, JobPhase::saving}) {
      file.enter(phase);
      ASSERT_TRUE(readPhase(run.path()));
      EXPECT_EQ(readPhase(run.path())->phase, phase);
      EXPECT_EQ(readText(run.path() / "phase").size(), 16u) << "a word never holds the end of another";
    }
  }
  EXPECT_FALSE(fs::exists(run.path() / "phase"));
}

TEST(JobPhase, TellsWhenItLastGotOn) {
  const TemporaryFolder run;
  PhaseFile file(run.path());
  const auto hourAgo = fs::file_time_type::clock::now() - std::chrono::hours(1);
  fs::last_write_time(run.path() / "phase", hourAgo);
  const auto old = readPhase(run.path())->progress;
  EXPECT_LT(old, std::chrono::system_clock::now() - std::chrono::minutes(59));
  EXPECT_GT(old, std::chrono::system_clock::now() - std::chrono::minutes(61));
  while (readPhase(run.path())->progress == old) file.progress();
  EXPECT_GT(readPhase(run.path())->progress, std::chrono::system_clock::now() - std::chrono::minutes(1));
}

TEST(JobPhase, WritesAndReadsNothingThroughALinkOrAPipe) {
  const TemporaryFolder run, elsewhere;
  writeText(elsewhere.path() / "target", "saving\n");
  fs::create_symlink(elsewhere.path() / "target", run.path() / "phase");
  EXPECT_FALSE(readPhase(run.path()));
  { PhaseFile(run.path()).enter(JobPhase::saving); }
  EXPECT_EQ(readText(elsewhere.path() / "target"), "saving\n");
  fs::remove(run.path() / "phase");
  ASSERT_EQ(::mkfifo((run.path() / "phase").c_str(), 0600), 0);
  EXPECT_FALSE(readPhase(run.path()));
  { PhaseFile(run.path()).enter(JobPhase::saving); }
  fs::remove(run.path() / "phase");
  for (const char* text : {"", "dancing", "stepping-stones", "sav"}) {
    writeText(run.path() / "phase", text);
    EXPECT_FALSE(readPhase(run.path())) << text;
  }
}

}  // namespace
}  // namespace strata
