#include "core/project/run_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <thread>

#include "support.h"

namespace strata {
namespace {

using strata::testing::TemporaryFolder;
using strata::testing::writeText;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// The first column of the rows that another program sees in the file.
std::vector<std::string> query(const fs::path& run, const std::string& sql) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open_v2((run / "run.sqlite").c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  std::vector<std::string> rows;
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
  while (sqlite3_step(statement) == SQLITE_ROW) {
    const unsigned char* text = sqlite3_column_text(statement, 0);
    rows.emplace_back(text == nullptr ? "NULL" : reinterpret_cast<const char*>(text));
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return rows;
}

std::vector<double> values(const RunDatabase& database, const std::string& name) {
  std::vector<double> found;
  const auto metrics = database.metrics(name);
  EXPECT_TRUE(metrics);
  for (const Metric& each : *metrics) found.push_back(each.value);
  return found;
}

TEST(RunDatabase, GivesMetricsBackByStep) {
  TemporaryFolder run;
  auto database = *RunDatabase::open(run.path());
  ASSERT_TRUE(database.addMetric({2, "loss", 2.5}));
  ASSERT_TRUE(database.addMetric({1, "loss", 3.5}));
  ASSERT_TRUE(database.addMetric({1, "lr", 1e-4}));
  EXPECT_THAT(values(database, "loss"), ::testing::ElementsAre(3.5, 2.5));
  EXPECT_THAT(values(database, "lr"), ::testing::ElementsAre(1e-4));
  EXPECT_TRUE(values(database, "nothing").empty());
}

TEST(RunDatabase, BuffersForASecondAndThenWritesByItself) {
  TemporaryFolder run;
  auto database = *RunDatabase::open(run.path());
  ASSERT_TRUE(database.addMetric({1, "loss", 1}));
  EXPECT_EQ(query(run.path(), "SELECT count(*) FROM metrics").front(), "0");
  std::this_thread::sleep_for(std::chrono::milliseconds(1050));
  ASSERT_TRUE(database.addMetric({2, "loss", 1}));
  EXPECT_EQ(query(run.path(), "SELECT count(*) FROM metrics").front(), "2");
}

TEST(RunDatabase, FlushAndTheEndWriteEverything) {
  TemporaryFolder run;
  {
    auto database = *RunDatabase::open(run.path());
    ASSERT_TRUE(database.addEvent(3, "evaluation", "nll of full: 1.25"));
    ASSERT_TRUE(database.flush());
    EXPECT_EQ(query(run.path(), "SELECT text FROM events").front(), "nll of full: 1.25");
    ASSERT_TRUE(database.addAnswer({"stride:2", "q1", "Paris", {{"em", 1}, {"f1", 1}}, {}}));
    ASSERT_TRUE(
        database.addAnswer({"stride:2", "q1", "Lyon", {{"em", 0}, {"f1", 0.5}, {"rouge_l", std::nan("")}}, {}}));
  }
  EXPECT_EQ(query(run.path(), "SELECT answer || scores FROM answers"),
            std::vector<std::string>{R"(Lyon{"em":0.0,"f1":0.5})"});
}

TEST(RunDatabase, IsInWalModeOnALocalDisk) {
  TemporaryFolder run;
  const auto database = *RunDatabase::open(run.path());
  EXPECT_EQ(query(run.path(), "PRAGMA journal_mode").front(), "wal");
}

TEST(RunDatabase, KeepsOffWalOnNetworkFileSystems) {
  EXPECT_STREQ(journalModeFor(0x6969), "DELETE");
  EXPECT_STREQ(journalModeFor(0x65735546), "DELETE");
  EXPECT_STREQ(journalModeFor(static_cast<std::int32_t>(0xff534d42)), "DELETE");
  EXPECT_STREQ(journalModeFor(0xef53), "WAL");
  EXPECT_STREQ(journalModeFor(0x01021994), "WAL");
}

TEST(RunDatabase, KeepsNotANumberAndInfinity) {
  TemporaryFolder run;
  auto database = *RunDatabase::open(run.path());
  ASSERT_TRUE(database.addMetric({1, "loss", std::nan("")}));
  ASSERT_TRUE(database.addMetric({2, "loss", std::numeric_limits<double>::infinity()}));
  const auto loss = values(database, "loss");
  ASSERT_EQ(loss.size(), 2u);
  EXPECT_TRUE(std::isnan(loss[0]));
  EXPECT_TRUE(std::isinf(loss[1]));
}

TEST(RunDatabase, AResumedRunForgetsWhatLiesPastItsCheckpoint) {
  TemporaryFolder run;
  auto database = *RunDatabase::open(run.path());
  for (int step = 1; step <= 10; ++step) {
    ASSERT_TRUE(database.addMetric({step, "loss", static_cast<double>(step)}));
    ASSERT_TRUE(database.addEvent(step, "save", ""));
  }
  ASSERT_TRUE(database.deleteAfter(4));
  EXPECT_EQ(values(database, "loss").size(), 4u);
  EXPECT_EQ(query(run.path(), "SELECT max(step) FROM events").front(), "4");
  ASSERT_TRUE(database.addMetric({5, "loss", 50}));
  EXPECT_THAT(values(database, "loss"), ::testing::ElementsAre(1, 2, 3, 4, 50));
}

TEST(RunDatabase, KnowsWhereItsNewestMetricWasMeasured) {
  TemporaryFolder run;
  auto database = *RunDatabase::open(run.path());
  EXPECT_EQ(database.newest()->step, 0);
  ASSERT_TRUE(database.addMetric({4, "loss", 1, 400, 2.5}));
  ASSERT_TRUE(database.addMetric({2, "nll/full", 1, 200, 1.5}));
  EXPECT_EQ(database.newest()->step, 4);
  EXPECT_EQ(database.newest()->tokens, 400);
  EXPECT_EQ(database.newest()->seconds, 2.5);
  ASSERT_TRUE(database.deleteAfter(3));
  EXPECT_EQ(database.newest()->tokens, 200);
}

TEST(RunDatabase, WhatWasFlushedSurvivesAKill) {
  TemporaryFolder run;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto database = *RunDatabase::open(run.path());
    const bool flushed = database.addMetric({1, "loss", 4}) && database.flush();
    if (flushed && database.addMetric({2, "loss", 3}) && write(ready[1], "x", 1) == 1) pause();
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  auto database = *RunDatabase::open(run.path());
  EXPECT_THAT(values(database, "loss"), ::testing::ElementsAre(4));
}

/// Adds three metrics a step and tells each step once it was flushed, until it is killed. As a resumed job does, it
/// deletes first what lies past `from`.
[[noreturn]] void addUntilKilled(const fs::path& run, std::int64_t from, int tell) {
  auto database = RunDatabase::open(run);
  if (!database || !database->deleteAfter(from)) _exit(1);
  for (std::int64_t step = from + 1;; ++step) {
    for (const char* name : {"loss", "lr", "grad_norm"}) {
      if (!database->addMetric({step, name, static_cast<double>(step)})) _exit(2);
    }
    if (!database->flush()) _exit(3);
    if (write(tell, &step, sizeof step) != sizeof step) _exit(4);
  }
}

TEST(RunDatabase, AHundredKillsLoseNoFlushedPointAndLeaveNoneTwice) {
  TemporaryFolder run;
  std::int64_t flushed = 0;
  for (int round = 0; round < 100; ++round) {
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) addUntilKilled(run.path(), flushed, pipes[1]);
    close(pipes[1]);
    std::this_thread::sleep_for(std::chrono::milliseconds(2 + 7 * (round * 37 % 11)));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "round " << round << ": it left with " << WEXITSTATUS(status);
    for (std::int64_t step = 0; read(pipes[0], &step, sizeof step) == sizeof step;) flushed = step;
    close(pipes[0]);
    if (flushed == 0) continue;
    auto database = *RunDatabase::open(run.path());
    for (const char* name : {"loss", "lr", "grad_norm"}) {
      const std::vector<double> found = values(database, name);
      ASSERT_GE(found.size(), static_cast<std::size_t>(flushed)) << "round " << round;
      ASSERT_LE(found.size(), static_cast<std::size_t>(flushed) + 1) << "one may be written but not told";
      for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], static_cast<double>(i + 1));
    }
  }
  EXPECT_GT(flushed, 100);
}

TEST(RunDatabase, AReaderDoesNotHoldUpTheWriter) {
  TemporaryFolder run;
  auto database = *RunDatabase::open(run.path());
  ASSERT_TRUE(database.addMetric({1, "loss", 4}));
  ASSERT_TRUE(database.flush());
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open_v2((run.path() / "run.sqlite").c_str(), &reader, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT * FROM metrics", nullptr, nullptr, nullptr), SQLITE_OK);
  ASSERT_TRUE(database.addMetric({2, "loss", 3}));
  EXPECT_TRUE(database.flush());
  sqlite3_close(reader);
}

TEST(RunDatabase, SaysSoWhenTheFileIsNoDatabase) {
  TemporaryFolder run;
  writeText(run.path() / "run.sqlite", std::string(5000, 'x'));
  const auto database = RunDatabase::open(run.path());
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, ErrorCode::invalidData);
  EXPECT_THAT(database.error().message, HasSubstr("run.sqlite"));
  EXPECT_FALSE(RunDatabase::open(run.path() / "nowhere"));
}

TEST(RunDatabase, RefusesTablesOfANewerVersion) {
  TemporaryFolder run;
  ASSERT_TRUE(RunDatabase::open(run.path()));
  sqlite3* file = nullptr;
  ASSERT_EQ(sqlite3_open((run.path() / "run.sqlite").c_str(), &file), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(file, "PRAGMA user_version=99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(file);
  EXPECT_EQ(RunDatabase::open(run.path()).error().code, ErrorCode::unsupported);
}

TEST(RunDatabase, MovedDatabasesKeepTheirBuffers) {
  TemporaryFolder first;
  TemporaryFolder second;
  auto database = *RunDatabase::open(first.path());
  ASSERT_TRUE(database.addMetric({1, "loss", 4}));
  database = *RunDatabase::open(second.path());
  EXPECT_EQ(query(first.path(), "SELECT count(*) FROM metrics").front(), "1");
  EXPECT_TRUE(values(database, "loss").empty());
}

}  // namespace
}  // namespace strata
