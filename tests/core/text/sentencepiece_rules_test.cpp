// Models whose normalization rules (precompiled_charsmap) point outside themselves: the library would follow them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include "core/text/sentencepiece_spec.h"
#include "core/text/tokenizer.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

using Trie = std::array<std::uint32_t, 512>;

constexpr std::uint32_t kRootBase = 0x100, kLeafBase = 0x1FF, kLeafBit = 1u << 31, kHasLeaf = 1u << 8;

std::uint32_t unitOf(std::uint32_t label, std::uint32_t at, std::uint32_t childBase) {
  return label | kHasLeaf | (at ^ childBase) << 10;
}

/// One rule: 'a' becomes what the replacements hold from `value` on. The layout is Darts-clone's.
Trie trieOfOneRule(std::uint32_t value = 0) {
  Trie units{};
  units[0] = kRootBase << 10;
  units[kRootBase] = kLeafBit;  // no child with label 0
  units[kRootBase ^ 'a'] = unitOf('a', kRootBase ^ 'a', kLeafBase);
  units[kLeafBase] = kLeafBit | value;
  return units;
}

std::string word(std::uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

std::string charsMap(const Trie& units, const std::string& replacements = std::string("b\0", 2)) {
  std::string bytes = word(4 * units.size());
  for (const std::uint32_t unit : units) bytes += word(unit);
  return bytes + replacements;
}

std::string lengthOf(std::size_t size) {  // a varint
  std::string bytes;
  for (; size >= 0x80; size >>= 7) bytes += static_cast<char>((size & 0x7F) | 0x80);
  return bytes + static_cast<char>(size);
}

std::string field(char tag, const std::string& bytes) {
  return tag + lengthOf(bytes.size()) + bytes;
}

constexpr char kNormalizerSpec = 0x1A, kDenormalizerSpec = 0x2A, kCharsMapField = 0x12;

/// The stories model with these rules as its last, which counts.
std::string modelWith(const std::string& map, char spec = kNormalizerSpec) {
  return testing::readText(testing::sourceFolder() / "resources/models/stories260K/tokenizer.model") +
         field(spec, field(kCharsMapField, map));
}

class SentencePieceRules : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Tokenizer>> open(const std::string& model) {
    testing::writeText(m_folder.path() / "tokenizer.model", model);
    return openTokenizer(m_folder.path());
  }
  void expectRefused(const std::string& map) {
    for (const char spec : {kNormalizerSpec, kDenormalizerSpec}) {
      const auto opened = open(modelWith(map, spec));
      ASSERT_FALSE(opened);
      EXPECT_THAT(opened.error().message, HasSubstr("tokenizer.model is not a whole SentencePiece model"));
    }
  }

 private:
  testing::TemporaryFolder m_folder;
};

TEST_F(SentencePieceRules, ReplaceWhatTheyNameWhereTheyAreWhole) {
  const auto opened = open(modelWith(charsMap(trieOfOneRule())));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->encode("a banana"), (*opened)->encode("b bbnbnb"));
}

TEST_F(SentencePieceRules, AreRefusedWhereTheTrieIsLargerThanTheMap) {
  std::string map = charsMap(trieOfOneRule());
  for (const std::uint32_t size : {0xFFFFFFFFu, 4u * 512 + 4, 4u * 512 + 3, 4u * 512 + 2, 4u * 512 - 1, 4u, 0u}) {
    expectRefused(map.replace(0, 4, word(size)));
  }
  expectRefused("abcd");
  expectRefused("a");
}

TEST_F(SentencePieceRules, AreRefusedWhereAPathLeavesTheTrie) {
  Trie root = trieOfOneRule();
  root[0] = 0x1000u << 10;
  expectRefused(charsMap(root));
  Trie child = trieOfOneRule();
  child[kRootBase ^ 'a'] |= 0x3FFu << 20;
  expectRefused(charsMap(child));
}

TEST_F(SentencePieceRules, AreRefusedWhereAReplacementIsNotInTheMap) {
  expectRefused(charsMap(trieOfOneRule(2)));
  expectRefused(charsMap(trieOfOneRule(0x7FFFFFFF)));
  expectRefused(charsMap(trieOfOneRule(), "no end"));
  expectRefused(charsMap(trieOfOneRule(), ""));
}

// Each further 'a' would be one more match, and the library keeps 32.
TEST_F(SentencePieceRules, AreRefusedWhereAPathHasNoEnd) {
  Trie units = trieOfOneRule();
  units[kRootBase ^ 'a'] = unitOf('a', kRootBase ^ 'a', kRootBase);
  expectRefused(charsMap(units));
}

TEST_F(SentencePieceRules, AreFoundBehindFieldsThatTheSchemaDoesNotKnow) {
  Trie units = trieOfOneRule();
  units[0] = 0x1000u << 10;
  const std::string stories = modelWith("");
  const std::string group = "\x7B\x7C";  // an unknown group, empty
  EXPECT_FALSE(open(stories + group + field(kNormalizerSpec, field(kCharsMapField, charsMap(units)))));
  EXPECT_FALSE(
      open(modelWith(charsMap(units)) + field(kNormalizerSpec, field(kCharsMapField, charsMap(trieOfOneRule())))));
}

TEST_F(SentencePieceRules, OfPublishedModelsPass) {
  STRATA_NEEDS_SHARED_DATA();
  for (const char* path : {"tokenizers/llama2/tokenizer.model", "tokenizers/mistral/v1-tokenizer.model",
                           "tokenizers/mistral/v3-tokenizer.model", "models/stories260K/tokenizer.model"}) {
    EXPECT_TRUE(isSafeToLoad(testing::readText(testing::sharedData() / path))) << path;
  }
}

}  // namespace
}  // namespace strata
