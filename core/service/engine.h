#pragma once
// The engine of a window: its methods over a pair of file descriptors.
//
//   Engine engine({.version = "0.4.0", .input = in, .output = out});
//   projects.addTo(engine.methods());
//   const int code = engine.run();
// A process that leaves with requests still running leaves by _exit.

#include <memory>
#include <optional>
#include <string>

#include "core/service/memory_watch.h"
#include "core/service/model_host.h"
#include "core/service/server.h"

namespace strata {

class Engine {
 public:
  struct Options {
    std::string version;
    int input = 0, output = 1;
  };
  explicit Engine(const Options& options);
  ~Engine();

  MethodTable& methods() { return m_server.methods(); }
  Notifier notifier() { return m_server.notifier(); }
  ModelHost& host() { return m_host; }
  /// See RpcServer::run().
  int run() { return m_server.run(); }

 private:
  void addMethods();
  Result<protocol::Initialize::Answer> initialize(const protocol::Initialize::Params& params);

  std::string m_version;
  ModelHost m_host;
  RpcServer m_server;
  std::optional<MemoryWatch> m_memory;  // from `initialize` on
};

}  // namespace strata
