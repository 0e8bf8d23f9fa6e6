#pragma once
// The models that a server answers with, by the names that requests use.
//
//   STRATA_TRY(const ServedName name, models.add(ref, served));
//   const HttpResult<ServedSide> side = models.find("routed@stride:2");
// Thread-safe.

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/messages.h"
#include "core/routing/sharing_map.h"
#include "core/service/completion.h"
#include "core/service/http_errors.h"

namespace strata {

/// What the server must know of a model.
struct ServedModel {
  protocol::LoadedModel info;
  std::string defaultMap;
  std::vector<KvGeometry> geometry;  // [L]
  std::optional<Error> chatProblem;  // why it cannot chat
  Json tokenizer;                    // what /tokenizer_info answers; null: it has none
};

/// What the server asks of the engine; ModelHost in earnest (httpEngine), a fake in tests. Calls wait for their result
/// and come from several threads.
struct HttpEngine {
  using Tokens = std::function<void(const std::string& text, const std::vector<int>& ids)>;
  std::function<Result<ServedModel>(const protocol::ModelRef&, const std::atomic<bool>& cancelled)> open;
  std::function<Result<protocol::Answer>(const protocol::Generate::Params&, const Tokens&,
                                         const std::atomic<bool>& cancelled)>
      generate;
  std::function<Result<Completion>(const CompletionTask&, const Tokens&, const std::atomic<bool>& cancelled)> complete;
  /// `specials`: with the ids that the tokenizer puts around a text. Names of special tokens stand for these.
  std::function<Result<std::vector<int>>(const protocol::ModelRef&, const std::string& text, bool specials)> tokenize;
  std::function<Result<std::string>(const protocol::ModelRef&, const std::vector<int>& ids)> detokenize;
};

class ModelHost;
/// The host must outlive what is returned.
HttpEngine httpEngine(ModelHost& host);

/// A model under a map, as a request named it.
struct ServedSide {
  std::string id;  // as asked
  protocol::Side side;
  ServedModel model;
};

class HttpModels {
 public:
  /// The name under which requests find it: the model's own, made unlike the others.
  std::string add(const ServedModel& model);
  /// By ModelRef::model or by the served name; false where it was not served.
  bool remove(const std::string& model);
  void clear();
  bool empty() const;
  std::vector<std::string> names() const;
  /// NAME, NAME@MAP, or the model as it was given to the server. Unknown: 404; a map that does not fit: 400, the
  /// sentence names the layer.
  HttpResult<ServedSide> find(const std::string& id) const;
  /// The same; an empty id means the only model that is served.
  HttpResult<ServedSide> findOrOnly(const std::string& id) const;
  /// {"object": "list", "data": […]}
  Json list(std::int64_t created) const;
  /// One element of it.
  HttpResult<Json> describe(const std::string& id, std::int64_t created) const;

 private:
  struct Named {
    std::string name;
    ServedModel model;
  };
  const Named* named(const std::string& name) const;
  static Json entry(const Named& served, const std::string& id, const std::string& map, std::int64_t created);

  mutable std::mutex m_mutex;
  std::vector<Named> m_models;
};

}  // namespace strata
