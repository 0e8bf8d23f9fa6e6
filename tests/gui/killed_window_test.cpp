// A training run outlives the window's program, its engine and both, however they are ended; every new window finds it,
// and the stop file ends it within a step.

#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "core/project/job.h"
#include "core/project/run_database.h"
#include "engine_relay.h"
#include "real_window.h"

extern char** environ;

namespace strata::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// A process that left, or that nobody has reaped yet.
bool isGone(int pid) {
  const std::string state = readText("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name = state.rfind(')');
  return name == std::string::npos || state.compare(name + 2, 1, "Z") == 0;
}

bool soon(const std::function<bool()>& holds, double seconds = 60) {
  for (const auto end = Clock::now() + std::chrono::duration<double>(seconds); Clock::now() < end;) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return holds();
}

class KilledWindow : public ::testing::Test {
 protected:
  KilledWindow() : m_relay(m_folders.path("relay").toStdString()) {}
  ~KilledWindow() override {
    if (m_window > 0) end(SIGKILL);
    if (m_job > 0 && lockHolder(run()) == m_job) ::kill(m_job, SIGKILL);
  }

  /// strata-workbench as somebody starts it in a terminal: a session of its own.
  void openWindow() {
    m_relay.clear();
    std::vector<std::string> words = {STRATA_BINARY_DIR "/bin/strata-workbench", "--engine"};
    for (const std::string& word : m_relay.command()) words.push_back(word);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawnattr_t session;
    posix_spawnattr_init(&session);
    posix_spawnattr_setflags(&session, POSIX_SPAWN_SETSID);
    ASSERT_EQ(posix_spawn(&m_window, argv[0], nullptr, &session, argv.data(), environ), 0);
    posix_spawnattr_destroy(&session);
    ASSERT_TRUE(opensTheProject());
  }
  bool opensTheProject() {
    return m_relay.heard([this](const RpcMessage& message) {
      if (!message.result.is_object() || !message.result.contains("sample")) return false;
      m_project = message.result.value("folder", std::string());
      return !m_project.empty();
    });
  }
  /// Started by the window's own engine, with steps that can be told apart.
  void startTraining() {
    const Json config = {{"model", "stories"}, {"data", "train.txt"}, {"steps", 100000},
                         {"batch", 8},         {"length", 256},       {"threads", 1}};
    const auto answer = m_relay.ask("jobs/start", {{"kind", "train"}, {"config", config}});
    ASSERT_TRUE(answer) << answer.error().message;
    m_id = (*answer)["job"]["id"];
    m_job = lockHolder(run()).value_or(0);
    ASSERT_GT(m_job, 0) << answer->dump();
  }
  fs::path run() const { return m_project / "runs" / m_id; }
  std::int64_t step() const {
    const auto database = RunDatabase::open(run());
    const auto losses = database ? database->metrics("loss") : Result<std::vector<Metric>>(std::vector<Metric>());
    return losses && !losses->empty() ? losses->back().step : 0;
  }
  /// The same process holds the lock, and makes steps.
  void expectTheJobGoesOn(const char* after) {
    const std::int64_t before = step();
    EXPECT_TRUE(soon([&] { return step() > before + 1; })) << "no step was made after " << after;
    EXPECT_EQ(lockHolder(run()).value_or(0), m_job) << after;
  }
  /// The engine told its window of the job, as of one that runs.
  void expectTheWindowFindsIt() {
    EXPECT_TRUE(m_relay.heard([this](const RpcMessage& message) {
      if (!message.result.is_object() || !message.result.contains("jobs")) return false;
      const Json& jobs = message.result["jobs"];
      return std::any_of(jobs.begin(), jobs.end(), [this](const Json& job) {
        return job["id"] == m_id && job["alive"] == true && job["state"] == "running";
      });
    })) << "the window was not told of the job";
  }
  /// A signal to all of the window's session: itself and the engine's group.
  void end(int signal) {
    const int engine = m_relay.engine();
    const int group = engine > 0 ? ::getpgid(engine) : 0;
    if (group > 0 && group != ::getpgrp()) ::kill(-group, signal);
    ::kill(-m_window, signal);
    expectBothLeft(engine);
  }
  void expectBothLeft(int engine) {
    EXPECT_TRUE(soon([&] { return ::waitpid(m_window, nullptr, WNOHANG) == m_window; }, 30)) << "the window stays";
    EXPECT_TRUE(engine <= 0 || soon([&] { return isGone(engine); }, 30)) << "the engine outlived its window";
    m_window = 0;
  }

  const OwnFolders m_folders;
  Relay m_relay;
  pid_t m_window = 0;
  int m_job = 0;
  fs::path m_project;
  std::string m_id;
};

TEST_F(KilledWindow, AJobOutlivesWindowAndEngineIsFoundAgainAndStopsWithinAStep) {
  openWindow();
  startTraining();
  EXPECT_EQ(::getsid(m_job), m_job);
  expectTheJobGoesOn("the start");

  const int engine = m_relay.engine();
  ::kill(engine, SIGKILL);
  EXPECT_TRUE(soon([&] { return m_relay.engine() != engine && m_relay.engine() > 0; })) << "no engine came again";
  expectTheJobGoesOn("the engine was killed");
  expectTheWindowFindsIt();

  const int second = m_relay.engine();
  ::kill(m_window, SIGKILL);
  expectBothLeft(second);
  expectTheJobGoesOn("the window was killed");

  for (const auto& [signal, name] : {std::pair{SIGHUP, "a hang-up"}, {SIGTERM, "SIGTERM"}, {SIGKILL, "SIGKILL"}}) {
    openWindow();
    expectTheWindowFindsIt();
    end(signal);
    expectTheJobGoesOn(name);
  }

  RealWindow window(m_folders);
  ASSERT_TRUE(until([&] { return window.session.runs().running() != nullptr; }));
  EXPECT_EQ(window.session.runs().running()->id, m_id);
  EXPECT_TRUE(window.find("job-stop")->isVisible());
  EXPECT_TRUE(window.find<QLabel>("job-name")->isVisible());
  window.screenshot("journey_job_found_again");
  const std::int64_t first = step();
  QElapsedTimer clock;
  clock.start();
  ASSERT_TRUE(until([&] { return step() >= first + 3; }));
  const std::int64_t asked = step();
  const double seconds = static_cast<double>(clock.restart()) / 1000 / static_cast<double>(asked - first);
  QTest::mouseClick(window.find("job-stop"), Qt::LeftButton);
  ASSERT_TRUE(until([&] { return !isAlive(run()); }));
  const double left = static_cast<double>(clock.elapsed()) / 1000;
  const std::int64_t last = step();
  std::printf("a step takes %.2f s; stopped after %.2f s and %lld steps\n", seconds, left,
              static_cast<long long>(last - asked));
  // What was done when it was asked is written once a second; from there it is the step under way and no other.
  EXPECT_LE(last - asked, 1 + std::ceil(1 / seconds));
  EXPECT_LT(left, 2 * seconds + 10) << "a step and a checkpoint, on whatever load there is";
  ASSERT_TRUE(until([&] { return window.session.runs().running() == nullptr; }));
  EXPECT_EQ(window.session.runs().find(m_id)->state, "stopped");
  EXPECT_TRUE(fs::exists(run() / "checkpoints" / ("step-" + std::to_string(last))));
  EXPECT_FALSE(fs::exists(run() / "stop"));
}

}  // namespace
}  // namespace strata::testing
