// strata template: what a model's chat template makes of a conversation.

#include <cstdio>

#include "app/strata/cli.h"
#include "core/base/files.h"
#include "core/text/chat_template.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

struct TemplateArguments {
  std::string source, project, messages, tools, variables, now, dialect = "transformers";
  bool generationPrompt = false;
};

Result<ChatTemplate> openSource(const TemplateArguments& arguments) {
  std::error_code ignored;
  if (fs::is_regular_file(arguments.source, ignored)) {
    STRATA_TRY(std::string source, readUtf8File(arguments.source));
    return ChatTemplate::parse(std::move(source), arguments.source);
  }
  STRATA_TRY(const ModelLocation location, locate(arguments.source, arguments.project));
  if (!fs::is_directory(location.folder, ignored)) {
    return fail(ErrorCode::notFound, "There is no model folder or template file " + arguments.source + ".",
                arguments.source);
  }
  return ChatTemplate::open(location.folder, location.chatTemplate);
}

/// "2025-07-10T12:00" or "2025-07-10T12:00:30".
Result<std::chrono::local_seconds> parseTime(const std::string& text) {
  using namespace std::chrono;
  int y = 0, length = 0;
  unsigned m = 0, d = 0, hour = 0, minute = 0, second = 0;
  const int read =
      std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u%n:%2u%n", &y, &m, &d, &hour, &minute, &length, &second, &length);
  const year_month_day date{year(y), month(m), day(d)};
  if (read < 5 || static_cast<std::size_t>(length) != text.size() || !date.ok() || hour > 23 || minute > 59 ||
      second > 59) {
    return fail(ErrorCode::usage, "--now is \"" + text + "\"; give a time such as 2025-07-10T12:00.", "--now");
  }
  return local_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

/// A list, or an object that holds one as `key`.
Result<Json> readList(const std::string& path, const char* key, Json* whole = nullptr) {
  STRATA_TRY(Json json, readJson(path));
  if (json.is_object() && json.contains(key)) {
    Json list = json[key];
    if (whole != nullptr) *whole = std::move(json);
    json = std::move(list);
  }
  if (!json.is_array()) {
    return fail(ErrorCode::invalidData, path + " must hold a list of " + key + ", or an object with \"" + key + "\".",
                path);
  }
  return json;
}

Result<ChatInput> readInput(const TemplateArguments& arguments) {
  ChatInput input;
  Json whole = Json::object();
  STRATA_TRY(input.messages, readList(arguments.messages, "messages", &whole));
  if (!arguments.tools.empty()) {
    STRATA_TRY(input.tools, readList(arguments.tools, "tools"));
  } else if (whole.contains("tools")) {
    input.tools = whole["tools"];
  }
  if (!arguments.variables.empty()) {
    STRATA_TRY(input.variables, readJson(arguments.variables));
    if (!input.variables.is_object()) {
      return fail(ErrorCode::invalidData, arguments.variables + " must hold an object of variables.",
                  arguments.variables);
    }
  }
  if (!arguments.now.empty()) {
    STRATA_TRY(input.now, parseTime(arguments.now));
  }
  if (arguments.dialect != "transformers" && arguments.dialect != "huggingface.js") {
    return fail(ErrorCode::usage, "--dialect must be transformers or huggingface.js.", "--dialect");
  }
  if (arguments.dialect == "huggingface.js") input.dialect = jinja::Dialect::javascript;
  input.addGenerationPrompt = arguments.generationPrompt;
  return input;
}

Result<int> run(const TemplateArguments& arguments, const Output& out) {
  STRATA_TRY(const ChatTemplate chat, openSource(arguments));
  STRATA_TRY(const ChatInput input, readInput(arguments));
  STRATA_TRY(const std::string text, chat.render(input));
  if (out.json) {
    Output::line({{"text", text}, {"template", chat.origin()}});
  } else {
    Output::stream(text);  // to the byte: no line end is added
  }
  return 0;
}

}  // namespace

VerbAction addTemplate(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<TemplateArguments>();
  verb.add_option("model", arguments->source, "model folder, run, or a template file (.jinja)")
      ->required()
      ->type_name("MODEL");
  verb.add_option("--messages", arguments->messages,
                  "JSON list of messages, or an object with \"messages\" and \"tools\"")
      ->required()
      ->type_name("FILE");
  verb.add_option("--tools", arguments->tools, "JSON list of tools")->type_name("FILE");
  verb.add_option("--vars", arguments->variables, "JSON object of further variables; they win over the model's")
      ->type_name("FILE");
  verb.add_flag("--generation-prompt", arguments->generationPrompt, "end with what begins an answer");
  verb.add_option("--now", arguments->now,
                  "local time for strftime_now(), such as 2025-07-10T12:00 (default: the clock)")
      ->type_name("TIME");
  verb.add_option("--dialect", arguments->dialect, "print values as transformers (default) or huggingface.js does")
      ->type_name("NAME");
  verb.add_option("--project", arguments->project, "project folder, so that MODEL may be a run's id")->type_name("DIR");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
