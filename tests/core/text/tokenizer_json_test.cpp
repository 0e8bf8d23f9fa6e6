#include "core/text/tokenizer_json.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/base/cancel_scope.h"
#include "support.h"

namespace strata {
namespace {

using nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::sharedData;
using testing::TemporaryFolder;
using testing::writeText;

/// A file whose tokens are the printable ASCII characters ('!' is 0, 'a' is 64), "▁" 94, " " 95, then what `extra`
/// adds.
ordered_json fileWith(const std::vector<std::string>& extra = {}) {
  ordered_json vocab;
  for (char c = '!'; c <= '~'; ++c) vocab[std::string(1, c)] = vocab.size();
  vocab["\xE2\x96\x81"] = vocab.size();
  vocab[" "] = vocab.size();
  for (const std::string& token : extra) vocab[token] = vocab.size();
  ordered_json file;
  file["version"] = "1.0";
  file["added_tokens"] = ordered_json::array();
  file["model"] = {{"type", "BPE"}, {"vocab", vocab}, {"merges", ordered_json::array()}};
  return file;
}

std::unique_ptr<Tokenizer> opened(const ordered_json& file, const NamedSpecials& named = {}) {
  auto tokenizer = parseTokenizerJson(file.dump(), "tokenizer.json", named);
  EXPECT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

Error errorOf(const std::string& text) {
  const auto tokenizer = parseTokenizerJson(text, "tokenizer.json", {});
  EXPECT_FALSE(tokenizer.has_value());
  return tokenizer ? Error{} : tokenizer.error();
}

/// The tokens of a text, each decoded by itself, with | between them.
std::string wordsOf(const ordered_json& file, const std::string& text) {
  const auto tokenizer = opened(file);
  if (!tokenizer) return "";
  std::string words;
  for (const TokenId id : tokenizer->encode(text)) {
    words += (words.empty() ? "" : "|") + tokenizer->decode({id}).value();
  }
  return words;
}

/// Where a pre-tokenizer cuts: every pair of neighbouring letters and digits has a merge, so that words become tokens.
std::string cutsOf(const ordered_json& preTokenizer, const std::string& text) {
  ordered_json file = fileWith();
  ordered_json merges = ordered_json::array();
  ordered_json& vocab = file["model"]["vocab"];
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    for (std::size_t length = 2; begin + length <= text.size(); ++length) {
      const std::string token = text.substr(begin, length);
      const ordered_json merge = {token.substr(0, length - 1), token.substr(length - 1)};
      if (!vocab.contains(token)) {
        vocab[token] = vocab.size();
        merges.push_back(merge);
      }
    }
  }
  file["model"]["merges"] = merges;
  file["model"]["ignore_merges"] = true;
  file["pre_tokenizer"] = preTokenizer;
  return wordsOf(file, text);
}

ordered_json split(const ordered_json& pattern, const std::string& behavior, bool invert = false) {
  return {{"type", "Split"}, {"pattern", pattern}, {"behavior", behavior}, {"invert", invert}};
}

TEST(TokenizerJson, MergesTheLowestRankFirstAndTheLeftmostAmongEquals) {
  ordered_json file = fileWith({"ab", "bc", "aa", "abc"});
  file["model"]["merges"] = {"b c", "a b", "a a", "ab c"};
  EXPECT_EQ(wordsOf(file, "abc"), "a|bc");
  EXPECT_EQ(wordsOf(file, "aaa"), "aa|a");
  file["model"]["merges"] = ordered_json::parse(R"([["a", "b"], ["b", "c"], ["ab", "c"]])");
  EXPECT_EQ(wordsOf(file, "abcbc"), "abc|bc");
}

TEST(TokenizerJson, AWordOfManyCharactersMergesAsOneOfFewDoes) {
  ordered_json file = fileWith({"ab", "abab", "ba"});
  file["model"]["merges"] = {"a b", "ab ab", "b a"};
  std::string text, expected;
  for (int i = 0; i < 60; ++i) text += "ab";
  for (int i = 0; i < 30; ++i) expected += i == 0 ? "abab" : "|abab";
  EXPECT_EQ(wordsOf(file, text), expected);
}

TEST(TokenizerJson, UnknownCharactersAreDroppedReplacedFusedOrSpelledInBytes) {
  ordered_json file = fileWith({"<unk>", "<0xC3>", "<0xA9>"});
  const TokenId unk = 96, c3 = 97, a9 = 98;
  EXPECT_THAT(opened(file)->encode("aéöb"), ElementsAre(64, 65));
  file["model"]["unk_token"] = "<unk>";
  EXPECT_THAT(opened(file)->encode("aéöb"), ElementsAre(64, unk, unk, 65));
  file["model"]["fuse_unk"] = true;
  EXPECT_THAT(opened(file)->encode("aéöb"), ElementsAre(64, unk, 65));
  file["model"]["byte_fallback"] = true;
  EXPECT_THAT(opened(file)->encode("aéöb"), ElementsAre(64, c3, a9, unk, 65));
  EXPECT_THAT(opened(file)->encode("öéb"), ElementsAre(c3, a9, unk, 65)) << "the library's order";
}

TEST(TokenizerJson, PrefixAndSuffixMarkAWordsCharacters) {
  ordered_json file = fileWith({"##b", "b</w>", "##b</w>", "a##b</w>", "ab</w>", "a</w>"});
  file["model"]["continuing_subword_prefix"] = "##";
  file["model"]["end_of_word_suffix"] = "</w>";
  EXPECT_EQ(wordsOf(file, "ab"), "a|##b</w>");
  EXPECT_EQ(wordsOf(file, "a"), "a</w>");
  file["model"]["merges"] = {"a ##b</w>"};
  EXPECT_EQ(wordsOf(file, "ab"), "ab</w>");
}

TEST(TokenizerJson, SplitsInEveryBehaviour) {
  const ordered_json dash = {{"String", "-"}};
  EXPECT_EQ(cutsOf(split(dash, "Removed"), "a-b--c"), "a|b|c");
  EXPECT_EQ(cutsOf(split(dash, "Isolated"), "a-b--c"), "a|-|b|-|-|c");
  EXPECT_EQ(cutsOf(split(dash, "MergedWithPrevious"), "a-b--c"), "a-|b-|-|c");
  EXPECT_EQ(cutsOf(split(dash, "MergedWithNext"), "a-b--c"), "a|-b|-|-c");
  EXPECT_EQ(cutsOf(split(dash, "Contiguous"), "a-b--c"), "a|-|b|--|c");
  EXPECT_EQ(cutsOf(split(dash, "Removed", true), "a-b--c"), "-|-|-");
  EXPECT_EQ(cutsOf(split({{"String", ""}}, "Isolated"), "abc"), "a|b|c");
}

TEST(TokenizerJson, SplitsAtOnigurumasExpressions) {
  const auto removed = [](const char* expression, const std::string& text) {
    return cutsOf(split({{"Regex", expression}}, "Removed"), text);
  };
  EXPECT_EQ(removed("[a-c&&[^b]]", "xaybzc"), "x|ybz");
  EXPECT_EQ(removed("[[:digit:]x]+", "a1x2b"), "a|b");
  EXPECT_EQ(removed("[^\\W\\d]", "a1b-2"), "1|-2");
  EXPECT_EQ(removed("x{2}+", "axxxxb"), "a|b") << "not possessive";
  EXPECT_EQ(removed("a(?i)b|c", "AbaBCc"), "Ab|Cc") << "(?i) reaches over the |";
  EXPECT_EQ(removed("\\h", "xfg0"), "x|g");
  EXPECT_EQ(removed("\\p{^L}", "a1b"), "a|b");
  EXPECT_EQ(removed("{", "a{b"), "a|b");
  EXPECT_EQ(removed("(.)\\1", "abba"), "a|a");
}

TEST(TokenizerJson, CutsAtDigitsPunctuationSpaceAndLengths) {
  EXPECT_EQ(cutsOf({{"type", "Digits"}, {"individual_digits", false}}, "a12b"), "a|12|b");
  EXPECT_EQ(cutsOf({{"type", "Digits"}, {"individual_digits", true}}, "a12b"), "a|1|2|b");
  EXPECT_EQ(cutsOf({{"type", "Punctuation"}, {"behavior", "Contiguous"}}, "a!?b"), "a|!?|b");
  EXPECT_EQ(cutsOf({{"type", "Whitespace"}}, "a_1 b!? c"), "a_1|b|!?|c");
  EXPECT_EQ(cutsOf({{"type", "WhitespaceSplit"}}, " a!  b"), "a!|b");
  EXPECT_EQ(cutsOf({{"type", "BertPreTokenizer"}}, "a!? b"), "a|!|?|b");
  EXPECT_EQ(cutsOf({{"type", "CharDelimiterSplit"}, {"delimiter", "x"}}, "axbxx"), "a|b");
  EXPECT_EQ(cutsOf({{"type", "FixedLength"}, {"length", 2}}, "abcde"), "ab|cd|e");
}

TEST(TokenizerJson, MetaspaceMarksTheStartAlwaysNeverOrOfTheTextAlone) {
  ordered_json file = fileWith();
  file["added_tokens"] = {{{"id", 0}, {"content", "<s>"}, {"normalized", false}, {"special", true}}};
  const auto with = [&](const ordered_json& options) {
    file["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "_"}};
    file["pre_tokenizer"].update(options);
    return wordsOf(file, "a b<s>c");
  };
  EXPECT_EQ(with({{"prepend_scheme", "always"}}), "_|a|_|b|<s>|_|c");
  EXPECT_EQ(with({{"prepend_scheme", "first"}}), "_|a|_|b|<s>|c");
  EXPECT_EQ(with({{"prepend_scheme", "never"}}), "a|_|b|<s>|c");
  EXPECT_EQ(with({{"add_prefix_space", true}}), "_|a|_|b|<s>|_|c") << "files from before prepend_scheme";
}

TEST(TokenizerJson, Normalises) {
  ordered_json file = fileWith();
  const auto with = [&](const ordered_json& normalizer, const std::string& text) {
    file["normalizer"] = normalizer;
    return wordsOf(file, text);
  };
  EXPECT_EQ(with({{"type", "Lowercase"}}, "AbC"), "a|b|c");
  EXPECT_EQ(with({{"type", "Strip"}, {"strip_left", true}, {"strip_right", false}}, " a "), "a| ");
  EXPECT_EQ(with({{"type", "Prepend"}, {"prepend", "xy"}}, "a"), "x|y|a");
  EXPECT_EQ(with({{"type", "Replace"}, {"pattern", {{"String", "ab"}}}, {"content", "c"}}, "xabab"), "x|c|c");
  EXPECT_EQ(with({{"type", "Replace"}, {"pattern", {{"Regex", "a+"}}}, {"content", "$1"}}, "baab"), "b|$|1|b");
  EXPECT_EQ(with({{"type", "NFKC"}}, "ﬁ②"), "f|i|2");
  EXPECT_EQ(with({{"type", "Sequence"}, {"normalizers", {{{"type", "NFD"}}, {{"type", "StripAccents"}}}}}, "é"), "e");
  EXPECT_EQ(with({{"type", "Nmt"}}, "a\u200Bb\x01"), "a| |b");
  EXPECT_EQ(with({{"type", "BertNormalizer"},
                  {"clean_text", true},
                  {"handle_chinese_chars", true},
                  {"strip_accents", nullptr},
                  {"lowercase", true}},
                 "É\t\x02"),
            "e| ");
}

TEST(TokenizerJson, NormalisationFollowsTheLibrarysOlderUnicode) {
  ordered_json file = fileWith({"\U00011935", "\U00011930", "\U00011938", "\u32FF"});
  file["normalizer"] = {{"type", "NFKC"}};
  EXPECT_EQ(wordsOf(file, "\U00011935\U00011930\u32FF"), "\U00011935|\U00011930|\u32FF");
  EXPECT_EQ(wordsOf(file, "\U00011938"), "\U00011938");
}

ordered_json addedToken(const std::string& content, const ordered_json& options = {}) {
  ordered_json token = {{"id", 0},         {"content", content},  {"single_word", false}, {"lstrip", false},
                        {"rstrip", false}, {"normalized", false}, {"special", false}};
  if (options.is_object()) token.update(options);
  return token;
}

TEST(TokenizerJson, FindsTheLongestAddedTokenAndGivesItTheNextFreeId) {
  ordered_json file = fileWith();
  file["added_tokens"] = {addedToken("ab"), addedToken("abc"), addedToken("a")};
  EXPECT_THAT(opened(file)->encode("abcab"), ElementsAre(97, 96));
  EXPECT_THAT(opened(file)->encode("xa"), ElementsAre(87, 64)) << "a token of the model keeps its id";
}

TEST(TokenizerJson, AddedTokensTakeSpacesKeepToWordsAndFollowTheNormalizer) {
  ordered_json file = fileWith();
  file["added_tokens"] = ordered_json::array({addedToken("<x>", {{"lstrip", true}, {"rstrip", true}})});
  EXPECT_THAT(opened(file)->encode("a <x>  b"), ElementsAre(64, 96, 65));
  file["added_tokens"] = ordered_json::array({addedToken("ab", {{"single_word", true}})});
  EXPECT_THAT(opened(file)->encode("ab abc.ab"), ElementsAre(96, 95, 64, 65, 66, 13, 96));
  file["added_tokens"] = ordered_json::array({addedToken("AB", {{"normalized", true}})});
  file["normalizer"] = {{"type", "Lowercase"}};
  EXPECT_THAT(opened(file)->encode("ab Ab"), ElementsAre(96, 95, 96));
  file["added_tokens"] = ordered_json::array({addedToken("AB")});
  EXPECT_THAT(opened(file)->encode("ab AB"), ElementsAre(64, 65, 95, 96));
}

TEST(TokenizerJson, SpecialTokensAreTextWhereAskedAndOthersNever) {
  ordered_json file = fileWith();
  file["added_tokens"] = {addedToken("<s>", {{"special", true}}), addedToken("<t>")};
  const auto tokenizer = opened(file);
  EXPECT_THAT(tokenizer->encode("<s><t>"), ElementsAre(96, 97));
  EXPECT_THAT(tokenizer->encode("<s><t>", SpecialTokens::plain), ElementsAre(27, 82, 29, 97));
  EXPECT_EQ(tokenizer->decode({96, 64, 97}, true).value(), "a <t>");
}

std::string decoded(const ordered_json& decoder, const std::vector<std::string>& tokens) {
  ordered_json file = fileWith();
  std::vector<TokenId> ids;
  for (const std::string& token : tokens) {
    ordered_json& vocab = file["model"]["vocab"];
    if (!vocab.contains(token)) vocab[token] = vocab.size();
    ids.push_back(vocab[token].get<TokenId>());
  }
  file["decoder"] = decoder;
  const auto tokenizer = opened(file);
  if (!tokenizer) return "";
  TokenStream stream(*tokenizer);
  std::string streamed;
  for (const TokenId id : ids) streamed += stream.push(id);
  streamed += stream.finish();
  std::string text = tokenizer->decode(ids).value();
  EXPECT_EQ(streamed, text);
  return text;
}

TEST(TokenizerJson, Decodes) {
  EXPECT_EQ(decoded(nullptr, {"a", "b"}), "a b");
  EXPECT_EQ(decoded({{"type", "Fuse"}}, {"a", "b"}), "ab");
  EXPECT_EQ(decoded({{"type", "ByteLevel"}}, {"Ġa", "Ã", "©", "日"}), " aé日");
  EXPECT_EQ(decoded({{"type", "ByteLevel"}}, {"â", "Ĥ", "x"}), "\uFFFDx") << "one for a cut character";
  EXPECT_EQ(decoded({{"type", "ByteFallback"}}, {"<0xC3>", "<0xa9>", "x"}), "éx");
  EXPECT_EQ(decoded({{"type", "Metaspace"}, {"replacement", "_"}}, {"_a_", "_b"}), "a b");
  EXPECT_EQ(decoded({{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "never"}}, {"_a", "_b"}), " a b");
  EXPECT_EQ(decoded({{"type", "Strip"}, {"content", "x"}, {"start", 1}, {"stop", 2}}, {"xxaxxx", "x", "b"}), "xaxb");
  EXPECT_EQ(decoded({{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}, {"a", "##b", "n't", "."}), "abn't.");
  EXPECT_EQ(decoded({{"type", "BPEDecoder"}, {"suffix", "</w>"}}, {"a</w>", "b", "c</w>"}), "a bc");
  EXPECT_EQ(decoded({{"type", "CTC"}, {"pad_token", "<pad>"}, {"word_delimiter_token", "|"}, {"cleanup", true}},
                    {"a", "a", "<pad>", "a", "|", "b"}),
            "aa b");
  EXPECT_EQ(decoded({{"type", "Replace"}, {"pattern", {{"Regex", "b+"}}}, {"content", "-"}}, {"abbc", "b"}), "a-c-");
  const ordered_json fuse = {{"type", "Fuse"}};
  const ordered_json replace = {{"type", "Replace"}, {"pattern", {{"String", "abc"}}}, {"content", "-"}};
  EXPECT_EQ(decoded({{"type", "Sequence"}, {"decoders", {fuse, replace}}}, {"xa", "ab", "cab", "d"}), "xa-abd");
}

TEST(TokenizerJson, AStreamShowsACharacterOfByteTokensWithItsLastByte) {
  ordered_json file = fileWith({"<0xC3>", "<0xA9>"});
  file["decoder"] = {{"type", "Sequence"}, {"decoders", {{{"type", "ByteFallback"}}, {{"type", "Fuse"}}}}};
  const auto tokenizer = opened(file);
  TokenStream stream(*tokenizer);
  EXPECT_EQ(stream.push(96), "");
  EXPECT_EQ(stream.push(97), "é");
  EXPECT_EQ(stream.push(97), "\uFFFD");
  EXPECT_EQ(stream.push(96), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(tokenizer->decode({96, 97, 97}).value(), "\uFFFD\uFFFD\uFFFD") << "a run that is no UTF-8 is none of it";
}

TEST(TokenizerJson, PutsThePostProcessorsTokensAroundAText) {
  ordered_json file = fileWith();
  const ordered_json special = {{"SpecialToken", {{"id", "x"}, {"type_id", 0}}}};
  const ordered_json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  ordered_json processor = {{"type", "TemplateProcessing"},
                            {"single", {special, text}},
                            {"pair", ordered_json::array()},
                            {"special_tokens", {{"x", {{"id", "x"}, {"ids", {1, 2}}, {"tokens", {"a", "b"}}}}}}};
  file["post_processor"] = processor;
  EXPECT_THAT(opened(file)->withSpecials({9}), ElementsAre(1, 2, 9));
  EXPECT_EQ(opened(file)->bosId(), 1);
  const ordered_json bert = {{"type", "BertProcessing"}, {"sep", {"s", 5}}, {"cls", {"c", 6}}};
  file["post_processor"] = {{"type", "Sequence"}, {"processors", {bert, processor}}};
  EXPECT_THAT(opened(file)->withSpecials({9}), ElementsAre(1, 2, 6, 9, 5));
  EXPECT_EQ(opened(file)->eosId(), 5);
  processor["single"] = ordered_json::array({special});
  file["post_processor"] = processor;
  EXPECT_THAT(errorOf(file.dump()).message, HasSubstr("the text (sequence A) exactly once"));
}

TEST(TokenizerJson, TokenizerConfigNamesBosAndEos) {
  const TemporaryFolder folder;
  writeText(folder.path() / "tokenizer.json", fileWith({"<s>", "</s>"}).dump());
  EXPECT_EQ(openTokenizer(folder.path()).value()->bosId(), 96);
  writeText(folder.path() / "tokenizer_config.json", R"({"bos_token": null, "eos_token": {"content": "b"}})");
  EXPECT_EQ(openTokenizer(folder.path()).value()->bosId(), std::nullopt);
  EXPECT_EQ(openTokenizer(folder.path()).value()->eosId(), 65);
  writeText(folder.path() / "tokenizer_config.json", R"({"bos_token": 1})");
  EXPECT_THAT(openTokenizer(folder.path()).error().message, HasSubstr("\"bos_token\" must be a token or null"));
}

TEST(TokenizerJson, RefusesByNameWhatItCannotRead) {
  const auto with = [](const char* key, const ordered_json& value) {
    ordered_json file = fileWith();
    file[key] = value;
    return errorOf(file.dump()).message;
  };
  EXPECT_THAT(with("model", {{"type", "Unigram"}, {"vocab", ordered_json::array()}}), HasSubstr("\"Unigram\""));
  EXPECT_THAT(with("model", {{"type", "WordPiece"}, {"vocab", ordered_json::object()}}),
              HasSubstr("supported are BPE"));
  EXPECT_THAT(with("normalizer", {{"type", "Precompiled"}}), HasSubstr("normalizer has the type \"Precompiled\""));
  EXPECT_THAT(with("pre_tokenizer", {{"type", "UnicodeScripts"}}), HasSubstr("\"UnicodeScripts\""));
  EXPECT_THAT(with("pre_tokenizer", {{"type", "ByteLevel"}}), HasSubstr("lacks \"add_prefix_space\""));
  EXPECT_THAT(with("pre_tokenizer", split({{"Regex", "(a"}}, "Removed")), HasSubstr("has a ( without its )"));
  EXPECT_THAT(with("decoder", {{"type", "Sequence"}, {"decoders", {{{"type", "Nope"}}}}}),
              HasSubstr("decoder.decoders[0]"));
  EXPECT_THAT(with("version", "2.0"), HasSubstr("version \"2.0\""));
  ordered_json file = fileWith();
  file["model"]["dropout"] = 0.1;
  EXPECT_THAT(errorOf(file.dump()).message, HasSubstr("set \"dropout\" to null"));
  file["model"]["dropout"] = 0;
  EXPECT_NE(opened(file), nullptr);
}

TEST(TokenizerJson, RefusesBrokenFilesWithTheirPlace) {
  EXPECT_THAT(errorOf("").message, HasSubstr("is not valid JSON"));
  EXPECT_THAT(errorOf("[]").message, HasSubstr("must hold a JSON object"));
  EXPECT_THAT(errorOf("{}").message, HasSubstr("lacks \"model\""));
  EXPECT_THAT(errorOf("{\"model\":\n{\"vocab\" 3}}").message, HasSubstr("line 2"));
  EXPECT_THAT(errorOf(R"({"model": 1, "model": 2})").message, HasSubstr("the key \"model\" twice"));
  EXPECT_THAT(errorOf(R"({"model": {"vocab": {"a": 1, "a": 2}}})").message, HasSubstr("\"a\" is given twice"));
  EXPECT_THAT(errorOf(R"({"model": {"vocab": {"a": -1}}})").message, HasSubstr("an id from 0"));
  EXPECT_THAT(errorOf(R"({"model": {"vocab": {"a": 2000000000}, "merges": []}})").message, HasSubstr("id 2000000000"));
  EXPECT_THAT(errorOf(R"({"model": {"vocab": {"a": []}}})").message, HasSubstr("whole number"));
  EXPECT_THAT(errorOf(R"({"model": {"vocab": {"a": 0}, "merges": ["a b c"]}})").message, HasSubstr("model.merges[0]"));
  EXPECT_THAT(errorOf(R"({"model": {"vocab": {"a": 0}, "merges": [["a"]]}})").message, HasSubstr("two parts"));
  EXPECT_THAT(errorOf(R"({"model": {"vocab": {"a": 0}, "merges": ["a a"]}})").message, HasSubstr("the token \"aa\""));
  EXPECT_THAT(errorOf(std::string(100'000, '[')).message, HasSubstr("nested deeper than 128"));
}

TEST(TokenizerJson, HostilePartsNeitherHangNorGrow) {
  ordered_json file = fileWith();
  const std::string text(1000, 'a');
  file["pre_tokenizer"] = split({{"Regex", "(a+)+$|(a*)*b"}}, "Isolated");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(opened(file)->encode(text + "!").size(), 1001u);
  file["pre_tokenizer"] = nullptr;
  const ordered_json doubling = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::vector<ordered_json>(200, doubling)}};
  EXPECT_LT(opened(file)->encode("a").size(), 40'000'000u);
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::vector<ordered_json>(300, doubling)}};
  EXPECT_THAT(errorOf(file.dump()).message, HasSubstr("more than 256 parts"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(testing::kSanitized ? 200 : 20));
}

TEST(TokenizerJson, MatchesThatEachLookAtTheWholeRestOfTheTextEnd) {
  ordered_json file = fileWith();
  // Few steps a match, but each reads to the end of the text: quadratic without a limit.
  const std::string text(1 << 18, 'a');
  for (const char* expression : {"a(?=[^z]*)", "a(?=[^z]*z)", "(?=[^y]*+)(?=[^z]*+)a"}) {
    file["pre_tokenizer"] = split({{"Regex", expression}}, "Isolated");
    timespec begin{}, end{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    EXPECT_EQ(opened(file)->encode(text).size(), text.size()) << expression << ": nothing of the text is lost";
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    EXPECT_LT(end.tv_sec - begin.tv_sec, 8) << expression;
  }
}

TEST(TokenizerJson, ACancelledRequestEndsAnExpressionAtWork) {
  ordered_json file = fileWith();
  file["pre_tokenizer"] = split({{"Regex", "a(?=[^z]*z)"}}, "Isolated");
  const auto tokenizer = opened(file);
  const std::string text(1 << 18, 'a');
  const auto cost = [&] {
    timespec begin{}, end{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    EXPECT_EQ(tokenizer->encode(text).size(), text.size());
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return static_cast<double>(end.tv_sec - begin.tv_sec) + 1e-9 * static_cast<double>(end.tv_nsec - begin.tv_nsec);
  };
  const double whole = cost();
  const std::atomic<bool> cancelled = true;
  const CancelScope scope(cancelled);
  EXPECT_LT(cost(), whole / 2);
}

TEST(TokenizerJson, AFileOverTheLimitIsRefusedBeforeItIsRead) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "tokenizer.json";
  writeText(path, "{");
  std::filesystem::resize_file(path, (256u << 20) + 1);
  const auto tokenizer = openTokenizer(path);
  ASSERT_FALSE(tokenizer);
  EXPECT_THAT(tokenizer.error().message, HasSubstr("tokenizer.json"));
}

TEST(TokenizerJson, InvalidUtf8IsReadAsReplacementCharacters) {
  ordered_json file = fileWith({"\uFFFD"});
  EXPECT_THAT(opened(file)->encode("a\xFF\xE2\x82z"), ElementsAre(64, 96, 96, 89));
}

TEST(TokenizerJsonSlow, AMebibyteOfOneCharacterTakesUnderTwoSeconds) {
  STRATA_NEEDS_SHARED_DATA();
  for (const char* path : {"gpt2", "llama3", "qwen2", "mistral", "mistral/legacy"}) {
    const auto tokenizer = openTokenizer(sharedData() / "tokenizers" / path / "tokenizer.json");
    ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
    for (const char c : {'a', ' ', '\n', '7'}) {
      const auto start = std::chrono::steady_clock::now();
      EXPECT_GT((*tokenizer)->encode(std::string(1 << 20, c)).size(), 1000u);
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2)) << path << " " << c;
    }
  }
}

TEST(TokenizerJson, ThreadsShareATokenizer) {
  STRATA_NEEDS_SHARED_DATA();
  const auto opened = openTokenizer(sharedData() / "tokenizers/gpt2/tokenizer.json");
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  const Tokenizer& tokenizer = **opened;
  const std::string text = "The same words, again and again: 1234 it's the same.";
  const std::vector<TokenId> expected = tokenizer.encode(text);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  threads.reserve(wrong.size());
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i)
        count += tokenizer.encode(text) != expected || tokenizer.decode(expected).value() != text;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

}  // namespace
}  // namespace strata
