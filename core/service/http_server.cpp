#include "core/service/http_server.h"

#include <httplib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "core/service/http_answer.h"
#include "core/service/http_connection.h"
#include "core/service/http_generation.h"
#include "core/service/http_guard.h"
#include "core/service/http_methods.h"
#include "core/service/http_request.h"
#include "core/service/http_workers.h"

namespace strata {
namespace {

using namespace std::chrono_literals;
using httplib::Request;
using httplib::Response;

constexpr int kUsualPort = 8080;
constexpr std::size_t kRequestsPerConnection = 1000;
constexpr int kBacklog = 512;
/// How long a stream's status waits for the answer's first text or its error; later errors become events of the stream.
constexpr auto kStatusWait = 2s;
constexpr auto kLook = 50ms;  // how often a waiting answer looks whether its client is still there

constexpr const char* kChatPath = "/v1/chat/completions";
constexpr const char* kTextPath = "/v1/completions";
constexpr const char* kModelsPath = "/v1/models";
constexpr const char* kTokenizePath = "/tokenize";
constexpr const char* kDetokenizePath = "/detokenize";
constexpr const char* kTokenizerPath = "/tokenizer_info";
constexpr std::array<const char*, 4> kPostPaths = {kChatPath, kTextPath, kTokenizePath, kDetokenizePath};

void sendProblem(Response& response, const HttpProblem& problem) {
  response.status = problem.status;
  response.set_content(dumpLine(problemToJson(problem)), "application/json");
}

bool isJson(const std::string& contentType) {
  const std::string type = contentType.substr(0, contentType.find(';'));
  return type == "application/json";
}

}  // namespace

/// httplib's server, with the connection's own deadlines in place of its per-read ones.
class HttpServer::Inside : public httplib::Server {
 public:
  Inside(HttpEngine engine, HttpServer::Options options) : m_engine(std::move(engine)), m_options(std::move(options)) {
    if (m_options.token.empty()) m_options.token = makeToken();
    new_task_queue = [this] {
      m_workers = new HttpWorkers(m_options.connections, m_options.connections,
                                  [this](std::size_t count) { hangUpOnIdle(count); });
      return m_workers.load();  // httplib's, which outlives every connection
    };
    set_payload_max_length(m_options.mostBodyBytes);
    set_tcp_nodelay(true);
    // Not httplib's SO_REUSEPORT, by which two servers may share a port and neither notices.
    set_socket_options([this](socket_t socket) {
      m_socket = socket;
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    set_pre_routing_handler([this](const Request& request, Response& response) {
      return admit(request, response) ? HandlerResponse::Unhandled : HandlerResponse::Handled;
    });
    Post(kChatPath, [this](const Request& request, Response& response) { complete(request, response, true); });
    Post(kTextPath, [this](const Request& request, Response& response) { complete(request, response, false); });
    Post(kTokenizePath, [this](const Request& request, Response& response) {
      sendResult(response, tokenize(m_engine, m_models, request.body));
    });
    Post(kDetokenizePath, [this](const Request& request, Response& response) {
      sendResult(response, detokenize(m_engine, m_models, request.body));
    });
    set_error_handler([this](const Request&, Response& response) {
      if (!response.body.empty()) return;
      // httplib's own: it is not known where another request would begin.
      connection().closeAfterThis();
      response.set_header("Connection", "close");
      sendProblem(response, response.status == 413
                                ? tooLarge()
                                : HttpProblem{response.status,
                                              "The request could not be read; send HTTP/1.1 with a JSON body.",
                                              "invalid_request_error",
                                              {},
                                              "bad_request"});
    });
    set_exception_handler([](const Request&, Response& response, std::exception_ptr) {
      sendProblem(response, {500, "The server failed while it answered; ask again.", "server_error", {}, "internal"});
    });
  }
  ~Inside() override { end(); }

  Result<void> begin() {
    const bool any = m_options.port == 0;
    bool bound = bind_to_port(m_options.host, any ? kUsualPort : m_options.port);
    m_port = any ? kUsualPort : m_options.port;
    if (!bound && any) {
      m_port = bind_to_any_port(m_options.host);
      bound = m_port > 0;
    }
    if (!bound) {
      return fail(ErrorCode::io,
                  "The address " + m_options.host + ":" + std::to_string(m_options.port) +
                      " cannot be listened on: another program has it, or it is not this machine's; give "
                      "another port or address.",
                  "--port");
    }
    // httplib lets five connections wait for accept(); any more would be tried again by their client seconds later.
    ::listen(m_socket, kBacklog);
    m_created =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    m_listens = true;
    m_thread = std::thread([this] { listen_after_bind(); });
    for (int i = 0; i < 5000 && !is_running(); ++i) std::this_thread::sleep_for(1ms);
    return {};
  }

  void end() {
    if (!m_thread.joinable()) return;
    m_stops = true;
    {
      const std::lock_guard lock(m_mutex);
      for (const auto& [thread, connection] : m_connections) connection->hangUp();
    }
    Server::stop();
    m_thread.join();
    m_listens = false;
  }

  protocol::ServeState describe() const {
    protocol::ServeState state;
    state.on = m_listens && !m_stops;
    const bool v6 = m_options.host.find(':') != std::string::npos && m_options.host.front() != '[';
    if (state.on) {
      state.url = "http://" + (v6 ? "[" + m_options.host + "]" : m_options.host) + ":" + std::to_string(m_port) + "/v1";
    }
    state.token = m_options.token;
    state.models = m_models.names();
    state.active = m_active;
    state.requests = m_requests;
    return state;
  }

  void changed() const {
    if (m_options.onChange) m_options.onChange();
  }

  HttpEngine m_engine;
  HttpModels m_models;

 private:
  bool process_and_close_socket(socket_t socket) override {
    if (HttpWorkers::isRefusing()) {
      HttpConnection::refuse(socket);
      return true;
    }
    HttpConnection connection(socket, m_options.patience);
    {
      const std::lock_guard lock(m_mutex);
      m_connections[std::this_thread::get_id()] = &connection;
    }
    if (m_stops) connection.hangUp();
    bool more = true;
    for (std::size_t count = 1; more && count <= kRequestsPerConnection && waitForRequest(connection); ++count) {
      bool closed = false;
      more = process_request(connection, count == kRequestsPerConnection, closed,
                             [&](Request& request) {
                               connection.beginBody();
                               request.ranges.clear();  // an answer is whole
                             }) &&
             !closed && !connection.isLast();
    }
    const std::lock_guard lock(m_mutex);
    m_connections.erase(std::this_thread::get_id());
    return true;
  }

  bool waitForRequest(HttpConnection& connection) {
    connection.becomeIdle();
    m_workers.load()->relieve();
    return connection.beginRequest();
  }

  /// Clients wait for a thread: makes `count` of them free by closing the connections that sent no whole header for the
  /// longest time.
  void hangUpOnIdle(std::size_t count) {
    const std::lock_guard lock(m_mutex);
    std::vector<std::pair<std::chrono::steady_clock::time_point, HttpConnection*>> idle;
    for (const auto& [thread, connection] : m_connections) {
      const auto since = connection->idleSince();
      if (connection->isHungUp())
        count -= std::min<std::size_t>(count, 1);
      else if (since)
        idle.emplace_back(*since, connection);
    }
    std::sort(idle.begin(), idle.end());
    for (std::size_t i = 0; i < std::min(count, idle.size()); ++i) idle[i].second->hangUp();
  }

  HttpConnection& connection() {
    const std::lock_guard lock(m_mutex);
    return *m_connections.at(std::this_thread::get_id());
  }

  HttpProblem tooLarge() const {
    return {413,
            "The request's body is over " + std::to_string(m_options.mostBodyBytes) + " bytes; send less.",
            "invalid_request_error",
            {},
            "request_too_large"};
  }

  /// Whether the request may be routed; else the response says why not.
  bool admit(const Request& request, Response& response) {
    std::optional<HttpProblem> problem = checkSender(request);
    if (problem && problem->status == 401) response.set_header("WWW-Authenticate", "Bearer");
    if (!problem) problem = checkRoute(request, response);
    if (!problem && request.method == "GET") {
      if (request.has_header("Content-Length") || request.has_header("Transfer-Encoding"))
        connection().closeAfterThis();
      answerGet(request, response);
      return false;
    }
    if (!problem) return true;
    // The body stays unread: what follows on this connection would be taken for a request.
    connection().closeAfterThis();
    response.set_header("Connection", "close");
    sendProblem(response, *problem);
    return false;
  }

  std::optional<HttpProblem> checkSender(const Request& request) const {
    if (request.get_header_value_count("Host") != 1 ||
        !namesThisServer(request.get_header_value("Host"), m_options.host, request.local_addr)) {
      return HttpProblem{403,
                         "The Host header does not name this server; ask it by " + m_options.host + " or localhost.",
                         "invalid_request_error",
                         {},
                         "forbidden_host"};
    }
    if (request.method == "OPTIONS") {
      return HttpProblem{
          405, "This server answers no web page of another origin.", "invalid_request_error", {}, "method_not_allowed"};
    }
    if (request.get_header_value_count("Authorization") != 1 ||
        !carriesToken(request.get_header_value("Authorization"), m_options.token)) {
      return HttpProblem{401,
                         "The token is missing or wrong; send the header Authorization: Bearer TOKEN.",
                         "authentication_error",
                         {},
                         "invalid_api_key"};
    }
    return std::nullopt;
  }

  std::optional<HttpProblem> checkRoute(const Request& request, Response& response) const {
    const bool models = request.path == kModelsPath || request.path.starts_with(std::string(kModelsPath) + "/");
    const bool gets = models || request.path == kTokenizerPath;
    const bool posts = std::find(kPostPaths.begin(), kPostPaths.end(), request.path) != kPostPaths.end();
    if (!gets && !posts) {
      std::string paths = std::string(kModelsPath) + ", " + kTokenizerPath;
      for (const char* path : kPostPaths) paths += std::string(", ") + path;
      return HttpProblem{404,
                         "There is no " + request.path.substr(0, 200) + " here; there are " + paths + ".",
                         "invalid_request_error",
                         {},
                         "unknown_url"};
    }
    const std::string allowed = gets ? "GET" : "POST";
    if (request.method != allowed) {
      response.set_header("Allow", allowed);
      return HttpProblem{405,
                         request.path.substr(0, 200) + " takes " + allowed + ", not " + request.method + ".",
                         "invalid_request_error",
                         {},
                         "method_not_allowed"};
    }
    for (std::size_t i = 0; i < request.get_header_value_count("Content-Length"); ++i) {
      if (parseContentLength(request.get_header_value("Content-Length", i))) continue;
      return HttpProblem{
          400, "The Content-Length must be a decimal number.", "invalid_request_error", {}, "bad_content_length"};
    }
    if (!posts) return std::nullopt;
    // httplib neither counts a chunked body against its limit nor what a compressed one becomes.
    if (request.has_header("Transfer-Encoding") || request.get_header_value_count("Content-Length") != 1) {
      return HttpProblem{
          411, "Send the body with one Content-Length, not in chunks.", "invalid_request_error", {}, "length_required"};
    }
    if (request.has_header("Content-Encoding")) {
      return HttpProblem{
          415, "Send the body without Content-Encoding.", "invalid_request_error", {}, "unsupported_media_type"};
    }
    if (!isJson(request.get_header_value("Content-Type"))) {
      return HttpProblem{415,
                         "Send the body as Content-Type: application/json.",
                         "invalid_request_error",
                         {},
                         "unsupported_media_type"};
    }
    if (parseContentLength(request.get_header_value("Content-Length")) > m_options.mostBodyBytes) return tooLarge();
    return std::nullopt;
  }

  void answerGet(const Request& request, Response& response) const {
    response.status = 200;
    if (request.path == kModelsPath) {
      return response.set_content(dumpLine(m_models.list(m_created)), "application/json");
    }
    if (request.path == kTokenizerPath) {
      return sendResult(response, tokenizerInfo(m_models, request.get_param_value("model")));
    }
    sendResult(response, m_models.describe(request.path.substr(std::string_view(kModelsPath).size() + 1), m_created));
  }

  static void sendResult(Response& response, const HttpResult<Json>& result) {
    if (!result) return sendProblem(response, result.error());
    response.set_content(dumpLine(*result), "application/json");
  }

  /// Counts an answer while it is made.
  struct Turn {
    explicit Turn(Inside& server) : inside(server) { inside.changed(); }
    ~Turn() {
      --inside.m_active;
      ++inside.m_requests;
      inside.changed();
    }
    Inside& inside;
  };
  /// What a stream needs for as long as it lasts.
  struct Stream {
    std::unique_ptr<Turn> turn;
    HttpAnswer answer;
    std::unique_ptr<HttpGeneration> generation;
    bool begun = false;
  };

  void complete(const Request& httpRequest, Response& response, bool chat) {
    auto request = parseCompletion(httpRequest.body, chat);
    if (!request) return sendProblem(response, request.error());
    const auto side = m_models.find(request->model);
    if (!side) return sendProblem(response, side.error());
    if (chat && side->model.chatProblem) return sendProblem(response, HttpProblem::of(*side->model.chatProblem));
    if (!request->limited && side->model.info.context > 0) {
      constexpr std::int64_t kMost = 10'000'000;
      request->sampling.maxTokens = static_cast<int>(std::min(side->model.info.context, kMost));
    }
    if (m_active.fetch_add(1) >= m_options.mostGenerations) {
      --m_active;
      response.set_header("Retry-After", "1");
      return sendProblem(response, {429,
                                    "As many answers as this server makes at once (" +
                                        std::to_string(m_options.mostGenerations) + ") are under way; ask again.",
                                    "rate_limit_error",
                                    {},
                                    "rate_limit_exceeded"});
    }
    auto stream = std::make_shared<Stream>(Stream{std::make_unique<Turn>(*this), HttpAnswer(*request, *side), nullptr});
    stream->generation = std::make_unique<HttpGeneration>(work(*request, *side));
    HttpConnection& client = connection();
    if (request->stream) {
      answerInPieces(std::move(stream), client, response);
    } else {
      answerAtOnce(*stream, client, response);
    }
  }

  HttpGeneration::Work work(const CompletionRequest& request, const ServedSide& side) const {
    if (!request.chat) {
      return [this, request, side](const auto& tokens, const auto& cancelled) {
        return completeAll(m_engine, request, side, tokens, cancelled);
      };
    }
    protocol::Generate::Params params;
    params.side = side.side;
    params.turns = request.turns;
    params.sampling = request.sampling;
    return [this, params](const auto& tokens, const auto& cancelled) -> Result<std::vector<Completion>> {
      STRATA_TRY(protocol::Answer answer, m_engine.generate(params, tokens, cancelled));
      return std::vector<Completion>{{std::move(answer), {}, {}}};
    };
  }

  /// What is wrong with an answer that is done.
  static std::optional<HttpProblem> problemOf(const Result<std::vector<Completion>>& result) {
    if (!result) return HttpProblem::of(result.error());
    if (result->back().answer.finish != "cancel") return std::nullopt;
    return HttpProblem{
        503, "The answer was ended: its model was closed, or the server stops.", "server_error", {}, "cancelled"};
  }

  static void answerAtOnce(Stream& stream, const HttpConnection& client, Response& response) {
    while (!stream.generation->result()) {
      stream.generation->wait(kLook);
      stream.generation->takeText();
      if (client.isGone()) stream.generation->cancel();
    }
    const Result<std::vector<Completion>>& result = *stream.generation->result();
    if (const auto problem = problemOf(result)) return sendProblem(response, *problem);
    response.set_content(dumpLine(stream.answer.whole(*result)), "application/json");
  }

  static void answerInPieces(std::shared_ptr<Stream> stream, const HttpConnection& client, Response& response) {
    for (auto left = std::chrono::milliseconds(kStatusWait); left.count() > 0 && !client.isGone(); left -= kLook) {
      if (stream->generation->wait(kLook)) break;
    }
    if (const auto& result = stream->generation->result()) {
      if (const auto problem = problemOf(*result)) return sendProblem(response, *problem);
    }
    response.set_header("Cache-Control", "no-cache");
    response.set_chunked_content_provider("text/event-stream", [stream, &client](size_t, httplib::DataSink& sink) {
      return sendPiece(*stream, client, sink);
    });
  }

  /// False ends the connection, and with it the answer.
  static bool sendPiece(Stream& stream, const HttpConnection& client, httplib::DataSink& sink) {
    std::string events;
    if (!stream.begun) events = stream.answer.begin();
    stream.begun = true;
    while (events.empty() && !stream.generation->wait(kLook)) {
      if (client.isGone()) return false;
    }
    const auto& result = stream.generation->result();  // before the text: none comes after it
    const std::string text = stream.generation->takeText();
    if (!text.empty()) events += stream.answer.text(text);
    if (result) {
      const auto problem = problemOf(*result);
      events += problem ? HttpAnswer::failure(*problem) : stream.answer.end((*result)->front().answer);
    }
    if (client.isGone() || !sink.write(events.data(), events.size())) return false;
    if (result) sink.done();
    return true;
  }

  HttpServer::Options m_options;
  std::thread m_thread;
  socket_t m_socket = INVALID_SOCKET;
  int m_port = 0;
  std::int64_t m_created = 0;
  std::atomic<bool> m_listens = false, m_stops = false;
  std::atomic<int> m_active = 0;
  std::atomic<std::int64_t> m_requests = 0;
  std::mutex m_mutex;
  std::map<std::thread::id, HttpConnection*> m_connections;
  std::atomic<HttpWorkers*> m_workers = nullptr;
};

HttpServer::HttpServer(HttpEngine engine, Options options)
    : m_inside(std::make_unique<Inside>(std::move(engine), std::move(options))) {}

HttpServer::~HttpServer() = default;

Result<std::string> HttpServer::serve(const protocol::ModelRef& ref, const std::atomic<bool>& cancelled) {
  STRATA_TRY(const ServedModel model, m_inside->m_engine.open(ref, cancelled));
  std::string name = m_inside->m_models.add(model);
  m_inside->changed();
  return name;
}

bool HttpServer::unserve(const std::string& model) {
  const bool served = m_inside->m_models.remove(model);
  if (served) m_inside->changed();
  return served;
}

Result<void> HttpServer::start() {
  STRATA_CHECK(m_inside->begin());
  m_inside->changed();
  return {};
}

void HttpServer::stop() {
  m_inside->end();
  m_inside->changed();
}

protocol::ServeState HttpServer::state() const {
  return m_inside->describe();
}

}  // namespace strata
