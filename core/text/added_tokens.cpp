#include "core/text/added_tokens.h"

#include <algorithm>

#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

/// The character that ends at `end`.
char32_t characterBefore(std::string_view text, std::size_t end, std::size_t& start) {
  start = end;
  while (start > 0 && (static_cast<unsigned char>(text[--start]) & 0xC0) == 0x80) {
  }
  const char* at = text.data() + start;
  return nextCodePoint(at);
}

// The zero-width joiners count as word characters here (UTS #18), though not in the library's other expressions.
bool isWordHere(char32_t c) {
  return unicode::isWord(c) || c == 0x200C || c == 0x200D;
}

bool touchesWord(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t ignored = 0;
  if (begin > 0 && isWordHere(characterBefore(text, begin, ignored))) return true;
  if (end == text.size()) return false;
  const char* at = text.data() + end;
  return isWordHere(nextCodePoint(at));
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens) : m_tokens(std::move(tokens)), m_nodes(1) {
  for (std::size_t number = 0; number < m_tokens.size(); ++number) {
    std::uint32_t node = 0;
    for (const char c : m_tokens[number].content) {
      const auto byte = static_cast<std::uint8_t>(c);
      auto& children = m_nodes[node].children;
      const auto found =
          std::find_if(children.begin(), children.end(), [&](const auto& child) { return child.first == byte; });
      if (found != children.end()) {
        node = found->second;
        continue;
      }
      children.emplace_back(byte, static_cast<std::uint32_t>(m_nodes.size()));
      node = static_cast<std::uint32_t>(m_nodes.size());
      m_nodes.emplace_back();
    }
    m_nodes[node].token = static_cast<std::int32_t>(number);
    m_starts[static_cast<std::uint8_t>(m_tokens[number].content.front())] = true;
  }
}

bool AddedTokenFinder::hasSingleWords() const {
  return std::any_of(m_tokens.begin(), m_tokens.end(), [](const AddedToken& token) { return token.singleWord; });
}

std::int32_t AddedTokenFinder::longestAt(std::string_view text, std::size_t at) const {
  std::int32_t longest = -1;
  const Node* node = m_nodes.data();
  for (; at < text.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    const auto child = std::find_if(node->children.begin(), node->children.end(),
                                    [&](const auto& candidate) { return candidate.first == byte; });
    if (child == node->children.end()) break;
    node = &m_nodes[child->second];
    if (node->token >= 0) longest = node->token;
  }
  return longest;
}

void AddedTokenFinder::split(std::string_view text, SpecialTokens specials, std::vector<Part>& parts,
                             std::size_t from) const {
  if (text.size() == from || m_tokens.empty()) {
    parts.push_back({from, text.size(), -1});
    return;
  }
  std::size_t written = from;
  for (std::size_t at = from; at < text.size();) {
    const std::int32_t number = m_starts[static_cast<std::uint8_t>(text[at])] ? longestAt(text, at) : -1;
    if (number < 0) {
      ++at;
      continue;
    }
    const AddedToken& token = m_tokens[static_cast<std::size_t>(number)];
    std::size_t begin = at, end = at + token.content.size();
    at = end;  // a token that is passed over hides those inside it
    if (token.special && specials == SpecialTokens::plain) continue;
    if (token.singleWord && touchesWord(text, begin, end)) continue;
    if (token.lstrip) {
      std::size_t start = begin;
      while (begin > written && unicode::isSpace(characterBefore(text, begin, start))) begin = start;
      begin = std::max(begin, written);
    }
    if (token.rstrip) {
      for (const char* next = text.data() + end; end < text.size() && unicode::isSpace(nextCodePoint(next));) {
        end = static_cast<std::size_t>(next - text.data());
      }
    }
    if (begin >= end) {  // another token's rstrip took it all
      written = std::max(written, end);
      continue;
    }
    if (written < begin) parts.push_back({written, begin, -1});
    parts.push_back({begin, end, token.id});
    written = end;
  }
  if (written != text.size()) parts.push_back({written, text.size(), -1});
}

}  // namespace strata
