#pragma once
// One life of an engine: its process, its pipes, and the thread that reads, parses and writes, so that the GUI thread
// never waits for any of them.
//
//   EngineProcess process({"strata", {"engine"}}, limits, [&] { /* on its thread: something is there to take */ });
//   process.write(rpcRequest(1, "initialize", params));
//   while (auto message = process.inbox().take()) …
//   if (process.inbox().empty() && process.end()) …
// The destructor closes the engine's input and waits for its end, at most `leaveMs`, then kills it; call finish() and
// wait for end() first where waiting is not wanted.

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/protocol/framing.h"
#include "widgets/client/engine_limits.h"
#include "widgets/client/inbox.h"

namespace strata {

class EngineProcess {
 public:
  struct Command {
    std::string program;
    std::vector<std::string> arguments;
  };
  struct End {
    std::string what;     // "The engine was killed by signal 9 (Killed)", without its full stop
    bool started = true;  // false: there is no such program
    bool asked = false;   // finish() was called before
    bool killed = false;  // by somebody's SIGKILL
  };

  EngineProcess(Command command, const EngineLimits& limits, std::function<void()> wake);
  ~EngineProcess();
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  /// Queues a message, which is printed and framed on the thread that writes it.
  void write(std::function<std::string()> print);
  /// Ends the engine's input once everything queued is written; kills it where it does not leave.
  void finish();
  /// Kills it and what it started in its process group; `why` becomes the end's sentence.
  void kill(const std::string& why);

  Inbox& inbox() { return m_inbox; }
  /// Nothing while it lives.
  std::optional<End> end() const;
  /// The last 256 KiB of its stderr, after what stood on stdout before its first message.
  std::string log() const;
  /// Of its process; 0 before it started.
  int pid() const;
  /// From now on `wake` is not called any more; once this returned, no call of it is under way.
  void stopWaking();
  /// Tells a reader that paused over a full inbox that there is room again.
  void madeRoom();

 private:
  struct Pipes;
  void run();
  bool spawn(Pipes& pipes);
  void serve(Pipes& pipes);
  void readErrors(Pipes& pipes);
  void readMessages(Pipes& pipes);
  void parse(Pipes& pipes);
  void writeSome(Pipes& pipes);
  void leave(Pipes& pipes);
  void setEnd(End end);
  void keepLog(std::string_view text);
  void poke() const;
  void wake();

  const Command m_command;
  const EngineLimits m_limits;
  std::mutex m_wakeMutex;
  std::function<void()> m_wake;  // guarded by m_wakeMutex; empty after stopWaking()
  Inbox m_inbox;
  int m_wakeFd = -1;

  mutable std::mutex m_mutex;  // guards what follows
  std::vector<std::function<std::string()>> m_out;
  std::string m_log;
  std::string m_killed;
  bool m_kill = false;
  bool m_finish = false;
  int m_pid = 0;
  std::optional<End> m_end;

  std::thread m_thread;
};

}  // namespace strata
