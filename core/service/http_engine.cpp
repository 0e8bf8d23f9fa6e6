#include "core/service/http_models.h"
#include "core/service/model_host.h"

namespace strata {
namespace {

ModelHost::TokensFunction withoutBytes(const HttpEngine::Tokens& tokens) {
  if (!tokens) return nullptr;
  return [tokens](const std::string& text, const std::vector<int>& ids, std::int64_t) { tokens(text, ids); };
}

/// What a text calls the token: the model's files say it, else its own text does; null where neither means it.
Json nameOf(const Tokenizer& tokenizer, std::optional<TokenId> id, const Json& given) {
  if (!id) return nullptr;
  const auto means = [&](const std::string& name) {
    return !name.empty() && tokenizer.ofRenderedChats().encode(name) == std::vector{*id};
  };
  if (given.is_string() && means(given.get<std::string>())) return given;
  const Result<std::string> text = tokenizer.decode({*id});
  if (text && means(*text)) return *text;
  for (const char* usual : {"<s>", "</s>", "<|endoftext|>"}) {
    if (means(usual)) return usual;
  }
  return nullptr;
}

/// The fields of tokenizer_config.json that clients read, as vLLM's /tokenizer_info has them.
Json describeTokenizer(const ModelHost::Open& open) {
  const Tokenizer* tokenizer = open.model->tokenizer();
  if (tokenizer == nullptr) return nullptr;
  const auto chat = open.chatTemplate();
  const auto given = [&](const char* name) { return *chat ? (*chat)->variables().value(name, Json()) : Json(); };
  const std::vector<TokenId> around = tokenizer->withSpecials({});
  const auto bos = tokenizer->bosId(), eos = tokenizer->eosId();
  const std::string chatTemplate = *chat ? (*chat)->source() : std::string();
  return {{"bos_token", nameOf(*tokenizer, bos, given("bos_token"))},
          {"eos_token", nameOf(*tokenizer, eos, given("eos_token"))},
          {"pad_token", given("pad_token")},
          {"add_bos_token", bos && !around.empty() && around.front() == *bos},
          {"add_eos_token", eos && !around.empty() && around.back() == *eos && around.size() > 1},
          {"vocab_size", tokenizer->vocabSize()},
          {"model_max_length", open.model->context()},
          {"chat_template", chatTemplate.empty() ? Json(nullptr) : Json(chatTemplate)}};
}

Result<std::shared_ptr<const ModelHost::Open>> openWithTokenizer(ModelHost& host, const protocol::ModelRef& ref) {
  const std::atomic<bool> never = false;
  STRATA_TRY(auto open, host.open(ref, nullptr, never));
  STRATA_CHECK(open->model->needTokenizer());
  return open;
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
    model.tokenizer = describeTokenizer(*open);
    return model;
  };
  engine.generate = [&host](const protocol::Generate::Params& params, const HttpEngine::Tokens& tokens,
                            const std::atomic<bool>& cancelled) {
    return host.generate(
        params, withoutBytes(tokens), [](const std::string&, std::int64_t, std::int64_t) {}, cancelled);
  };
  engine.complete = [&host](const CompletionTask& task, const HttpEngine::Tokens& tokens,
                            const std::atomic<bool>& cancelled) {
    return host.complete(task, withoutBytes(tokens), cancelled);
  };
  engine.tokenize = [&host](const protocol::ModelRef& ref, const std::string& text,
                            bool specials) -> Result<std::vector<int>> {
    STRATA_TRY(const auto open, openWithTokenizer(host, ref));
    const Tokenizer& tokenizer = *open->model->tokenizer();
    std::vector<TokenId> ids = tokenizer.ofRenderedChats().encode(text);
    return specials ? tokenizer.withSpecials(std::move(ids)) : ids;
  };
  engine.detokenize = [&host](const protocol::ModelRef& ref, const std::vector<int>& ids) -> Result<std::string> {
    STRATA_TRY(const auto open, openWithTokenizer(host, ref));
    return open->model->tokenizer()->decode(ids);
  };
  return engine;
}

}  // namespace strata
