#include <gmock/gmock.h>

#include <chrono>

#include "core/text/tokenizer.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::sharedData;

/// "ab" is one token, id 256; every other byte is its own. So a cut between an a and a b has no place in the whole.
class PairTokenizer final : public Tokenizer {
 public:
  std::vector<TokenId> encode(std::string_view text, SpecialTokens) const override {
    std::vector<TokenId> ids;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool pair = text.substr(at, 2) == "ab";
      ids.push_back(pair ? 256 : static_cast<unsigned char>(text[at]));
      at += pair ? 1 : 0;
    }
    return ids;
  }
  std::vector<TokenId> withSpecials(std::vector<TokenId> ids) const override { return ids; }
  Result<std::string> decode(const std::vector<TokenId>&, bool) const override { return std::string(); }
  std::optional<TokenId> bosId() const override { return std::nullopt; }
  std::optional<TokenId> eosId() const override { return std::nullopt; }
  std::int64_t vocabSize() const override { return 257; }
  std::string pieceBytes(TokenId, bool, bool) const override { return {}; }
};

TEST(EncodeSegments, CountsTheIdsBeforeEachCut) {
  const SegmentedIds got = encodeSegments(PairTokenizer(), "xabyab", {0, 1, 3, 3, 6});
  EXPECT_THAT(got.ids, ElementsAre('x', 256, 'y', 256));
  EXPECT_THAT(got.idsBefore, ElementsAre(0, 1, 2, 2, 4));
}

TEST(EncodeSegments, WithoutCutsIsEncoding) {
  EXPECT_THAT(encodeSegments(PairTokenizer(), "ab", {}).ids, ElementsAre(256));
  EXPECT_THAT(encodeSegments(PairTokenizer(), "", {0}).idsBefore, ElementsAre(0));
}

TEST(EncodeSegments, ACutInsideATokenTokenisesThePieceBeforeItByItself) {
  const SegmentedIds got = encodeSegments(PairTokenizer(), "abxabab", {2, 4, 6});
  EXPECT_THAT(got.ids, ElementsAre(256, 'x', 'a', 'b', 'a', 'b'));
  EXPECT_THAT(got.idsBefore, ElementsAre(1, 3, 5));
}

TEST(EncodePair, SplitsTheWholesIdsOrElseTokenisesEachPartByItself) {
  const PromptAndCompletion exact = encodePair(PairTokenizer(), "xab", "ab");
  EXPECT_THAT(exact.prompt, ElementsAre('x', 256));
  EXPECT_THAT(exact.completion, ElementsAre(256));
  const PromptAndCompletion apart = encodePair(PairTokenizer(), "xa", "bab");
  EXPECT_THAT(apart.prompt, ElementsAre('x', 'a'));
  EXPECT_THAT(apart.completion, ElementsAre('b', 256));
  EXPECT_THAT(encodePair(PairTokenizer(), "ab", "").completion, IsEmpty());
}

/// Encodes as another does and knows no restarts, so that every cut's text is encoded from its start.
class WithoutRestarts final : public Tokenizer {
 public:
  explicit WithoutRestarts(const Tokenizer& tokenizer) : m_tokenizer(tokenizer) {}
  std::vector<TokenId> encode(std::string_view text, SpecialTokens specials) const override {
    return m_tokenizer.encode(text, specials);
  }
  std::vector<TokenId> withSpecials(std::vector<TokenId> ids) const override { return ids; }
  Result<std::string> decode(const std::vector<TokenId>& ids, bool skipSpecial) const override {
    return m_tokenizer.decode(ids, skipSpecial);
  }
  std::optional<TokenId> bosId() const override { return std::nullopt; }
  std::optional<TokenId> eosId() const override { return std::nullopt; }
  std::int64_t vocabSize() const override { return 0; }

 private:
  const Tokenizer& m_tokenizer;
};

void expectEveryCutToGiveWhatEncodingEveryPrefixGives(const Tokenizer& tokenizer) {
  const std::vector<std::string> texts = {
      "Once upon a time there was a cat. It sat.", "  two  spaces\n\n  and lines \t\r\n  it's 12345 we'LL\u00a0x \n a",
      "<s>[INST] Hi  </s> <|im_start|>user\nHi<|im_end|>\n<|endoftext|> b<|eot_id|> <unk>c",
      "Z\u0065\u0301 é 日本語 👍🏽 \u2581 a \u2581b \u2581\u2581 c ｇ\u212b 각", "a\xFF\xE2\x82 b\xF0\x9F c"};
  for (const std::string& text : texts) {
    std::vector<std::size_t> cuts;
    for (std::size_t cut = 0; cut <= text.size(); ++cut) cuts.push_back(cut);
    for (const std::size_t step : {1u, 3u, 7u}) {
      std::vector<std::size_t> some;
      for (std::size_t i = 0; i < cuts.size(); i += step) some.push_back(cuts[i]);
      const SegmentedIds fast = encodeSegments(tokenizer, text, some);
      const SegmentedIds slow = encodeSegments(WithoutRestarts(tokenizer), text, some);
      ASSERT_EQ(fast.ids, slow.ids) << text;
      ASSERT_EQ(fast.idsBefore, slow.idsBefore) << text;
    }
    for (const std::size_t cut : cuts) {
      const SegmentedIds fast = encodeSegments(tokenizer, text, {cut});
      const SegmentedIds slow = encodeSegments(WithoutRestarts(tokenizer), text, {cut});
      ASSERT_EQ(fast.ids, slow.ids) << text << " cut at " << cut;
      ASSERT_EQ(fast.idsBefore, slow.idsBefore) << text << " cut at " << cut;
    }
  }
}

class RealTokenizers : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    STRATA_NEEDS_SHARED_DATA();
    auto opened = openTokenizer(sharedData() / GetParam());
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    tokenizer = std::move(*opened);
  }
  std::unique_ptr<Tokenizer> tokenizer;
};

TEST_P(RealTokenizers, CutsAtEveryByteGiveWhatEncodingEveryPrefixGives) {
  expectEveryCutToGiveWhatEncodingEveryPrefixGives(*tokenizer);
}

TEST_P(RealTokenizers, SoTheyDoInRenderedChats) {
  if (&tokenizer->ofRenderedChats() == tokenizer.get()) return;  // no other encoding
  expectEveryCutToGiveWhatEncodingEveryPrefixGives(tokenizer->ofRenderedChats());
}

TEST_P(RealTokenizers, APromptAndItsCompletionSpellTheTextAndNoSpaceBetween) {
  const std::vector<std::pair<std::string, std::string>> pairs = {{"Q: capital of France? A: ", "Paris"},
                                                                  {"un", "happy"},
                                                                  {"Once upon a ti", "me there"},
                                                                  {"Translate: ", "日本"},
                                                                  {"x=", "5"},
                                                                  {"Q?\n", "Paris"},
                                                                  {"a  ", " b"},
                                                                  {"1", "23 45"},
                                                                  {"f(", "|x|)"},
                                                                  {"end\n", "\nnext"},
                                                                  {"def f(x):\n", "    return x"},
                                                                  {"Answer:", " Paris"},
                                                                  {"A: ", "0 is"},
                                                                  {"A: ", "a b"}};
  for (const auto& [prompt, completion] : pairs) {
    const PromptAndCompletion pair = encodePair(*tokenizer, prompt, completion);
    std::vector<TokenId> ids = pair.prompt;
    EXPECT_EQ(tokenizer->decode(ids).value(), prompt);
    ids.insert(ids.end(), pair.completion.begin(), pair.completion.end());
    EXPECT_EQ(tokenizer->decode(ids).value(), prompt + completion);
    EXPECT_EQ(pair.prompt, tokenizer->encode(prompt));
  }
}

TEST_P(RealTokenizers, CutsInsideWordsAddNothingToTheText) {
  const std::string text = "Once upon a time there were 12345 cats.\n\n  They said:  \"un-happy\" | 0 a \n b";
  for (const std::size_t step : {1u, 2u, 3u, 5u}) {
    std::vector<std::size_t> cuts;
    for (std::size_t cut = step; cut < text.size(); cut += step) cuts.push_back(cut);
    const SegmentedIds got = encodeSegments(*tokenizer, text, cuts);
    EXPECT_EQ(tokenizer->decode(got.ids).value(), text);
    for (std::size_t i = 0; i < cuts.size(); ++i) {
      const std::vector<TokenId> before(got.ids.begin(),
                                        got.ids.begin() + static_cast<std::ptrdiff_t>(got.idsBefore[i]));
      EXPECT_EQ(tokenizer->decode(before).value(), text.substr(0, cuts[i])) << step;
    }
  }
}

TEST_P(RealTokenizers, ALongTextWithManyCutsTakesLinearTime) {
  std::string text;
  while (text.size() < 200'000)
    text += "Once upon a time, there was a little girl named Lily. She said: \"It's 12!\"\n";
  std::vector<std::size_t> cuts;
  for (std::size_t at = 0; (at = text.find(' ', at + 1)) != std::string::npos;) cuts.push_back(at);
  ASSERT_GT(cuts.size(), 30'000u);
  const auto start = std::chrono::steady_clock::now();
  const SegmentedIds got = encodeSegments(*tokenizer, text, cuts);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20))
      << "encoding every prefix takes minutes";
  EXPECT_EQ(got.ids, tokenizer->encode(text));
  const std::size_t middle = cuts.size() / 2;
  EXPECT_EQ(got.idsBefore[middle], tokenizer->encode(text.substr(0, cuts[middle])).size());
}

INSTANTIATE_TEST_SUITE_P(EncodeSegments, RealTokenizers,
                         ::testing::Values("models/stories260K/tokenizer.model", "models/stories260K/tokenizer.json",
                                           "tokenizers/gpt2/tokenizer.json", "tokenizers/llama3/tokenizer.json",
                                           "tokenizers/qwen2/tokenizer.json", "tokenizers/mistral/tokenizer.json",
                                           "tokenizers/mistral/legacy/tokenizer.json",
                                           "tokenizers/mistral/v1-tokenizer.model",
                                           "tokenizers/mistral/v3-tokenizer.model",
                                           "tokenizers/llama2/tokenizer.model"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace strata
