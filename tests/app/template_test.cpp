// strata template: to the byte, with sentences for what is wrong.

#include "program.h"

namespace strata::testing {
namespace {

class TemplateVerb : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    writeText(m_folder.path() / name, text);
    return (m_folder.path() / name).string();
  }
  TemporaryFolder m_folder;
  std::string m_messages = write("messages.json", R"([{"role": "user", "content": "Hé"}])");
};

TEST_F(TemplateVerb, PrintsTheTextToTheByte) {
  const std::string file = write("chat.jinja", "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}");
  const auto result = runProgram({"template", file, "--messages", m_messages});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "<user>Hé");
}

TEST_F(TemplateVerb, TakesToolsVariablesAndAClock) {
  const std::string file =
      write("chat.jinja",
            "{{ strftime_now('%d %b %Y') }} {{ tools|length }} {{ mood }} {{ add_generation_prompt }} {{ true }}");
  const std::string both = write("both.json", R"({"messages": [], "tools": [{"name": "f"}]})");
  const std::string variables = write("vars.json", R"({"mood": "calm"})");
  const auto json = answerOf(
      {"template", file, "--messages", both, "--vars", variables, "--generation-prompt", "--now", "2025-07-10T12:00"});
  EXPECT_EQ(json["text"], "10 Jul 2025 1 calm True True");
  EXPECT_EQ(answerOf({"template", file, "--messages", both, "--dialect", "huggingface.js", "--now",
                      "2025-07-10T12:00"})["text"],
            "10 Jul 2025 1  false true");
}

TEST_F(TemplateVerb, UsesTheTemplateOfAModelElseChatMl) {
  EXPECT_EQ(answerOf({"template", m_folder.path().string(), "--messages", m_messages})["text"],
            "<|im_start|>user\nHé<|im_end|>\n");
}

TEST_F(TemplateVerb, SaysWhatIsWrongInOneSentence) {
  const std::string file = write("chat.jinja", "\n{{ raise_exception('No users') }}");
  const auto refused = runProgram({"template", file, "--messages", m_messages});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.err, "strata: " + file + ":2: the template refuses its input: No users\n");
  EXPECT_EQ(runProgram({"template", file, "--messages", m_messages, "--now", "noon"}).code, 2);
  EXPECT_EQ(runProgram({"template", file, "--messages", m_messages, "--dialect", "x"}).code, 2);
  EXPECT_EQ(runProgram({"template", file}).code, 2);
  EXPECT_EQ(runProgram({"template", "/nowhere", "--messages", m_messages}).code, 1);
}

}  // namespace
}  // namespace strata::testing
