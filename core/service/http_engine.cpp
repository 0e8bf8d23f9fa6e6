#include "core/service/http_models.h"
#include "core/service/model_host.h"

namespace strata {
namespace {

ModelHost::TokensFunction withoutBytes(const HttpEngine::Tokens& tokens) {
  if (!tokens) return nullptr;
  return [tokens](const std::string& text, const std::vector<int>& ids, std::int64_t) { tokens(text, ids); };
}

}  // namespace

HttpEngine httpEngine(ModelHost& host) {
  HttpEngine engine;
  engine.open = [&host](const protocol::ModelRef& ref, const std::atomic<bool>& cancelled) -> Result<ServedModel> {
    STRATA_TRY(const auto open, host.open(
                                    ref, [](const std::string&, std::int64_t, std::int64_t) {}, cancelled));
    ServedModel model;
    model.info = open->info;
    model.info.ref = ref;
    model.defaultMap = printMap(open->model->defaultMap());
    model.geometry = open->model->config().kvGeometry();
    if (const auto chat = open->chatTemplate(); !*chat) model.chatProblem = chat->error();
    return model;
  };
  engine.generate = [&host](const protocol::Generate::Params& params, const HttpEngine::Tokens& tokens,
                            const std::atomic<bool>& cancelled) {
    return host.generate(
        params, withoutBytes(tokens), [](const std::string&, std::int64_t, std::int64_t) {}, cancelled);
  };
  engine.complete = [&host](const protocol::Side& side, const std::string& prompt, const GenerateConfig& sampling,
                            const HttpEngine::Tokens& tokens, const std::atomic<bool>& cancelled) {
    return host.complete(side, prompt, sampling, withoutBytes(tokens), cancelled);
  };
  return engine;
}

}  // namespace strata
