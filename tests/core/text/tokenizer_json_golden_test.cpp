// The goldens come from the `tokenizers` library; ids, text and streamed pieces must be equal.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/text/tokenizer.h"
#include "support.h"

namespace strata {
namespace {

using nlohmann::json;
using testing::readText;
using testing::sharedData;

std::vector<json> readLines(const std::filesystem::path& path) {
  std::vector<json> lines;
  std::istringstream text(readText(path));
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
  return lines;
}

std::vector<std::string> streamed(const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                                  bool skipSpecial = false) {
  TokenStream stream(tokenizer, skipSpecial);
  std::vector<std::string> pieces;
  pieces.reserve(ids.size());
  for (const TokenId id : ids) pieces.push_back(stream.push(id));
  const std::string rest = stream.finish();
  if (!pieces.empty()) pieces.back() += rest;
  return pieces;
}

struct Case {
  const char* golden;  // in tokenizers/golden
  const char* file;    // in the shared data
};
const Case kCases[] = {{"gpt2", "tokenizers/gpt2/tokenizer.json"},
                       {"llama3", "tokenizers/llama3/tokenizer.json"},
                       {"qwen2", "tokenizers/qwen2/tokenizer.json"},
                       {"mistral", "tokenizers/mistral/tokenizer.json"},
                       {"mistral_legacy", "tokenizers/mistral/legacy/tokenizer.json"},
                       {"stories260K", "models/stories260K/tokenizer.json"}};

class TokenizerJsonGolden : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    STRATA_NEEDS_SHARED_DATA();
    auto opened = openTokenizer(sharedData() / GetParam().file);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    tokenizer = std::move(*opened);
  }
  std::vector<json> texts() const {
    auto lines = readLines(sharedData() / "tokenizers/golden" / (std::string(GetParam().golden) + ".jsonl"));
    EXPECT_GT(lines.size(), 400u);
    return lines;
  }
  std::unique_ptr<Tokenizer> tokenizer;
};

TEST_P(TokenizerJsonGolden, GivesTheIdsOfEveryText) {
  for (const json& line : texts()) {
    const auto text = line.at("text").get<std::string>();
    ASSERT_EQ(tokenizer->encode(text), line.at("ids").get<std::vector<TokenId>>()) << text;
  }
}

TEST_P(TokenizerJsonGolden, AddsThePostProcessorsTokens) {
  for (const json& line : texts()) {
    const auto text = line.at("text").get<std::string>();
    ASSERT_EQ(tokenizer->withSpecials(tokenizer->encode(text)), line.at("ids_special").get<std::vector<TokenId>>())
        << text;
  }
}

TEST_P(TokenizerJsonGolden, RecognisesSpecialTokensOrTakesThemAsText) {
  std::size_t seen = 0;
  for (const json& line : texts()) {
    if (!line.contains("ids_plain")) continue;
    const auto text = line.at("text").get<std::string>();
    ASSERT_EQ(tokenizer->encode(text, SpecialTokens::recognise),
              line.at("ids_special_parsed").get<std::vector<TokenId>>())
        << text;
    ASSERT_EQ(tokenizer->encode(text, SpecialTokens::plain), line.at("ids_plain").get<std::vector<TokenId>>()) << text;
    ++seen;
  }
  EXPECT_GT(seen, 5u);
}

TEST_P(TokenizerJsonGolden, DecodesEveryText) {
  for (const json& line : texts()) {
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    ASSERT_EQ(tokenizer->decode(ids).value(), line.at("decoded").get<std::string>());
  }
}

TEST_P(TokenizerJsonGolden, StreamsThePiecesOfEveryText) {
  for (const json& line : texts()) {
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    ASSERT_EQ(streamed(*tokenizer, ids), line.at("pieces_stream").get<std::vector<std::string>>()) << line.at("text");
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TokenizerJsonGolden, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.golden); });

class TokenizerJsonDecodeGolden : public TokenizerJsonGolden {};

TEST_P(TokenizerJsonDecodeGolden, ArbitraryIdsDecodeAsTheLibraryDoes) {
  const auto lines = readLines(sharedData() / "tokenizers/golden" / (std::string(GetParam().golden) + ".decode.jsonl"));
  ASSERT_GT(lines.size(), 10u);
  for (const json& line : lines) {
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    ASSERT_EQ(tokenizer->decode(ids).value(), line.at("decoded").get<std::string>()) << line.at("ids");
    ASSERT_EQ(tokenizer->decode(ids, true).value(), line.at("decoded_skip").get<std::string>()) << line.at("ids");
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TokenizerJsonDecodeGolden,
                         ::testing::Values(kCases[0], kCases[1], kCases[2], kCases[3], kCases[5]),
                         [](const auto& info) { return std::string(info.param.golden); });

/// llama.cpp's own test texts, and the ids that it expects.
class VectorsGolden : public ::testing::TestWithParam<Case> {};

TEST_P(VectorsGolden, GiveTheIdsThatLlamaCppExpects) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = openTokenizer(sharedData() / GetParam().file);
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  const std::string stem = "tokenizers/vectors/ggml-vocab-" + std::string(GetParam().golden) + ".gguf";
  const std::string texts = readText(sharedData() / (stem + ".inp"));
  std::istringstream expected(readText(sharedData() / (stem + ".out")));
  const std::string separator = "\n__ggml_vocab_test__\n";
  std::size_t number = 0;
  for (std::size_t at = 0; at < texts.size(); ++number) {
    const std::size_t end = std::min(texts.find(separator, at), texts.size());
    const std::string text = texts.substr(at, end - at);
    at = end + separator.size();
    std::string line;
    ASSERT_TRUE(std::getline(expected, line)) << text;
    std::istringstream numbers(line);
    std::vector<TokenId> ids;
    for (TokenId id = 0; numbers >> id;) ids.push_back(id);
    EXPECT_EQ((*tokenizer)->encode(text), ids) << text;
  }
  EXPECT_GT(number, 40u);
}

INSTANTIATE_TEST_SUITE_P(Models, VectorsGolden,
                         ::testing::Values(Case{"gpt-2", "tokenizers/gpt2/tokenizer.json"},
                                           Case{"llama-bpe", "tokenizers/llama3/tokenizer.json"},
                                           Case{"qwen2", "tokenizers/qwen2/tokenizer.json"},
                                           Case{"llama-spm", "tokenizers/llama2/tokenizer.model"}),
                         [](const auto& info) {
                           std::string name = info.param.golden;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace strata
