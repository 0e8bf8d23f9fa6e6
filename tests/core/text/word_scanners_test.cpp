// The loops must find what the expressions that they stand for do, and the classes must be the reference's.
#include "core/text/word_scanners.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "core/text/unicode.h"
#include "core/text/utf8.h"
#include "support.h"

namespace strata {
namespace {

using testing::readText;
using testing::sharedData;

const char* const kExpressions[] = {
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

std::string found(const Pattern& pattern, const std::string& text) {
  std::vector<Stretch> stretches;
  pattern.find(text, stretches);
  std::string all;
  for (const Stretch& stretch : stretches) {
    all += (stretch.matched ? "[" : "(") + text.substr(stretch.begin, stretch.end - stretch.begin) + "]";
  }
  return all;
}

TEST(WordScanners, FindWhatTheirExpressionsDo) {
  std::mt19937 random(7);
  const std::vector<std::string> parts = {
      "a", "B",  "ſ",   "é",   "日",  "1", "٣", "½", " ", "  ",     "\n",     "\r\n", "\t",     "\u00A0", "\u3000",
      "'", "'s", "'LL", "'re", "'vE", "!", "-", "…", "👍", "\u0301", "\u0085", "\x1F", "\u180E", "\u200D"};
  for (const char* expression : kExpressions) {
    const auto scanner = wordScanner(expression);
    ASSERT_NE(scanner, nullptr) << expression;
    // The same expression spelled otherwise is run by PCRE2.
    const auto expected = regexPattern(std::string(expression) + "|(?!)", "test");
    ASSERT_TRUE(expected.has_value()) << expected.error().message;
    ASSERT_EQ(wordScanner(std::string(expression) + "|(?!)"), nullptr);
    for (int i = 0; i < 20'000; ++i) {
      std::string text;
      for (std::size_t length = random() % 12; length > 0; --length) text += parts[random() % parts.size()];
      if (i % 8 == 0) {
        const char32_t c = random() % 0x110000;
        if (c < 0xD800 || c >= 0xE000) appendUtf8(text, c);
      }
      ASSERT_EQ(found(*scanner, text), found(**expected, text)) << expression << " in " << text;
    }
  }
}

class UnicodeClassesGolden : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(UnicodeClassesGolden, AreTheReferences) {
  STRATA_NEEDS_SHARED_DATA();
  const auto classes = nlohmann::json::parse(readText(sharedData() / "tokenizers/golden/unicode_classes.json"));
  std::vector<bool> expected(0x110000);
  for (const auto& range : classes.at(GetParam().first)) {
    for (char32_t c = range[0]; c <= range[1].get<char32_t>(); ++c) expected[c] = true;
  }
  const std::string name = GetParam().first;
  const auto expression = regexPattern(GetParam().second, "test");
  ASSERT_TRUE(expression.has_value()) << expression.error().message;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const bool table = name == "L" ? unicode::isLetter(c) : name == "N" ? unicode::isNumber(c) : unicode::isSpace(c);
    ASSERT_EQ(table, expected[c]) << name << " of " << static_cast<std::uint32_t>(c);
    std::string text;
    appendUtf8(text, c);
    std::vector<Stretch> stretches;
    (*expression)->find(text, stretches);
    ASSERT_EQ(stretches.front().matched, expected[c]) << name << " of " << static_cast<std::uint32_t>(c) << " by PCRE2";
  }
}

INSTANTIATE_TEST_SUITE_P(Classes, UnicodeClassesGolden,
                         ::testing::Values(std::pair{"L", "\\p{L}"}, std::pair{"N", "\\p{N}"}, std::pair{"s", "\\s"}),
                         [](const auto& info) { return std::string(info.param.first); });

TEST(UnicodeClassesGolden, CompositionChangesTheCharactersThatItChangesInTheReference) {
  STRATA_NEEDS_SHARED_DATA();
  const auto classes = nlohmann::json::parse(readText(sharedData() / "tokenizers/golden/unicode_classes.json"));
  std::vector<bool> expected(0x110000);
  for (const auto& range : classes.at("nfc_changes")) {
    for (char32_t c = range[0]; c <= range[1].get<char32_t>(); ++c) expected[c] = true;
  }
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    appendUtf8(text, c);
    ASSERT_EQ(unicode::normalize(unicode::Form::nfc, text) != text, expected[c]) << static_cast<std::uint32_t>(c);
  }
}

}  // namespace
}  // namespace strata
