#pragma once
// What the HTTP tests share: an engine without a model, whose speed is set, and raw sockets.

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/service/http_server.h"
#include "support.h"

namespace strata::testing {

using namespace std::chrono_literals;
using Plain = nlohmann::json;

/// Answers "word0 word1 …", one word a token, and counts what is asked of it.
struct SlowEngine {
  std::chrono::milliseconds perToken{0};
  std::atomic<int> running = 0, mostRunning = 0, cancelled = 0, finished = 0;
  std::optional<Error> problem;
  std::mutex mutex;
  protocol::Generate::Params last;
  std::vector<CompletionTask> tasks;  // of completions

  Result<protocol::Answer> answer(const protocol::Side& side, const GenerateConfig& sampling,
                                  const HttpEngine::Tokens& tokens, const std::atomic<bool>& stop) {
    if (problem) return tl::unexpected(*problem);
    mostRunning = std::max<int>(mostRunning, ++running);
    protocol::Answer answer;
    answer.finish = "length";
    for (int i = 0; i < sampling.maxTokens && answer.finish == "length"; ++i) {
      std::this_thread::sleep_for(perToken);
      if (stop) {
        answer.finish = "cancel";
        ++cancelled;
        break;
      }
      const std::string text = (i == 0 ? "word" : " word") + std::to_string(i);
      answer.text += text;
      answer.ids.push_back(i);
      tokens(text, {i});
    }
    answer.promptTokens = 7;
    answer.kvBytes = 4096;
    answer.kvBytesFull = 8192;
    answer.madeBy.map = side.map;
    answer.madeBy.hash = "abc123";
    answer.madeBy.sampling = sampling;
    --running;
    ++finished;
    return answer;
  }

  HttpEngine engine() {
    HttpEngine engine;
    engine.open = [](const protocol::ModelRef& ref, const std::atomic<bool>&) -> Result<ServedModel> {
      if (ref.model == "missing") return fail(ErrorCode::notFound, "There is no model missing.", "model");
      ServedModel model;
      model.info.ref = ref;
      model.info.name = ref.model.substr(ref.model.rfind('/') + 1);
      model.info.hash = "abc123";
      model.info.layers = 6;
      model.info.context = 512;
      model.defaultMap = "full";
      model.geometry.resize(6);
      model.tokenizer = {{"eos_token", "</s>"}, {"model", model.info.name}};
      if (ref.model == "mute") model.tokenizer = nullptr;
      if (ref.model == "mute") model.chatProblem = Error{ErrorCode::unsupported, "The model has no tokenizer.", {}};
      return model;
    };
    engine.generate = [this](const protocol::Generate::Params& params, const auto& tokens, const auto& stop) {
      {
        const std::lock_guard lock(mutex);
        last = params;
      }
      return answer(params.side, params.sampling, tokens, stop);
    };
    engine.complete = [this](const CompletionTask& task, const auto& tokens, const auto& stop) -> Result<Completion> {
      {
        const std::lock_guard lock(mutex);
        tasks.push_back(task);
      }
      GenerateConfig sampling = task.sampling;
      if (!task.generates) sampling.maxTokens = 0;
      Completion completion;
      STRATA_TRY(completion.answer, answer(task.side, sampling, tokens, stop));
      if (task.echo) completion.prompt = "echo ";
      if (task.logprobs) {
        completion.scores = {{"a", 0, std::nullopt, {}},
                             {"same", 1, -2.5, {{"same", -0.5}, {"same", -2.5}, {"other", -1.5}}}};
      }
      return completion;
    };
    engine.tokenize = [](const protocol::ModelRef&, const std::string& text,
                         bool specials) -> Result<std::vector<int>> {
      std::vector<int> ids(text.begin(), text.end());
      if (specials) ids.insert(ids.begin(), 1);
      return ids;
    };
    engine.detokenize = [](const protocol::ModelRef&, const std::vector<int>& ids) -> Result<std::string> {
      if (std::any_of(ids.begin(), ids.end(), [](int id) { return id > 255; })) {
        return fail(ErrorCode::invalidData, "A token id is outside the vocabulary of 256.", "tokens");
      }
      return std::string(ids.begin(), ids.end());
    };
    return engine;
  }
};

inline protocol::ModelRef refOf(const std::string& model) {
  protocol::ModelRef ref;
  ref.model = model;
  return ref;
}

constexpr const char* kToken = "0123456789abcdef0123456789abcdef";

/// A server of model "tiny" on a free port.
struct Served {
  explicit Served(HttpServer::Options options = {}) : server(slow.engine(), fill(options)) {
    const auto name = server.serve(refOf("models/tiny"), never);
    EXPECT_TRUE(name) << (name ? "" : name.error().message);
    const auto started = server.start();
    EXPECT_TRUE(started) << (started ? "" : started.error().message);
    const std::string url = server.state().url;
    port = std::atoi(url.c_str() + url.rfind(':') + 1);
  }
  static HttpServer::Options fill(HttpServer::Options options) {
    if (options.token.empty()) options.token = kToken;
    return options;
  }
  httplib::Client client() const {
    httplib::Client client("127.0.0.1", port);
    client.set_bearer_token_auth(kToken);
    client.set_read_timeout(20);
    client.set_tcp_nodelay(true);
    return client;
  }
  httplib::Result post(const std::string& path, const std::string& body) const {
    return client().Post(path, body, "application/json");
  }
  Plain answer(const std::string& path, const std::string& body, int status = 200) const {
    const auto response = post(path, body);
    EXPECT_TRUE(response) << httplib::to_string(response.error());
    if (!response) return {};
    EXPECT_EQ(response->status, status) << response->body;
    return Plain::parse(response->body, nullptr, false);
  }

  std::atomic<bool> never = false;
  SlowEngine slow;
  HttpServer server;
  int port = 0;
};

/// A connection as a careless or hostile client holds it.
class RawSocket {
 public:
  explicit RawSocket(int port) : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(m_fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~RawSocket() {
    if (m_fd >= 0) ::close(m_fd);
  }
  RawSocket(RawSocket&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
  RawSocket& operator=(RawSocket&&) = delete;
  bool send(const std::string& text) const {
    return ::send(m_fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  /// All that comes until the server closes, `until` is seen, or the time is over.
  std::string receive(std::chrono::milliseconds time = 10s, const std::string& until = {}) const {
    std::string text;
    const auto end = std::chrono::steady_clock::now() + time;
    while (until.empty() || text.find(until) == std::string::npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      pollfd file = {m_fd, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&file, 1, static_cast<int>(left.count())) <= 0) break;
      char piece[4096];
      const ssize_t count = ::recv(m_fd, piece, sizeof(piece), 0);
      if (count <= 0) break;
      text.append(piece, static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  int m_fd;
};

inline std::string rawRequest(const std::string& method, const std::string& path, const std::string& headers,
                              const std::string& body = {}) {
  return method + " " + path + " HTTP/1.1\r\n" + headers + "\r\n" + body;
}
inline std::string usualHeaders(std::size_t length) {
  return std::string("Host: localhost\r\nAuthorization: Bearer ") + kToken +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(length) + "\r\n";
}

/// The events of a stream, without "data: ".
inline std::vector<std::string> eventsOf(const std::string& body) {
  std::vector<std::string> events;
  for (std::size_t at = 0; (at = body.find("data: ", at)) != std::string::npos;) {
    const std::size_t end = body.find("\n\n", at);
    events.push_back(body.substr(at + 6, end - at - 6));
    at = end;
  }
  return events;
}

inline bool waitUntil(const std::function<bool()>& done, std::chrono::milliseconds time = 5s) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!done() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(2ms);
  return done();
}

}  // namespace strata::testing
