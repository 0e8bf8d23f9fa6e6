#pragma once
// What a piece of work asks of the file system, in order, as strace sees it: a kill -9 cannot show a missing fsync.
//
//   const SystemCalls calls([&] { ASSERT_TRUE(writeFile(path, "x")); });
//   STRATA_NEEDS(calls);
//   EXPECT_LT(calls.find("fsync", path), calls.find("rename", path));

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <sstream>
#include <vector>

#include "small_disk.h"
#include "support.h"

extern char** environ;

namespace strata::testing {

class SystemCalls {
 public:
  struct Call {
    std::string name;   // "write", "fsync", "rename", …; pwrite64 is a write, fdatasync an fsync, renameat2 a rename
    std::string path;   // of the file, of the first argument
    std::string other;  // a rename's new name
    bool done = false;  // it did not fail
  };

  /// `work` runs in a process of its own; a false ends it as a failure.
  explicit SystemCalls(const std::function<bool()>& work) {
    int go[2], said[2];
    if (::pipe2(go, O_CLOEXEC) != 0 || ::pipe2(said, O_CLOEXEC) != 0) std::abort();
    const pid_t worker = ::fork();
    if (worker == 0) {
      ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
      ::close(go[1]);
      char byte = 0;
      if (::read(go[0], &byte, 1) != 1) ::_exit(2);
      ::_exit(work() ? 0 : 1);
    }
    const pid_t tracer = attach(worker, said[1]);
    ::close(said[1]);
    std::string words;
    char buffer[256];
    bool attached = false;
    while (tracer > 0 && !attached) {
      const ssize_t count = ::read(said[0], buffer, sizeof buffer);
      if (count <= 0) break;
      words.append(buffer, static_cast<std::size_t>(count));
      attached = words.find("attached") != std::string::npos;
    }
    if (attached) {
      (void)!::write(go[1], "x", 1);
    } else {
      m_missing = "strace cannot look at a process here; install it, with the right to trace. " + words;
    }
    ::close(go[1]);  // the worker leaves where nobody looks
    int status = 0;
    ::waitpid(worker, &status, 0);
    if (tracer > 0) ::waitpid(tracer, nullptr, 0);
    ::close(go[0]);
    ::close(said[0]);
    m_succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (attached) parse(readText(m_folder.path() / "calls"));
  }

  const std::string& missing() const { return m_missing; }
  bool succeeded() const { return m_succeeded; }
  const std::vector<Call>& all() const { return m_calls; }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  /// The first call from `from` on that did not fail and whose path (a rename's new name) ends so.
  std::size_t find(const std::string& name, const std::string& end, std::size_t from = 0) const {
    for (std::size_t i = from; i < m_calls.size(); ++i) {
      const Call& call = m_calls[i];
      if (call.name == name && call.done && (name == "rename" ? call.other : call.path).ends_with(end)) return i;
    }
    return kNone;
  }
  /// The last one before `before`.
  std::size_t findLast(const std::string& name, const std::string& end, std::size_t before) const {
    std::size_t last = kNone;
    for (std::size_t i = find(name, end); i < before; i = find(name, end, i + 1)) last = i;
    return last;
  }
  std::string text() const {
    std::string lines;
    for (const Call& call : m_calls) {
      lines += call.name + " " + call.path + " " + call.other + (call.done ? "" : " failed") + "\n";
    }
    return lines;
  }

 private:
  pid_t attach(pid_t worker, int said) const {
    std::vector<std::string> words = {"strace",
                                      "-f",
                                      "-y",
                                      "-s",
                                      "0",
                                      "-e",
                                      "trace=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink",
                                      "-o",
                                      (m_folder.path() / "calls").string(),
                                      "-p",
                                      std::to_string(worker)};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, said, STDERR_FILENO);
    pid_t tracer = 0;
    const int failed = ::posix_spawnp(&tracer, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed == 0 ? tracer : -1;
  }

  /// "4711 fsync(5</tmp/x>) = 0" and "4711 rename("/tmp/a", "/tmp/b") = 0"
  void parse(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t begin = line.find_first_not_of("0123456789 "), open = line.find('(');
      const std::size_t result = line.rfind(" = ");
      if (begin == std::string::npos || open == std::string::npos || result == std::string::npos || open < begin)
        continue;
      Call call;
      call.name = line.substr(begin, open - begin);
      if (call.name == "pwrite64") call.name = "write";
      if (call.name == "fdatasync") call.name = "fsync";
      if (call.name.starts_with("rename")) call.name = "rename";
      call.done = line.compare(result, 4, " = -") != 0;
      if (call.name == "rename" || call.name == "unlink") {
        call.path = between(line, '"', '"', open);
        const std::size_t next = line.find("\", ", open);
        if (next != std::string::npos) call.other = between(line, '"', '"', next + 1);
      } else {
        call.path = between(line, '<', '>', open);
      }
      m_calls.push_back(std::move(call));
    }
  }
  static std::string between(const std::string& line, char first, char last, std::size_t from) {
    const std::size_t begin = line.find(first, from);
    const std::size_t end = begin == std::string::npos ? begin : line.find(last, begin + 1);
    return end == std::string::npos ? std::string() : line.substr(begin + 1, end - begin - 1);
  }

  TemporaryFolder m_folder;
  std::string m_missing;
  bool m_succeeded = false;
  std::vector<Call> m_calls;
};

}  // namespace strata::testing
