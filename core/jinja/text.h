#pragma once
// Characters as Python's str sees them. All texts here are UTF-8 (checked where they come in); positions are code
// points unless a name says bytes.

#include <string>
#include <string_view>
#include <vector>

namespace strata::jinja {

std::size_t countCharacters(std::string_view text);
/// The code point at byte `at`, which moves behind it.
char32_t nextCharacter(std::string_view text, std::size_t& at);
/// The byte where character `position` starts (the size where there are not as many).
std::size_t byteOf(std::string_view text, std::size_t position);
std::vector<char32_t> decode(std::string_view text);
void appendCharacter(std::string& text, char32_t c);
bool isUtf8(std::string_view text);

bool isSpace(char32_t c);    // str.isspace
bool isLineEnd(char32_t c);  // what str.splitlines splits at
bool isLetter(char32_t c);   // str.isalpha
bool isDecimal(char32_t c);  // str.isdecimal
bool isDigit(char32_t c);    // str.isdigit
bool isNumeric(char32_t c);  // str.isnumeric
bool isUpper(char32_t c);
bool isLower(char32_t c);
bool isTitle(char32_t c);
bool isPrintable(char32_t c);  // str.isprintable
bool isWord(char32_t c);       // \w of Python's re
bool isNameStart(char32_t c);
bool isNameRest(char32_t c);

std::string toUpper(std::string_view text);
std::string toLower(std::string_view text);
std::string toTitle(std::string_view text);        // str.title
std::string toCapitalized(std::string_view text);  // str.capitalize
std::string swapCase(std::string_view text);
std::string foldCase(std::string_view text);

/// The text without white space (or without the characters of `characters`, sorted, where given) at its ends.
std::string_view strip(std::string_view text, bool left, bool right, const std::u32string* characters = nullptr);
/// Lines without their ends, or with them.
std::vector<std::string_view> splitLines(std::string_view text, bool keepEnds);
/// How many characters of the text end a line.
std::size_t countLineEnds(std::string_view text);
/// &, <, >, ' and " as markupsafe writes them.
std::string escapeHtml(std::string_view text);

}  // namespace strata::jinja
