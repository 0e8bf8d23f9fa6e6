#pragma once
// A tokenizer whose ids are plain to see: a byte is its own id, then BOS 256 and EOS 257.

#include "core/text/tokenizer.h"

namespace strata::testing {

class ByteTokenizer : public Tokenizer {
 public:
  static constexpr TokenId kBos = 256, kEos = 257;

  explicit ByteTokenizer(bool specials = true) : m_specials(specials) {}
  std::vector<TokenId> encode(std::string_view text, SpecialTokens) const override {
    std::vector<TokenId> ids;
    for (const char byte : text) ids.push_back(static_cast<unsigned char>(byte));
    return ids;
  }
  std::vector<TokenId> withSpecials(std::vector<TokenId> ids) const override {
    if (m_specials) ids.insert(ids.begin(), kBos);
    return ids;
  }
  Result<std::string> decode(const std::vector<TokenId>& ids, bool) const override {
    std::string text;
    for (const TokenId id : ids) text += pieceBytes(id, false, false);
    return text;
  }
  std::optional<TokenId> bosId() const override { return m_specials ? std::optional(kBos) : std::nullopt; }
  std::optional<TokenId> eosId() const override { return m_specials ? std::optional(kEos) : std::nullopt; }
  std::int64_t vocabSize() const override { return 258; }
  std::string pieceBytes(TokenId id, bool, bool) const override {
    return id < 256 ? std::string(1, static_cast<char>(id)) : std::string();
  }

 private:
  bool m_specials;
};

}  // namespace strata::testing
