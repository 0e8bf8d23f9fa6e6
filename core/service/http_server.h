#pragma once
// An OpenAI-compatible HTTP server: GET /v1/models, POST /v1/chat/completions, POST /v1/completions; and, as vLLM has
// them, POST /tokenize, POST /detokenize, GET /tokenizer_info. A request's model is NAME or NAME@MAP.
//
//   HttpServer server(httpEngine(host), {.host = "127.0.0.1", .port = 8080});
//   STRATA_TRY(const std::string name, server.serve(ref, cancelled));
//   STRATA_CHECK(server.start());        // returns once it listens; state().url says where
// Every request must carry the token and name this server as its host; there are no CORS headers. Thread-safe.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/protocol/messages.h"
#include "core/service/http_models.h"

namespace strata {

class HttpServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    int port = 0;                               // 0: 8080, or a free one where that is taken
    std::string token;                          // empty: one is made
    std::size_t mostBodyBytes = 8u << 20;       // of a request
    int mostGenerations = 32;                   // answers that are made or wait; more get 429
    std::size_t connections = 128;              // at once; more replace the longest idle one, else as many wait
    std::chrono::milliseconds patience{5'000};  // for a header, a pause in a body, an unread piece, the next request
    std::function<void()> onChange;             // state() is another; any thread
  };
  HttpServer(HttpEngine engine, Options options);
  ~HttpServer();  // stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Opens a model and answers for it from now on; the name that requests use.
  Result<std::string> serve(const protocol::ModelRef& ref, const std::atomic<bool>& cancelled);
  /// By its ModelRef or its name; false where it was not served.
  bool unserve(const std::string& model);
  /// Listens; an address that is taken or not this machine's is an error.
  Result<void> start();
  /// Ends the answers under way and closes every connection.
  void stop();
  protocol::ServeState state() const;

 private:
  class Inside;
  std::unique_ptr<Inside> m_inside;
};

}  // namespace strata
