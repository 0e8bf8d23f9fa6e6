#include "core/text/chat_template.h"

#include <algorithm>

#include "core/base/files.h"
#include "core/checkpoint/gguf_tokenizer.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr const char* kChatMl =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
    "'\\n' "
    "}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
constexpr std::uint64_t kMostBytes = 16u << 20;  // of a tokenizer_config.json, whose added tokens can be many
constexpr std::uint64_t kMostSource = 4u << 20;  // more than any template may have
// What a rendering may use grows with its variables, and a model's tokens are not the user's: they stay small.
constexpr std::size_t kMostTokenBytes = 4096, kMostTokensBytes = 256u << 10;
constexpr const char* kDefault = "default";
constexpr const char* kToolUse = "tool_use";

struct Source {
  std::string name;
  std::string text;
  std::string where;
};

bool isFile(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// The object in a file; an empty one where there is no such file.
Result<Json> readObject(const fs::path& path) {
  if (!isFile(path)) return Json::object();
  STRATA_TRY(Json json, readJson(path, kMostBytes));
  if (!json.is_object()) {
    return fail(ErrorCode::invalidData, path.string() + " must hold a JSON object.", path.string());
  }
  return json;
}

/// tokenizer_config.json's content, of a folder or from a GGUF's metadata.
Result<Json> readTokenizerConfig(const fs::path& model, const fs::path& file) {
  if (!isGgufFile(model)) return readObject(file);
  STRATA_TRY(const Gguf gguf, Gguf::open(model));
  return tokenizerConfigOf(gguf);
}

Result<void> addFile(std::vector<Source>& sources, const std::string& name, const fs::path& path) {
  STRATA_TRY(std::string text, readFile(path, kMostSource));
  sources.push_back({name, std::move(text), path.string()});
  return {};
}

Result<std::vector<Source>> templateFiles(const fs::path& folder) {
  std::vector<Source> sources;
  if (isFile(folder / "chat_template.jinja")) {
    STRATA_CHECK(addFile(sources, "default", folder / "chat_template.jinja"));
  }
  std::error_code ignored;
  std::vector<fs::path> more;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder / "additional_chat_templates", ignored)) {
    if (entry.path().extension() == ".jinja") more.push_back(entry.path());
  }
  std::sort(more.begin(), more.end());
  for (const fs::path& path : more) {
    if (path.stem() == kDefault || path.stem() == kToolUse) STRATA_CHECK(addFile(sources, path.stem().string(), path));
  }
  return sources;
}

/// Of tokenizer_config.json or chat_template.json.
Result<std::vector<Source>> templatesOf(const Json& config, const std::string& where) {
  std::vector<Source> sources;
  const auto given = config.find("chat_template");
  if (given == config.end() || given->is_null()) return sources;
  const auto wrong = [&] {
    return fail(ErrorCode::invalidData,
                where +
                    ": chat_template must be a text, a list of {\"name\", \"template\"} or an object "
                    "of names and templates.",
                where);
  };
  if (given->is_string()) {
    sources.push_back({"default", given->get<std::string>(), where + ", chat_template"});
    return sources;
  }
  const auto add = [&](const std::string& name, const Json& source) {
    std::string origin = where;
    origin.append(", chat_template \"").append(name).append("\"");
    sources.push_back({name, source.get<std::string>(), std::move(origin)});
  };
  if (given->is_object()) {
    for (const auto& [name, source] : given->items()) {
      if (!source.is_string()) return wrong();
      add(name, source);
    }
    return sources;
  }
  if (!given->is_array()) return wrong();
  for (const Json& entry : *given) {
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string() || !entry.contains("template") ||
        !entry["template"].is_string()) {
      return wrong();
    }
    add(entry["name"].get<std::string>(), entry["template"]);
  }
  return sources;
}

/// "<s>" and {"content": "<s>"} are the same token.
std::optional<std::string> tokenText(const Json& token) {
  if (token.is_string()) return token.get<std::string>();
  if (token.is_object() && token.contains("content") && token["content"].is_string())
    return token["content"].get<std::string>();
  return std::nullopt;
}

Result<void> addTokens(Json& variables, const Json& config, const std::string& where) {
  std::size_t bytes = 0;
  const auto fits = [&](const std::string& text) {
    bytes += text.size();
    return text.size() <= kMostTokenBytes && bytes <= kMostTokensBytes;
  };
  bool allFit = true;
  const auto add = [&](const std::string& name, const Json& token) {
    const std::optional<std::string> text = tokenText(token);
    if (!text || variables.contains(name)) return;
    allFit = allFit && name.size() <= kMostTokenBytes && fits(*text);
    if (allFit) variables[name] = *text;
  };
  for (const auto& [key, value] : config.items()) {
    if (key.ends_with("_token")) add(key, value);
    if (key == "extra_special_tokens" && value.is_object())
      for (const auto& [name, token] : value.items()) add(name, token);
    if (key != "additional_special_tokens" || !value.is_array() || variables.contains(key)) continue;
    Json tokens = Json::array();
    for (const Json& token : value)
      if (const std::optional<std::string> text = tokenText(token); text && (allFit = allFit && fits(*text)))
        tokens.push_back(*text);
    variables[key] = std::move(tokens);
  }
  if (allFit) return {};
  return fail(ErrorCode::unsupported,
              where + ": the special tokens are longer than any model's; one may have " +
                  std::to_string(kMostTokenBytes) + " bytes, all of them " + std::to_string(kMostTokensBytes) + ".",
              where);
}

Source* lastNamed(std::vector<Source>& sources, std::string_view name) {
  const auto found =
      std::find_if(sources.rbegin(), sources.rend(), [&](const Source& source) { return source.name == name; });
  return found == sources.rend() ? nullptr : &*found;
}

}  // namespace

Result<ChatTemplate> ChatTemplate::open(const fs::path& modelFolder, const fs::path& replacement) {
  const std::string config = (isGgufFile(modelFolder) ? modelFolder : modelFolder / "tokenizer_config.json").string();
  STRATA_TRY(const Json tokenizer, readTokenizerConfig(modelFolder, config));
  STRATA_TRY(const Json tokens, readObject(modelFolder / "special_tokens_map.json"));
  std::vector<Source> sources;
  if (replacement.empty()) {
    STRATA_TRY(sources, templateFiles(modelFolder));
  } else {
    STRATA_CHECK(addFile(sources, std::string(kDefault), replacement));
  }
  if (sources.empty()) {
    STRATA_TRY(sources, templatesOf(tokenizer, config));
  }
  if (sources.empty()) {
    const fs::path processor = modelFolder / "chat_template.json";
    STRATA_TRY(const Json json, readObject(processor));
    STRATA_TRY(sources, templatesOf(json, processor.string()));
  }
  const bool builtIn = sources.empty();
  if (builtIn) sources.push_back({kDefault, kChatMl, "built in: ChatML"});
  ChatTemplate chat;
  chat.m_origin = sources.front().where;
  // Those of other names are for other programs; the one for tools is looked at when there are tools.
  if (Source* source = lastNamed(sources, kDefault)) {
    if (!builtIn) chat.m_source = source->text;
    STRATA_TRY(chat.m_default, jinja::Template::parse(std::move(source->text), source->where));
    chat.m_origin = source->where;
  }
  if (Source* source = lastNamed(sources, kToolUse)) {
    chat.m_toolUse = jinja::Template::parse(std::move(source->text), source->where);
  }
  STRATA_CHECK(addTokens(chat.m_variables, tokenizer, config));
  STRATA_CHECK(addTokens(chat.m_variables, tokens, (modelFolder / "special_tokens_map.json").string()));
  return chat;
}

Result<ChatTemplate> ChatTemplate::parse(std::string source, const std::string& where, Json variables) {
  if (!variables.is_object()) {
    return fail(ErrorCode::usage, "The variables of a chat template must be a JSON object.", where);
  }
  ChatTemplate chat;
  chat.m_source = source;
  STRATA_TRY(chat.m_default, jinja::Template::parse(std::move(source), where));
  chat.m_origin = where;
  chat.m_variables = std::move(variables);
  return chat;
}

Result<const jinja::Template*> ChatTemplate::choose(bool withTools) const {
  if (withTools && m_toolUse) {
    if (!*m_toolUse) return tl::unexpected(m_toolUse->error());
    return &**m_toolUse;
  }
  if (m_default) return &*m_default;
  return fail(ErrorCode::unsupported, m_origin + ": the model has several chat templates and none is \"default\".",
              m_origin);
}

Result<std::string> ChatTemplate::render(const ChatInput& input) const {
  STRATA_TRY(RenderedChat rendered, renderWithSpans(input));
  return std::move(rendered.text);
}

Result<RenderedChat> ChatTemplate::renderWithSpans(const ChatInput& input) const {
  if (!input.messages.is_array()) return fail(ErrorCode::usage, "The messages must be a list.", "messages");
  if (!input.tools.is_null() && !input.tools.is_array())
    return fail(ErrorCode::usage, "The tools must be a list.", "tools");
  if (!input.variables.is_object()) {
    return fail(ErrorCode::usage, "The variables of a template must be a JSON object.", "variables");
  }
  STRATA_TRY(const jinja::Template* chosen, choose(!input.tools.is_null()));
  Json variables = m_variables;
  variables["messages"] = input.messages;
  variables["tools"] = input.tools;
  variables["documents"] = nullptr;  // given with `variables`
  variables["add_generation_prompt"] = input.addGenerationPrompt;
  for (const auto& [key, value] : input.variables.items()) variables[key] = value;
  jinja::RenderOptions options;
  options.dialect = input.dialect;
  options.now = input.now;
  STRATA_TRY(jinja::Rendered rendered, chosen->render(variables, options));
  return RenderedChat{std::move(rendered.text), std::move(rendered.generations)};
}

}  // namespace strata
