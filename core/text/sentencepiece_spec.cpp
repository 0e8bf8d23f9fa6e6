#include "core/text/sentencepiece_spec.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace strata {
namespace {

/// Walks the fields of a protocol buffers message (the wire format's varints and lengths); false where it is broken.
bool eachField(std::string_view message,
               const std::function<void(std::uint64_t, std::uint64_t, std::string_view)>& use) {
  std::size_t at = 0;
  const auto varint = [&]() -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at < message.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(message[at++]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  };
  while (at < message.size()) {
    const std::optional<std::uint64_t> tag = varint();
    if (!tag) return false;
    const std::uint64_t wire = *tag & 7;
    if (wire == 1 || wire == 5) {
      at += wire == 1 ? 8 : 4;
      continue;
    }
    const std::optional<std::uint64_t> value = varint();
    if (!value || (wire != 0 && wire != 2) || (wire == 2 && *value > message.size() - at)) return false;
    const std::size_t size = wire == 2 ? static_cast<std::size_t>(*value) : 0;
    use(*tag >> 3, wire == 0 ? *value : 0, message.substr(at, size));
    at += size;
  }
  return at == message.size();
}

/// A unit of a Darts-clone double array (darts.h, class DoubleArrayUnit).
struct DartsUnit {
  std::uint32_t bits;
  bool hasLeaf() const { return (bits >> 8 & 1) != 0; }
  std::uint32_t value() const { return bits & 0x7FFFFFFFu; }
  std::uint32_t label() const { return bits & (0x80000000u | 0xFFu); }
  std::uint32_t offset() const { return (bits >> 10) << ((bits & (1u << 9)) >> 6); }
};

/// Checks every path that a text can take through the trie of a charsmap, as commonPrefixSearch walks it.
class CharsMapCheck {
 public:
  CharsMapCheck(std::vector<DartsUnit> units, std::size_t textBytes)
      : m_units(std::move(units)), m_textBytes(textBytes), m_states(m_units.size(), kUnseen) {}

  bool passes() {
    if (m_units.empty()) return false;
    return enter(m_units[0].offset()) && walk();
  }

 private:
  // The library keeps the matches of one position in an array of this size (Normalizer::kMaxTrieResultsSize).
  static constexpr std::uint8_t kMostMatches = 32;
  static constexpr std::uint8_t kUnseen = 0xFF, kOpen = 0xFE;

  /// A node by the index that its children's labels are XORed to. m_states holds how many matches can follow it.
  struct Open {
    std::uint32_t base;
    std::uint32_t nextLabel = 0;
    std::uint8_t matches = 0;
  };

  bool enter(std::uint32_t base) {
    // The label of a byte is compared after the unit is read, so all 256 units must be there.
    if ((base | 0xFFu) >= m_units.size()) return false;
    m_states[base] = kOpen;
    m_path.push_back({base});
    return true;
  }

  bool walk() {
    while (!m_path.empty()) {
      Open& node = m_path.back();
      if (node.nextLabel == 256) {
        const Open done = node;
        m_states[done.base] = done.matches;
        m_path.pop_back();
        if (!m_path.empty() && !followed(m_path.back(), done)) return false;
        continue;
      }
      const std::uint32_t at = node.base ^ node.nextLabel;
      const DartsUnit unit = m_units[at];
      if (unit.label() != node.nextLabel) {
        ++node.nextLabel;
        continue;
      }
      const std::uint32_t child = at ^ unit.offset();
      if (child >= m_units.size()) return false;
      if (unit.hasLeaf() && m_units[child].value() >= m_textBytes) return false;
      if (m_states[child] == kOpen) return false;  // a cycle: no trie
      if (m_states[child] == kUnseen) {
        if (!enter(child)) return false;
      } else if (!followed(node, {child, 0, m_states[child]})) {
        return false;
      }
    }
    return true;
  }

  /// `child` is the node at the parent's next label.
  bool followed(Open& parent, const Open& child) {
    const bool leaf = m_units[parent.base ^ parent.nextLabel].hasLeaf();
    parent.matches = std::max<std::uint8_t>(parent.matches, child.matches + (leaf ? 1 : 0));
    ++parent.nextLabel;
    return parent.matches <= kMostMatches;
  }

  std::vector<DartsUnit> m_units;
  std::size_t m_textBytes;
  std::vector<std::uint8_t> m_states;
  std::vector<Open> m_path;
};

/// The layout (normalizer.cc, EncodePrecompiledCharsMap): trie size in bytes as a little-endian uint32, the trie, then
/// the replacements, each ended by a NUL.
bool isSafeCharsMap(std::string_view map) {
  if (map.empty()) return true;
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(map[at + i])} << (8 * i);
    return value;
  };
  if (map.size() <= 4) return false;
  const std::size_t trieBytes = word(0);
  if (trieBytes % 4 != 0 || trieBytes > map.size() - 4) return false;
  const std::string_view text = map.substr(4 + trieBytes);
  if (text.empty() || text.back() != '\0') return false;
  std::vector<DartsUnit> units(trieBytes / 4);
  for (std::size_t i = 0; i < units.size(); ++i) units[i] = {word(4 + 4 * i)};
  return CharsMapCheck(std::move(units), text.size()).passes();
}

}  // namespace

bool isSafeToLoad(std::string_view modelBytes) {
  constexpr std::uint64_t kNormalizerSpec = 3, kDenormalizerSpec = 5, kCharsMap = 2;
  bool safe = true;
  // A field that stands twice counts by its last value; all of them are checked.
  safe &= eachField(modelBytes, [&](std::uint64_t field, std::uint64_t, std::string_view inner) {
    if (field != kNormalizerSpec && field != kDenormalizerSpec) return;
    safe &= eachField(inner, [&](std::uint64_t key, std::uint64_t, std::string_view bytes) {
      if (key == kCharsMap) safe &= isSafeCharsMap(bytes);
    });
  });
  return safe;
}

// Field numbers of sentencepiece_model.proto.
bool keepsTextAndPrefixesSpace(std::string_view modelBytes) {
  constexpr std::uint64_t kTrainerSpec = 2, kNormalizerSpec = 3;
  constexpr std::uint64_t kSpaceAsSuffix = 24;                                              // of the trainer spec
  constexpr std::uint64_t kCharsMap = 2, kDummyPrefix = 3, kExtraSpaces = 4, kEscapes = 5;  // of the normalizer spec
  bool suffix = false, charsMap = false, prefix = true, removesSpaces = true, escapes = true, whole = true;
  whole &= eachField(modelBytes, [&](std::uint64_t field, std::uint64_t, std::string_view inner) {
    if (field == kTrainerSpec) {
      whole &= eachField(inner, [&](std::uint64_t key, std::uint64_t value, std::string_view) {
        if (key == kSpaceAsSuffix) suffix = value != 0;
      });
    } else if (field == kNormalizerSpec) {
      whole &= eachField(inner, [&](std::uint64_t key, std::uint64_t value, std::string_view bytes) {
        if (key == kCharsMap) charsMap = !bytes.empty();
        if (key == kDummyPrefix) prefix = value != 0;
        if (key == kExtraSpaces) removesSpaces = value != 0;
        if (key == kEscapes) escapes = value != 0;
      });
    }
  });
  return whole && prefix && escapes && !suffix && !charsMap && !removesSpaces;
}

std::vector<int> userDefinedPieces(std::string_view modelBytes) {
  constexpr std::uint64_t kPieces = 1, kType = 3, kUserDefined = 4;
  std::vector<int> numbers;
  int number = 0;
  eachField(modelBytes, [&](std::uint64_t field, std::uint64_t, std::string_view piece) {
    if (field != kPieces) return;
    eachField(piece, [&](std::uint64_t key, std::uint64_t value, std::string_view) {
      if (key == kType && value == kUserDefined) numbers.push_back(number);
    });
    ++number;
  });
  return numbers;
}

// A message that stands twice is merged field by field, the later one's counting (protocol buffers, "Encoding: Last One
// Wins"): so a second normalizer spec (field 3) that says add_dummy_prefix (its field 3) = false is all it takes.
std::string withoutPrefixedSpace(std::string_view modelBytes) {
  return std::string(modelBytes) + std::string("\x1A\x02\x18\x00", 4);
}

}  // namespace strata
