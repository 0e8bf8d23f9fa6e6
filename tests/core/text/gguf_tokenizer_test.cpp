// Tokenizers and chat templates of GGUF files: the goldens are those of the models' own tokenizer files.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"
#include "gguf_writer.h"

namespace strata::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::vector<json> goldenLines(const std::string& name) {
  std::vector<json> lines;
  std::istringstream text(readText(sharedData() / "tokenizers/golden" / name));
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
  EXPECT_GT(lines.size(), 100U);
  return lines;
}

std::unique_ptr<Tokenizer> openedGguf(const std::filesystem::path& path) {
  auto tokenizer = openTokenizer(path);
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

/// The metadata that llama.cpp's converter writes for a tokenizer.json.
GgufWriter fromTokenizerJson(const std::filesystem::path& path, const std::string& pre) {
  const json file = json::parse(readText(path));
  std::map<std::int64_t, std::pair<std::string, std::int32_t>> tokens;
  for (const auto& [token, id] : file["model"]["vocab"].items()) tokens[id.get<std::int64_t>()] = {token, 1};
  for (const json& added : file["added_tokens"]) {
    tokens[added["id"].get<std::int64_t>()] = {added["content"].get<std::string>(), added["special"] == true ? 3 : 4};
  }
  std::vector<std::string> texts, merges;
  std::vector<std::int32_t> types;
  for (const auto& [id, token] : tokens) {
    while (static_cast<std::int64_t>(texts.size()) < id) {
      texts.push_back("[PAD" + std::to_string(texts.size()) + "]");
      types.push_back(5);
    }
    texts.push_back(token.first);
    types.push_back(token.second);
  }
  for (const json& merge : file["model"]["merges"]) {
    merges.push_back(merge.is_string() ? merge.get<std::string>()
                                       : merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  }
  GgufWriter gguf;
  gguf.text("tokenizer.ggml.model", "gpt2");
  gguf.text("tokenizer.ggml.pre", pre);
  gguf.texts("tokenizer.ggml.tokens", texts);
  gguf.integers("tokenizer.ggml.token_type", types);
  gguf.texts("tokenizer.ggml.merges", merges);
  return gguf;
}

void expectGoldens(const Tokenizer& tokenizer, const std::string& golden) {
  std::size_t plain = 0;
  for (const json& line : goldenLines(golden + ".jsonl")) {
    const auto text = line.at("text").get<std::string>();
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    ASSERT_EQ(tokenizer.encode(text), ids) << text;
    ASSERT_EQ(tokenizer.withSpecials(ids), line.at("ids_special").get<std::vector<TokenId>>()) << text;
    ASSERT_EQ(tokenizer.decode(ids).value(), line.at("decoded").get<std::string>()) << text;
    if (!line.contains("ids_plain")) continue;
    ASSERT_EQ(tokenizer.encode(text, SpecialTokens::plain), line.at("ids_plain").get<std::vector<TokenId>>()) << text;
    ++plain;
  }
  EXPECT_GT(plain, 5U);
}

TEST(GgufTokenizerGolden, OfLlama3IsItsTokenizerJson) {
  STRATA_NEEDS_SHARED_DATA();
  const TemporaryFolder folder;
  GgufWriter gguf = fromTokenizerJson(sharedData() / "tokenizers/llama3/tokenizer.json", "llama-bpe");
  gguf.number("tokenizer.ggml.bos_token_id", 128000);
  gguf.number("tokenizer.ggml.eos_token_id", 128009);
  writeText(folder.path() / "llama3.gguf", gguf.file());
  const auto tokenizer = openedGguf(folder.path() / "llama3.gguf");
  ASSERT_NE(tokenizer, nullptr);
  expectGoldens(*tokenizer, "llama3");
  EXPECT_EQ(tokenizer->bosId(), 128000);
  EXPECT_EQ(tokenizer->eosId(), 128009);
  EXPECT_TRUE(tokenizer->isSpecial(128009));
}

TEST(GgufTokenizerGolden, OfQwen2IsItsTokenizerJson) {
  STRATA_NEEDS_SHARED_DATA();
  const TemporaryFolder folder;
  GgufWriter gguf = fromTokenizerJson(sharedData() / "tokenizers/qwen2/tokenizer.json", "qwen2");
  gguf.number("tokenizer.ggml.bos_token_id", 151643);
  gguf.flag("tokenizer.ggml.add_bos_token", false);
  writeText(folder.path() / "qwen2.gguf", gguf.file());
  const auto tokenizer = openedGguf(folder.path() / "qwen2.gguf");
  ASSERT_NE(tokenizer, nullptr);
  expectGoldens(*tokenizer, "qwen2");
}

TEST(GgufTokenizerGolden, OfGpt2IsItsTokenizerJson) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = openedGguf(sharedData() / "tokenizers/vectors/ggml-vocab-gpt-2.gguf");
  ASSERT_NE(tokenizer, nullptr);
  expectGoldens(*tokenizer, "gpt2");
}

TEST(GgufTokenizerGolden, OfLlama2IsItsTokenizerModel) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = openedGguf(sharedData() / "tokenizers/vectors/ggml-vocab-llama-spm.gguf");
  ASSERT_NE(tokenizer, nullptr);
  for (const json& line : goldenLines("llama2.spm.jsonl")) {
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    ASSERT_EQ(tokenizer->encode(line.at("text").get<std::string>()), ids) << line.at("text");
    ASSERT_EQ(tokenizer->decode(ids).value(), line.at("decoded").get<std::string>());
  }
  EXPECT_EQ(tokenizer->withSpecials({5}), (std::vector<TokenId>{1, 5}));
  EXPECT_EQ(tokenizer->eosId(), 2);
}

class GgufText : public ::testing::Test {
 protected:
  GgufText() {
    addSentencePiece(m_gguf, sourceFolder() / "resources/models/stories260K/tokenizer.model");
    m_gguf.number("tokenizer.ggml.bos_token_id", 1);
    m_gguf.number("tokenizer.ggml.eos_token_id", 2);
  }
  std::filesystem::path written() const {
    writeText(m_folder.path() / "model.gguf", m_gguf.file());
    return m_folder.path() / "model.gguf";
  }
  /// Letters, their pairs "ab" and "abc", and three special tokens.
  static GgufWriter small(const std::string& pre) {
    std::vector<std::string> tokens;
    std::vector<std::int32_t> types;
    for (char c = '!'; c <= '~'; ++c) tokens.emplace_back(1, c);
    tokens.insert(tokens.end(), {"\u0120", "ab", "abc", "<s>", "<think>", "[PAD97]"});
    types.assign(tokens.size(), 1);
    types[tokens.size() - 3] = 3;
    types[tokens.size() - 2] = 4;
    types[tokens.size() - 1] = 5;
    GgufWriter gguf;
    gguf.text("tokenizer.ggml.model", "gpt2");
    if (!pre.empty()) gguf.text("tokenizer.ggml.pre", pre);
    gguf.texts("tokenizer.ggml.tokens", tokens);
    gguf.integers("tokenizer.ggml.token_type", types);
    gguf.texts("tokenizer.ggml.merges", {"a b", "ab c"});
    gguf.number("tokenizer.ggml.bos_token_id", 97);
    return gguf;
  }
  std::string problem() const {
    const auto tokenizer = openTokenizer(written());
    if (tokenizer) return "none";
    EXPECT_THAT(tokenizer.error().message, AllOf(HasSubstr("model.gguf"), EndsWith(".")));
    return tokenizer.error().message;
  }
  TemporaryFolder m_folder;
  GgufWriter m_gguf;
};

TEST_F(GgufText, OfSentencePieceIsThatOfTheFolder) {
  const auto gguf = openedGguf(written());
  const auto folder = openedGguf(sourceFolder() / "resources/models/stories260K");
  for (const char* text : {"", "Once upon a time", " two  spaces\n", "<s> is text", "日本 é", "a</s>b"}) {
    EXPECT_EQ(gguf->encode(text), folder->encode(text)) << text;
    EXPECT_EQ(gguf->ofRenderedChats().encode(text), folder->ofRenderedChats().encode(text)) << text;
  }
  EXPECT_EQ(gguf->withSpecials({7}), folder->withSpecials({7}));
  EXPECT_EQ(gguf->bosId(), folder->bosId());
  EXPECT_EQ(gguf->eosId(), folder->eosId());
  EXPECT_EQ(gguf->vocabSize(), folder->vocabSize());
}

TEST_F(GgufText, MergesBytesAndKnowsItsSpecialTokens) {
  for (const char* pre : {"", "default", "gpt-2", "llama-bpe", "qwen2", "smollm", "tekken"}) {
    SCOPED_TRACE(pre);
    m_gguf = small(pre);
    const auto tokenizer = openedGguf(written());
    ASSERT_NE(tokenizer, nullptr);
    EXPECT_EQ(tokenizer->encode("abc<think>ab"), (std::vector<TokenId>{96, 98, 95}));
    EXPECT_EQ(tokenizer->decode({97, 96, 94, 98}).value(), "<s>abc <think>");
    EXPECT_EQ(tokenizer->decode({97, 96, 98}, true).value(), "abc<think>");
    const bool adds = std::string_view(pre) == "llama-bpe" || std::string_view(pre) == "tekken";
    EXPECT_EQ(tokenizer->withSpecials({96}).size(), adds ? 2U : 1U) << "as llama.cpp does where the file says nothing";
  }
}

TEST_F(GgufText, WithoutATokenizerHasNone) {
  m_gguf = GgufWriter();
  EXPECT_EQ(openTokenizer(written()).value(), nullptr);
  m_gguf.text("tokenizer.ggml.model", "none");
  EXPECT_EQ(openTokenizer(written()).value(), nullptr);
}

TEST_F(GgufText, SaysInOneSentenceWhatIsWrong) {
  m_gguf = GgufWriter();
  m_gguf.text("tokenizer.ggml.model", "bert");
  EXPECT_THAT(problem(), HasSubstr("says 'bert'; supported are llama and gpt2"));
  m_gguf = small("poro-chat");
  EXPECT_THAT(problem(), AllOf(HasSubstr("tokenizer.ggml.pre"), HasSubstr("'poro-chat'; supported are default")));
  m_gguf = GgufWriter();
  m_gguf.text("tokenizer.ggml.model", "gpt2");
  EXPECT_THAT(problem(), HasSubstr("tokenizer.ggml.tokens' is missing"));
  m_gguf.texts("tokenizer.ggml.tokens", {"a", "b"});
  EXPECT_THAT(problem(), HasSubstr("tokenizer.ggml.merges' is missing"));
  m_gguf.integers("tokenizer.ggml.token_type", {1});
  EXPECT_THAT(problem(), HasSubstr("has 1 elements where there are 2 tokens"));
  m_gguf = small("qwen2");
  m_gguf.number("tokenizer.ggml.eos_token_id", 1000);
  EXPECT_THAT(problem(), HasSubstr("is 1000, which is no token of 100"));
  m_gguf = GgufWriter();
  m_gguf.text("tokenizer.ggml.model", "llama");
  m_gguf.texts("tokenizer.ggml.tokens", {"<unk>", "a", "a"});
  m_gguf.reals("tokenizer.ggml.scores", {0, 0, 0});
  EXPECT_THAT(problem(), HasSubstr("is not a whole SentencePiece model"));
}

TEST_F(GgufText, GivesItsChatTemplate) {
  EXPECT_THAT(ChatTemplate::open(written()).value().origin(), HasSubstr("ChatML"));
  m_gguf.text("tokenizer.chat_template", "{{ bos_token }}{% for m in messages %}[{{ m.content }}]{% endfor %}");
  const ChatTemplate chat = ChatTemplate::open(written()).value();
  EXPECT_EQ(chat.origin(), written().string() + ", chat_template");
  ChatInput input;
  input.messages = Json::parse(R"([{"role": "user", "content": "Hello"}])");
  EXPECT_EQ(chat.render(input).value(), "<s>[Hello]");
}

TEST_F(GgufText, TakesTheTemplateForToolsWhereThereAreTools) {
  m_gguf.text("tokenizer.chat_template", "plain");
  m_gguf.texts("tokenizer.chat_templates", {"tool_use"});
  m_gguf.text("tokenizer.chat_template.tool_use", "tools");
  const ChatTemplate chat = ChatTemplate::open(written()).value();
  ChatInput input;
  EXPECT_EQ(chat.render(input).value(), "plain");
  input.tools = Json::array({Json::object()});
  EXPECT_EQ(chat.render(input).value(), "tools");
}

}  // namespace
}  // namespace strata::testing
