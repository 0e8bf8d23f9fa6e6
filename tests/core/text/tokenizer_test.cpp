#include "core/text/tokenizer.h"

#include <gmock/gmock.h>

#include <chrono>

#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::readText;
using testing::sharedData;
using testing::TemporaryFolder;
using testing::writeText;

std::filesystem::path storiesModel() {
  return sharedData() / "models/stories260K/tokenizer.model";
}

std::unique_ptr<Tokenizer> opened(const std::filesystem::path& path) {
  auto tokenizer = openTokenizer(path);
  EXPECT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

Error openingError(const std::filesystem::path& path) {
  const auto tokenizer = openTokenizer(path);
  EXPECT_FALSE(tokenizer.has_value());
  return tokenizer ? Error{} : tokenizer.error();
}

TEST(SplitDocuments, WithoutASeparatorLineIsOneDocument) {
  EXPECT_THAT(splitDocuments("one\ntwo <|endoftext|>\n"), ElementsAre("one\ntwo <|endoftext|>\n"));
}

TEST(SplitDocuments, SplitsAtSeparatorLinesAndDropsOneNewlineBeforeThem) {
  EXPECT_THAT(splitDocuments("one\n\n<|endoftext|>\ntwo\n<|endoftext|>"), ElementsAre("one\n", "two"));
}

TEST(SplitDocuments, AcceptsWindowsLineEnds) {
  EXPECT_THAT(splitDocuments("one\r\n<|endoftext|>\r\ntwo\r\n"), ElementsAre("one", "two\r\n"));
}

TEST(SplitDocuments, HasNoEmptyDocuments) {
  EXPECT_THAT(splitDocuments(""), IsEmpty());
  EXPECT_THAT(splitDocuments("<|endoftext|>\n\n<|endoftext|>\n<|endoftext|>\nlast"), ElementsAre("last"));
}

TEST(OpenTokenizer, SaysThatAPathIsMissing) {
  const Error error = openingError("/nowhere/tokenizer.model");
  EXPECT_EQ(error.code, ErrorCode::notFound);
  EXPECT_THAT(error.message, HasSubstr("/nowhere/tokenizer.model"));
}

TEST(OpenTokenizer, AFolderWithoutTokenizerFilesHasNone) {
  const TemporaryFolder folder;
  const auto tokenizer = openTokenizer(folder.path());
  ASSERT_TRUE(tokenizer.has_value());
  EXPECT_EQ(*tokenizer, nullptr);
}

TEST(OpenTokenizer, RefusesEmptyGarbageAndTruncatedModels) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "tokenizer.model";
  std::vector<std::string> contents = {"", "no model at all", std::string(1000, '\0'), "{\"a\": 1}"};
  if (!sharedData().empty()) {
    const std::string whole = readText(storiesModel());
    contents.push_back(whole.substr(0, whole.size() / 2 + 1));
    contents.push_back(whole.substr(0, 5));
  }
  ::testing::internal::CaptureStderr();
  for (const std::string& content : contents) {
    writeText(path, content);
    const Error error = openingError(path);
    EXPECT_EQ(error.code, ErrorCode::invalidData);
    EXPECT_THAT(error.message, HasSubstr("tokenizer.model is not a whole SentencePiece model"));
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(OpenTokenizer, SaysThatATiktokenFileIsOne) {
  const TemporaryFolder folder;
  writeText(folder.path() / "tokenizer.model", "IQ== 0\nIg== 1\n");
  EXPECT_EQ(openingError(folder.path()).code, ErrorCode::unsupported);
  EXPECT_THAT(openingError(folder.path()).message, HasSubstr("is a tiktoken vocabulary"));
}

TEST(OpenTokenizer, OfBothFilesTokenizerJsonIsRead) {
  STRATA_NEEDS_SHARED_DATA();
  const std::string text = "</s>";  // a special token, which tokenizer.model never recognises
  const auto folder = opened(sharedData() / "models/stories260K");
  EXPECT_THAT(folder->encode(text), ElementsAre(2));
  EXPECT_NE(opened(storiesModel())->encode(text), folder->encode(text));
}

TEST(OpenTokenizer, TokenizerConfigSaysWhatIsAdded) {
  STRATA_NEEDS_SHARED_DATA();
  const TemporaryFolder folder;
  std::filesystem::copy_file(storiesModel(), folder.path() / "tokenizer.model");
  EXPECT_THAT(opened(folder.path())->withSpecials({5}), ElementsAre(1, 5));
  writeText(folder.path() / "tokenizer_config.json", R"({"add_bos_token": false, "add_eos_token": true})");
  EXPECT_THAT(opened(folder.path())->withSpecials({5}), ElementsAre(5, 2));
  EXPECT_THAT(opened(folder.path() / "tokenizer.model")->withSpecials({5}), ElementsAre(5, 2));
  writeText(folder.path() / "tokenizer_config.json", R"({"add_bos_token": null})");
  EXPECT_THAT(opened(folder.path())->withSpecials({}), ElementsAre(1));
  writeText(folder.path() / "tokenizer_config.json", R"({"add_bos_token": "yes"})");
  EXPECT_THAT(openingError(folder.path()).message, HasSubstr("\"add_bos_token\" must be true or false"));
  writeText(folder.path() / "tokenizer_config.json", "[]");
  EXPECT_THAT(openingError(folder.path()).message, HasSubstr("must hold a JSON object"));
}

TEST(SentencePiece, NeverRecognisesSpecialTokensInText) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = opened(storiesModel());
  const auto ids = tokenizer->encode("<s>a</s>", SpecialTokens::recognise);
  EXPECT_EQ(ids, tokenizer->encode("<s>a</s>", SpecialTokens::plain));
  for (const TokenId id : ids) EXPECT_GT(id, 2);
}

TEST(SentencePiece, RecognisesThemInRenderedChats) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = opened(storiesModel());
  std::vector<TokenId> ids = tokenizer->encode("a");
  ids.insert(ids.begin(), 1);
  ids.push_back(2);
  EXPECT_EQ(tokenizer->ofRenderedChats().encode("<s>a</s>"), ids);
  EXPECT_EQ(tokenizer->ofRenderedChats().encode("<s>a</s>", SpecialTokens::plain), tokenizer->encode("<s>a</s>"));
}

TEST(SentencePiece, DecodingNamesAnIdOutsideTheVocabulary) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = opened(storiesModel());
  EXPECT_THAT(tokenizer->decode({3, 512}).error().message, HasSubstr("Token id 512 at position 1"));
  EXPECT_THAT(tokenizer->decode({-1}).error().message, HasSubstr("Token id -1"));
  TokenStream stream(*tokenizer);
  EXPECT_EQ(stream.push(512) + stream.push(-7) + stream.finish(), "");
}

TEST(SentencePiece, SkippingSpecialTokensLeavesThemOut) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = opened(storiesModel());
  EXPECT_EQ(tokenizer->decode({1, 0, 403, 2}, false).value(), " \xE2\x81\x87  Once");
  EXPECT_EQ(tokenizer->decode({1, 0, 403, 2}, true).value(), "Once");
  TokenStream stream(*tokenizer, true);
  EXPECT_EQ(stream.push(1) + stream.push(0) + stream.push(403) + stream.push(2) + stream.finish(), "Once");
}

TEST(SentencePiece, ACharacterSplitOverByteTokensComesWithItsLastByte) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = opened(storiesModel());
  const auto byteToken = [](int byte) { return 3 + byte; };
  TokenStream stream(*tokenizer);
  EXPECT_EQ(stream.push(byteToken(0xE2)), "");
  EXPECT_EQ(stream.push(byteToken(0x82)), "");
  EXPECT_EQ(stream.push(byteToken(0xAC)), "€");
  EXPECT_EQ(stream.push(byteToken(0xF0)), "");
  EXPECT_EQ(stream.push(byteToken('x')), "\xEF\xBF\xBDx");
  EXPECT_EQ(stream.push(byteToken(0xC3)), "");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
}

TEST(SentencePiece, ATokenWithoutTextEndsACutCharacterAndASkippedOneDoesNot) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = opened(storiesModel());
  const std::vector<TokenId> ids = {3 + 0xC3, 2, 3 + 0xA9};
  for (const bool skip : {false, true}) {
    TokenStream stream(*tokenizer, skip);
    std::string joined;
    for (const TokenId id : ids) joined += stream.push(id);
    joined += stream.finish();
    EXPECT_EQ(joined, tokenizer->decode(ids, skip).value());
    EXPECT_EQ(joined, skip ? "é" : "\xEF\xBF\xBD\xEF\xBF\xBD");
  }
}

TEST(SentencePiece, TakesNulAndInvalidUtf8WithoutCrashing) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = opened(storiesModel());
  const std::string nul("a\0b", 3);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(nul)).value(), nul);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("a\xFF\xE2\x82")).value(), "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(SentencePieceSlow, AMebibyteOfOneCharacterTakesUnderTwoSeconds) {
  STRATA_NEEDS_SHARED_DATA();
  const auto tokenizer = opened(storiesModel());
  const auto start = std::chrono::steady_clock::now();
  const auto ids = tokenizer->encode(std::string(1 << 20, 'a'));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  EXPECT_GT(ids.size(), 1000u);
}

}  // namespace
}  // namespace strata
