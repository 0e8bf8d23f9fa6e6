#include "core/text/byte_level.h"

#include <array>

#include "core/text/utf8.h"

namespace strata::byte_level {
namespace {

constexpr std::size_t kBeyondLast = 0x144;

struct Alphabet {
  std::array<char32_t, 256> chars{};
  std::array<std::int16_t, kBeyondLast> bytes{};
};

// Printable Latin-1 stands for itself; the other bytes, in order, for U+0100 and up.
constexpr Alphabet makeAlphabet() {
  Alphabet alphabet;
  for (auto& byte : alphabet.bytes) byte = -1;
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    const char32_t c = printable ? static_cast<char32_t>(byte) : next++;
    alphabet.chars[static_cast<std::size_t>(byte)] = c;
    alphabet.bytes[c] = static_cast<std::int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = makeAlphabet();

}  // namespace

char32_t charOf(std::uint8_t byte) {
  return kAlphabet.chars[byte];
}

std::optional<std::uint8_t> byteOf(char32_t c) {
  if (c >= kBeyondLast || kAlphabet.bytes[c] < 0) return std::nullopt;
  return static_cast<std::uint8_t>(kAlphabet.bytes[c]);
}

std::string encode(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 4);
  for (const char byte : bytes) appendUtf8(text, charOf(static_cast<std::uint8_t>(byte)));
  return text;
}

std::string decode(std::string_view token) {
  std::string bytes;
  bytes.reserve(token.size());
  for (const char* at = token.data(); at != token.data() + token.size();) {
    const std::optional<std::uint8_t> byte = byteOf(nextCodePoint(at));
    if (!byte) return std::string(token);
    bytes += static_cast<char>(*byte);
  }
  return bytes;
}

}  // namespace strata::byte_level
