#pragma once
// What the official evaluators, which are Python scripts, say of characters: each function answers as its Python peer.

#include <string>
#include <string_view>

namespace strata {

/// Invalid bytes become U+FFFD.
std::u32string codePointsOf(std::string_view text);
std::string utf8Of(std::u32string_view points);

/// str.lower(): the full mapping, which differs from the simple one in two letters.
std::u32string lowered(std::u32string_view text);

/// string.punctuation: ASCII's.
bool isPunctuation(char32_t point);
/// str.isspace()
bool isSpace(char32_t point);
/// The \w of a regular expression: letters, numbers, underscore.
bool isWordCharacter(char32_t point);

/// By Unicode's general category: L*, Lu, Ll; So outside ASCII.
bool isLetter(char32_t point);
bool isUpperCase(char32_t point);
bool isLowerCase(char32_t point);
bool isSymbol(char32_t point);

}  // namespace strata
