// What a project keeps through a power cut and on a full disk.

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/files.h"
#include "core/project/chat_store.h"
#include "core/project/job.h"
#include "core/project/run_checkpoint.h"
#include "core/project/run_database.h"
#include "small_disk.h"
#include "system_calls.h"

namespace strata {
namespace {

using testing::SmallDisk;
using testing::SystemCalls;
namespace fs = std::filesystem;

protocol::PutChat::Params aQuestion(int turn, std::size_t bytes = 10) {
  protocol::PutChat::Params params;
  params.chat.id = "c";
  protocol::ChatMessage message;
  message.id = "m" + std::to_string(turn);
  message.turn = turn;
  message.role = "user";
  message.text = std::string(bytes, 'x');
  params.messages.push_back(message);
  return params;
}

/// A call that strace shows and that does nothing.
void mark() {
  (void)!::write(-1, "", 0);
}

TEST(Durability, AChatIsOnTheDiskWheneverPutReturns) {
  const testing::TemporaryFolder folder;
  constexpr int kPuts = 5;
  const SystemCalls calls([&] {
    auto opened = ChatStore::open(folder.path(), ChatStore::Mode::write);
    if (!opened) return false;
    for (int turn = 0; turn < kPuts; ++turn) {
      mark();
      if (!opened->store.put(aQuestion(turn))) return false;
    }
    mark();
    return true;
  });
  STRATA_NEEDS(calls);
  ASSERT_TRUE(calls.succeeded());
  std::vector<std::size_t> marks;
  for (std::size_t i = 0; i < calls.all().size(); ++i) {
    if (calls.all()[i].name == "write" && !calls.all()[i].done) marks.push_back(i);
  }
  ASSERT_EQ(marks.size(), kPuts + 1U) << calls.text();
  for (std::size_t put = 0; put < kPuts; ++put) {
    // synchronous=FULL: each commit is synced, where NORMAL syncs now and then.
    const std::size_t end = marks[put + 1];
    const std::size_t written = calls.findLast("write", "project.sqlite-wal", end);
    const std::size_t synced = calls.findLast("fsync", "project.sqlite-wal", end);
    EXPECT_GT(written, marks[put]) << calls.text();
    ASSERT_LT(synced, end) << calls.text();
    EXPECT_GT(synced, written) << "put " << put << " returned before it was on the disk\n" << calls.text();
  }
}

TEST(Durability, ARunsMetricsReachTheDatabaseOnlyFromASyncedLog) {
  const testing::TemporaryFolder folder;
  const SystemCalls calls([&] {
    auto database = RunDatabase::open(folder.path());
    if (!database || !database->addMetric({1, "loss", 2.5})) return false;
    return database->flush().has_value();  // closing moves the log into the database
  });
  STRATA_NEEDS(calls);
  ASSERT_TRUE(calls.succeeded());
  // synchronous=NORMAL: the log is synced before its pages are copied, and the copy before the log goes. OFF syncs
  // nothing.
  const std::size_t gone = calls.find("unlink", "run.sqlite-wal");
  ASSERT_NE(gone, SystemCalls::kNone) << calls.text();
  const std::size_t copied = calls.findLast("write", "run.sqlite", gone);
  const std::size_t logged = calls.findLast("write", "run.sqlite-wal", copied);
  ASSERT_LT(copied, gone) << calls.text();
  const std::size_t logSynced = calls.findLast("fsync", "run.sqlite-wal", copied);
  ASSERT_LT(logSynced, copied) << calls.text();
  EXPECT_GT(logSynced, logged) << calls.text();
  EXPECT_LT(calls.find("fsync", "run.sqlite", copied), gone) << calls.text();
}

TEST(Durability, AMovedRunIsSyncedInBothFolders) {
  const testing::TemporaryFolder folder;
  const Project project = *Project::openOrCreate(folder.path() / "project");
  const std::string id = strata::Run::create(project, "train", Json::object())->info().id;
  const SystemCalls calls([&] { return trashRun(project, id).has_value(); });
  STRATA_NEEDS(calls);
  ASSERT_TRUE(calls.succeeded());
  const std::size_t renamed = calls.find("rename", "/trash/" + id);
  ASSERT_NE(renamed, SystemCalls::kNone) << calls.text();
  for (const char* synced : {"/project/runs", "/project/trash"}) {
    EXPECT_NE(calls.find("fsync", synced, renamed), SystemCalls::kNone) << synced << "\n" << calls.text();
  }
}

TEST(Durability, AFullDiskLosesNoChatAndSaysSo) {
  const SmallDisk disk("512k");
  STRATA_NEEDS(disk);
  auto opened = ChatStore::open(disk.path(), ChatStore::Mode::write);
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_TRUE(opened->store.put(aQuestion(0)));
  const auto full = opened->store.put(aQuestion(1, 1 << 20));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::diskFull) << full.error().message;
  EXPECT_EQ(opened->store.read("c", 0, 1000)->messages.size(), 1U);
  EXPECT_TRUE(opened->store.put(aQuestion(2)));
}

TEST(Durability, AFullDiskLeavesTheLastCheckpoint) {
  const SmallDisk disk("256k");
  STRATA_NEEDS(disk);
  const auto writing = [](std::size_t bytes) {
    return [bytes](const fs::path& staged) { return writeFile(staged / "weights", std::string(bytes, 'x')); };
  };
  const fs::path run = disk.path() / "run";
  ASSERT_TRUE(saveCheckpoint(run, 1, writing(1000)));
  const auto full = saveCheckpoint(run, 2, writing(1 << 20));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::diskFull) << full.error().message;
  EXPECT_EQ(checkpointSteps(run), std::vector<std::int64_t>{1});
  EXPECT_TRUE(verifyCheckpoint(checkpointFolder(run, 1)));
  EXPECT_TRUE(saveCheckpoint(run, 3, writing(1000)));
}

TEST(Durability, ARunSaysWhyItEndedOnADiskWithoutAByte) {
  const SmallDisk disk("512k");
  STRATA_NEEDS(disk);
  const auto project = Project::openOrCreate(disk.path() / "project");
  ASSERT_TRUE(project) << project.error().message;
  auto run = Run::create(*project, "train", Json::object());
  ASSERT_TRUE(run) << run.error().message;
  ASSERT_TRUE(run->setState(RunState::running));
  {
    std::ofstream filler(disk.path() / "filler", std::ios::binary);
    while (filler.put('x').flush()) {
    }
  }
  ASSERT_FALSE(writeFile(disk.path() / "more", std::string(100, 'x')));
  const auto stored = run->setState(RunState::paused, "No space is left.");
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(readRun(run->folder())->message, "No space is left.");
  EXPECT_FALSE(fs::exists(run->folder() / "reserve"));
}

}  // namespace
}  // namespace strata
