#pragma once
// The byte-level alphabet of GPT-2: each of the 256 bytes is shown as a printable character below U+0144.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace strata::byte_level {

/// The character that stands for a byte.
char32_t charOf(std::uint8_t byte);
/// The byte that a character stands for; nothing for a character outside the alphabet.
std::optional<std::uint8_t> byteOf(char32_t c);

std::string encode(std::string_view bytes);

/// The bytes of a token, or the token itself where one of its characters is outside the alphabet.
std::string decode(std::string_view token);

}  // namespace strata::byte_level
