#include "widgets/client/engine_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QCoreApplication>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/protocol/rpc.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the program

namespace strata {
namespace {

using Clock = std::chrono::steady_clock;

/// Also from the thread that reads: looking a text up is safe there.
struct ProcessText {
  Q_DECLARE_TR_FUNCTIONS(strata::EngineProcess)
};

QString shown(const std::string& text) {
  return QString::fromStdString(text);
}

constexpr std::size_t kMostLogBytes = 256u << 10;
constexpr std::size_t kMostWaitingBytes = 32u << 20;  // in the inbox, before reading pauses
constexpr std::size_t kPieceBytes = 64u << 10;
constexpr std::size_t kMostEndingBytes = 64u << 20;  // read after its death, from what still holds its pipes
constexpr int kCloseGraceMs = 1'000;                 // between the end of stdout and being killed

int millisecondsUntil(Clock::time_point when) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(when - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left + 1, 0, 60'000));
}

/// The last line that says something, cut to 200 bytes.
std::string lastLine(const std::string& log) {
  const std::size_t end = log.find_last_not_of(" \r\n\t");
  if (end == std::string::npos) return {};
  const std::size_t line = log.rfind('\n', end);
  std::string text =
      log.substr(line == std::string::npos ? 0 : line + 1, end - (line == std::string::npos ? -1 : line));
  constexpr std::size_t kMostBytes = 200;
  if (text.size() > kMostBytes) {
    std::size_t cut = kMostBytes;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;  // never within a character
    text = text.substr(0, cut) + "…";
  }
  return text;
}

}  // namespace

/// What only the thread uses.
struct EngineProcess::Pipes {
  int in = -1, out = -1, err = -1, pidFd = -1;
  pid_t pid = 0;
  FrameReader reader;
  std::string writing;      // taken from m_out
  std::size_t written = 0;  // of it
  std::string broken;       // why it cannot be understood any further
  std::string banner;       // as far as it was logged
  bool exited = false;
  Clock::time_point lastBytes = Clock::now();
  std::optional<Clock::time_point> killAt;

  ~Pipes() {
    for (const int fd : {in, out, err, pidFd}) {
      if (fd >= 0) ::close(fd);
    }
  }
  void closeIn() {
    if (in >= 0) ::close(std::exchange(in, -1));
  }
};

EngineProcess::EngineProcess(Command command, const EngineLimits& limits, std::function<void()> wake)
    : m_command(std::move(command)),
      m_limits(limits),
      m_wake(std::move(wake)),
      m_wakeFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  m_thread = std::thread([this] { run(); });
}

EngineProcess::~EngineProcess() {
  finish();
  m_thread.join();
  ::close(m_wakeFd);
}

void EngineProcess::poke() const {
  const std::uint64_t one = 1;
  // A full counter is a thread that is about to wake anyway.
  [[maybe_unused]] const ssize_t count = ::write(m_wakeFd, &one, sizeof(one));
}

void EngineProcess::write(std::function<std::string()> print) {
  {
    const std::lock_guard lock(m_mutex);
    m_out.push_back(std::move(print));
  }
  poke();
}

void EngineProcess::finish() {
  {
    const std::lock_guard lock(m_mutex);
    m_finish = true;
  }
  poke();
}

void EngineProcess::kill(const std::string& why) {
  {
    const std::lock_guard lock(m_mutex);
    if (!m_kill) m_killed = why;
    m_kill = true;
  }
  poke();
}

void EngineProcess::madeRoom() {
  poke();
}

std::optional<EngineProcess::End> EngineProcess::end() const {
  const std::lock_guard lock(m_mutex);
  return m_end;
}

std::string EngineProcess::log() const {
  const std::lock_guard lock(m_mutex);
  return m_log;
}

int EngineProcess::pid() const {
  const std::lock_guard lock(m_mutex);
  return m_pid;
}

void EngineProcess::setEnd(End end) {
  {
    const std::lock_guard lock(m_mutex);
    end.asked = m_finish;
    m_end = std::move(end);
  }
  wake();
}

void EngineProcess::keepLog(std::string_view text) {
  const std::lock_guard lock(m_mutex);
  m_log += text;
  // Cut at twice the size, so that a flood does not move the text with every read.
  if (m_log.size() > 2 * kMostLogBytes || (text.size() < kPieceBytes && m_log.size() > kMostLogBytes)) {
    m_log.erase(0, m_log.size() - kMostLogBytes);
  }
}

void EngineProcess::run() {
  // A write to an engine that died must give EPIPE, not end the window.
  sigset_t pipeSignal;
  sigemptyset(&pipeSignal);
  sigaddset(&pipeSignal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipeSignal, nullptr);
  Pipes pipes;
  if (!spawn(pipes)) return;
  {
    const std::lock_guard lock(m_mutex);
    m_pid = pipes.pid;
  }
  serve(pipes);
  leave(pipes);
}

bool EngineProcess::spawn(Pipes& pipes) {
  std::array<int, 2> in{-1, -1}, out{-1, -1}, err{-1, -1};
  const bool piped =
      pipe2(in.data(), O_CLOEXEC) == 0 && pipe2(out.data(), O_CLOEXEC) == 0 && pipe2(err.data(), O_CLOEXEC) == 0;
  int failed = piped ? 0 : errno;
  pipes.in = in[1];
  pipes.out = out[0];
  pipes.err = err[0];
  if (piped) {
    for (const int fd : {pipes.in, pipes.out, pipes.err}) fcntl(fd, F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // A group of its own: Ctrl+C in the window's terminal is not for the engine, and a prefix command dies as a whole.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    std::vector<std::string> words = {m_command.program};
    words.insert(words.end(), m_command.arguments.begin(), m_command.arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    failed = posix_spawnp(&pipes.pid, argv[0], &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  for (const int fd : {in[0], out[1], err[1]}) {
    if (fd >= 0) ::close(fd);
  }
  if (failed != 0) {
    setEnd({ProcessText::tr("The engine cannot be started: %1: %2")
                .arg(shown(m_command.program), QString::fromLocal8Bit(std::strerror(failed)))
                .toStdString(),
            false, false});
    return false;
  }
  pipes.pidFd = static_cast<int>(syscall(SYS_pidfd_open, pipes.pid, 0));  // older kernels: its pipes' end is seen
  return true;
}

void EngineProcess::serve(Pipes& pipes) {
  pipes.lastBytes = Clock::now();
  while (true) {
    bool finish = false;
    bool closed = false;
    std::vector<std::function<std::string()>> prints;
    {
      const std::lock_guard lock(m_mutex);
      if (m_kill) return;
      finish = m_finish;
      if (pipes.written == pipes.writing.size()) {
        pipes.writing.clear();
        pipes.written = 0;
        prints = std::exchange(m_out, {});
      }
      closed = finish && pipes.writing.empty() && prints.empty();
    }
    for (const auto& print : prints) pipes.writing += frameOf(print());
    if (finish && !pipes.killAt) pipes.killAt = Clock::now() + std::chrono::milliseconds(m_limits.leaveMs);
    if (closed) pipes.closeIn();
    const bool full = m_inbox.bytes() > kMostWaitingBytes;
    const bool waitsForRest = pipes.reader.holdsPart() && !full;
    const Clock::time_point silentAt = pipes.lastBytes + std::chrono::milliseconds(m_limits.halfFrameMs);
    int timeout = -1;
    if (pipes.killAt) timeout = millisecondsUntil(*pipes.killAt);
    if (waitsForRest)
      timeout = timeout < 0 ? millisecondsUntil(silentAt) : std::min(timeout, millisecondsUntil(silentAt));

    std::array<pollfd, 5> files = {{{m_wakeFd, POLLIN, 0},
                                    {full ? -1 : pipes.out, POLLIN, 0},
                                    {pipes.err, POLLIN, 0},
                                    {pipes.writing.empty() ? -1 : pipes.in, POLLOUT, 0},
                                    {pipes.pidFd, POLLIN, 0}}};
    if (::poll(files.data(), files.size(), timeout) < 0 && errno != EINTR) return;
    std::uint64_t pokes = 0;
    if (files[0].revents != 0) [[maybe_unused]]
      const ssize_t count = ::read(m_wakeFd, &pokes, sizeof(pokes));
    if (files[2].revents != 0) readErrors(pipes);
    if (files[1].revents != 0) readMessages(pipes);
    if (files[3].revents != 0) writeSome(pipes);
    if (files[4].revents != 0) {
      pipes.exited = true;
      return;
    }
    if (!pipes.broken.empty()) return;
    if (pipes.out < 0 && !pipes.killAt) pipes.killAt = Clock::now() + std::chrono::milliseconds(kCloseGraceMs);
    if (pipes.killAt && Clock::now() >= *pipes.killAt) return;
    if (waitsForRest && pipes.reader.holdsPart() &&
        Clock::now() >= pipes.lastBytes + std::chrono::milliseconds(m_limits.halfFrameMs)) {
      pipes.broken = ProcessText::tr("The engine sent half a message and then nothing for %1 s")
                         .arg((m_limits.halfFrameMs + 999) / 1000)
                         .toStdString();
      return;
    }
  }
}

void EngineProcess::readErrors(Pipes& pipes) {
  std::array<char, kPieceBytes> piece;
  const ssize_t count = ::read(pipes.err, piece.data(), piece.size());
  if (count > 0) {
    keepLog({piece.data(), static_cast<std::size_t>(count)});
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    ::close(std::exchange(pipes.err, -1));
  }
}

void EngineProcess::readMessages(Pipes& pipes) {
  std::array<char, kPieceBytes> piece;
  const ssize_t count = ::read(pipes.out, piece.data(), piece.size());
  if (count > 0) {
    pipes.lastBytes = Clock::now();
    pipes.reader.feed({piece.data(), static_cast<std::size_t>(count)});
    parse(pipes);
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    ::close(std::exchange(pipes.out, -1));
  }
}

void EngineProcess::parse(Pipes& pipes) {
  bool added = false;
  while (pipes.broken.empty()) {
    auto body = pipes.reader.next();
    if (!body) {
      pipes.broken =
          ProcessText::tr("The engine cannot be understood: %1").arg(shown(body.error().message)).toStdString();
    } else if (!*body) {
      break;
    } else if (auto message = parseRpc(**body); message) {
      m_inbox.add(std::move(*message), (*body)->size());
      added = true;
    } else {
      pipes.broken = ProcessText::tr("The engine sent something that is no message: %1")
                         .arg(shown(message.error().error.message))
                         .toStdString();
    }
  }
  while (pipes.broken.ends_with('.')) pipes.broken.pop_back();
  if (pipes.reader.banner().size() > pipes.banner.size()) {
    keepLog(std::string_view(pipes.reader.banner()).substr(pipes.banner.size()));
    pipes.banner = pipes.reader.banner();
  }
  if (added) wake();
}

void EngineProcess::writeSome(Pipes& pipes) {
  const std::string_view rest = std::string_view(pipes.writing).substr(pipes.written);
  const ssize_t count = ::write(pipes.in, rest.data(), rest.size());
  if (count > 0) {
    pipes.written += static_cast<std::size_t>(count);
    if (pipes.written == pipes.writing.size()) pipes.writing.clear(), pipes.written = 0;
  } else if (count < 0 && errno != EAGAIN && errno != EINTR) {
    pipes.closeIn();  // it reads no more; its end follows
    pipes.writing.clear();
    pipes.written = 0;
    if (!pipes.killAt) pipes.killAt = Clock::now() + std::chrono::milliseconds(kCloseGraceMs);
  }
}

void EngineProcess::wake() {
  const std::lock_guard lock(m_wakeMutex);
  if (m_wake) m_wake();
}

void EngineProcess::stopWaking() {
  const std::lock_guard lock(m_wakeMutex);
  m_wake = nullptr;
}

/// Reads what is left, ends what still lives of the process group, and says how it ended.
void EngineProcess::leave(Pipes& pipes) {
  siginfo_t state{};
  const bool alive =
      waitid(P_PID, static_cast<id_t>(pipes.pid), &state, WEXITED | WNOHANG | WNOWAIT) == 0 && state.si_pid == 0;
  ::kill(-pipes.pid, SIGKILL);  // the leader is not reaped yet, so that the group's number is still its own
  std::size_t left = kMostEndingBytes;
  for (Clock::time_point until = Clock::now() + std::chrono::milliseconds(500);
       (pipes.out >= 0 || pipes.err >= 0) && left > 0 && Clock::now() < until;) {
    std::array<pollfd, 2> files = {{{pipes.out, POLLIN, 0}, {pipes.err, POLLIN, 0}}};
    if (::poll(files.data(), files.size(), 50) <= 0) break;
    left -= std::min(left, kPieceBytes);
    if (files[0].revents != 0 && pipes.broken.empty()) readMessages(pipes);
    if (files[0].revents != 0 && !pipes.broken.empty()) ::close(std::exchange(pipes.out, -1));
    if (files[1].revents != 0) readErrors(pipes);
  }
  int status = 0;
  while (waitpid(pipes.pid, &status, 0) < 0 && errno == EINTR) {
  }
  std::string killed;
  bool asked = false;
  {
    const std::lock_guard lock(m_mutex);
    killed = m_killed;
    asked = m_finish;
  }
  QString what;
  if (!killed.empty()) {
    what = shown(killed);
  } else if (!pipes.broken.empty()) {
    what = shown(pipes.broken);
  } else if (alive && !asked) {
    what = ProcessText::tr("The engine closed its output and did not leave");
  } else if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    what = ProcessText::tr("The engine was killed by signal %1 (%2)")
               .arg(signal)
               .arg(QString::fromLocal8Bit(strsignal(signal)));
  } else if (WEXITSTATUS(status) != 0) {
    what = ProcessText::tr("The engine ended with exit code %1").arg(WEXITSTATUS(status));
    const std::string line = lastLine(log());
    if (!line.empty()) what += ": \"" + shown(line) + '"';
  } else {
    what = ProcessText::tr("The engine ended without being asked");
  }
  if (killed.empty() && pipes.broken.empty() && pipes.reader.holdsPart())
    what += ProcessText::tr(", in the middle of a message");
  setEnd({what.toStdString(), true, asked, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL});
}

}  // namespace strata
