#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "core/project/job.h"
#include "core/project/project.h"
#include "support.h"

namespace strata {
namespace {

using strata::testing::readText;
using strata::testing::TemporaryFolder;
using strata::testing::writeText;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
namespace fs = std::filesystem;

struct Runs : ::testing::Test {
  using Run = strata::Run;  // testing::Test has a Run of its own
  TemporaryFolder temporary;
  Project project = *Project::openOrCreate(temporary.path() / "project");

  Run make(const std::string& kind = "train") { return *Run::create(project, kind, Json{{"steps", 5}}); }
  /// A run whose process told `state` last and is gone.
  fs::path leave(RunState state) {
    Run run = make();
    EXPECT_TRUE(run.setState(state));
    return run.folder();
  }
};

TEST_F(Runs, HasAnIdOfTimeKindAndFourHexDigits) {
  const Run run = make("eval");
  EXPECT_THAT(run.info().id, MatchesRegex("[0-9]{8}-[0-9]{6}-eval-[0-9a-f]{4}"));
  EXPECT_THAT(run.info().created, MatchesRegex("....-..-..T..:..:..Z"));
  EXPECT_EQ(run.folder(), project.runsFolder() / run.info().id);
}

TEST_F(Runs, ReadsBackWhatWasStored) {
  Run run = *Run::create(project, "train", Json{{"steps", 5}, {"bad utf-8", "\xff"}}, "20260101-000000-train-0000");
  ASSERT_TRUE(run.setState(RunState::paused, "by hand"));
  const auto info = readRun(run.folder());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->id, run.info().id);
  EXPECT_EQ(info->kind, "train");
  EXPECT_EQ(info->state, RunState::paused);
  EXPECT_EQ(info->message, "by hand");
  EXPECT_EQ(info->parent, "20260101-000000-train-0000");
  EXPECT_EQ(info->config["steps"], 5);
}

TEST_F(Runs, RefusesARunJsonThatIsNotItsOwn) {
  const fs::path folder = leave(RunState::stopped);
  const Json whole = *parseJson(readText(folder / "run.json"), "run.json");
  const auto read = [&](const char* key, const Json& value) {
    Json changed = whole;
    changed[key] = value;
    writeText(folder / "run.json", changed.dump());
    const auto info = readRun(folder);
    return info ? std::string("read") : info.error().message;
  };
  EXPECT_THAT(read("format", "other"), HasSubstr("\"format\""));
  EXPECT_THAT(read("version", "1"), HasSubstr("\"version\""));
  EXPECT_THAT(read("version", 2), HasSubstr("newer Strata"));
  EXPECT_THAT(read("config", "steps"), HasSubstr("\"config\""));
  EXPECT_EQ(read("version", 1), "read");
}

TEST_F(Runs, KeepsAChangedConfiguration) {
  const fs::path folder = leave(RunState::stopped);
  {
    Run run = *Run::reopen(folder);
    ASSERT_TRUE(run.setConfig(Json{{"steps", 5}, {"micro-batch", 2}}));
    EXPECT_EQ(run.info().state, RunState::stopped);
  }
  EXPECT_EQ(readRun(folder)->config["micro-batch"], 2);
}

TEST_F(Runs, EveryStateSurvivesTheFile) {
  Run run = make();
  for (const RunState state :
       {RunState::queued, RunState::running, RunState::paused, RunState::stopped, RunState::failed, RunState::done}) {
    ASSERT_TRUE(run.setState(state));
    EXPECT_EQ(readRun(run.folder())->state, state) << toString(state);
  }
}

TEST_F(Runs, RunningReadsAsFailedOnceTheProcessIsGone) {
  fs::path folder;
  {
    Run run = make();
    ASSERT_TRUE(run.setState(RunState::running));
    folder = run.folder();
    EXPECT_EQ(readRun(folder)->state, RunState::running);
  }
  const auto info = readRun(folder);
  EXPECT_EQ(info->state, RunState::failed);
  EXPECT_EQ(info->message, "the process ended without saying why; resume it");
}

TEST_F(Runs, AKilledProcessLeavesAFailedRunThatCanBeReopened) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    Run run = *Run::create(project, "train", Json::object());
    const bool told = run.setState(RunState::running) && write(ready[1], "x", 1) == 1;
    if (told) pause();
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const fs::path folder = listRuns(project)->front().id;
  const fs::path whole = project.runsFolder() / folder;
  EXPECT_EQ(readRun(whole)->state, RunState::running);
  EXPECT_EQ(Run::reopen(whole).error().code, ErrorCode::busy);
  EXPECT_EQ(removeRun(project, folder.string()).error().code, ErrorCode::busy);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  EXPECT_EQ(readRun(whole)->state, RunState::failed);
  const auto again = Run::reopen(whole);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->info().state, RunState::failed);
}

TEST_F(Runs, ReopenIsRefusedWhileAnotherHoldsTheLock) {
  const Run run = make();
  const auto second = Run::reopen(run.folder());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
}

TEST_F(Runs, ReopenWaitsOutAReadersLookAtTheLock) {
  const fs::path folder = leave(RunState::stopped);
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 20000; ++i) isAlive(folder);
    _exit(0);
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Run::reopen(folder));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(Runs, WithoutDescriptorsItIsUnknownWhetherARunLivesAndNothingIsRemoved) {
  const fs::path folder = leave(RunState::running);
  const std::string id = folder.filename();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Life life = lifeOf(folder);
  const bool alive = isAlive(folder);
  const auto removed = removeRun(project, id);
  const auto trashed = trashRun(project, id);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(life, Life::unknown);
  EXPECT_TRUE(alive);
  EXPECT_FALSE(removed);
  EXPECT_FALSE(trashed);
  EXPECT_EQ(lifeOf(folder), Life::dead);
  EXPECT_TRUE(fs::exists(folder / "run.json"));
}

TEST_F(Runs, ARunWithoutALockFileIsDeadAndOneThatIsHeldIsAlive) {
  const Run held = make();
  EXPECT_EQ(lifeOf(held.folder()), Life::alive);
  const fs::path folder = leave(RunState::done);
  EXPECT_EQ(lifeOf(folder), Life::dead);
  fs::remove(folder / "lock");
  EXPECT_EQ(lifeOf(folder), Life::dead);
  EXPECT_EQ(lifeOf(project.runsFolder() / "none"), Life::dead);
}

TEST_F(Runs, NoRunBeginsToLiveWhileItIsMoved) {
  const fs::path folder = leave(RunState::stopped);
  const std::string id = folder.filename();
  const pid_t child = fork();
  if (child == 0) {
    for (int held = 0; held < 20;) {
      const auto run = Run::reopen(folder);
      if (!run) continue;
      ++held;
      for (int look = 0; look < 20; ++look) {
        if (!fs::exists(folder / "run.json")) _exit(1);
        std::this_thread::sleep_for(std::chrono::microseconds(20));
      }
    }
    _exit(0);
  }
  int status = 0, moves = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    const auto moved = trashRun(project, id);
    if (!moved) {
      EXPECT_EQ(moved.error().code, ErrorCode::busy) << moved.error().message;
      continue;
    }
    ++moves;
    while (!restoreRun(project, id)) continue;
    std::this_thread::sleep_for(std::chrono::microseconds(200));  // a chance for the other
  }
  EXPECT_EQ(WEXITSTATUS(status), 0) << "a run was moved while a process held it";
  EXPECT_GT(moves, 0);
}

TEST_F(Runs, WhoChangesARunIsNotNamedAsItsJob) {
  const fs::path folder = leave(RunState::stopped);
  writeText(folder / "lock", "");
  const auto changing = Run::reopen(folder, Run::Purpose::change);
  ASSERT_TRUE(changing);
  EXPECT_EQ(lockHolder(folder), std::nullopt);
}

TEST_F(Runs, AProcessNeverSignalsItself) {
  const Run held = make();
  ASSERT_EQ(lockHolder(held.folder()), getpid());
  EXPECT_FALSE(signalHolder(held.folder(), SIGKILL));
}

TEST_F(Runs, MovingARunMovesItsLock) {
  Run first = make();
  const fs::path folder = first.folder();
  Run second = std::move(first);
  EXPECT_TRUE(isAlive(folder));
  Run third = make();
  third = std::move(second);
  EXPECT_TRUE(isAlive(folder));
  EXPECT_EQ(third.folder(), folder);
}

TEST_F(Runs, StopIsAFileThatAppears) {
  const Run run = make();
  EXPECT_FALSE(run.stopRequested());
  writeText(run.folder() / "stop", "");
  EXPECT_TRUE(run.stopRequested());
  run.clearStop();
  EXPECT_FALSE(run.stopRequested());
}

TEST_F(Runs, TemporariesOfAKilledWriterAreIgnoredAndCleared) {
  const fs::path folder = leave(RunState::running);
  writeText(folder / ".run.json.tmp-4711-0", "{\"format\": \"stra");
  EXPECT_EQ(readRun(folder)->state, RunState::failed);
  ASSERT_TRUE(Run::reopen(folder));
  EXPECT_FALSE(fs::exists(folder / ".run.json.tmp-4711-0"));
}

TEST_F(Runs, ARunThatWasKilledWhileBeingMadeIsNotListed) {
  make();
  const fs::path half = project.runsFolder() / ".20260101-000000-train-0000.tmp-4711-0";
  writeText(half / "lock", "");
  EXPECT_EQ(listRuns(project)->size(), 1u);
  fs::last_write_time(half, fs::file_time_type::clock::now() - std::chrono::hours(2));
  make();
  EXPECT_FALSE(fs::exists(half)) << "an old one is removed";
}

TEST_F(Runs, ListGoesByCreationAndShowsWhatCannotBeRead) {
  const fs::path train = leave(RunState::done);
  writeText(project.runsFolder() / "20200101-000000-eval-0000/run.json", "{]");
  fs::create_directories(project.runsFolder() / "20210101-000000-eval-0000");
  writeText(project.runsFolder() / "note.txt", "not a run");
  const auto runs = listRuns(project);
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 3u);
  EXPECT_EQ((*runs)[0].id, "20200101-000000-eval-0000");
  EXPECT_EQ((*runs)[0].state, RunState::failed);
  EXPECT_THAT((*runs)[0].message, HasSubstr("run.json"));
  EXPECT_EQ((*runs)[1].state, RunState::failed);
  EXPECT_EQ((*runs)[2].id, train.filename());
  EXPECT_EQ((*runs)[2].state, RunState::done);
}

TEST_F(Runs, AProjectWithoutRunsListsNone) {
  EXPECT_TRUE(listRuns(project)->empty());
}

TEST_F(Runs, RefusesRunJsonWithAFieldMissingOrUnknown) {
  const fs::path folder = leave(RunState::done);
  const Json good = Json::parse(readText(folder / "run.json"));
  for (const char* field : {"kind", "created", "state", "message", "parent"}) {
    Json bad = good;
    bad.erase(field);
    writeText(folder / "run.json", bad.dump());
    EXPECT_THAT(readRun(folder).error().message, HasSubstr(field));
    bad[field] = 5;
    writeText(folder / "run.json", bad.dump());
    EXPECT_FALSE(readRun(folder)) << field;
  }
  Json bad = good;
  bad["state"] = "sleeping";
  writeText(folder / "run.json", bad.dump());
  EXPECT_THAT(readRun(folder).error().message, HasSubstr("sleeping"));
  EXPECT_FALSE(Run::reopen(folder));
}

TEST_F(Runs, RemoveTakesTheFolderAway) {
  const fs::path folder = leave(RunState::done);
  ASSERT_TRUE(removeRun(project, folder.filename()));
  EXPECT_TRUE(fs::is_empty(project.runsFolder()));
  EXPECT_EQ(removeRun(project, folder.filename()).error().code, ErrorCode::notFound);
}

TEST_F(Runs, RemoveTakesAnUnreadableRunToo) {
  fs::create_directories(project.runsFolder() / "20210101-000000-eval-0000");
  EXPECT_TRUE(removeRun(project, "20210101-000000-eval-0000"));
}

TEST_F(Runs, RemoveRefusesPaths) {
  writeText(temporary.path() / "precious/file", "x");
  for (const char* id : {"", ".", "..", "../maps", "../../precious", "/tmp"}) {
    EXPECT_EQ(removeRun(project, id).error().code, ErrorCode::usage) << id;
  }
  EXPECT_TRUE(fs::exists(temporary.path() / "precious/file"));
}

TEST_F(Runs, IsFoundByPathWithSlashAndStep) {
  const fs::path folder = leave(RunState::done);
  for (const std::string& text : {folder.string(), folder.string() + "/"}) {
    const auto found = findRun(text, {});
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(found->folder, folder);
    EXPECT_FALSE(found->step);
  }
  for (const std::string& text : {folder.string() + "@40", folder.string() + "/@40", folder.string() + "@40/"}) {
    const auto found = findRun(text, {});
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(found->folder, folder);
    EXPECT_EQ(found->step, 40);
  }
}

TEST_F(Runs, IsFoundByIdInAProject) {
  const std::string id = leave(RunState::done).filename();
  EXPECT_EQ(findRun(id, project.folder())->folder, project.runsFolder() / id);
  EXPECT_EQ(findRun(id + "@7", project.folder())->step, 7);
  EXPECT_EQ(findRun(id + "/", project.folder())->folder, project.runsFolder() / id);
  EXPECT_FALSE(findRun(id, {}));
}

TEST_F(Runs, WhatNamesNoRunFindsNone) {
  const fs::path folder = leave(RunState::done);
  for (const std::string& text :
       {std::string(), std::string("/"), std::string("@5"), std::string(".."), std::string("models/llama"),
        folder.string() + "@", folder.string() + "@x", folder.string() + "@-3",
        folder.string() + "@99999999999999999999", project.folder().string(), folder.string() + "@5@6"}) {
    EXPECT_FALSE(findRun(text, project.folder())) << text;
  }
}

TEST_F(Runs, RefusesAKindThatIsNoWord) {
  EXPECT_FALSE(Run::create(project, "../x", Json()));
  EXPECT_FALSE(Run::create(project, "", Json()));
}

}  // namespace
}  // namespace strata
