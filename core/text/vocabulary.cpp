#include "core/text/vocabulary.h"

#include <algorithm>
#include <cstring>

namespace strata {
namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint64_t hashBytes(std::string_view bytes) {
  constexpr std::uint64_t kOdd1 = 0x9E3779B97F4A7C15, kOdd2 = 0xD1B54A32D192ED03;
  std::uint64_t hash = bytes.size() * kOdd1;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    hash = mix(hash ^ word, kOdd2);
  }
  std::uint64_t word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  return mix(hash ^ word ^ kOdd1, kOdd2 ^ kOdd1);
}

std::size_t Vocabulary::slotOf(std::string_view token, std::uint64_t hash) const {
  const std::size_t mask = m_slots.size() - 1;
  for (std::size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    const std::uint32_t number = m_slots[slot];
    if (number == kFree || (m_entries[number].hash == hash && textOf(m_entries[number]) == token)) return slot;
  }
}

void Vocabulary::grow() {
  m_slots.assign(std::max<std::size_t>(64, m_slots.size() * 2), kFree);
  for (std::uint32_t number = 0; number < m_entries.size(); ++number) {
    m_slots[slotOf(textOf(m_entries[number]), m_entries[number].hash)] = number;
  }
}

bool Vocabulary::add(std::string_view token, TokenId id) {
  if (m_entries.size() * 2 >= m_slots.size()) grow();
  const std::uint64_t hash = hashBytes(token);
  const std::size_t slot = slotOf(token, hash);
  if (m_slots[slot] != kFree) return false;
  m_slots[slot] = static_cast<std::uint32_t>(m_entries.size());
  m_entries.push_back({hash, static_cast<std::uint32_t>(m_bytes.size()), static_cast<std::uint32_t>(token.size()), id});
  m_bytes += token;
  m_maxId = std::max(m_maxId, id);
  return true;
}

void Vocabulary::finish() {
  m_byId.assign(static_cast<std::size_t>(m_maxId) + 1, kFree);
  for (std::uint32_t number = 0; number < m_entries.size(); ++number) {
    m_byId[static_cast<std::size_t>(m_entries[number].id)] = number;
  }
}

std::optional<TokenId> Vocabulary::idOf(std::string_view token) const {
  if (m_slots.empty()) return std::nullopt;
  const std::uint32_t number = m_slots[slotOf(token, hashBytes(token))];
  if (number == kFree) return std::nullopt;
  return m_entries[number].id;
}

std::optional<std::string_view> Vocabulary::tokenOf(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= m_byId.size()) return std::nullopt;
  const std::uint32_t number = m_byId[static_cast<std::size_t>(id)];
  if (number == kFree) return std::nullopt;
  return textOf(m_entries[number]);
}

}  // namespace strata
