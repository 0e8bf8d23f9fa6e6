// The goldens come from the SentencePiece library's Python package; ids and decoded text must be equal.
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

std::string streamed(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, bool skipSpecial = false) {
  TokenStream stream(tokenizer, skipSpecial);
  std::string text;
  for (const TokenId id : ids) text += stream.push(id);
  return text + stream.finish();
}

struct Case {
  const char* golden;  // in tokenizers/golden
  const char* model;   // in the shared data
};

class SentencePieceGolden : public ::testing::TestWithParam<Case> {};

TEST_P(SentencePieceGolden, IdsAndTextAreTheLibrarys) {
  STRATA_NEEDS_SHARED_DATA();
  auto tokenizer = openTokenizer(sharedData() / GetParam().model);
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  const auto lines = readLines(sharedData() / "tokenizers/golden" / (std::string(GetParam().golden) + ".spm.jsonl"));
  ASSERT_GT(lines.size(), 100u);
  for (const json& line : lines) {
    const auto text = line.at("text").get<std::string>();
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    ASSERT_EQ((*tokenizer)->encode(text), ids) << text;
    ASSERT_EQ((*tokenizer)->decode(ids).value(), line.at("decoded").get<std::string>()) << text;
    ASSERT_EQ(streamed(**tokenizer, ids), line.at("decoded").get<std::string>()) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SentencePieceGolden,
                         ::testing::Values(Case{"llama2", "tokenizers/llama2/tokenizer.model"},
                                           Case{"mistral_v1", "tokenizers/mistral/v1-tokenizer.model"},
                                           Case{"mistral_v3", "tokenizers/mistral/v3-tokenizer.model"},
                                           Case{"stories260K", "models/stories260K/tokenizer.model"}),
                         [](const auto& info) { return std::string(info.param.golden); });

/// The goldens are those of a tokenizer.json made from the same model; the two spellings of it are transformers' two
/// readings of "legacy". What a text begins with is the model's own affair, and no chat begins with a space.
class RenderedChatGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(RenderedChatGolden, SpecialTokensAndWhatFollowsThemAreTokenizerJsons) {
  STRATA_NEEDS_SHARED_DATA();
  const testing::TemporaryFolder folder;
  std::filesystem::copy_file(sharedData() / "tokenizers/mistral/v3-tokenizer.model", folder.path() / "tokenizer.model");
  const bool legacy = std::string_view(GetParam()) == "mistral_legacy";
  testing::writeText(folder.path() / "tokenizer_config.json", legacy ? "{}" : R"({"legacy": false})");
  auto tokenizer = openTokenizer(folder.path());
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  const auto lines = readLines(sharedData() / "tokenizers/golden" / (std::string(GetParam()) + ".jsonl"));
  std::size_t withSpecials = 0;
  for (const json& line : lines) {
    const auto text = line.at("text").get<std::string>();
    if (text.starts_with(' ') || text.starts_with("\u2581")) continue;
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    ASSERT_EQ((*tokenizer)->ofRenderedChats().encode(text), ids) << text;
    withSpecials += line.contains("ids_plain") ? 1 : 0;
  }
  EXPECT_GT(withSpecials, 10u);
}

INSTANTIATE_TEST_SUITE_P(Spellings, RenderedChatGolden, ::testing::Values("mistral", "mistral_legacy"),
                         [](const auto& info) { return std::string(info.param); });

class SentencePieceDecodeGolden : public ::testing::TestWithParam<Case> {};

TEST_P(SentencePieceDecodeGolden, ArbitraryIdsDecodeAsTheLibraryDoes) {
  STRATA_NEEDS_SHARED_DATA();
  auto tokenizer = openTokenizer(sharedData() / GetParam().model);
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  const auto lines = readLines(sharedData() / "tokenizers/golden" / (std::string(GetParam().golden) + ".decode.jsonl"));
  ASSERT_GT(lines.size(), 10u);
  for (const json& line : lines) {
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    ASSERT_EQ((*tokenizer)->decode(ids).value(), line.at("decoded_spm").get<std::string>()) << line.at("ids");
    ASSERT_EQ(streamed(**tokenizer, ids), line.at("decoded_spm").get<std::string>()) << line.at("ids");
    ASSERT_EQ(streamed(**tokenizer, ids, true), (*tokenizer)->decode(ids, true).value()) << line.at("ids");
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SentencePieceDecodeGolden,
                         ::testing::Values(Case{"mistral", "tokenizers/mistral/v3-tokenizer.model"},
                                           Case{"stories260K", "models/stories260K/tokenizer.model"}),
                         [](const auto& info) { return std::string(info.param.golden); });

TEST(SentencePieceGolden, StreamedEqualsDecodedForEveryShortSequenceOfSpecialAndByteTokens) {
  STRATA_NEEDS_SHARED_DATA();
  auto tokenizer = openTokenizer(sharedData() / "models/stories260K/tokenizer.model");
  ASSERT_TRUE(tokenizer.has_value());
  const auto byteToken = [](int byte) { return 3 + byte; };
  // unknown, BOS, "▁" alone, a word with a leading space, parts of characters, a letter
  const std::vector<TokenId> alphabet = {
      0, 1, (*tokenizer)->encode(" ").front(), 403, byteToken(0xE2), byteToken(0x82), byteToken(0xAC), byteToken('x')};
  for (std::size_t number = 0; number < 8 * 8 * 8 * 8; ++number) {
    std::vector<TokenId> ids;
    for (std::size_t rest = number; ids.size() < 4; rest /= 8) ids.push_back(alphabet[rest % 8]);
    for (const bool skip : {false, true}) {
      ASSERT_EQ(streamed(**tokenizer, ids, skip), (*tokenizer)->decode(ids, skip).value())
          << json(ids) << (skip ? " without specials" : "");
    }
  }
}

TEST(SentencePieceGolden, TheSampleModelsTokenizeCasesHold) {
  STRATA_NEEDS_SHARED_DATA();
  auto tokenizer = openTokenizer(sharedData() / "models/stories260K/tokenizer.model");
  ASSERT_TRUE(tokenizer.has_value());
  const json golden = json::parse(readText(sharedData() / "models/stories260K/golden.json"));
  ASSERT_FALSE(golden.at("tokenize_cases").empty());
  for (const json& given : golden.at("tokenize_cases")) {
    const auto text = given.at("text").get<std::string>();
    EXPECT_EQ((*tokenizer)->encode(text), given.at("ids_no_bos").get<std::vector<TokenId>>()) << text;
  }
}

}  // namespace
}  // namespace strata
