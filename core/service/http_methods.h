#pragma once
// What requests compute, apart from how they came: completions of several prompts, and the tokenizer's.

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "core/service/http_models.h"
#include "core/service/http_request.h"

namespace strata {

/// One prompt after another: what an answer is does not depend on its neighbours. A cancelled answer is the last.
Result<std::vector<Completion>> completeAll(const HttpEngine& engine, const CompletionRequest& request,
                                            const ServedSide& side, const HttpEngine::Tokens& tokens,
                                            const std::atomic<bool>& cancelled);

/// The answers of POST /tokenize and /detokenize to these bodies.
HttpResult<Json> tokenize(const HttpEngine& engine, const HttpModels& models, std::string_view body);
HttpResult<Json> detokenize(const HttpEngine& engine, const HttpModels& models, std::string_view body);
/// The answer of GET /tokenizer_info; an empty name means the only model.
HttpResult<Json> tokenizerInfo(const HttpModels& models, const std::string& model);

}  // namespace strata
