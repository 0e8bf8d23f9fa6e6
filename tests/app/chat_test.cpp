// strata chat: turns on standard input, rendered by the model's template.

#include "program.h"

namespace strata::testing {
namespace {

/// The sample model with a chat template of its own.
std::filesystem::path withTemplate(const TemporaryFolder& folder, const std::string& source) {
  const auto model = folder.path() / "model";
  std::filesystem::copy(storyModel(), model);
  writeText(model / "chat_template.jinja", source);
  return model;
}

std::vector<nlohmann::json> linesOf(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

constexpr const char* kPlain =
    "{% for message in messages %}{{ message.content }}{{ ' ' if message.role == 'user' else '' }}{% endfor %}";

TEST(ChatProgram, KeepsKeysAndValuesIn8Bits) {
  const TemporaryFolder folder;
  const std::string model = withTemplate(folder, kPlain);
  std::vector<std::int64_t> bytes;
  for (const std::vector<std::string>& kv : {std::vector<std::string>{}, {"--kv", "fp8"}}) {
    std::vector<std::string> arguments{"chat", model, "--max-tokens", "8", "--json"};
    arguments.insert(arguments.end(), kv.begin(), kv.end());
    const Answer chat = runProgram(arguments, "Once upon a time\n");
    ASSERT_EQ(chat.code, 0) << chat.err;
    bytes.push_back(linesOf(chat.out)[0]["kv_bytes"]);
  }
  EXPECT_EQ(bytes[0] * 400, bytes[1] * 1280);
}

TEST(ChatProgram, AnswersEachLineAsGenerateAnswersTheRenderedConversation) {
  const TemporaryFolder folder;
  const std::string model = withTemplate(folder, kPlain);
  const Answer chat = runProgram({"chat", model, "--map", "stride:2", "--max-tokens", "12", "--json"},
                                 "Once upon a time\n\nThen the girl\n");
  ASSERT_EQ(chat.code, 0) << chat.err;
  const auto turns = linesOf(chat.out);
  ASSERT_EQ(turns.size(), 2U) << "a blank line is no turn";
  std::string text = "Once upon a time ";
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const auto ids = answerOf({"tokenize", model, text})["ids"];
    EXPECT_EQ(turns[i]["prompt_tokens"], ids.size());
    const auto expected =
        answerOf({"generate", model, "--ids", joined(ids), "--map", "stride:2", "--max-tokens", "12"});
    EXPECT_EQ(turns[i]["ids"], expected["ids"]);
    EXPECT_EQ(turns[i]["map"], "stride:2");
    text += turns[i]["text"].get<std::string>() + "Then the girl ";
  }
}

TEST(ChatProgram, ClearStartsOverAndKeepsTheSystemMessage) {
  const TemporaryFolder folder;
  const std::string model = withTemplate(folder, kPlain);
  const Answer chat = runProgram({"chat", model, "--system", "Once ", "--max-tokens", "5", "--json"},
                                 "upon a time\n/clear\nupon a time\n");
  ASSERT_EQ(chat.code, 0) << chat.err;
  const auto turns = linesOf(chat.out);
  ASSERT_EQ(turns.size(), 2U);
  EXPECT_EQ(turns[0]["ids"], turns[1]["ids"]);
  EXPECT_EQ(turns[0]["prompt_tokens"], turns[1]["prompt_tokens"]);
}

TEST(ChatProgram, ATemplateThatFailsGivesItsSentence) {
  const TemporaryFolder folder;
  const std::string model = withTemplate(folder, "line one\n{{ raise_exception('Only two turns here.') }}");
  const Answer chat = runProgram({"chat", model}, "Hello\n");
  EXPECT_EQ(chat.code, 1);
  EXPECT_NE(chat.err.find("Only two turns here."), std::string::npos) << chat.err;
  EXPECT_NE(chat.err.find("2"), std::string::npos) << "the line: " << chat.err;
}

TEST(ChatProgram, ABrokenTokenizerIsNamedWhereTextIsAskedForAndIdsStillWork) {
  const TemporaryFolder folder;
  const auto model = folder.path() / "model";
  std::filesystem::copy(storyModel(), model);
  std::filesystem::remove(model / "tokenizer.model");
  EXPECT_NE(runProgram({"chat", model}, "Hello\n").err.find("tokenizer.json"), std::string::npos);
  writeText(model / "tokenizer.json", "{\"model\": {\"type\": \"BPE\"");
  const Answer broken = runProgram({"generate", model, "--prompt", "Once"});
  EXPECT_EQ(broken.code, 1);
  EXPECT_NE(broken.err.find("tokenizer.json"), std::string::npos) << broken.err;
  EXPECT_TRUE(answerOf({"generate", model, "--ids", "1,2,3", "--max-tokens", "2"})["text"].is_null());
}

}  // namespace
}  // namespace strata::testing
