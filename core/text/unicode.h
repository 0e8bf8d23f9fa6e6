#pragma once
// Characters as the `tokenizers` library classifies and normalises them: a model's ids depend on that, newer tables or
// not.

#include <cstdint>
#include <string>
#include <string_view>

namespace strata::unicode {

/// General categories, in utf8proc's order.
enum class Category : std::uint8_t {
  Cn,
  Lu,
  Ll,
  Lt,
  Lm,
  Lo,
  Mn,
  Mc,
  Me,
  Nd,
  Nl,
  No,
  Pc,
  Pd,
  Ps,
  Pe,
  Pi,
  Pf,
  Po,
  Sm,
  Sc,
  Sk,
  So,
  Zs,
  Zl,
  Zp,
  Cc,
  Cf,
  Cs,
  Co
};

/// Those of the library's regular expressions.
Category category(char32_t c);
bool isLetter(char32_t c);  // \p{L}
bool isNumber(char32_t c);  // \p{N}
bool isSpace(char32_t c);   // \s, White_Space
bool isWord(char32_t c);    // \w of Unicode: Alphabetic, M, Nd, Pc

/// Those of its normalizers and pre-tokenizers.
bool isPunctuation(char32_t c);     // with the ASCII symbols
bool isNumeric(char32_t c);         // N
bool isCombiningMark(char32_t c);   // M
bool isNonspacingMark(char32_t c);  // Mn
bool isControl(char32_t c);         // Cc, Cf, Co

/// Appends the lower case of one character; no context (no final sigma).
void appendLower(std::string& text, char32_t c);

enum class Form { nfc, nfd, nfkc, nfkd };
/// UAX #15. `text` is valid UTF-8.
std::string normalize(Form form, std::string_view text);

/// One byte for each code point: the category's number, kSpaceBit, kAlphabeticBit. For loops over whole texts.
inline constexpr std::uint8_t kCategoryBits = 0x1F;
inline constexpr std::uint8_t kSpaceBit = 0x20;
inline constexpr std::uint8_t kAlphabeticBit = 0x40;
const std::uint8_t* classTable();

}  // namespace strata::unicode
