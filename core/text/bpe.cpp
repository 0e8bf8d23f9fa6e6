#include "core/text/bpe.h"

#include <algorithm>
#include <cstdio>

#include "core/text/byte_level.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581
constexpr std::string_view kAlphabetSpace = "\xC4\xA0";    // the byte-level alphabet's
constexpr std::uint64_t kNoPair = 0xFFFFFFFFFFFFFFFF;      // no token's id is negative

std::uint64_t pairOf(TokenId left, TokenId right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
}

std::size_t hashOf(std::uint64_t pair) {
  pair *= 0x9E3779B97F4A7C15;
  return static_cast<std::size_t>(pair ^ pair >> 29);
}

std::string_view firstCharacter(std::string_view text) {
  return text.empty() ? text : text.substr(0, readUtf8(text).length);
}

std::string_view lastCharacter(std::string_view text) {
  std::size_t at = text.size();
  while (at > 0 && (static_cast<unsigned char>(text[--at]) & 0xC0) == 0x80) {
  }
  return text.substr(at);
}

std::string byteToken(unsigned byte) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "<0x%02X>", byte);
  return text.data();
}

}  // namespace

const std::vector<TokenId>* BpeWorkspace::find(std::string_view word, std::uint64_t hash) const {
  if (m_slots.empty()) return nullptr;
  const Slot& slot = m_slots[hash & (m_slots.size() - 1)];
  return slot.hash == hash && slot.word == word ? &slot.ids : nullptr;
}

void BpeWorkspace::keep(std::string_view word, std::uint64_t hash, const TokenId* ids, std::size_t count) {
  if (m_kept * 2 >= m_slots.size()) grow();
  Slot& slot = m_slots[hash & (m_slots.size() - 1)];
  if (slot.word.empty()) ++m_kept;
  slot.hash = hash;
  slot.word = word;
  slot.ids.assign(ids, ids + count);
}

void BpeWorkspace::grow() {
  constexpr std::size_t kFewest = 64, kMost = 1 << 15;
  if (m_slots.size() >= kMost) return;
  std::vector<Slot> old(std::max(kFewest, m_slots.size() * 4));
  old.swap(m_slots);
  m_kept = 0;
  for (Slot& slot : old) {
    if (slot.word.empty()) continue;
    Slot& place = m_slots[slot.hash & (m_slots.size() - 1)];
    if (place.word.empty()) ++m_kept;
    place = std::move(slot);
  }
}

Result<Bpe> Bpe::create(Vocabulary vocabulary, const std::vector<Merge>& merges, BpeOptions options,
                        const std::string& where) {
  Bpe bpe;
  bpe.m_vocabulary = std::move(vocabulary);
  bpe.m_options = std::move(options);
  std::size_t slots = 64;
  while (slots * 3 < merges.size() * 4) slots *= 2;
  bpe.m_merges.assign(slots, Merged{kNoPair, kNoRank, 0});
  const std::size_t prefix = bpe.m_options.continuingSubwordPrefix.size();
  std::string result;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto [left, right] = merges[rank];
    const auto refuse = [&](const std::string& token) {
      return fail(ErrorCode::invalidData,
                  where + ": merge " + std::to_string(rank) + " of model.merges needs the token \"" +
                      toValidUtf8(token.substr(0, 80)) + "\", which model.vocab lacks; get the file again.",
                  where);
    };
    const std::optional<TokenId> leftId = bpe.m_vocabulary.idOf(left);
    if (!leftId) return refuse(std::string(left));
    const std::optional<TokenId> rightId = bpe.m_vocabulary.idOf(right);
    if (!rightId) return refuse(std::string(right));
    result = left;
    result += right.substr(std::min(prefix, right.size()));
    const std::optional<TokenId> id = bpe.m_vocabulary.idOf(result);
    if (!id) return refuse(result);
    const std::uint64_t pair = pairOf(*leftId, *rightId);
    bpe.slotOf(pair) = Merged{pair, static_cast<std::uint32_t>(rank), *id};  // the last of equal pairs counts
  }
  bpe.findSpecialTokens();
  bpe.findSpaceSymbols(merges);
  return bpe;
}

void Bpe::findSpecialTokens() {
  const auto idOr = [&](std::string_view token) { return m_vocabulary.idOf(token).value_or(-1); };
  m_wholeAlphabet = m_options.continuingSubwordPrefix.empty() && m_options.endOfWordSuffix.empty();
  for (unsigned byte = 0; byte < 256; ++byte) {
    m_byteTokens[byte] = idOr(byteToken(byte));
    std::string character;
    appendUtf8(character, byte_level::charOf(static_cast<std::uint8_t>(byte)));
    m_alphabet[byte] = idOr(character);
    if (m_alphabet[byte] < 0) m_wholeAlphabet = false;
    if (byte < m_ascii.size()) m_ascii[byte] = idOr(std::string(1, static_cast<char>(byte)));
  }
  if (m_options.unkToken) m_unk = m_vocabulary.idOf(*m_options.unkToken);
}

void Bpe::findSpaceSymbols(const std::vector<Merge>& merges) {
  if (!m_options.continuingSubwordPrefix.empty() || !m_options.endOfWordSuffix.empty()) return;
  m_singleCharacter.resize(static_cast<std::size_t>(m_vocabulary.maxId()) + 1);
  for (TokenId id = 0; id <= m_vocabulary.maxId(); ++id) {
    const std::optional<std::string_view> token = m_vocabulary.tokenOf(id);
    m_singleCharacter[static_cast<std::size_t>(id)] = token && !token->empty() && firstCharacter(*token) == *token;
  }
  for (const std::string_view character : {kSpaceSymbol, kAlphabetSpace, std::string_view(" ")}) {
    const std::optional<TokenId> symbol = m_vocabulary.idOf(character);
    if (!symbol) continue;
    SpaceSymbol space{*symbol, {}};
    for (const auto& [left, right] : merges) {
      if (!right.starts_with(character)) continue;
      if (const auto before = m_vocabulary.idOf(lastCharacter(left))) space.joined.push_back(*before);
    }
    std::sort(space.joined.begin(), space.joined.end());
    m_partsAtSpaceSymbols |=
        character == kSpaceSymbol && !m_options.ignoreMerges &&
        std::all_of(space.joined.begin(), space.joined.end(), [&](TokenId before) { return before == space.id; });
    m_spaces.push_back(std::move(space));
  }
}

Bpe::Merged& Bpe::slotOf(std::uint64_t pair) {
  std::size_t at = hashOf(pair) & (m_merges.size() - 1);
  while (m_merges[at].pair != kNoPair && m_merges[at].pair != pair) at = (at + 1) & (m_merges.size() - 1);
  return m_merges[at];
}

Bpe::Merged Bpe::mergeOf(TokenId left, TokenId right) const {
  const std::uint64_t pair = pairOf(left, right);
  std::size_t at = hashOf(pair) & (m_merges.size() - 1);
  while (m_merges[at].pair != kNoPair && m_merges[at].pair != pair) at = (at + 1) & (m_merges.size() - 1);
  return m_merges[at];  // kNoRank where free
}

bool Bpe::startsWord(TokenId before, TokenId symbol) const {
  for (const SpaceSymbol& space : m_spaces) {
    if (symbol != space.id) continue;
    return m_singleCharacter[static_cast<std::size_t>(before)] &&
           !std::binary_search(space.joined.begin(), space.joined.end(), before);
  }
  return false;
}

void Bpe::encode(std::string_view word, BpeWorkspace& workspace, std::vector<TokenId>& ids) const {
  const bool cached = word.size() <= BpeWorkspace::kLongestWord;
  const std::uint64_t hash = cached ? hashBytes(word) : 0;
  if (cached) {
    if (const std::vector<TokenId>* known = workspace.find(word, hash)) {
      ids.insert(ids.end(), known->begin(), known->end());
      return;
    }
  }
  const std::size_t before = ids.size();
  const std::optional<TokenId> whole = m_options.ignoreMerges ? m_vocabulary.idOf(word) : std::nullopt;
  if (whole) {
    ids.push_back(*whole);
  } else {
    workspace.symbols.clear();
    appendSymbols(word, workspace.symbols);
    mergeAll(workspace.symbols, ids);
  }
  if (cached) workspace.keep(word, hash, ids.data() + before, ids.size() - before);
}

void Bpe::encodeBytes(std::string_view bytes, BpeWorkspace& workspace, std::vector<TokenId>& ids) const {
  if (!m_wholeAlphabet) return encode(byte_level::encode(bytes), workspace, ids);
  const bool cached = bytes.size() <= BpeWorkspace::kLongestWord;
  const std::uint64_t hash = cached ? hashBytes(bytes) : 0;
  if (cached) {
    if (const std::vector<TokenId>* known = workspace.find(bytes, hash)) {
      ids.insert(ids.end(), known->begin(), known->end());
      return;
    }
  }
  const std::size_t before = ids.size();
  const std::optional<TokenId> whole =
      m_options.ignoreMerges ? m_vocabulary.idOf(byte_level::encode(bytes)) : std::nullopt;
  if (whole) {
    ids.push_back(*whole);
  } else {
    workspace.symbols.clear();
    for (const char byte : bytes) workspace.symbols.push_back(m_alphabet[static_cast<unsigned char>(byte)]);
    mergeAll(workspace.symbols, ids);
  }
  if (cached) workspace.keep(bytes, hash, ids.data() + before, ids.size() - before);
}

void Bpe::appendSymbols(std::string_view word, std::vector<TokenId>& symbols) const {
  const bool plain = m_options.continuingSubwordPrefix.empty() && m_options.endOfWordSuffix.empty();
  bool unknown = false;  // an unknown token is due
  const auto flush = [&] {
    if (unknown) symbols.push_back(*m_unk);
    unknown = false;
  };
  std::string decorated;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t length = readUtf8(word.substr(at)).length;
    std::string_view character = word.substr(at, length);
    std::optional<TokenId> id;
    if (plain && length == 1) {
      if (const TokenId ascii = m_ascii[static_cast<unsigned char>(character[0])]; ascii >= 0) id = ascii;
    } else {
      if (!plain) {
        decorated = at > 0 ? m_options.continuingSubwordPrefix : std::string();
        decorated += character;
        if (at + length == word.size()) decorated += m_options.endOfWordSuffix;
        character = decorated;
      }
      id = m_vocabulary.idOf(character);
    }
    at += length;
    if (id) {
      flush();
      symbols.push_back(*id);
      continue;
    }
    if (m_options.byteFallback && std::all_of(character.begin(), character.end(), [&](char byte) {
          return m_byteTokens[static_cast<unsigned char>(byte)] >= 0;
        })) {
      for (const char byte : character) symbols.push_back(m_byteTokens[static_cast<unsigned char>(byte)]);
      continue;
    }
    if (!m_unk) continue;
    if (!m_options.fuseUnk) flush();
    unknown = true;
  }
  flush();
}

void Bpe::mergeAll(const std::vector<TokenId>& symbols, std::vector<TokenId>& ids) const {
  constexpr std::size_t kFew = 24;  // up to here, looking through all pairs is faster than a heap
  std::size_t start = 0;
  const auto merge = [&](std::size_t end) {
    const std::size_t count = end - start;
    if (count <= kFew) {
      mergeFew(symbols.data() + start, count, ids);
    } else {
      mergeMany(symbols.data() + start, count, ids);
    }
    start = end;
  };
  if (symbols.size() > kFew) {
    for (std::size_t at = 1; at < symbols.size(); ++at) {
      if (startsWord(symbols[at - 1], symbols[at])) merge(at);
    }
  }
  merge(symbols.size());
}

void Bpe::mergeFew(const TokenId* symbols, std::size_t count, std::vector<TokenId>& ids) const {
  std::array<TokenId, 24> left;
  std::array<Merged, 24> merges;  // of each symbol with the next
  std::copy(symbols, symbols + count, left.begin());
  for (std::size_t i = 0; i + 1 < count; ++i) merges[i] = mergeOf(left[i], left[i + 1]);
  while (count > 1) {
    const auto last = merges.begin() + static_cast<std::ptrdiff_t>(count - 1);
    const auto best =
        std::min_element(merges.begin(), last, [](const Merged& a, const Merged& b) { return a.rank < b.rank; });
    if (best->rank == kNoRank) break;
    const auto at = static_cast<std::size_t>(best - merges.begin());
    left[at] = best->id;
    std::copy(left.begin() + static_cast<std::ptrdiff_t>(at + 2), left.begin() + static_cast<std::ptrdiff_t>(count),
              left.begin() + static_cast<std::ptrdiff_t>(at + 1));
    if (best + 1 != last) std::copy(best + 2, last, best + 1);
    --count;
    if (at > 0) merges[at - 1] = mergeOf(left[at - 1], left[at]);
    if (at + 1 < count) merges[at] = mergeOf(left[at], left[at + 1]);
  }
  ids.insert(ids.end(), left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count));
}

void Bpe::mergeMany(const TokenId* symbols, std::size_t count, std::vector<TokenId>& ids) const {
  constexpr std::uint32_t kNone = 0xFFFFFFFF;
  struct Symbol {
    TokenId id;
    std::uint32_t previous, next;  // kNone at the ends
  };
  struct Candidate {
    std::uint64_t order;  // rank << 32 | place
    TokenId id;
  };
  std::vector<Symbol> chain(count);
  std::vector<Candidate> heap;
  const auto later = [](const Candidate& a, const Candidate& b) { return a.order > b.order; };
  const auto candidateAt = [&](std::uint32_t at) {
    const Merged merge = mergeOf(chain[at].id, chain[chain[at].next].id);
    return Candidate{static_cast<std::uint64_t>(merge.rank) << 32 | at, merge.id};
  };
  const auto isMerge = [](const Candidate& candidate) { return candidate.order >> 32 != kNoRank; };
  for (std::uint32_t at = 0; at < count; ++at) {
    chain[at] = {symbols[at], at == 0 ? kNone : at - 1, at + 1 == count ? kNone : at + 1};
  }
  for (std::uint32_t at = 0; at + 1 < count; ++at) {
    if (const Candidate candidate = candidateAt(at); isMerge(candidate)) heap.push_back(candidate);
  }
  std::make_heap(heap.begin(), heap.end(), later);
  const auto push = [&](std::uint32_t at) {
    if (const Candidate candidate = candidateAt(at); isMerge(candidate)) {
      heap.push_back(candidate);
      std::push_heap(heap.begin(), heap.end(), later);
    }
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const Candidate best = heap.back();
    heap.pop_back();
    const auto at = static_cast<std::uint32_t>(best.order);
    if (chain[at].id < 0 || chain[at].next == kNone) continue;  // merged away, or its neighbour was
    const std::uint32_t next = chain[at].next;
    if (candidateAt(at).id != best.id || !isMerge(candidateAt(at))) continue;
    chain[at].id = best.id;
    chain[at].next = chain[next].next;
    chain[next].id = -1;
    if (chain[at].next != kNone) {
      chain[chain[at].next].previous = at;
      push(at);
    }
    if (chain[at].previous != kNone) push(chain[at].previous);
  }
  for (const Symbol& symbol : chain) {
    if (symbol.id >= 0) ids.push_back(symbol.id);
  }
}

}  // namespace strata
