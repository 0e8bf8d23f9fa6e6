#pragma once
// Tokens that are found in a text before the model sees it: tokenizer.json's added_tokens.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/vocabulary.h"

namespace strata {

struct AddedToken {
  std::string content;
  TokenId id = 0;
  bool singleWord = false;  // only where no word character touches it
  bool lstrip = false;      // takes the white space on its left with it
  bool rstrip = false;      // and on its right
  bool normalized = true;   // looked for in the normalised text
  bool special = false;     // left out by skipSpecial; text for SpecialTokens::plain
};

/// Finds the leftmost, and of these the longest, of some tokens.
class AddedTokenFinder {
 public:
  /// A stretch of text: of a token, or (id -1) between tokens.
  struct Part {
    std::size_t begin, end;
    TokenId id;
  };

  /// Contents may not be empty; of equal ones the last is found.
  explicit AddedTokenFinder(std::vector<AddedToken> tokens = {});
  bool empty() const { return m_tokens.empty(); }
  bool hasSingleWords() const;
  /// The parts cover the text from `from` on, where a token may not begin before. Nothing to cover is one empty part.
  void split(std::string_view text, SpecialTokens specials, std::vector<Part>& parts, std::size_t from = 0) const;

 private:
  struct Node {
    std::vector<std::pair<std::uint8_t, std::uint32_t>> children;
    std::int32_t token = -1;
  };
  std::int32_t longestAt(std::string_view text, std::size_t at) const;

  std::vector<AddedToken> m_tokens;
  std::vector<Node> m_nodes;  // a trie of bytes; the root is first
  std::array<bool, 256> m_starts{};
};

}  // namespace strata
