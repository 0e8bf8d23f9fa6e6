#include "core/service/server.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/base/cancel_scope.h"
#include "core/model/model.h"
#include "core/protocol/alive.h"
#include "core/protocol/framing.h"

namespace strata {
namespace {

/// Progress of one request, thinned out to ten notifications a second.
class ProgressThrottle {
 public:
  ProgressThrottle(Json request, OutputQueue& output) : m_request(std::move(request)), m_output(output) {}
  void operator()(const std::string& stage, std::int64_t done, std::int64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (now - m_sent < std::chrono::milliseconds(100)) return;
    m_sent = now;
    m_output.postLatest(
        "progress " + m_request.dump(),
        rpcNotification(protocol::Progress::kName, configToJson(protocol::Progress{m_request, stage, done, total})));
  }

 private:
  Json m_request;
  OutputQueue& m_output;
  std::chrono::steady_clock::time_point m_sent;
};

}  // namespace

Waker::Waker() {
  if (pipe2(m_fds, O_CLOEXEC | O_NONBLOCK) != 0) m_fds[0] = m_fds[1] = -1;  // then only the input ends a wait
}

Waker::~Waker() {
  for (const int fd : m_fds) {
    if (fd >= 0) close(fd);
  }
}

void Waker::wake() const {
  if (m_fds[1] >= 0 && write(m_fds[1], "", 1) < 0) return;  // full: it is awake already
}

RpcServer::RpcServer(const Options& options)
    : m_input(options.input),
      m_onInitialized(options.onInitialized),
      m_output(options.output,
               [this] {
                 m_ending = true;
                 m_waker.wake();
               }),
      m_threads(options.mostThreads) {
  addOwnMethods();
}

RpcServer::~RpcServer() {
  cancelAll();
}

Notifier RpcServer::notifier() {
  return Notifier([this](const std::string& method, const Json& params) {
    if (!m_initialized) return;
    std::string body = rpcNotification(method, params);
    if (method == protocol::Memory::kName) return m_output.postLatest(method, std::move(body));
    m_output.post(std::move(body));
  });
}

void RpcServer::addOwnMethods() {
  m_methods.add<protocol::Shutdown>(
      [this](const protocol::Nothing&, RequestContext&) -> Result<protocol::Nothing> {
        m_ending = true;
        return protocol::Nothing{};
      },
      Lane::reader);
  m_methods.add<protocol::Cancel>(
      [this](const protocol::Cancel::Params& params, RequestContext&) -> Result<protocol::Cancel::Answer> {
        const std::lock_guard lock(m_mutex);
        const auto found = m_running.find(params.id.dump());
        if (found == m_running.end()) return protocol::Cancel::Answer{false};
        found->second->cancelled = true;
        return protocol::Cancel::Answer{true};
      },
      Lane::reader);
}

int RpcServer::run() {
  FrameReader reader(FrameReader::Oversize::skip);
  int code = 0;
  while (!m_ending) {
    Result<std::optional<std::string>> body = reader.next();
    if (const auto skipped = reader.takeSkipped()) {
      refuse(idAtStart(skipped->start), RpcCode::invalidRequest, ErrorCode::usage,
             "The message has " + std::to_string((skipped->bytes + (1u << 20) - 1) >> 20) + " MiB, and one may have " +
                 std::to_string(kMostFrameBytes >> 20) + "; send it in parts.");
      if (body && !*body) continue;
    }
    if (!body) {
      std::fprintf(stderr, "strata: %s\n", body.error().message.c_str());
      code = 1;
      break;
    }
    if (*body) {
      take(**body);
    } else if (!readSome(reader)) {
      break;
    }
  }
  cancelAll();
  {
    std::unique_lock lock(m_mutex);
    m_idle.wait_for(lock, kGrace, [this] { return m_running.empty(); });
  }
  m_output.drain(kGrace);
  return code;
}

/// False: the input has ended, or there is nobody to answer.
bool RpcServer::readSome(FrameReader& reader) {
  pollfd files[2] = {{m_input, POLLIN, 0}, {m_waker.fd(), POLLIN, 0}};
  const int ready = poll(files, 2, m_silenceMs);
  if (ready < 0) return errno == EINTR;
  if (ready == 0) return !isAbandoned();
  if (files[1].revents != 0) return false;
  char buffer[64 << 10];
  const ssize_t count = read(m_input, buffer, sizeof(buffer));
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  reader.feed({buffer, static_cast<std::size_t>(count)});
  return count > 0;
}

/// After a silence of m_silenceMs. A client may be silent for as long as an answer takes.
bool RpcServer::isAbandoned() {
  {
    const std::lock_guard lock(m_mutex);
    if (!m_running.empty()) return false;
  }
  pollfd log{STDERR_FILENO, POLLOUT, 0};  // nobody may be reading it, and a full pipe would hold the engine
  if (poll(&log, 1, 0) > 0) {
    std::fprintf(stderr, "strata: The window sent nothing for %d ms; the engine ends.\n", m_silenceMs);
  }
  return true;
}

void RpcServer::limitSilence(const Json& params) {
  protocol::Alive alive;
  auto read = configFromJson(params, protocol::Alive::kName, alive, UnknownKeys::ignore);
  if (read) read = checkRanges(alive);
  if (read) {
    m_silenceMs = alive.silenceMs;
  } else {
    std::fprintf(stderr, "strata: %s\n", read.error().message.c_str());  // a notification has no answer
  }
}

void RpcServer::refuse(const Json& id, RpcCode code, ErrorCode error, std::string sentence) {
  m_output.post(rpcError(id, code, Error{error, std::move(sentence), "request"}));
}

void RpcServer::take(const std::string& body) {
  try {
    const auto message = parseRpc(body);
    if (!message) {
      m_output.post(rpcError(message.error().id, message.error().code, message.error().error));
      return;
    }
    // The engine asks for nothing that could be answered.
    if (message->kind == RpcMessage::Kind::request) handle(*message);
    if (message->kind == RpcMessage::Kind::notification && message->method == protocol::Alive::kName) {
      limitSilence(message->params);
    }
  } catch (const std::exception& exception) {
    m_output.post(rpcError(nullptr, RpcCode::internalError, errorFromException(exception)));
  }
}

void RpcServer::handle(const RpcMessage& message) {
  const bool initializing = message.method == protocol::Initialize::kName;
  if (!m_initialized && !initializing) {
    return refuse(message.id, RpcCode::notInitialized, ErrorCode::usage,
                  "The request " + message.method + " came before initialize; send that first.");
  }
  if (m_initialized && initializing) {
    return refuse(message.id, RpcCode::invalidRequest, ErrorCode::usage, "The engine is initialized already.");
  }
  const MethodTable::Method* method = m_methods.find(message.method);
  if (method == nullptr) {
    return refuse(message.id, RpcCode::methodNotFound, ErrorCode::unsupported,
                  "There is no method \"" + message.method + "\" in this version of the engine.");
  }
  const auto running = std::make_shared<Running>();
  {
    std::unique_lock lock(m_mutex);
    if (!m_running.try_emplace(message.id.dump(), running).second) {
      lock.unlock();
      return refuse(message.id, RpcCode::invalidRequest, ErrorCode::usage,
                    "A request with the id " + message.id.dump() + " is being answered; give each its own.");
    }
  }
  if (method->lane == Lane::reader) return call(*method, message, *running);
  RequestThreads& threads = method->lane == Lane::ordered ? m_ordered : m_threads;
  threads.start([this, method, message, running] { call(*method, message, *running); });
}

/// Runs a handler and sends its answer. Whatever goes wrong is the answer of this request and no other's.
void RpcServer::call(const MethodTable::Method& method, const RpcMessage& message, Running& running) {
  const CancelScope scope(running.cancelled);
  RequestContext context{message.id, running.cancelled, ProgressThrottle(message.id, m_output)};
  std::string body;
  bool initialized = false;
  try {
    const Result<Json> answer = method.call(message.params, context);
    if (answer) {
      body = rpcResult(message.id, *answer);
      initialized = message.method == protocol::Initialize::kName;
    } else {
      body = rpcError(message.id, context.badParameters ? RpcCode::invalidParams : rpcCodeOf(answer.error()),
                      answer.error());
    }
    if (body.size() > kMostFrameBytes) {
      body = rpcError(message.id, RpcCode::internalError,
                      {ErrorCode::internal,
                       "The answer has " + std::to_string(body.size() >> 20) + " MiB, more than one message holds.",
                       message.method});
    }
  } catch (const std::exception& exception) {
    body = rpcError(message.id, RpcCode::engineError, errorFromException(exception));
  }
  finish(message.id, std::move(body));
  if (!initialized) return;
  m_initialized = true;  // notifications come behind the answer
  if (m_onInitialized) m_onInitialized();
}

void RpcServer::finish(const Json& id, std::string answer) {
  const std::lock_guard lock(m_mutex);
  m_output.answer(id, std::move(answer));
  m_running.erase(id.dump());
  if (m_running.empty()) m_idle.notify_all();
}

void RpcServer::cancelAll() {
  const std::lock_guard lock(m_mutex);
  for (const auto& [id, running] : m_running) running->cancelled = true;
}

}  // namespace strata
