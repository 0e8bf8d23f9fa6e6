#pragma once
// What a conversation is to a model: the ids of what its template writes, and the ids that end an answer.
//
//   STRATA_TRY(const std::vector<TokenId> prompt, chatPrompt(*model, chatTemplate, messages));
//   hooks.alsoEndAt = chatEndIds(*model);

#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/model/model.h"
#include "core/routing/sharing_map.h"
#include "core/text/chat_template.h"

namespace strata {

/// messages: [{"role", "content"}, …]; the answer's beginning is written behind them. An error of the template, or of
/// a model without a tokenizer.
Result<std::vector<TokenId>> chatPrompt(const Model& model, const ChatTemplate& chatTemplate, const Json& messages);

/// Ids that end an answer of a chat beside the model's own eos ids.
std::vector<TokenId> chatEndIds(const Model& model);

/// The map as it is written, or the model's own where nothing is; its layers fit the model.
Result<NamedMap> chooseMap(const std::string& text, const Model& model, MapKind kind = MapKind::inference);

}  // namespace strata
