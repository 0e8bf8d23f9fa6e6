#pragma once
// A model's chat template: a conversation to the text that the model was trained on, as transformers'
// apply_chat_template makes it (docs: huggingface.co/docs/transformers/main/chat_templating).
//
//   STRATA_TRY(const ChatTemplate chat, ChatTemplate::open(modelFolder));
//   ChatInput input;
//   input.messages = Json::parse(R"([{"role": "user", "content": "Hello"}])");
//   input.addGenerationPrompt = true;
//   STRATA_TRY(const std::string prompt, chat.render(input));
//
// Immutable; may be used by several threads at once.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/jinja/template.h"

namespace strata {

struct ChatInput {
  Json messages = Json::array();  // [{"role", "content", …}, …]
  Json tools = nullptr;           // a list of tools, or null
  bool addGenerationPrompt = false;
  Json variables = Json::object();                // further variables of the template; they win over the model's
  std::optional<std::chrono::local_seconds> now;  // what strftime_now() prints; unset: the clock, in local time
  jinja::Dialect dialect = jinja::Dialect::python;
};

struct RenderedChat {
  std::string text;
  std::vector<jinja::Span> generations;  // bytes of `text` inside {% generation %}: what an assistant is trained on
};

class ChatTemplate {
 public:
  /// Of a model's folder or GGUF file, whose metadata stand for tokenizer_config.json. Looked for in this order:
  /// chat_template.jinja and additional_chat_templates/*.jinja, "chat_template" of tokenizer_config.json (a text, a
  /// list of {"name", "template"} or an object), chat_template.json; else ChatML. Of several templates "tool_use" is
  /// taken where tools are given, else "default"; others are not looked at. The special tokens of tokenizer_config.json
  /// and special_tokens_map.json (bos_token, eos_token, …) become variables. `replacement`: a template's file in place
  /// of all these; empty: none.
  static Result<ChatTemplate> open(const std::filesystem::path& modelFolder,
                                   const std::filesystem::path& replacement = {});
  /// `where` names the source in errors.
  static Result<ChatTemplate> parse(std::string source, const std::string& where, Json variables = Json::object());

  /// An error of the template names it and its line; what it says with raise_exception() ends the message.
  Result<std::string> render(const ChatInput& input) const;
  Result<RenderedChat> renderWithSpans(const ChatInput& input) const;

  /// Where the template was found, or "built in: ChatML".
  const std::string& origin() const { return m_origin; }
  /// What was found there, of several the one for conversations without tools; empty for the built-in one.
  const std::string& source() const { return m_source; }
  /// The model's special tokens by name, and whatever else parse() was given.
  const Json& variables() const { return m_variables; }

 private:
  ChatTemplate() = default;
  Result<const jinja::Template*> choose(bool withTools) const;

  std::string m_origin, m_source;
  std::optional<jinja::Template> m_default;
  std::optional<Result<jinja::Template>> m_toolUse;  // the error is told to who gives tools
  Json m_variables = Json::object();
};

}  // namespace strata
