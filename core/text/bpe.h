#pragma once
// Byte-pair encoding of one word: its characters are merged, the pair of lowest rank first, the leftmost first among
// equals, until no pair of neighbours has a merge (Sennrich et al. 2016, as the `tokenizers` library does it).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/text/vocabulary.h"

namespace strata {

struct BpeOptions {
  std::optional<std::string> unkToken;
  std::string continuingSubwordPrefix;  // of every character but a word's first
  std::string endOfWordSuffix;          // of a word's last character
  bool fuseUnk = false;                 // neighbouring unknown characters are one unknown token
  bool byteFallback = false;            // an unknown character becomes its bytes' tokens, "<0x0A>"
  bool ignoreMerges = false;            // a word that is a token is that token, whatever the merges say
};

/// What encoding one text keeps between its words; for one thread and one Bpe.
class BpeWorkspace {
 public:
  /// The ids kept for `word`, or nullptr.
  const std::vector<TokenId>* find(std::string_view word, std::uint64_t hash) const;
  void keep(std::string_view word, std::uint64_t hash, const TokenId* ids, std::size_t count);
  static constexpr std::size_t kLongestWord = 64;  // bytes; longer ones hardly come again

  std::vector<TokenId> symbols;  // of the word at hand

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::string word;
    std::vector<TokenId> ids;
  };
  void grow();

  std::vector<Slot> m_slots;  // by the hash's low bits; a newer word takes an older one's place
  std::size_t m_kept = 0;
};

class Bpe {
 public:
  using Merge = std::pair<std::string_view, std::string_view>;

  /// Checks that every merge's parts and result are tokens. `where` names the file in errors.
  static Result<Bpe> create(Vocabulary vocabulary, const std::vector<Merge>& merges, BpeOptions options,
                            const std::string& where);

  const Vocabulary& vocabulary() const { return m_vocabulary; }

  /// Whether a word's ids are those of its parts, however it is cut before space symbols (U+2581) that something else
  /// precedes: no merge reaches over these.
  bool partsAtSpaceSymbols() const { return m_partsAtSpaceSymbols; }

  /// Appends the ids of a word.
  void encode(std::string_view word, BpeWorkspace& workspace, std::vector<TokenId>& ids) const;
  /// The same for a word of the byte-level alphabet, given as the bytes that it stands for.
  void encodeBytes(std::string_view bytes, BpeWorkspace& workspace, std::vector<TokenId>& ids) const;

 private:
  struct Merged {
    std::uint64_t pair = 0;  // left << 32 | right
    std::uint32_t rank = kNoRank;
    TokenId id = 0;
  };
  /// The merges' left parts that end in one character where their right parts start with a space symbol. No merge
  /// reaches over a space symbol that another character precedes.
  struct SpaceSymbol {
    TokenId id;
    std::vector<TokenId> joined;  // ascending
  };
  static constexpr std::uint32_t kNoRank = 0xFFFFFFFF;

  Bpe() = default;
  void findSpecialTokens();
  void findSpaceSymbols(const std::vector<Merge>& merges);
  Merged& slotOf(std::uint64_t pair);
  Merged mergeOf(TokenId left, TokenId right) const;
  bool startsWord(TokenId before, TokenId symbol) const;

  void appendSymbols(std::string_view word, std::vector<TokenId>& symbols) const;
  void mergeAll(const std::vector<TokenId>& symbols, std::vector<TokenId>& ids) const;
  void mergeFew(const TokenId* symbols, std::size_t count, std::vector<TokenId>& ids) const;
  void mergeMany(const TokenId* symbols, std::size_t count, std::vector<TokenId>& ids) const;

  Vocabulary m_vocabulary;
  BpeOptions m_options;
  std::vector<Merged> m_merges;  // open addressing; a power of two
  std::vector<SpaceSymbol> m_spaces;
  std::vector<bool> m_singleCharacter;      // by id: the token is one character
  std::array<TokenId, 256> m_byteTokens{};  // "<0x00>"…; -1 where it is no token
  std::array<TokenId, 256> m_alphabet{};    // the byte-level alphabet's characters; -1
  std::array<TokenId, 128> m_ascii{};       // -1
  std::optional<TokenId> m_unk;
  bool m_wholeAlphabet = false;
  bool m_partsAtSpaceSymbols = false;
};

}  // namespace strata
