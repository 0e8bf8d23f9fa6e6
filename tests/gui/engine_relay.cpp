#include "engine_relay.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "core/base/files.h"
#include "core/protocol/framing.h"

extern char** environ;

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

void writeAll(int file, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t count = ::write(file, bytes.data() + at, bytes.size() - at);
    if (count <= 0) return;
    at += static_cast<std::size_t>(count);
  }
}

/// From the engine to the window, with a copy in the folder.
void passDown(int engine, const fs::path& copy) {
  std::array<char, 65536> bytes;
  for (ssize_t count = 0; (count = ::read(engine, bytes.data(), bytes.size())) > 0;) {
    const std::string said(bytes.data(), static_cast<std::size_t>(count));
    std::ofstream(copy, std::ios::binary | std::ios::app) << said;
    writeAll(STDOUT_FILENO, said);
  }
}

/// From the window to the engine, and what lies in the folder to be asked, between two messages.
void passUp(int engine, const fs::path& asked) {
  FrameReader reader;
  std::array<char, 65536> bytes;
  for (;;) {
    pollfd file{STDIN_FILENO, POLLIN, 0};
    if (::poll(&file, 1, 20) > 0) {
      const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
      if (count <= 0) return;
      reader.feed({bytes.data(), static_cast<std::size_t>(count)});
    }
    for (auto body = reader.next(); body && *body; body = reader.next()) writeAll(engine, frameOf(**body));
    if (!reader.holdsPart() && fs::exists(asked)) {
      const std::string body = readText(asked);
      fs::remove(asked);
      writeAll(engine, frameOf(body));
    }
  }
}

int relay(const fs::path& folder) {
  std::array<int, 2> in{}, out{};
  if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) return 1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string program = STRATA_BINARY_DIR "/bin/strata", verb = "engine";
  std::array<char*, 3> words = {program.data(), verb.data(), nullptr};
  pid_t pid = 0;
  if (posix_spawn(&pid, program.c_str(), &actions, nullptr, words.data(), environ) != 0) return 1;
  ::close(in[0]);
  ::close(out[1]);
  fs::remove(folder / "said");  // of an engine before
  writeText(folder / "engine", std::to_string(pid));
  // The window asks nothing of an engine that has left: this process leaves with it.
  std::thread([&] {
    passDown(out[0], folder / "said");
    ::waitpid(pid, nullptr, 0);
    _exit(0);
  }).detach();
  passUp(in[1], folder / "ask");
  ::close(in[1]);
  ::pause();
  return 0;
}

/// Before main(): with STRATA_RELAY this program is a relay.
const bool kWasRelay = [] {
  const char* folder = std::getenv("STRATA_RELAY");
  if (folder == nullptr) return false;
  _exit(relay(folder));
}();

}  // namespace

std::vector<std::string> Relay::command() const {
  return {"/usr/bin/env", "STRATA_RELAY=" + m_folder.string(), fs::read_symlink("/proc/self/exe").string()};
}

Result<Json> Relay::ask(const std::string& method, const Json& params) {
  const std::int64_t number = ++m_number;
  STRATA_CHECK(writeFile(m_folder / "ask", rpcRequest(number, method, params)));
  Result<Json> answer = fail(ErrorCode::busy, "The engine did not answer " + method + ".");
  heard([&](const RpcMessage& message) {
    if (message.id != Json(number)) return false;
    if (message.kind == RpcMessage::Kind::response) answer = message.result;
    if (message.kind == RpcMessage::Kind::errorResponse) answer = tl::unexpected(message.error);
    return true;
  });
  return answer;
}

bool Relay::heard(const std::function<bool(const RpcMessage&)>& wanted, double seconds) const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  do {
    FrameReader reader;
    reader.feed(readText(m_folder / "said"));
    for (auto body = reader.next(); body && *body; body = reader.next()) {
      const auto message = parseRpc(**body);
      if (message && wanted(*message)) return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

void Relay::clear() const {
  fs::remove(m_folder / "said");
  fs::remove(m_folder / "engine");
}

int Relay::engine() const {
  return std::atoi(readText(m_folder / "engine").c_str());
}

}  // namespace strata::testing
