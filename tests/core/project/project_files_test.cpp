// A project from a stranger: symbolic links in place of its files and folders lead nowhere.

#include "core/project/project_files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/project/chat_store.h"
#include "core/project/job.h"
#include "core/project/project.h"
#include "core/project/run_checkpoint.h"
#include "core/project/run_database.h"
#include "core/project/run_reader.h"
#include "support.h"

namespace strata {
namespace {

using strata::testing::readText;
using strata::testing::TemporaryFolder;
using strata::testing::writeText;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

template <class T>
std::string refusalOf(const Result<T>& result) {
  return result ? "it was not refused" : result.error().message;
}

struct ProjectFiles : ::testing::Test {
  TemporaryFolder temporary;
  const fs::path outside = temporary.path() / "outside";
  Project project = *Project::openOrCreate(temporary.path() / "project");
  const fs::path folder = project.folder();
  const fs::path run = strata::Run::create(project, "train", Json::object())->folder();
  const std::string id = run.filename();

  void SetUp() override {
    ASSERT_TRUE(saveCheckpoint(run, 1, [](const fs::path& staged) -> Result<void> {
      writeText(staged / "weights", "some");
      return {};
    }));
    writeText(outside / "file", "precious");
  }
  /// A link to the file outside, under this name in the run's folder.
  void linkFile(const fs::path& path) const {
    fs::remove(path);
    fs::create_symlink(outside / "file", path);
  }
  /// The folder moves outside, and a link takes its place.
  void linkFolder(const fs::path& path) const {
    fs::rename(path, outside / path.filename());
    fs::create_directory_symlink(outside / path.filename(), path);
  }
  static void expectRefused(const std::string& said, const fs::path& path) {
    EXPECT_THAT(said, HasSubstr(path.string() + " is a symbolic link"));
  }
};

TEST_F(ProjectFiles, ALinkedLockIsNeitherTakenNorWritten) {
  linkFile(run / "lock");
  for (const std::string& said :
       {refusalOf(strata::Run::reopen(run)), refusalOf(removeRun(project, id)), refusalOf(trashRun(project, id))}) {
    expectRefused(said, run / "lock");
  }
  EXPECT_EQ(lifeOf(run), Life::dead);
  EXPECT_EQ(lockHolder(run), std::nullopt);
  EXPECT_EQ(readText(outside / "file"), "precious");
  EXPECT_TRUE(fs::exists(run / "run.json"));
}

TEST_F(ProjectFiles, ALinkedProjectLockIsRefused) {
  linkFile(folder / "lock");
  expectRefused(refusalOf(ProjectLock::take(folder, {})), folder / "lock");
  fs::remove(folder / "lock");
  fs::create_symlink(outside / "new", folder / "lock");
  expectRefused(refusalOf(ProjectLock::take(folder, {})), folder / "lock");
  EXPECT_FALSE(fs::exists(outside / "new"));
}

TEST_F(ProjectFiles, ALinkedRunJsonIsRefused) {
  fs::rename(run / "run.json", outside / "run.json");
  fs::create_symlink(outside / "run.json", run / "run.json");
  expectRefused(refusalOf(readRun(run)), run / "run.json");
  expectRefused(refusalOf(strata::Run::reopen(run)), run / "run.json");
  const auto runs = listRuns(project);
  ASSERT_TRUE(runs);
  expectRefused(runs->front().message, run / "run.json");
}

TEST_F(ProjectFiles, ALinkedStrataJsonIsRefused) {
  fs::rename(folder / "strata.json", outside / "strata.json");
  fs::create_symlink(outside / "strata.json", folder / "strata.json");
  expectRefused(refusalOf(Project::open(folder)), folder / "strata.json");
}

TEST_F(ProjectFiles, AStopFileIsNotWrittenThroughALinkAndALinkAsksForNothing) {
  fs::create_symlink(outside / "new", run / "stop");
  expectRefused(refusalOf(requestStop(run)), run / "stop");
  EXPECT_FALSE(fs::exists(outside / "new"));
  linkFile(run / "stop");
  EXPECT_EQ(stopRequestedAt(run), std::nullopt);
  const auto opened = strata::Run::reopen(run);
  ASSERT_TRUE(opened);
  EXPECT_FALSE(opened->stopRequested());
  opened->clearStop();
  EXPECT_FALSE(fs::exists(fs::symlink_status(run / "stop")));
  EXPECT_EQ(readText(outside / "file"), "precious");
}

TEST_F(ProjectFiles, AJobsLogIsNotWrittenThroughALink) {
  linkFile(run / "log");
  expectRefused(refusalOf(startJob("/bin/echo", folder, id, std::chrono::milliseconds(10))), run / "log");
  EXPECT_EQ(readText(outside / "file"), "precious");
}

TEST_F(ProjectFiles, DatabasesAndTheirJournalsAreNotOpenedThroughLinks) {
  { ASSERT_TRUE(RunDatabase::open(run)); }
  { ASSERT_TRUE(ChatStore::open(folder, ChatStore::Mode::write)); }
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
    const fs::path metrics = run / (std::string("run.sqlite") + suffix);
    linkFile(metrics);
    expectRefused(refusalOf(RunDatabase::open(run)), metrics);
    expectRefused(refusalOf(RunReader::open(run)), metrics);
    fs::remove(metrics);
    const fs::path chats = folder / (std::string("project.sqlite") + suffix);
    linkFile(chats);
    expectRefused(refusalOf(ChatStore::open(folder, ChatStore::Mode::write)), chats);
    expectRefused(refusalOf(ChatStore::open(folder, ChatStore::Mode::read)), chats);
    EXPECT_TRUE(fs::is_symlink(chats)) << "it is not set aside as damaged";
    fs::remove(chats);
  }
  EXPECT_EQ(readText(outside / "file"), "precious");
}

TEST_F(ProjectFiles, ALinkedRunsFolderIsRefused) {
  linkFolder(folder / "runs");
  const fs::path link = folder / "runs";
  for (const std::string& said :
       {refusalOf(listRuns(project)), refusalOf(readRun(run)), refusalOf(strata::Run::reopen(run)),
        refusalOf(removeRun(project, id)), refusalOf(trashRun(project, id)), refusalOf(RunDatabase::open(run)),
        refusalOf(requestStop(run)), refusalOf(strata::Run::create(project, "train", Json::object())),
        refusalOf(resolveCheckpoint(run, {})), refusalOf(verifyCheckpoint(checkpointFolder(run, 1)))}) {
    expectRefused(said, link);
  }
  EXPECT_TRUE(fs::exists(outside / "runs" / id / "run.json"));
}

TEST_F(ProjectFiles, ALinkedRunIsRefusedAndTheOthersAreListed) {
  const std::string other = strata::Run::create(project, "train", Json::object())->info().id;
  linkFolder(run);
  for (const std::string& said :
       {refusalOf(readRun(run)), refusalOf(strata::Run::reopen(run)), refusalOf(removeRun(project, id)),
        refusalOf(trashRun(project, id)), refusalOf(RunDatabase::open(run)), refusalOf(RunReader::open(run)),
        refusalOf(requestStop(run)), refusalOf(resolveCheckpoint(run, 1)),
        refusalOf(saveCheckpoint(run, 2, [](const fs::path&) { return Result<void>(); }))}) {
    expectRefused(said, run);
  }
  const auto runs = listRuns(project);
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 2u);
  for (const RunInfo& each : *runs) {
    if (each.id == id) {
      expectRefused(each.message, run);
    } else {
      EXPECT_EQ(each.id, other);
      EXPECT_EQ(each.state, RunState::queued);
    }
  }
}

TEST_F(ProjectFiles, LinkedCheckpointsAreRefused) {
  linkFolder(checkpointFolder(run, 1));
  expectRefused(refusalOf(verifyCheckpoint(checkpointFolder(run, 1))), checkpointFolder(run, 1));
  expectRefused(refusalOf(verifyIfCheckpoint(checkpointFolder(run, 1))), checkpointFolder(run, 1));
  linkFolder(run / "checkpoints");
  for (const std::string& said :
       {refusalOf(resolveCheckpoint(run, {})), refusalOf(verifyCheckpoint(checkpointFolder(run, 1))),
        refusalOf(saveCheckpoint(run, 2, [](const fs::path&) { return Result<void>(); }))}) {
    expectRefused(said, run / "checkpoints");
  }
  EXPECT_EQ(*newestGoodCheckpoint(run, {}), std::nullopt);
}

TEST_F(ProjectFiles, NothingIsMovedIntoALinkedTrash) {
  fs::create_directories(outside / "trash");
  fs::create_directory_symlink(outside / "trash", folder / "trash");
  expectRefused(refusalOf(trashRun(project, id)), folder / "trash");
  EXPECT_TRUE(fs::is_empty(outside / "trash"));
  EXPECT_TRUE(fs::exists(run / "run.json"));
}

TEST_F(ProjectFiles, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  fs::remove(run / "lock");
  ASSERT_EQ(mkfifo((run / "lock").c_str(), 0600), 0);
  EXPECT_THAT(refusalOf(strata::Run::reopen(run)), HasSubstr("lock is a FIFO; it must be a regular file"));
  fs::create_directory(run / "log");
  EXPECT_THAT(refusalOf(startJob("/bin/echo", folder, id, std::chrono::milliseconds(10))),
              HasSubstr("log is a folder"));
}

TEST_F(ProjectFiles, LinksOnTheWayToTheUsersOwnProjectAreFollowed) {
  fs::create_directory_symlink(temporary.path(), outside / "home");
  const fs::path linked = outside / "home/project";
  const auto opened = Project::open(linked);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(listRuns(*opened)->size(), 1u);
  EXPECT_TRUE(ProjectLock::take(linked, {}));
  const auto chats = ChatStore::open(linked, ChatStore::Mode::write);
  EXPECT_TRUE(chats) << chats.error().message;
  const auto metrics = RunDatabase::open(linked / "runs" / id);
  EXPECT_TRUE(metrics) << metrics.error().message;
  EXPECT_TRUE(verifyCheckpoint(checkpointFolder(linked / "runs" / id, 1)));
  EXPECT_TRUE(strata::Run::reopen(linked / "runs" / id));
  EXPECT_TRUE(trashRun(*opened, id));
}

TEST_F(ProjectFiles, APathThatLeavesTheProjectIsABug) {
  EXPECT_EQ(openInProject({folder, "../outside/file"}, O_RDONLY).error().code, ErrorCode::internal);
  EXPECT_EQ(readInProject({folder, outside / "file"}).error().code, ErrorCode::internal);
}

}  // namespace
}  // namespace strata
