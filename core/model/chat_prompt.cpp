#include "core/model/chat_prompt.h"

namespace strata {

Result<std::vector<TokenId>> chatPrompt(const Model& model, const ChatTemplate& chatTemplate, const Json& messages) {
  STRATA_TRY(const Tokenizer* tokenizer, model.needTokenizer());
  ChatInput input;
  input.messages = messages;
  input.addGenerationPrompt = true;
  STRATA_TRY(const std::string text, chatTemplate.render(input));
  return tokenizer->ofRenderedChats().encode(text);
}

std::vector<TokenId> chatEndIds(const Model& model) {
  if (model.tokenizer() == nullptr) return {};
  const auto eos = model.tokenizer()->eosId();
  return eos ? std::vector{*eos} : std::vector<TokenId>();
}

Result<NamedMap> chooseMap(const std::string& text, const Model& model, MapKind kind) {
  if (text.empty()) return NamedMap{printMap(model.defaultMap()), model.defaultMap()};
  STRATA_TRY(SharingMap map, parseMap(text, model.config().layers, kind));
  STRATA_CHECK(checkGeometry(map, model.config().kvGeometry()));
  return NamedMap{text, std::move(map)};
}

}  // namespace strata
