#pragma once
// Token strings and their ids, one allocation for all the strings.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace strata {

/// A 64-bit hash of bytes for tables inside one process (wyhash-like mixing; not stable across versions).
std::uint64_t hashBytes(std::string_view bytes);

class Vocabulary {
 public:
  /// False where the token is there already.
  bool add(std::string_view token, TokenId id);
  /// Fills the table by id; to be called once, after the last add().
  void finish();

  std::optional<TokenId> idOf(std::string_view token) const;
  /// Nothing for an id that no token has. Where two tokens share an id, the later one.
  std::optional<std::string_view> tokenOf(TokenId id) const;
  std::size_t size() const { return m_entries.size(); }
  TokenId maxId() const { return m_maxId; }  // -1 where empty

 private:
  struct Entry {
    std::uint64_t hash;
    std::uint32_t start, length;
    TokenId id;
  };
  static constexpr std::uint32_t kFree = 0xFFFFFFFF;

  std::string_view textOf(const Entry& entry) const {
    return std::string_view(m_bytes).substr(entry.start, entry.length);
  }
  std::size_t slotOf(std::string_view token, std::uint64_t hash) const;
  void grow();

  std::string m_bytes;
  std::vector<Entry> m_entries;
  std::vector<std::uint32_t> m_slots;  // entry numbers, open addressing; a power of two
  std::vector<std::uint32_t> m_byId;   // entry numbers
  TokenId m_maxId = -1;
};

}  // namespace strata
