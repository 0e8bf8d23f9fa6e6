#pragma once
// JSON-RPC over two file descriptors: requests are read in order and answered by the handlers of a MethodTable, those
// of Lane::own on threads of their own, so that reading (and with it `cancel`) never waits.
//
//   RpcServer server({.input = 0, .output = 3});
//   server.methods().add<protocol::LoadModel>(…);
//   return server.run();   // the exit code
// The server itself answers `shutdown` and `cancel`; nothing but `initialize` is answered before that one succeeded.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/protocol/rpc.h"
#include "core/service/methods.h"
#include "core/service/output_queue.h"
#include "core/service/request_threads.h"

namespace strata {

/// Ends a thread's wait in poll() for fd().
class Waker {
 public:
  Waker();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  int fd() const { return m_fds[0]; }
  void wake() const;

 private:
  int m_fds[2] = {-1, -1};
};

class RpcServer {
 public:
  struct Options {
    int input = 0, output = 1;
    std::size_t mostThreads = 64;              // requests of Lane::own that run at once
    std::function<void()> onInitialized = {};  // from here on notifications are sent
  };
  explicit RpcServer(const Options& options);
  ~RpcServer();
  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

  /// To be filled before run().
  MethodTable& methods() { return m_methods; }
  /// Lives no longer than the server.
  Notifier notifier();
  /// See OutputQueue::tokens.
  void tokens(const Json& request, const std::string& stream, const std::string& text, const std::vector<int>& ids,
              std::int64_t kvBytesUsed) {
    m_output.tokens(request, stream, text, ids, kvBytesUsed);
  }

  /// Reads until the input ends, `shutdown`, or a silence longer than the client announced (protocol::Alive) (0), or
  /// until it cannot be read any further (1, with a sentence on stderr). Requests that still run are cancelled and have
  /// kGrace to answer.
  int run();

  static constexpr std::chrono::milliseconds kGrace{100};

 private:
  struct Running {
    std::atomic<bool> cancelled{false};
  };
  void addOwnMethods();
  bool readSome(class FrameReader& reader);
  void take(const std::string& body);
  void limitSilence(const Json& params);
  bool isAbandoned();
  void handle(const RpcMessage& message);
  void call(const MethodTable::Method& method, const RpcMessage& message, Running& running);
  void refuse(const Json& id, RpcCode code, ErrorCode error, std::string sentence);
  void finish(const Json& id, std::string answer);
  void cancelAll();

  int m_input;
  int m_silenceMs = -1;  // without a byte of the client, before the engine ends; -1: any. Of the reading thread
  std::function<void()> m_onInitialized;
  Waker m_waker;
  MethodTable m_methods;
  std::mutex m_mutex;
  std::condition_variable m_idle;
  std::map<std::string, std::shared_ptr<Running>> m_running;  // by the request's id
  std::atomic<bool> m_initialized{false}, m_ending{false};
  OutputQueue m_output;
  RequestThreads m_ordered{1};  // Lane::ordered; it and the next are the last members: they end first
  RequestThreads m_threads;
};

}  // namespace strata
