#include "core/text/chat_template.h"

#include <gmock/gmock.h>

#include "support.h"

namespace strata {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::writeText;

ChatInput hello() {
  ChatInput input;
  input.messages = Json{{{"role", "user"}, {"content", "Hello"}}};
  return input;
}

std::string renderFolder(const std::filesystem::path& folder, const ChatInput& input = hello()) {
  const auto chat = ChatTemplate::open(folder);
  if (!chat) return "open: " + chat.error().message;
  const auto text = chat->render(input);
  return text ? *text : "render: " + text.error().message;
}

TEST(ChatTemplate, FallsBackToChatMl) {
  const testing::TemporaryFolder folder;
  const auto chat = ChatTemplate::open(folder.path());
  ASSERT_TRUE(chat) << chat.error().message;
  EXPECT_EQ(chat->origin(), "built in: ChatML");
  ChatInput input = hello();
  input.addGenerationPrompt = true;
  EXPECT_EQ(*chat->render(input), "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, PrefersTheFileToTheConfig) {
  const testing::TemporaryFolder folder;
  writeText(folder.path() / "tokenizer_config.json",
            R"({"chat_template": "config {{ bos_token }}", "bos_token": {"content": "<s>"}})");
  EXPECT_EQ(renderFolder(folder.path()), "config <s>");
  writeText(folder.path() / "chat_template.jinja", "file {{ bos_token }}{{ eos_token }}\n");
  writeText(folder.path() / "special_tokens_map.json", R"({"bos_token": "<other>", "eos_token": {"content": "</s>"}})");
  EXPECT_EQ(renderFolder(folder.path()), "file <s></s>");
  EXPECT_EQ(ChatTemplate::open(folder.path())->origin(), (folder.path() / "chat_template.jinja").string());
}

TEST(ChatTemplate, TakesTheTemplateForToolsWhereToolsAreGiven) {
  const testing::TemporaryFolder folder;
  writeText(folder.path() / "tokenizer_config.json",
            R"({"chat_template": [{"name": "default", "template": "plain {{ tools is none }}"},
                                  {"name": "tool_use", "template": "tools {{ tools|length }}"}]})");
  EXPECT_EQ(renderFolder(folder.path()), "plain True");
  ChatInput input = hello();
  input.tools = Json::array({Json{{"name", "f"}}});
  EXPECT_EQ(renderFolder(folder.path(), input), "tools 1");
  writeText(folder.path() / "chat_template.jinja", "new");
  writeText(folder.path() / "additional_chat_templates" / "tool_use.jinja", "new tools");
  EXPECT_EQ(renderFolder(folder.path()), "new");
  EXPECT_EQ(renderFolder(folder.path(), input), "new tools");
}

TEST(ChatTemplate, DoesNotLookAtTemplatesThatItDoesNotTake) {
  const testing::TemporaryFolder folder;
  const auto config = folder.path() / "tokenizer_config.json";
  writeText(config, R"({"chat_template": [{"name": "rag", "template": "{% trans %}"},
                                          {"name": "default", "template": "D"},
                                          {"name": "tool_use", "template": "{% trans %}"}]})");
  EXPECT_EQ(renderFolder(folder.path()), "D");
  ChatInput input = hello();
  input.tools = Json::array({Json{{"name", "f"}}});
  EXPECT_THAT(renderFolder(folder.path(), input), HasSubstr("there is no tag 'trans'"));
  writeText(config, R"({"chat_template": {"default": "D", "tool_use": "T"}})");
  EXPECT_EQ(renderFolder(folder.path()), "D");
  EXPECT_EQ(renderFolder(folder.path(), input), "T");
}

TEST(ChatTemplate, RefusesTokensThatWouldRaiseItsLimits) {
  const testing::TemporaryFolder folder;
  writeText(folder.path() / "tokenizer_config.json",
            R"({"chat_template": "x", "bos_token": ")" + std::string(5000, 'a') + "\"}");
  EXPECT_THAT(renderFolder(folder.path()), HasSubstr("the special tokens are longer than any model's"));
}

TEST(ChatTemplate, RefusesSeveralTemplatesWithoutADefault) {
  const testing::TemporaryFolder folder;
  writeText(folder.path() / "tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "x"}]})");
  EXPECT_THAT(renderFolder(folder.path()), HasSubstr("none is \"default\""));
}

TEST(ChatTemplate, LetsTheCallersVariablesWin) {
  const auto chat =
      ChatTemplate::parse("{{ bos_token }}{{ enable_thinking }}{{ documents is none }}", "t", {{"bos_token", "<s>"}});
  ASSERT_TRUE(chat);
  ChatInput input = hello();
  input.variables = Json{{"bos_token", "<b>"}, {"enable_thinking", false}};
  EXPECT_EQ(*chat->render(input), "<b>FalseTrue");
}

TEST(ChatTemplate, SaysWhereAWrongConfigIsWrong) {
  const testing::TemporaryFolder folder;
  writeText(folder.path() / "tokenizer_config.json", R"({"chat_template": 5})");
  EXPECT_THAT(renderFolder(folder.path()), HasSubstr("chat_template must be a text, a list"));
  writeText(folder.path() / "tokenizer_config.json", "[]");
  EXPECT_THAT(renderFolder(folder.path()), HasSubstr("tokenizer_config.json must hold a JSON object"));
  writeText(folder.path() / "tokenizer_config.json", R"({"chat_template": "{% if %}"})");
  EXPECT_THAT(renderFolder(folder.path()), HasSubstr("tokenizer_config.json, chat_template:1: the template fails"));
}

TEST(ChatTemplate, EndsWithWhatTheTemplateSays) {
  const auto chat = ChatTemplate::parse("{{ raise_exception('No system role') }}", "t.jinja");
  ASSERT_TRUE(chat);
  EXPECT_THAT(chat->render(hello()).error().message, EndsWith("No system role"));
}

TEST(ChatTemplate, GivesTheSpansOfGenerations) {
  const auto chat = ChatTemplate::parse("a{% generation %}bc{% endgeneration %}d", "t.jinja");
  ASSERT_TRUE(chat);
  const auto rendered = chat->renderWithSpans(hello());
  ASSERT_TRUE(rendered);
  EXPECT_EQ(rendered->text, "abcd");
  EXPECT_EQ(rendered->generations, (std::vector<jinja::Span>{{1, 3}}));
}

TEST(ChatTemplate, RefusesMessagesThatAreNoList) {
  ChatInput input = hello();
  input.messages = Json::object();
  EXPECT_EQ(ChatTemplate::parse("x", "t")->render(input).error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace strata
