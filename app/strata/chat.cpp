// strata chat: a conversation on standard input, rendered by the model's chat template and answered under a map.

#include <unistd.h>

#include <iostream>

#include "app/strata/cli.h"
#include "app/strata/field_options.h"
#include "core/base/terminal_text.h"
#include "core/model/chat_prompt.h"
#include "core/model/generate.h"

namespace strata {
namespace {

struct ChatOptions {
  explicit ChatOptions(CLI::App& verb) : fields(verb) {}
  ModelOptions model;
  std::string map, system;
  FieldOptions fields;
};

/// What the chat says so far, and how it goes on.
class Chat {
 public:
  Chat(OpenedModel opened, ChatTemplate chatTemplate, NamedMap map, GenerateConfig config, std::string system)
      : m_opened(std::move(opened)),
        m_template(std::move(chatTemplate)),
        m_map(std::move(map)),
        m_config(std::move(config)),
        m_system(std::move(system)),
        m_conversation(m_opened.model, m_map.map) {
    m_hooks.alsoEndAt = chatEndIds(*m_opened.model);
    m_hooks.cancel = &cancelFlag();
    startOver();
  }

  void startOver() {
    m_messages = Json::array();
    if (!m_system.empty()) m_messages.push_back({{"role", "system"}, {"content", m_system}});
  }

  /// One turn. What fails leaves the conversation as it was before the question.
  Result<Finish> ask(const std::string& question, const Output& out) {
    Json messages = m_messages;
    messages.push_back({{"role", "user"}, {"content", question}});
    STRATA_TRY(const std::vector<TokenId> prompt, chatPrompt(*m_opened.model, m_template, messages));
    if (!out.json) m_hooks.onToken = [](std::size_t, TokenId, const std::string& piece) { Output::stream(piece); };
    STRATA_TRY(const GenerateResult result, m_conversation.answer(prompt, m_config, m_hooks));
    const Generated& answer = result.answers.front();
    if (out.json) {
      Output::line({{"text", answer.text},
                    {"ids", answer.ids},
                    {"finish", toString(answer.finish)},
                    {"prompt_tokens", prompt.size()},
                    {"kv_bytes", result.kvBytes},
                    {"prefill_s", result.prefillSeconds},
                    {"decode_s", result.decodeSeconds},
                    {"map", m_map.name}});
    } else {
      Output::stream("\n");
    }
    m_messages = std::move(messages);
    m_messages.push_back({{"role", "assistant"}, {"content", answer.text}});
    return answer.finish;
  }

 private:
  OpenedModel m_opened;
  ChatTemplate m_template;
  NamedMap m_map;
  GenerateConfig m_config;
  GenerateHooks m_hooks;
  std::string m_system;
  ChatSession m_conversation;
  Json m_messages;
};

Result<int> run(const ChatOptions& options, const Output& out) {
  GenerateConfig config;
  config.maxTokens = 512;
  STRATA_CHECK(options.fields.applyTo(config));
  STRATA_CHECK(checkRanges(config));
  STRATA_TRY(OpenedModel opened, openModel(options.model, options.map));
  STRATA_CHECK(opened.model->needTokenizer());
  STRATA_TRY(NamedMap map, chooseMap(options.map, *opened.model));
  STRATA_TRY(ChatTemplate chatTemplate, ChatTemplate::open(opened.location.folder, opened.location.chatTemplate));
  const bool person = isatty(STDIN_FILENO) == 1;
  if (person) {
    std::cerr << "Template: " << terminalText(chatTemplate.origin()) << ". Map: " << terminalText(map.name)
              << ". /clear starts over, Ctrl+D ends.\n";
  }
  Chat chat(std::move(opened), std::move(chatTemplate), std::move(map), config, options.system);
  std::string line;
  while (!cancelFlag()) {
    if (person) std::cerr << "\n> " << std::flush;
    if (!std::getline(std::cin, line)) break;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (line == "/clear") {
      chat.startOver();
      continue;
    }
    const Result<Finish> finish = chat.ask(line, out);
    if (!finish && !person) return tl::unexpected(finish.error());
    if (!finish) out.error(finish.error());
    STRATA_CHECK(Output::flush());
  }
  return cancelFlag() ? 130 : 0;
}

}  // namespace

VerbAction addChat(CLI::App& verb, const Output& out) {
  auto options = std::make_shared<ChatOptions>(verb);
  options->model.addTo(verb);
  verb.add_option("--map", options->map, "sharing map (default: the model's own, else full)");
  verb.add_option("--system", options->system, "what the system message says")->type_name("TEXT");
  GenerateConfig defaults;
  defaults.maxTokens = 512;
  options->fields.add(defaults);
  return [options, &out] { return run(*options, out); };
}

}  // namespace strata
