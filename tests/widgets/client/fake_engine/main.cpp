// An engine without models, for tests of the window: speaks the protocol, and misbehaves on demand.
//
//   fake_engine [MODE[:N]] [--store FILE] [--full FILE] [--once FILE] [--load-ms N]
// Modes: normal, silent, hang, no-cancel, garbage, bad-header, bad-json, half, half-silent, big, stderr, other-version,
// refuses, dies, dies-after:N, floods, banner, no-project. --store: ids of the messages of chats/put, a line each,
// before they are answered; the message "poison" ends it. --full: the disk is full while FILE is there. --once:
// misbehaves only where FILE is not there yet, and makes it.

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/protocol/framing.h"
#include "core/protocol/messages.h"
#include "core/protocol/rpc.h"

namespace strata {
namespace {

using namespace std::chrono_literals;

struct Options {
  std::string mode = "normal";
  int number = 0;
  std::string store, once, full;
  int loadMs = 0;
};
Options g;
std::mutex gOut;

void writeRaw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(1, bytes.data(), bytes.size());
    if (count <= 0) _exit(0);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void send(const std::string& body) {
  const std::lock_guard lock(gOut);
  writeRaw(frameOf(body));
}

template <class N>
void notify(const N& notification) {
  send(rpcNotification(N::kName, configToJson(notification)));
}

struct Running {
  std::atomic<bool> cancelled = false;
};
std::mutex gMutex;
std::map<std::string, std::shared_ptr<Running>> gRunning;
std::vector<protocol::LoadedModel> gLoaded;

void store(const protocol::PutChat::Params& params) {
  if (g.store.empty()) return;
  const std::lock_guard lock(gMutex);
  std::ofstream file(g.store, std::ios::app);
  for (const protocol::ChatMessage& message : params.messages) file << message.id << "\n";
}

void load(const protocol::ModelRef& ref) {
  std::this_thread::sleep_for(std::chrono::milliseconds(g.loadMs));
  protocol::ModelsLoaded all;
  {
    const std::lock_guard lock(gMutex);
    for (const auto& model : gLoaded) {
      if (model.ref == ref) return;
    }
    protocol::LoadedModel loaded;
    loaded.ref = ref;
    loaded.name = ref.model;
    gLoaded.push_back(loaded);
    all.models = gLoaded;
  }
  notify(all);
}

/// 200 tokens a second until cancelled or done.
void generate(const Json& id, const protocol::Generate::Params& params, const std::shared_ptr<Running>& running) {
  protocol::Answer answer;
  answer.finish = "length";
  for (int i = 0; i < params.sampling.maxTokens; ++i) {
    if (running->cancelled) {
      answer.finish = "cancel";
      break;
    }
    protocol::Tokens tokens;
    tokens.request = id;
    tokens.stream = params.stream;
    tokens.text = " word" + std::to_string(i);
    tokens.ids = {i};
    answer.text += tokens.text;
    answer.ids.push_back(i);
    notify(tokens);
    std::this_thread::sleep_for(5ms);
  }
  send(rpcResult(id, configToJson(answer)));
}

/// 2,000 tokens and 1,000 metric points a second, one message each.
void flood() {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0;; ++i) {
    protocol::Tokens tokens;
    tokens.request = 0;
    tokens.stream = "flood" + std::to_string(i % 2);
    tokens.text = " token";
    tokens.ids = {i};
    notify(tokens);
    if (i % 2 == 0) {
      protocol::JobPoints points;
      points.id = "run";
      points.points = {{i, "loss", 1.0 / (1 + i)}};
      notify(points);
    }
    std::this_thread::sleep_until(begin + i * 500us);
  }
}

void misbehaveAfterStart() {
  if (g.mode == "garbage") {
    writeRaw(std::string(200'000, '\x07'));
    std::this_thread::sleep_for(1h);
  }
  if (g.mode == "bad-header") {
    writeRaw("Content-Length: many\r\n\r\n{}");
    std::this_thread::sleep_for(1h);
  }
  if (g.mode == "bad-json") send("{\"jsonrpc\": \"2.0\", ");
  if (g.mode == "half") {
    writeRaw("Content-Length: 1000\r\n\r\n{\"jsonrpc\"");
    _exit(0);
  }
  if (g.mode == "half-silent") {
    writeRaw("Content-Length: 1000\r\n\r\n{\"jsonrpc\"");
    std::this_thread::sleep_for(1h);
  }
  if (g.mode == "big") writeRaw("Content-Length: 99999999999\r\n\r\n");
  if (g.mode == "stderr") {
    std::thread([] {
      const std::string line(199, 'e');
      for (int i = 0; i < 250'000; ++i) std::fprintf(stderr, "%s\n", line.c_str());  // 50 MB
      std::fprintf(stderr, "the last line\n");
    }).detach();
  }
  if (g.mode == "floods") std::thread(flood).detach();
  if (g.mode == "hang") std::this_thread::sleep_for(1h);
}

template <class M, class F>
bool handles(const RpcMessage& message, F answer) {
  if (message.method != M::kName) return false;
  typename M::Params params{};
  const auto read = configFromJson(message.params.is_null() ? Json::object() : message.params, "params", params);
  if (!read) {
    send(rpcError(message.id, RpcCode::invalidParams, read.error()));
    return true;
  }
  if constexpr (std::is_void_v<decltype(answer(params))>) {
    answer(params);
  } else {
    send(rpcResult(message.id, configToJson(typename M::Answer(answer(params)))));
  }
  return true;
}

void initialize(const RpcMessage& message) {
  if (g.mode == "silent") return;
  if (g.mode == "refuses") {
    const Error error{ErrorCode::unsupported, "The engine speaks version 7 and not 1.", {}};
    return send(rpcError(message.id, RpcCode::invalidRequest, error));
  }
  protocol::Initialize::Answer answer;
  answer.protocolVersion = g.mode == "other-version" ? 2 : kProtocolVersion;
  answer.version = "9.9";
  answer.pid = getpid();
  send(rpcResult(message.id, configToJson(answer)));
  misbehaveAfterStart();
}

void answer(const RpcMessage& message) {
  using namespace protocol;
  const Json id = message.id;
  if (message.method == Initialize::kName) return initialize(message);
  if (handles<OpenProject>(message, [&](const auto& params) {
        if (g.mode == "no-project") {
          const Error error{ErrorCode::busy, "Another process has it open.", {}};
          return send(rpcError(id, RpcCode::engineError, error));
        }
        ProjectInfo project;
        project.folder = params.folder.empty() ? "/home/fake/sample" : params.folder;
        project.name = "fake";
        send(rpcResult(id, configToJson(project)));
      })) {
    return;
  }
  if (handles<PutChat>(message, [&](const auto& params) {
        if (!g.full.empty() && std::filesystem::exists(g.full)) {
          const Error error{ErrorCode::diskFull, "The disk is full.", {}};
          return send(rpcError(id, RpcCode::engineError, error));
        }
        for (const ChatMessage& put : params.messages) {
          if (put.text == "poison") _exit(6);
        }
        store(params);
        send(rpcResult(id, configToJson(Nothing{})));
      })) {
    return;
  }
  if (handles<ListModels>(message, [](const auto&) { return ListModels::Answer{}; })) return;
  if (handles<ListJobs>(message, [](const auto&) { return ListJobs::Answer{}; })) return;
  if (handles<StartServing>(message, [](const auto& params) {
        ServeState state;
        state.on = true;
        state.url = "http://127.0.0.1:" + std::to_string(params.port == 0 ? 8123 : params.port) + "/v1";
        state.token = params.token.empty() ? "made" : params.token;
        for (const ModelRef& ref : params.models) state.models.push_back(ref.model);
        notify(ServeChanged{state});
        return state;
      })) {
    return;
  }
  if (handles<StopServing>(message, [](const auto&) { return ServeState{}; })) return;
  if (handles<Cancel>(message, [&](const auto& params) {
        if (g.mode == "no-cancel") return;
        Cancel::Answer found;
        {
          const std::lock_guard lock(gMutex);
          const auto running = gRunning.find(params.id.dump());
          found.found = running != gRunning.end();
          if (found.found) running->second->cancelled = true;
        }
        send(rpcResult(id, configToJson(found)));
      })) {
    return;
  }
  if (handles<LoadModel>(message, [&](const auto& params) {
        std::thread([id, ref = params.ref] {
          if (ref.model == "deadly") _exit(9);
          load(ref);
          LoadedModel loaded;
          loaded.ref = ref;
          send(rpcResult(id, configToJson(loaded)));
        }).detach();
      })) {
    return;
  }
  if (handles<Generate>(message, [&](const auto& params) {
        auto running = std::make_shared<Running>();
        {
          const std::lock_guard lock(gMutex);
          gRunning[id.dump()] = running;
        }
        std::thread([id, params, running] {
          load(params.side.ref);
          generate(id, params, running);
        }).detach();
      })) {
    return;
  }
  send(rpcError(id, RpcCode::methodNotFound, {ErrorCode::unsupported, "There is no " + message.method + ".", {}}));
}

void readOptions(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return std::string(++i < argc ? argv[i] : ""); };
    if (word == "--store") {
      g.store = value();
    } else if (word == "--full") {
      g.full = value();
    } else if (word == "--once") {
      g.once = value();
    } else if (word == "--load-ms") {
      g.loadMs = std::atoi(value().c_str());
    } else {
      const std::size_t colon = word.find(':');
      g.mode = word.substr(0, colon);
      if (colon != std::string::npos) g.number = std::atoi(word.c_str() + colon + 1);
    }
  }
  if (!g.once.empty()) {
    if (std::filesystem::exists(g.once)) g.mode = "normal";
    std::ofstream(g.once) << "started\n";
  }
}

int run(int argc, char** argv) {
  readOptions(argc, argv);
  if (g.mode == "dies") {
    std::fprintf(stderr, "first line\nno more memory\n");
    return 3;
  }
  if (g.mode == "banner") writeRaw("Welcome to gpu-box\nContent-Type is not a header here\n\n");
  FrameReader reader;
  char piece[65536];
  for (int requests = 0;;) {
    const ssize_t count = ::read(0, piece, sizeof(piece));
    if (count <= 0) return 0;
    reader.feed({piece, static_cast<std::size_t>(count)});
    while (true) {
      const auto body = reader.next();
      if (!body || !*body) break;
      const auto message = parseRpc(**body);
      if (!message) return 4;
      if (message->kind == RpcMessage::Kind::notification) {
        std::fprintf(stderr, "heard %s %s\n", message->method.c_str(), message->params.dump().c_str());
        continue;
      }
      if (g.mode == "dies-after" && ++requests > g.number) return 5;
      answer(*message);
    }
  }
}

}  // namespace
}  // namespace strata

int main(int argc, char** argv) {
  const int code = strata::run(argc, argv);
  std::fflush(stderr);
  _exit(code);
}
