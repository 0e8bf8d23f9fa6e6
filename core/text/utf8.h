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

/// Where the first byte that belongs to no character stands; nothing if all of `text` is UTF-8.
std::optional<std::size_t> findInvalidUtf8(std::string_view text);

}  // namespace strata
