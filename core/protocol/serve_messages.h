#pragma once
// The OpenAI-compatible HTTP server inside the engine.

#include <string>
#include <vector>

#include "core/protocol/model_messages.h"

namespace strata::protocol {

struct ServeState {
  bool on = false;
  std::string url, token, problem;
  std::vector<std::string> models;
  int active = 0;
  std::int64_t requests = 0;
  template <class V>
  void visit(V& v) {
    v("on", on, "whether it serves");
    v("url", url, "base address, http://127.0.0.1:PORT/v1");
    v("token", token, "that clients send as bearer");
    v("problem", problem, "why it does not serve");
    v("models", models, "names that requests may use; NAME@MAP names a map");
    v("active", active, "requests being answered");
    v("requests", requests, "answered so far");
  }
};

struct StartServing {
  static constexpr const char* kName = "serve/start";
  static constexpr const char* kHelp = "serves models over HTTP; again with others: they are added";
  struct Params {
    std::vector<ModelRef> models;
    std::string host = "127.0.0.1";
    int port = 0;
    std::string token;
    template <class V>
    void visit(V& v) {
      v("models", models, "to serve");
      v("host", host, "address to listen on");
      v("port", port, "0: 8080, or a free one where that is taken", Range{0, 65535});
      v("token", token, "empty: one is made");
    }
  };
  using Answer = ServeState;
};

struct StopServing {
  static constexpr const char* kName = "serve/stop";
  static constexpr const char* kHelp = "stops serving one model, or all";
  struct Params {
    std::string model;
    template <class V>
    void visit(V& v) {
      v("model", model, "as its ModelRef names it; empty: all");
    }
  };
  using Answer = ServeState;
};

struct ServeChanged : ServeState {
  static constexpr const char* kName = "serve/changed";
  static constexpr const char* kHelp = "when serving begins, ends or counts another request";
};

}  // namespace strata::protocol
