// The board of jobs beside processes that do as they like: ones that heed no stop, and one that measures a lot.

#include "core/service/job_board.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "core/config/train_config.h"
#include "core/project/job.h"
#include "core/project/job_phase.h"
#include "core/project/run_checkpoint.h"
#include "core/project/run_database.h"
#include "core/project/run_notes.h"
#include "core/protocol/columns.h"
#include "core/service/run_contents.h"
#include "core/training/train_job.h"
#include "support.h"
#include "test_disk.h"

namespace strata {
namespace {

using strata::testing::TemporaryFolder;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Board : ::testing::Test {
  TemporaryFolder temporary;
  Project project = *Project::openOrCreate(temporary.path() / "project");
  std::mutex mutex;
  std::vector<std::pair<Clock::time_point, protocol::JobPoints>> points;
  std::vector<protocol::JobInfo> changes;
  pid_t child = -1;

  ~Board() override {
    if (child <= 0) return;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  Notifier notifier() {
    return Notifier([this](const std::string& method, const Json& params) {
      const std::lock_guard guard(mutex);
      if (method == "jobs/points") {
        protocol::JobPoints some;
        ASSERT_TRUE(configFromJson(params, method, some));
        points.emplace_back(Clock::now(), some);
      } else {
        protocol::JobsChanged some;
        ASSERT_TRUE(configFromJson(params, method, some));
        changes.insert(changes.end(), some.jobs.begin(), some.jobs.end());
      }
    });
  }
  JobBoard::Options options() const { return {project.folder(), "/nonexistent", std::chrono::seconds(1)}; }
  /// A process that holds a new run's lock and does `work` in it; the run's id.
  template <class Work>
  std::string startChild(Work work) {
    int pipes[2];
    EXPECT_EQ(::pipe(pipes), 0);
    child = ::fork();
    if (child == 0) {
      strata::Result<strata::Run> run = strata::Run::create(project, "train", Json{{"steps", 1000}});
      if (!run || !run->setState(RunState::running)) _exit(1);
      const std::string& id = run->info().id;
      if (::write(pipes[1], id.data(), id.size()) < 0) _exit(1);
      ::close(pipes[1]);
      work(*run);
      _exit(0);
    }
    ::close(pipes[1]);
    char id[100];
    const ssize_t count = ::read(pipes[0], id, sizeof id);
    ::close(pipes[0]);
    return std::string(id, static_cast<std::size_t>(std::max<ssize_t>(0, count)));
  }
  template <class Condition>
  static bool becomes(Condition condition, double seconds) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    for (; Clock::now() < end; std::this_thread::sleep_for(std::chrono::milliseconds(20))) {
      if (condition()) return true;
    }
    return false;
  }
};

std::vector<protocol::JobInfo> listed(JobBoard& board, const protocol::ListJobs::Params& params = {}) {
  const auto answer = board.list(params);
  EXPECT_TRUE(answer) << answer.error().message;
  return answer ? answer->jobs : std::vector<protocol::JobInfo>();
}
std::vector<protocol::JobInfo> trashed(JobBoard& board) {
  return listed(board, {.trash = true, .kind = {}});
}

TEST_F(Board, AJobThatHeedsNoStopFileIsAskedBySignal) {
  const std::string id = startChild([](strata::Run&) {
    for (;;) ::pause();
  });
  JobBoard board(options(), notifier());
  ASSERT_TRUE(board.stop(id));
  int status = 0;
  ASSERT_TRUE(becomes([&] { return waitpid(child, &status, WNOHANG) == child; }, 10));
  child = -1;
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(Board, AnEngineThatChangesARunWithAnOldStopFileIsNotSignalled) {
  const fs::path run = strata::Run::create(project, "train", Json{{"steps", 1000}})->folder();
  ASSERT_TRUE(requestStop(run));
  fs::last_write_time(run / "stop", fs::file_time_type::clock::now() - std::chrono::hours(1));
  const auto held = strata::Run::reopen(run);  // named in the lock's file, as 0.4 left it
  ASSERT_TRUE(held);
  ASSERT_EQ(lockHolder(run), getpid());
  JobBoard board(options(), notifier());
  const auto end = Clock::now() + std::chrono::milliseconds(2500);  // TERM, and a second later KILL
  while (Clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(listed(board).front().alive);
}

TEST_F(Board, ARunThatIsQueuedAgainLosesItsOldStopFile) {
  fs::path folder;
  {
    strata::Result<strata::Run> run = strata::Run::create(project, "train", configToJson(TrainConfig()));
    folder = run->folder();
    ASSERT_TRUE(run->setState(RunState::stopped));
  }
  ASSERT_TRUE(requestStop(folder));
  protocol::StartJob::Params params;
  params.kind = "train";
  params.resume = folder.filename();
  const auto ids = queueJobs(project.folder(), params);
  ASSERT_TRUE(ids) << ids.error().message;
  EXPECT_EQ(stopRequestedAt(folder), std::nullopt);
  EXPECT_EQ(readRun(folder)->state, RunState::queued);
}

TEST_F(Board, ALogThatIsALinkIsNotShown) {
  const fs::path run = strata::Run::create(project, "train", Json::object())->folder();
  fs::create_symlink("/etc/hostname", run / "log");
  JobBoard board(options(), notifier());
  const auto log = readLog(*board.runFolder(run.filename()), {});
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().message.find("is a symbolic link"), std::string::npos);
}

TEST_F(Board, AQueuedRunThatCannotBeStartedSaysWhy) {
  const std::string child = startChild([](strata::Run&) {
    for (;;) ::pause();
  });
  strata::testing::writeText(project.folder() / "train.txt", "Once upon a time.");
  JobBoard board(options(), notifier());
  protocol::StartJob::Params params;
  params.kind = "train";
  params.config = {{"model", (strata::testing::sourceFolder() / "resources/models/stories260K").string()},
                   {"data", "train.txt"}};
  const auto waiting = board.start(params);
  ASSERT_TRUE(waiting) << waiting.error().message;
  EXPECT_EQ(waiting->front().state, "queued");
  EXPECT_EQ(waiting->front().place, 1);
  ASSERT_TRUE(board.remove({child, "trash"}).error().code == ErrorCode::busy);
  kill(this->child, SIGKILL);
  const auto named = [&](const protocol::JobInfo& job) { return job.id == waiting->front().id; };
  const auto found = [&] {
    const auto jobs = listed(board);
    return *std::find_if(jobs.begin(), jobs.end(), named);
  };
  EXPECT_TRUE(becomes([&] { return found().state == "failed"; }, 20));
  EXPECT_NE(found().message.find("/nonexistent"), std::string::npos) << found().message;
  EXPECT_EQ(found().place, 0);
}

TEST_F(Board, WhatAnEngineLeftInTheQueueIsStartedByTheNext) {
  const std::string id = strata::Run::create(project, "train", configToJson(TrainConfig()))->info().id;
  ASSERT_TRUE(RunQueue::open(project.folder())->store({.ids = {id}, .paused = false}));
  JobBoard board(options(), notifier());
  EXPECT_TRUE(becomes([&] { return listed(board).front().state == "failed"; }, 20)) << "/nonexistent was not started";
  EXPECT_TRUE(becomes([&] { return RunQueue::open(project.folder())->load()->ids.empty(); }, 20));
}

TEST_F(Board, AQueueForgetsRunsThatAreGone) {
  const std::string gone = strata::Run::create(project, "train", configToJson(TrainConfig()))->info().id;
  const std::string there = strata::Run::create(project, "train", configToJson(TrainConfig()))->info().id;
  ASSERT_TRUE(RunQueue::open(project.folder())->store({.ids = {gone, there}, .paused = true}));
  fs::remove_all(project.runsFolder() / gone);
  JobBoard board(options(), notifier());
  ASSERT_EQ(listed(board).size(), 1u);
  EXPECT_EQ(listed(board).front().place, 1);
  ASSERT_TRUE(board.remove({there, "trash"}));
  {
    const std::lock_guard guard(mutex);
    changes.clear();
  }
  const auto isTold = [&] {
    const std::lock_guard guard(mutex);
    return std::any_of(changes.begin(), changes.end(), [&](const auto& job) { return job.id == there; });
  };
  EXPECT_FALSE(becomes(isTold, 1.2)) << "a list that has dropped it would show it again";
  ASSERT_TRUE(board.remove({there, "restore"}));
  EXPECT_EQ(listed(board).front().place, 0) << "it is started by hand";
}

TEST_F(Board, AJobThatHeedsNoSignalIsEnded) {
  const std::string id = startChild([](strata::Run&) {
    ::signal(SIGTERM, SIG_IGN);
    for (;;) ::pause();
  });
  JobBoard board(options(), notifier());
  ASSERT_TRUE(board.stop(id));
  int status = 0;
  ASSERT_TRUE(becomes([&] { return waitpid(child, &status, WNOHANG) == child; }, 15));
  child = -1;
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  const auto jobs = listed(board);
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs.front().state, "failed");
  EXPECT_FALSE(jobs.front().alive);
}

TEST_F(Board, ATrainingThatSavesToASlowDiskIsNotKilled) {
  if (strata::testing::kSanitized) GTEST_SKIP() << "the sanitizers take write() for themselves";
  constexpr double kBytesPerSecond = 0.6e6;  // the checkpoint of 3 MB takes five times the board's patience
  std::string text;
  for (int i = 0; i < 100; ++i) text += "Tom had a red ball number " + std::to_string(i) + ".\n";
  strata::testing::writeText(temporary.path() / "train.txt", text);
  TrainConfig config;
  config.model = strata::testing::sourceFolder() / "resources/models/stories260K";
  config.data = temporary.path() / "train.txt";
  config.steps = 1000000;
  config.batch = 1;
  config.length = 16;
  config.threads = 1;
  config.evalData = config.data;
  config.evalEvery = 1;  // each stop meets an evaluation
  config.evalRows = 4;
  const std::string id = startChild([&](strata::Run& run) {
    strata::testing::onWrite = [](const std::string& path, std::size_t bytes) {
      if (strata::testing::isInCheckpoint(path)) strata::testing::throttle(bytes, kBytesPerSecond);
      return 0;
    };
    if (!run.setConfig(configToJson(config))) _exit(2);
    const auto answer = continueRun(run, {}, {});
    _exit(answer && answer->state == RunState::stopped ? 0 : 3);
  });
  const fs::path run = project.runsFolder() / id;
  JobBoard board(options(), notifier());
  ASSERT_TRUE(becomes([&] { return listed(board).front().step > 2; }, 60));
  const auto stopped = Clock::now();
  ASSERT_TRUE(board.stop(id));
  int status = 0;
  ASSERT_TRUE(becomes([&] { return waitpid(child, &status, WNOHANG) == child; }, 60));
  child = -1;
  EXPECT_TRUE(WIFEXITED(status)) << "it was ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_GT(Clock::now() - stopped, std::chrono::seconds(4)) << "the disk was not slow";
  EXPECT_EQ(readRun(run)->state, RunState::stopped);
  ASSERT_EQ(checkpointSteps(run).size(), 1u);
  EXPECT_TRUE(verifyCheckpoint(checkpointFolder(run, checkpointSteps(run).front())));
}

TEST_F(Board, PatienceCountsFromTheLastProgressOfAPhase) {
  const std::string id = startChild([](strata::Run& run) {
    PhaseFile phase(run.folder());
    phase.enter(JobPhase::evaluating);
    while (!run.stopRequested()) ::usleep(10000);
    for (int i = 0; i < 400; ++i) {  // four times the patience
      ::usleep(10000);
      phase.progress();
    }
    for (;;) ::pause();  // and then it hangs
  });
  JobBoard board(options(), notifier());
  ASSERT_TRUE(board.stop(id));
  const auto stopped = Clock::now();
  int status = 0;
  ASSERT_TRUE(becomes([&] { return waitpid(child, &status, WNOHANG) == child; }, 30));
  child = -1;
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_GT(Clock::now() - stopped, std::chrono::seconds(5));
}

TEST_F(Board, AJobThatIsNotAskedToStopIsLeftAlone) {
  const std::string id = startChild([](strata::Run&) {
    for (;;) ::pause();
  });
  JobBoard board(options(), notifier());
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  EXPECT_EQ(waitpid(child, nullptr, WNOHANG), 0);
  EXPECT_TRUE(listed(board).front().alive);
}

TEST_F(Board, ARunOfTheTrashIsListedTakenBackAndDeleted) {
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i) ids.push_back(strata::Run::create(project, "train", Json{{"model", "m"}})->info().id);
  JobBoard board(options(), notifier());
  EXPECT_TRUE(trashed(board).empty());
  for (const std::string& id : ids) ASSERT_TRUE(board.remove({id, "trash"}));
  EXPECT_TRUE(listed(board).empty());
  ASSERT_EQ(trashed(board).size(), 2u);
  EXPECT_EQ(trashed(board).front().title, "m");
  ASSERT_TRUE(board.remove({ids[0], "restore"}));
  EXPECT_EQ(listed(board).front().id, ids[0]);
  ASSERT_TRUE(board.remove({ids[1], "delete"}));
  EXPECT_TRUE(trashed(board).empty());
  EXPECT_FALSE(fs::exists(project.folder() / "trash" / ids[1]));
  EXPECT_EQ(board.remove({ids[0], "delete"}).error().code, ErrorCode::notFound) << "it lies in runs/, not in the trash";
  EXPECT_EQ(board.remove({ids[0], "burn"}).error().code, ErrorCode::usage);
  EXPECT_EQ(board.remove({"../runs/" + ids[0], "delete"}).error().code, ErrorCode::usage);
}

TEST_F(Board, AThousandPointsASecondAllArriveInFewNotifications) {
  constexpr int kSteps = 3000;
  const std::string id = startChild([](strata::Run& run) {
    auto database = RunDatabase::open(run.folder());
    for (int step = 1; step <= kSteps; ++step) {
      if (!database->addMetric({step, "loss", 1.0 / step, 10 * step, step / 2.0})) _exit(1);
      if (step % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    if (!database->flush()) _exit(1);
    for (;;) ::pause();
  });
  JobBoard board(options(), notifier());
  ASSERT_TRUE(board.watch({.id = id}));
  const auto steps = [](const protocol::JobPoints& some) { return *protocol::decodeColumn(some.series.at(0).step); };
  const auto arrived = [&] {
    const std::lock_guard guard(mutex);
    std::size_t count = 0;
    for (const auto& [at, some] : points) count += steps(some).size();
    return count;
  };
  EXPECT_TRUE(becomes([&] { return arrived() >= kSteps; }, 20));
  const std::lock_guard guard(mutex);
  double last = 0;
  for (const auto& [at, some] : points) {
    ASSERT_EQ(some.series.size(), 1u);
    for (const double step : steps(some)) EXPECT_EQ(step, ++last);
    EXPECT_EQ(protocol::decodeColumn(some.series[0].value)->back(), 1 / last);
    EXPECT_EQ(protocol::decodeColumn(some.series[0].tokens)->back(), 10 * last);
    EXPECT_EQ(protocol::decodeColumn(some.series[0].seconds)->back(), last / 2);
    const auto withinASecond = std::count_if(points.begin(), points.end(), [&, &at = at](const auto& other) {
      return other.first >= at && other.first < at + std::chrono::seconds(1);
    });
    EXPECT_LE(withinASecond, 30);
  }
}

TEST_F(Board, TheLastPointsOfARunAreSentBeforeItsEnd) {
  constexpr std::size_t kSteps = 12'000;  // more than one notification holds
  const std::string id = startChild([](strata::Run& run) {
    auto database = RunDatabase::open(run.folder());
    if (!database->addMetric({1, "loss", 1.0, 0, 0.0}) || !database->flush()) _exit(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // it is watched meanwhile
    for (std::size_t step = 2; step <= kSteps; ++step) {
      if (!database->addMetric({static_cast<std::int64_t>(step), "loss", 1.0, 0, 0.0})) _exit(1);
    }
    if (!database->flush() || !run.setState(RunState::done)) _exit(1);
  });
  std::atomic<std::size_t> arrived = 0;
  std::atomic<bool> ended = false;
  std::size_t atEnd = 0;
  JobBoard board(options(), Notifier([&](const std::string& method, const Json& params) {
                   protocol::JobPoints some;
                   if (method == "jobs/points" && configFromJson(params, method, some)) {
                     arrived += protocol::decodeColumn(some.series.at(0).step)->size();
                   } else if (!ended && params.dump().find("\"alive\":false") != std::string::npos) {
                     atEnd = arrived;
                     ended = true;
                   }
                 }));
  ASSERT_TRUE(board.watch({.id = id}));
  ASSERT_TRUE(becomes([&] { return ended.load(); }, 60));
  EXPECT_EQ(atEnd, kSteps);
}

TEST_F(Board, ALogIsReadOnFromAByteAndNeverInTheMiddleOfACharacter) {
  const std::string id = startChild([](strata::Run&) {
    for (;;) ::pause();
  });
  const fs::path log = project.runsFolder() / id / "log";
  std::string text;
  for (int i = 0; i < 40000; ++i) text += "ä";
  strata::testing::writeText(log, text);
  const JobBoard board(options(), notifier());
  const fs::path run = *board.runFolder(id);
  std::string read;
  std::int64_t from = 0;
  for (auto part = readLog(run, {.id = id, .from = from}); !part->text.empty();
       part = readLog(run, {.id = id, .from = from})) {
    EXPECT_LE(part->text.size(), 64u << 10);
    read += part->text;
    from = part->next;
  }
  EXPECT_TRUE(read == text) << read.size();
  const auto end = readLog(run, {.id = id});
  EXPECT_EQ(end->next, static_cast<std::int64_t>(text.size()));
  EXPECT_TRUE(text.ends_with(end->text)) << end->text.size();
  EXPECT_GT(end->text.size(), 60000u);
  EXPECT_TRUE(readLog(run, {.id = id, .from = 1 << 30})->text.empty());
  EXPECT_FALSE(board.runFolder("../" + id));
}

TEST_F(Board, NameTagsAndNoteOfARunLastInTheTrashAndAfterTheEngine) {
  const std::string id = strata::Run::create(project, "train", Json{{"model", "/m/base"}, {"lora", 8}})->info().id;
  {
    JobBoard board(options(), notifier());
    EXPECT_EQ(listed(board)[0].name, "LoRA of base");
    const auto answer =
        board.annotate({.id = id, .name = "Best so far", .note = "Good on names.", .tags = {{"paper", "half"}}});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->name, "Best so far");
    ASSERT_TRUE(becomes(
        [&] {
          const std::lock_guard guard(mutex);
          return !changes.empty() && changes.back().name == "Best so far";
        },
        10));
    ASSERT_TRUE(board.remove({id, "trash"}));
    EXPECT_EQ(trashed(board)[0].tags, (std::vector<std::string>{"paper", "half"}));
    ASSERT_TRUE(board.annotate({.id = id, .name = {}, .note = "Thrown away.", .tags = {}})) << "in the trash too";
  }
  JobBoard board(options(), notifier());
  EXPECT_EQ(trashed(board)[0].note, "Thrown away.");
  ASSERT_TRUE(board.remove({id, "restore"}));
  const protocol::JobInfo back = listed(board)[0];
  EXPECT_EQ(back.name, "Best so far");
  EXPECT_EQ(back.tags, (std::vector<std::string>{"paper", "half"}));
  ASSERT_TRUE(board.annotate({.id = id, .name = "", .note = {}, .tags = {}}));
  EXPECT_EQ(listed(board)[0].name, "LoRA of base") << "an empty name is the one that it was made with";
  ASSERT_TRUE(board.remove({id, "trash"}));
  ASSERT_TRUE(board.remove({id, "delete"}));
  EXPECT_TRUE(readRunNotes(project.folder())->empty());
}

TEST_F(Board, ANameThatAnotherRunHasIsRefusedWithItsArguments) {
  strata::Run::create(project, "train", Json{{"model", "/m/base"}});
  const std::string second = strata::Run::create(project, "train", Json{{"model", "/m/base"}})->info().id;
  JobBoard board(options(), notifier());
  const auto refused = board.annotate({.id = second, .name = "Fine-tune of base", .note = {}, .tags = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().name, "name_taken");
  EXPECT_EQ(refused.error().arguments.at("name"), "Fine-tune of base");
  const auto unknown = board.annotate({.id = "none", .name = "x", .note = {}, .tags = {}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().name, "run_not_found");
  EXPECT_FALSE(board.annotate({.id = second, .name = std::string(101, 'x'), .note = {}, .tags = {}}));
  EXPECT_FALSE(board.annotate({.id = second, .name = {}, .note = {}, .tags = {{""}}}));
}

}  // namespace
}  // namespace strata
