#include "core/service/serve_methods.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "core/service/http_server.h"

namespace strata {
namespace {

/// The one server of an engine.
class Serving {
 public:
  Serving(HttpEngine httpEngine, Notifier notifier) : m_engine(std::move(httpEngine)), m_notify(std::move(notifier)) {}

  ~Serving() {
    m_quiet = true;                             // whoever would hear it is going too
    if (m_server != nullptr) m_server->stop();  // while it is still whole: its threads ask for its state
  }

  Result<protocol::ServeState> start(const protocol::StartServing::Params& params, const std::atomic<bool>& cancelled) {
    if (params.models.empty())
      return fail(ErrorCode::usage, "No model is named; give at least one to serve.", "models");
    const std::lock_guard lock(m_mutex);
    const bool fresh = m_server == nullptr;
    if (!fresh) {
      const protocol::ServeState now = m_server->state();
      const std::string port = ":" + std::to_string(params.port) + "/";
      if (params.host != m_host || (params.port != 0 && now.url.find(port) == std::string::npos)) {
        return fail(ErrorCode::usage, "It serves on " + now.url + " already; stop that first.", "port");
      }
    }
    auto starting = fresh ? make(params) : m_server;
    for (const protocol::ModelRef& ref : params.models) STRATA_CHECK(starting->serve(ref, cancelled));
    if (fresh) {
      STRATA_CHECK(starting->start());
      m_server = starting;
      m_host = params.host;
    }
    return m_server->state();
  }

  Result<protocol::ServeState> stop(const std::string& model) {
    const std::lock_guard lock(m_mutex);
    if (m_server == nullptr) return protocol::ServeState{};
    if (!model.empty() && !m_server->unserve(model)) {
      return fail(ErrorCode::notFound, "\"" + model + "\" is not served.", "model");
    }
    if (!model.empty() && !m_server->state().models.empty()) return m_server->state();
    m_server->stop();
    m_server.reset();
    tell({});
    return protocol::ServeState{};
  }

 private:
  std::shared_ptr<HttpServer> make(const protocol::StartServing::Params& params) {
    HttpServer::Options options;
    options.host = params.host;
    options.port = params.port;
    options.token = params.token;
    const auto self = std::make_shared<std::weak_ptr<HttpServer>>();
    options.onChange = [this, self] {
      if (const auto now = self->lock()) tell(now->state());
    };
    auto made = std::make_shared<HttpServer>(m_engine, std::move(options));
    *self = made;
    return made;
  }

  void tell(const protocol::ServeState& state) const {
    if (!m_quiet) m_notify(protocol::ServeChanged{state});
  }

  HttpEngine m_engine;
  Notifier m_notify;
  std::mutex m_mutex;
  std::shared_ptr<HttpServer> m_server;
  std::string m_host;
  std::atomic<bool> m_quiet = false;
};

}  // namespace

void addServeMethods(MethodTable& methods, ModelHost& host, Notifier notify) {
  addServeMethods(methods, httpEngine(host), std::move(notify));
}

void addServeMethods(MethodTable& methods, HttpEngine engine, Notifier notify) {
  const auto serving = std::make_shared<Serving>(std::move(engine), std::move(notify));
  methods.add<protocol::StartServing>([serving](const protocol::StartServing::Params& params, RequestContext& context) {
    return serving->start(params, context.cancelled);
  });
  methods.add<protocol::StopServing>(
      [serving](const protocol::StopServing::Params& params, RequestContext&) { return serving->stop(params.model); });
}

}  // namespace strata
