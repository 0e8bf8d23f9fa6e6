#pragma once
// UTF-8 one character at a time (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
//
//   for (std::size_t at = 0; at < text.size();) { const Utf8Char c = readUtf8(text.substr(at)); at += c.length; … }

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace strata {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

struct Utf8Char {
  enum class Kind {
    valid,       // `length` bytes make `codePoint`
    invalid,     // the first byte starts no character; length is 1
    incomplete,  // the text ends inside what may still become a character; length is all that is left
  };
  Kind kind = Kind::invalid;
  char32_t codePoint = 0;  // the byte itself where invalid
  std::size_t length = 1;
};

/// The first character of `bytes`, which must not be empty.
Utf8Char readUtf8(std::string_view bytes);

/// Appends the 1-4 bytes of a code point.
void appendUtf8(std::string& text, char32_t codePoint);

/// The character at `at`, which moves behind it. Only for text known to be valid.
inline char32_t nextCodePoint(const char*& at) {
  const auto byte = [&] { return static_cast<unsigned char>(*at++); };
  const char32_t lead = byte();
  if (lead < 0x80) return lead;
  const auto more = [&] { return static_cast<char32_t>(byte() & 0x3F); };
  char32_t c = lead & (lead < 0xE0 ? 0x1F : lead < 0xF0 ? 0x0F : 0x07);
  for (int rest = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3; rest > 0; --rest) c = c << 6 | more();
  return c;
}

/// How many bytes of `bytes`, which starts with no whole character, one U+FFFD stands for: those that begin a character
/// and are cut short, else 1 (Unicode 3.9, "maximal subpart"; so decode Python and Rust).
std::size_t brokenLength(std::string_view bytes);

/// The text with U+FFFD for each maximal subpart that is no character.
std::string toValidUtf8(std::string_view bytes);

/// Where the first byte that belongs to no character stands; nothing if all of `text` is UTF-8.
std::optional<std::size_t> findInvalidUtf8(std::string_view text);

}  // namespace strata
