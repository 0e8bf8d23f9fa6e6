#include "core/text/sentencepiece_spec.h"

#include <cstdint>
#include <functional>
#include <optional>

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

}  // namespace

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
