// What survives a power cut: a file's bytes are on the disk before it has its name, and the name before it is reported.

#include <gtest/gtest.h>

#include "core/base/files.h"
#include "system_calls.h"

namespace strata {
namespace {

using testing::SystemCalls;
using testing::TemporaryFolder;

TEST(Durability, AFileIsWrittenSyncedRenamedAndItsFolderSynced) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "settings.json";
  const SystemCalls calls([&] { return writeFile(path, "old").has_value() && writeFile(path, "new").has_value(); });
  STRATA_NEEDS(calls);
  ASSERT_TRUE(calls.succeeded());
  std::size_t from = 0;
  for (int time = 0; time < 2; ++time) {
    const std::size_t renamed = calls.find("rename", path, from);
    ASSERT_NE(renamed, SystemCalls::kNone) << calls.text();
    const std::string sibling = calls.all()[renamed].path;
    EXPECT_NE(sibling, path);
    const std::size_t synced = calls.findLast("fsync", sibling, renamed);
    ASSERT_LT(synced, renamed) << calls.text();
    EXPECT_LT(calls.findLast("write", sibling, renamed), synced) << "a write after the fsync\n" << calls.text();
    const std::size_t folderSynced = calls.find("fsync", folder.path().string(), renamed);
    ASSERT_NE(folderSynced, SystemCalls::kNone) << "the folder was not synced\n" << calls.text();
    from = folderSynced + 1;
  }
}

TEST(Durability, AStagedFolderIsSyncedWithAllThatIsInItBeforeItHasItsName) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "step-1";
  const SystemCalls calls([&] {
    auto staged = StagedFolder::create(path);
    if (!staged) return false;
    testing::writeText(staged->path() / "weights", "some");
    testing::writeText(staged->path() / "state/moments", "more");
    return staged->commit().has_value();
  });
  STRATA_NEEDS(calls);
  ASSERT_TRUE(calls.succeeded());
  const std::size_t renamed = calls.find("rename", path);
  ASSERT_NE(renamed, SystemCalls::kNone) << calls.text();
  const std::string staging = calls.all()[renamed].path;
  for (const char* inside : {"/weights", "/state/moments"}) {
    const std::size_t synced = calls.findLast("fsync", staging + inside, renamed);
    ASSERT_LT(synced, renamed) << inside << " was not synced\n" << calls.text();
    EXPECT_LT(calls.findLast("write", staging + inside, renamed), synced);
  }
  for (const char* inside : {"/state", ""}) {
    EXPECT_LT(calls.findLast("fsync", staging + inside, renamed), renamed)
        << "the folder " << inside << " was not synced\n"
        << calls.text();
  }
  EXPECT_NE(calls.find("fsync", folder.path().string(), renamed), SystemCalls::kNone) << calls.text();
}

}  // namespace
}  // namespace strata
