#pragma once
// The engine's methods by name, and how they tell the window things of their own accord.
//
//   methods.add<protocol::InspectModel>([&](const protocol::InspectModel::Params& params, RequestContext& context) {
//     return inspect(params.ref);                       // Result<protocol::ModelCard>
//   });
//   notify(protocol::ModelsLoaded{all});
//
// Handlers run on threads of their own, several at once (Lane::own); one after the other in the order of the requests
// (Lane::ordered: what stores); or, those that answer within a millisecond and never wait, on the reading thread
// (Lane::reader). A handler may throw: that becomes an
// error of LibTorch (errorFromException).

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/protocol/messages.h"

namespace strata {

enum class Lane { own, ordered, reader };

/// What a handler knows of its request. Lives as long as the call.
struct RequestContext {
  Json id;
  const std::atomic<bool>& cancelled;  // set by `cancel` and when the window is gone
  /// A progress notification, at most ten times a second whatever is called.
  std::function<void(const std::string& stage, std::int64_t done, std::int64_t total)> progress;
  bool badParameters = false;  // set where the parameters are refused before the handler sees them
};

/// Sends notifications; any thread, any time; dropped once the window is gone.
class Notifier {
 public:
  explicit Notifier(std::function<void(const std::string& method, const Json& params)> send)
      : m_send(std::move(send)) {}
  template <class N>
  void operator()(const N& notification) const {
    m_send(N::kName, configToJson(notification));
  }
  /// One that sends while `open` is true.
  Notifier whileOpen(std::shared_ptr<const std::atomic<bool>> open) const {
    return Notifier([send = m_send, open = std::move(open)](const std::string& method, const Json& params) {
      if (*open) send(method, params);
    });
  }

 private:
  std::function<void(const std::string& method, const Json& params)> m_send;
};

class MethodTable {
 public:
  using Handler = std::function<Result<Json>(const Json& params, RequestContext&)>;
  struct Method {
    Lane lane = Lane::own;
    Handler call;
  };

  template <class M>
  void add(std::function<Result<typename M::Answer>(const typename M::Params&, RequestContext&)> handler,
           Lane lane = Lane::own) {
    m_methods[M::kName] = {lane,
                           [handler = std::move(handler)](const Json& json, RequestContext& context) -> Result<Json> {
                             typename M::Params params{};
                             context.badParameters = true;
                             if (!json.is_null()) {
                               STRATA_CHECK(configFromJson(json, std::string("The parameters of ") + M::kName, params));
                             }
                             STRATA_CHECK(checkRanges(params));
                             context.badParameters = false;
                             STRATA_TRY(const typename M::Answer answer, handler(params, context));
                             return configToJson(answer);
                           }};
  }
  /// nullptr: there is no such method.
  const Method* find(const std::string& name) const {
    const auto found = m_methods.find(name);
    return found == m_methods.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::string, Method> m_methods;
};

}  // namespace strata
