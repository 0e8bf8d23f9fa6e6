#include "core/service/http_methods.h"

#include <utility>

namespace strata {
namespace {

/// Of one response; a token has at most 21 beside its own.
constexpr std::size_t kMostLogprobs = 1'000'000;

}  // namespace

Result<std::vector<Completion>> completeAll(const HttpEngine& engine, const CompletionRequest& request,
                                            const ServedSide& side, const HttpEngine::Tokens& tokens,
                                            const std::atomic<bool>& cancelled) {
  std::vector<Completion> completions;
  std::size_t logprobs = 0;
  for (const TextPrompt& prompt : request.prompts) {
    const CompletionTask task{side.side, prompt, request.sampling, request.generates, request.echo, request.logprobs};
    STRATA_TRY(Completion completion, engine.complete(task, tokens, cancelled));
    for (const TokenScore& score : completion.scores) logprobs += 1 + score.likeliest.size();
    if (logprobs > kMostLogprobs) {
      return fail(ErrorCode::usage,
                  "The response would hold over " + std::to_string(kMostLogprobs) +
                      " log-probabilities; send fewer or shorter prompts, or a smaller \"logprobs\".",
                  "logprobs");
    }
    completions.push_back(std::move(completion));
    if (completions.back().answer.finish == "cancel") break;
  }
  return completions;
}

HttpResult<Json> tokenize(const HttpEngine& engine, const HttpModels& models, std::string_view body) {
  const auto request = parseTokenize(body);
  if (!request) return tl::unexpected(request.error());
  const auto side = models.findOrOnly(request->model);
  if (!side) return tl::unexpected(side.error());
  const auto ids = engine.tokenize(side->side.ref, request->text, request->specials);
  if (!ids) return tl::unexpected(HttpProblem::of(ids.error()));
  return Json{{"count", ids->size()}, {"max_model_len", side->model.info.context}, {"tokens", *ids}};
}

HttpResult<Json> detokenize(const HttpEngine& engine, const HttpModels& models, std::string_view body) {
  const auto request = parseDetokenize(body);
  if (!request) return tl::unexpected(request.error());
  const auto side = models.findOrOnly(request->model);
  if (!side) return tl::unexpected(side.error());
  const auto text = engine.detokenize(side->side.ref, request->ids);
  if (!text) return tl::unexpected(HttpProblem::of(text.error()));
  return Json{{"prompt", *text}};
}

HttpResult<Json> tokenizerInfo(const HttpModels& models, const std::string& model) {
  auto side = models.findOrOnly(model);
  if (!side) return tl::unexpected(std::move(side.error()));
  if (side->model.tokenizer.is_null()) {
    return tl::unexpected(HttpProblem::badField("model", "The model " + side->id + " has no tokenizer."));
  }
  return side->model.tokenizer;
}

}  // namespace strata
