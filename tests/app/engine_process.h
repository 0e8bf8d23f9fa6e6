#pragma once
// A real engine at the other end of two pipes.

#include <chrono>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "core/protocol/framing.h"
#include "core/protocol/rpc.h"
#include "program.h"

namespace strata::testing {

using Seconds = std::chrono::duration<double>;

class EngineProcess {
 public:
  using Clock = std::chrono::steady_clock;
  struct Note {
    std::string method;
    Json params;
    Clock::time_point at;
  };

  explicit EngineProcess(std::vector<std::string> arguments = {}) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return;
    arguments.insert(arguments.begin(), {std::string(STRATA_BINARY_DIR) + "/bin/strata", "engine"});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const auto errors = m_folder.path() / "stderr";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, errors.c_str(), O_WRONLY | O_CREAT, 0600);
    if (posix_spawn(&m_pid, argv[0], &actions, nullptr, argv.data(), environ) != 0) m_pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    m_input = in[1];
    m_output = out[0];
  }
  ~EngineProcess() {
    closeInput();
    if (m_pid > 0) {
      kill(m_pid, SIGKILL);
      waitpid(m_pid, nullptr, 0);
    }
    closeOutput();
  }
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  void sendBytes(const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t count = write(m_input, bytes.data() + at, bytes.size() - at);
      ASSERT_GT(count, 0) << "the engine does not read";
      at += static_cast<std::size_t>(count);
    }
  }
  std::int64_t send(const std::string& method, const Json& params = Json::object()) {
    sendBytes(frameOf(rpcRequest(++m_id, method, params)));
    return m_id;
  }
  void closeInput() {
    if (m_input >= 0) close(m_input);
    m_input = -1;
  }
  void closeOutput() {
    if (m_output >= 0) close(m_output);
    m_output = -1;
  }

  /// The answer to a request; notifications meanwhile go to `notes`.
  RpcMessage wait(const Json& id, double seconds = 60) {
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
    while (!m_answers.contains(id.dump())) {
      if (!readUntil(end)) {
        ADD_FAILURE() << "no answer to " << id.dump() << "; stderr: " << errors();
        return {};
      }
    }
    RpcMessage answer = m_answers[id.dump()];
    m_answers.erase(id.dump());
    return answer;
  }
  RpcMessage call(const std::string& method, const Json& params = Json::object(), double seconds = 60) {
    return wait(send(method, params), seconds);
  }
  /// An answer that is no error.
  Json result(const Json& id, double seconds = 60) {
    const RpcMessage answer = wait(id, seconds);
    EXPECT_EQ(answer.kind, RpcMessage::Kind::response) << answer.error.message;
    return answer.result;
  }
  void initialize() {
    const Json answer = result(send("initialize", {{"protocolVersion", 1}, {"client", "test"}}));
    EXPECT_EQ(answer.value("protocolVersion", 0), 1);
  }
  /// Whether such a notification is there or comes in time.
  bool noted(const std::function<bool(const Note&)>& wanted, double seconds = 30) {
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
    for (std::size_t seen = 0;;) {
      for (; seen < notes.size(); ++seen) {
        if (wanted(notes[seen])) return true;
      }
      if (!readUntil(end)) return false;
    }
  }
  /// Exit code, or -1 where it did not end in time.
  int exitCode(double seconds = 10) {
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
    for (int status = 0; Clock::now() < end; std::this_thread::sleep_for(std::chrono::milliseconds(2))) {
      if (waitpid(m_pid, &status, WNOHANG) != m_pid) continue;
      m_pid = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return -1;
  }
  std::string errors() const { return readText(m_folder.path() / "stderr"); }

  std::vector<Note> notes;

 private:
  /// Takes what comes next; false at the end of the output or of the time.
  bool readUntil(Clock::time_point end) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd file{m_output, POLLIN, 0};
    if (left <= 0 || poll(&file, 1, static_cast<int>(left)) <= 0) return false;
    char buffer[65536];
    const ssize_t count = read(m_output, buffer, sizeof(buffer));
    if (count <= 0) return false;
    m_reader.feed({buffer, static_cast<std::size_t>(count)});
    while (true) {
      const auto body = m_reader.next();
      if (!body) {
        ADD_FAILURE() << body.error().message;
        return false;
      }
      if (!*body) return true;
      const auto message = parseRpc(**body);
      if (!message) {
        ADD_FAILURE() << message.error().error.message;
        return false;
      }
      if (message->kind == RpcMessage::Kind::notification) {
        notes.push_back({message->method, message->params, Clock::now()});
      } else {
        m_answers[message->id.dump()] = *message;
      }
    }
  }

  TemporaryFolder m_folder;
  pid_t m_pid = -1;
  int m_input = -1, m_output = -1;
  std::int64_t m_id = 0;
  FrameReader m_reader;
  std::map<std::string, RpcMessage> m_answers;
};

inline Json sideOf(const std::string& model, const std::string& map, int context = 0) {
  return {{"ref", {{"model", model}, {"context", context}}}, {"map", map}};
}

/// The parameters of chat/generate for one question; greedy.
inline Json question(const std::string& stream, const Json& side, const std::string& text, int tokens,
                     bool ignoreEos = false) {
  return {{"stream", stream},
          {"side", side},
          {"turns", {{{"role", "user"}, {"content", text}}}},
          {"sampling", {{"max-tokens", tokens}, {"ignore-eos", ignoreEos}}}};
}

/// A question whose answer takes long enough to be met while it is made.
inline Json endlessQuestion(const std::string& stream) {
  return question(stream, sideOf(storyModel(), "full", 30000), "Once upon a time", 29000, true);
}

}  // namespace strata::testing
