// Conversations through real chat templates: transformers' truth, huggingface.js's chats, and its language cases.

#include "core/text/chat_template.h"
#include "support.h"

namespace strata {
namespace {

std::filesystem::path folder() {
  return testing::sharedData() / "chat_templates";
}

Json load(const std::string& name) {
  return Json::parse(testing::readText(folder() / name));
}

std::chrono::local_seconds goldenClock() {
  using namespace std::chrono;
  return local_days(July / 10 / 2025) + hours(12);
}

Json without(Json variables, const Json& golden) {
  if (golden.contains("without"))
    for (const Json& name : golden["without"]) variables.erase(name.get<std::string>());
  return variables;
}

void expectGolden(const std::string& name, const std::string& source, const Json& variables, const Json& conversation,
                  const Json& golden) {
  SCOPED_TRACE(name + ", " + golden["conversation"].get<std::string>());
  const auto chat = ChatTemplate::parse(source, name, without(variables, golden));
  ASSERT_TRUE(chat) << chat.error().message;
  ChatInput input;
  input.messages = conversation["messages"];
  input.tools = golden.contains("tools") ? golden["tools"] : conversation.value("tools", Json());
  input.addGenerationPrompt = golden["add_generation_prompt"].get<bool>();
  if (golden.contains("extra")) input.variables = golden["extra"];
  input.now = goldenClock();
  const auto text = chat->render(input);
  if (golden.contains("text")) {
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(*text, golden["text"].get<std::string>());
    return;
  }
  ASSERT_FALSE(text) << *text;
  if (golden["error_type"] == "TemplateError") {
    EXPECT_TRUE(text.error().message.ends_with(golden["error"].get<std::string>())) << text.error().message;
  }
}

TEST(ChatTemplateGolden, GivesWhatTransformersGives) {
  STRATA_NEEDS_SHARED_DATA();
  const Json golden = load("golden_messages.json");
  std::size_t cases = 0;
  for (const auto& [name, entry] : golden["templates"].items()) {
    const std::string source = entry.contains("source") ? entry["source"].get<std::string>()
                                                        : testing::readText(folder() / "llama.cpp" / name);
    for (const Json& one : entry["cases"]) {
      expectGolden(name, source, entry["variables"], golden["conversations"][one["conversation"].get<std::string>()],
                   one);
      ++cases;
    }
  }
  EXPECT_EQ(cases, 500u);
}

TEST(ChatTemplateGolden, GivesWhatHuggingfaceJsGivesForChats) {
  STRATA_NEEDS_SHARED_DATA();
  const Json golden = load("hf_jinja_e2e.json");
  int cases = 0;
  for (const char* group : {"default_templates", "custom_templates"}) {
    for (const auto& [name, one] : golden[group].items()) {
      SCOPED_TRACE(name);
      const auto chat = ChatTemplate::parse(one["chat_template"].get<std::string>(), name);
      ASSERT_TRUE(chat) << chat.error().message;
      ChatInput input;
      input.variables = one["data"];
      input.messages = one["data"]["messages"];
      input.tools = one["data"].value("tools", Json());
      input.now = goldenClock();
      // This one prints a list as it is, which each implementation does in its own way.
      const bool differs = name == "MadeAgents/Hammer2.1";
      const auto python = chat->render(input);
      ASSERT_TRUE(python) << python.error().message;
      EXPECT_EQ(*python == one["target"].get<std::string>(), !differs);
      input.dialect = jinja::Dialect::javascript;
      const auto javascript = chat->render(input);
      ASSERT_TRUE(javascript) << javascript.error().message;
      EXPECT_EQ(*javascript, one["target"].get<std::string>());
      ++cases;
    }
  }
  EXPECT_EQ(cases, 40);
}

TEST(ChatTemplateGolden, GivesWhatHuggingfaceJsGivesForTheLanguage) {
  STRATA_NEEDS_SHARED_DATA();
  int cases = 0;
  const Json golden = load("hf_jinja_cases.json");
  for (const auto& [name, one] : golden.items()) {
    if (one["has_js_functions"].get<bool>()) continue;
    SCOPED_TRACE(name);
    const auto parsed = jinja::Template::parse(one["template"].get<std::string>(), name);
    ASSERT_TRUE(parsed) << parsed.error().message;
    jinja::RenderOptions options;
    options.dialect = jinja::Dialect::javascript;
    const auto rendered = parsed->render(one["context"], options);
    ASSERT_TRUE(rendered) << rendered.error().message;
    EXPECT_EQ(rendered->text, one["expected"].get<std::string>());
    ++cases;
  }
  EXPECT_EQ(cases, 157);
}

TEST(ChatTemplateGolden, ReadsEveryRealTemplate) {
  STRATA_NEEDS_SHARED_DATA();
  int templates = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder() / "llama.cpp")) {
    if (entry.path().extension() != ".jinja") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const auto chat = ChatTemplate::parse(testing::readText(entry.path()), entry.path().string());
    ASSERT_TRUE(chat) << chat.error().message;
    ChatInput input;
    input.messages = Json{{{"role", "user"}, {"content", "Hello"}}};
    input.tools = Json::array();
    input.variables = Json{{"functions", "[]"}, {"datetime", "now"}, {"bos_token", "<s>"}, {"eos_token", "</s>"}};
    const auto text = chat->render(input);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_NE(text->find("Hello"), std::string::npos);
    ++templates;
  }
  EXPECT_GE(templates, 17);
}

}  // namespace
}  // namespace strata
