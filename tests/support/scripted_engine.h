#pragma once
// A stand-in for `strata engine`: the test program itself, started again with STRATA_FAKE_ENGINE=SCENARIO in its
// environment, speaks the protocol on stdin and stdout and never reaches main().
//
//   EngineClient engine;
//   engine.start(fakeEngine("broken folder"));
// A test program that uses it defines fakeEngineMethods() once.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include "core/protocol/framing.h"
#include "core/protocol/messages.h"
#include "core/protocol/rpc.h"

namespace strata::testing {

class FakeEngine {
 public:
  explicit FakeEngine(std::string scenario) : m_scenario(std::move(scenario)) {
    answer<protocol::Initialize>([](const auto&) {
      protocol::Initialize::Answer answer;
      answer.protocolVersion = kProtocolVersion;
      answer.version = "test";
      answer.host = "here";
      answer.home = "/home/someone";
      answer.threads = 2;
      answer.devices = {{"cpu", "Test CPU, 2 threads", true, "", 16ll << 30}};
      return Result<protocol::Initialize::Answer>(answer);
    });
    m_methods[protocol::Shutdown::kName] = [this](const Json& id, const Json&) {
      write(rpcResult(id, Json::object()));
      std::fflush(stdout);
      _exit(0);
    };
    m_methods[protocol::Cancel::kName] = [this](const Json& id, const Json& params) {
      const Json wanted = params.at("id");
      const bool found = m_held == wanted;
      write(rpcResult(id, {{"found", found}}));
      if (!found) return;
      m_held = nullptr;
      write(rpcError(wanted, RpcCode::requestCancelled, Error{ErrorCode::cancelled, "Stopped.", ""}));
    };
  }

  const std::string& scenario() const { return m_scenario; }

  template <class M>
  void answer(std::function<Result<typename M::Answer>(const typename M::Params&)> handler) {
    m_methods[M::kName] = [this, handler = std::move(handler)](const Json& id, const Json& json) {
      typename M::Params params{};
      const auto read = configFromJson(json, M::kName, params);
      if (!read) return write(rpcError(id, RpcCode::invalidParams, read.error()));
      const auto answer = handler(params);
      if (!answer) return write(rpcError(id, rpcCodeOf(answer.error()), answer.error()));
      write(rpcResult(id, configToJson(*answer)));
    };
  }

  /// Reports progress once and answers only when the request is cancelled.
  template <class M>
  void hold(const std::string& stage, std::int64_t done, std::int64_t total) {
    m_methods[M::kName] = [=, this](const Json& id, const Json&) {
      m_held = id;
      notify(protocol::Progress{id, stage, done, total});
    };
  }

  /// Dies without an answer.
  template <class M>
  void die() {
    m_methods[M::kName] = [](const Json&, const Json&) { _exit(9); };
  }

  template <class N>
  void notify(const N& notification) {
    write(rpcNotification(N::kName, configToJson(notification)));
  }

  void run() {
    FrameReader reader;
    char bytes[65536];
    ssize_t count = 0;
    while ((count = ::read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
      reader.feed({bytes, static_cast<std::size_t>(count)});
      while (true) {
        const auto body = reader.next();
        if (!body) return;
        if (!*body) break;
        take(**body);
      }
    }
  }

 private:
  void take(const std::string& body) {
    const auto message = parseRpc(body);
    if (!message || message->kind != RpcMessage::Kind::request) return;
    const auto method = m_methods.find(message->method);
    if (method == m_methods.end()) {
      return write(rpcError(message->id, RpcCode::methodNotFound,
                            Error{ErrorCode::unsupported, "No method " + message->method + ".", ""}));
    }
    method->second(message->id, message->params.is_null() ? Json::object() : message->params);
  }
  void write(const std::string& body) {
    const std::string frame = frameOf(body);
    std::fwrite(frame.data(), 1, frame.size(), stdout);
    std::fflush(stdout);
  }

  std::string m_scenario;
  std::map<std::string, std::function<void(const Json& id, const Json& params)>> m_methods;
  Json m_held = nullptr;
};

/// What the engine of this test program answers.
void fakeEngineMethods(FakeEngine& engine);

/// Before main(): with STRATA_FAKE_ENGINE this program is the engine.
inline const bool kWasEngine = [] {
  const char* scenario = std::getenv("STRATA_FAKE_ENGINE");
  if (scenario == nullptr) return false;
  FakeEngine engine(scenario);
  fakeEngineMethods(engine);
  engine.run();
  _exit(0);
}();

}  // namespace strata::testing
