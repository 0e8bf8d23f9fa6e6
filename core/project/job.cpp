#include "core/project/job.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/file_errors.h"
#include "core/project/project_files.h"

extern char** environ;

namespace strata {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kPoll = std::chrono::milliseconds(10);
// A job loads LibTorch before it takes its lock; one that takes longer than this hangs.
constexpr auto kMostStarting = std::chrono::seconds(60);
constexpr auto kMostLaunching = std::chrono::minutes(5);  // on a cluster a launcher waits for its nodes
constexpr std::size_t kLastWords = 4096;

struct Children {
  std::mutex mutex;
  std::vector<pid_t> pids;
};
/// A process's children are one thing of the whole process, as the system has it.
Children& children() {
  static Children all;
  return all;
}

/// This process's environment, with threads that wait without spinning: a chat and a training share the cores.
std::vector<std::string> jobEnvironment() {
  std::vector<std::string> variables;
  for (char** each = environ; *each != nullptr; ++each) {
    if (std::strncmp(*each, "OMP_WAIT_POLICY=", 16) != 0) variables.emplace_back(*each);
  }
  variables.emplace_back("OMP_WAIT_POLICY=passive");
  return variables;
}

std::vector<char*> pointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

bool hasEnded(pid_t pid) {
  int status = 0;
  const pid_t ended = ::waitpid(pid, &status, WNOHANG);
  return ended == pid || (ended < 0 && errno == ECHILD);
}

/// The last line of a log that says something, for a process that left without a word in run.json.
std::string lastLineOf(const fs::path& folder) {
  const Result<std::string> text = readInProject(inRun(folder, "log"));
  if (!text) return {};
  std::string_view tail = *text;
  if (tail.size() > kLastWords) tail.remove_prefix(tail.size() - kLastWords);
  const auto saysNothing = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; };
  std::string_view said = tail;  // mpirun ends with a line of dashes
  while (!said.empty() && saysNothing(said.back())) said.remove_suffix(1);
  if (said.empty()) return {};
  const std::size_t from = said.rfind('\n') + 1;
  return std::string(tail.substr(from, tail.find('\n', said.size()) - from));
}

/// A job that ended before it told its state: its last words are why it failed.
Result<void> noteEarlyEnd(const fs::path& folder) {
  STRATA_TRY(Run run, Run::reopen(folder, Run::Purpose::change));
  if (run.info().state != RunState::queued) return {};
  const std::string last = lastLineOf(folder);
  return run.setState(RunState::failed, last.empty() ? "The job ended before it began, without saying why." : last);
}

/// Waits until the job has its lock and a state other than queued, or has ended.
Result<void> waitForBegin(pid_t pid, const fs::path& folder, std::chrono::milliseconds begun, bool launched) {
  const auto started = Clock::now();
  std::optional<Clock::time_point> held;
  for (;;) {
    if (hasEnded(pid)) return noteEarlyEnd(folder);
    const auto now = Clock::now();
    if (!held && (launched ? isAlive(folder) : lockHolder(folder) == pid)) held = now;
    if (held) {
      STRATA_TRY(const RunInfo info, readRun(folder));
      if (info.state != RunState::queued || now - *held > begun) break;
    } else if (now - started > (launched ? kMostLaunching : kMostStarting)) {
      ::kill(-pid, SIGKILL);  // the launcher too
      return fail(ErrorCode::internal,
                  "The job " + folder.filename().string() + " did not start within " +
                      (launched ? "five minutes; look into its log." : "a minute."),
                  folder.string());
    }
    std::this_thread::sleep_for(kPoll);
  }
  const std::lock_guard guard(children().mutex);
  children().pids.push_back(pid);
  return {};
}

}  // namespace

Result<int> spawnProgram(const fs::path& program, std::vector<std::string> arguments, const Descriptor& output) {
  arguments.insert(arguments.begin(), program.string());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> environment = jobEnvironment();
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, pointersTo(arguments).data(),
                                   pointersTo(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return systemFailure(failed, "start", program);
  return pid;
}

Result<RunInfo> startJob(const fs::path& program, const fs::path& project, const std::string& id,
                         std::chrono::milliseconds begun, const std::string& launcher) {
  const fs::path folder = project / "runs" / id;
  std::error_code ignored;
  fs::remove(folder / "stop", ignored);  // of an earlier life; one that comes from now on is meant
  STRATA_TRY(const Descriptor log, openInProject(inRun(folder, "log"), O_WRONLY | O_CREAT | O_APPEND));
  std::vector<std::string> job = {"job", id, "--project", project.string()};
  fs::path started = program;
  if (!launcher.empty()) {
    job.emplace_back("--distributed");
    job.insert(job.begin(), {"-c", launcher + " \"$@\"", "sh", program.string()});
    started = "/bin/sh";
  }
  STRATA_TRY(const pid_t pid, spawnProgram(started, std::move(job), log));
  STRATA_CHECK(waitForBegin(pid, folder, begun, !launcher.empty()));
  return readRun(folder);
}

void collectJobs() {
  const std::lock_guard guard(children().mutex);
  std::erase_if(children().pids, hasEnded);
}

std::optional<int> lockHolder(const fs::path& runFolder) {
  if (!isAlive(runFolder)) return {};
  const Result<std::string> text = readInProject(inRun(runFolder, "lock"), 64);
  if (!text) return {};
  int pid = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), pid);
  if (error != std::errc() || pid <= 0) return {};
  // A number may have gone to another process since: the holder is the one that has this very file open.
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", failed)) {
    if (fs::equivalent(entry.path(), runFolder / "lock", failed)) return pid;
  }
  return {};
}

Result<void> requestStop(const fs::path& runFolder) {
  return openInProject(inRun(runFolder, "stop"), O_WRONLY | O_CREAT).map([](const Descriptor&) {});
}

std::optional<std::chrono::system_clock::time_point> stopRequestedAt(const fs::path& runFolder) {
  struct stat status {};
  const fs::path path = runFolder / "stop";
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return changedAt(status);
}

bool signalHolder(const fs::path& runFolder, int signal) {
  const std::optional<int> pid = lockHolder(runFolder);
  // A lock that this process holds is a run that it changes, not a job.
  return pid && *pid != ::getpid() && ::kill(*pid, signal) == 0;
}

}  // namespace strata
