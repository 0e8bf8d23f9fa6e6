#include "core/metrics/characters.h"

#include <utf8proc.h>

#include "core/text/utf8.h"

namespace strata {
namespace {

constexpr char32_t kCapitalSigma = 0x3A3, kSmallSigma = 0x3C3, kFinalSigma = 0x3C2;
constexpr char32_t kCapitalIWithDot = 0x130, kCombiningDotAbove = 0x307;

utf8proc_category_t categoryOf(char32_t point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(point));
}

bool isBetween(char32_t point, char32_t first, char32_t last) {
  return point >= first && point <= last;
}

// Unicode's Case_Ignorable: DerivedCoreProperties.txt.
bool isCaseIgnorable(char32_t point) {
  constexpr std::u32string_view kWordBreaks =
      U"\u0027\u002E\u003A\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";
  switch (categoryOf(point)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return kWordBreaks.find(point) != std::u32string_view::npos;
  }
}

// Unicode's Cased for what is not Case_Ignorable: letters with a case, and Other_Lowercase and Other_Uppercase of
// PropList.txt (ordinal indicators, Roman numerals, letters in circles and squares).
bool isCased(char32_t point) {
  switch (categoryOf(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
      return true;
    default:
      return point == 0xAA || point == 0xBA || isBetween(point, 0x2160, 0x217F) || isBetween(point, 0x24B6, 0x24E9) ||
             isBetween(point, 0x1F130, 0x1F149) || isBetween(point, 0x1F150, 0x1F169) ||
             isBetween(point, 0x1F170, 0x1F189);
  }
}

// Unicode's Final_Sigma (SpecialCasing.txt): a cased letter before, none after, whatever ignorables lie between.
bool isFinalSigma(std::u32string_view text, std::size_t sigma) {
  std::size_t before = sigma;
  while (before > 0 && isCaseIgnorable(text[before - 1])) --before;
  if (before == 0 || !isCased(text[before - 1])) return false;
  std::size_t after = sigma + 1;
  while (after < text.size() && isCaseIgnorable(text[after])) ++after;
  return after == text.size() || !isCased(text[after]);
}

}  // namespace

std::u32string codePointsOf(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char next = readUtf8(text.substr(at));
    const bool valid = next.kind == Utf8Char::Kind::valid;
    points.push_back(valid ? next.codePoint : U'\uFFFD');
    at += valid ? next.length : 1;
  }
  return points;
}

std::u32string lowered(std::u32string_view text) {
  std::u32string lower;
  lower.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kCapitalSigma) {
      lower.push_back(isFinalSigma(text, i) ? kFinalSigma : kSmallSigma);
    } else if (text[i] == kCapitalIWithDot) {
      lower.push_back(U'i');
      lower.push_back(kCombiningDotAbove);
    } else {
      lower.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[i]))));
    }
  }
  return lower;
}

bool isPunctuation(char32_t point) {
  return isBetween(point, '!', '/') || isBetween(point, ':', '@') || isBetween(point, '[', '`') ||
         isBetween(point, '{', '~');
}

bool isSpace(char32_t point) {
  return isBetween(point, 0x09, 0x0D) || isBetween(point, 0x1C, 0x20) || point == 0x85 || point == 0xA0 ||
         point == 0x1680 || isBetween(point, 0x2000, 0x200A) || point == 0x2028 || point == 0x2029 || point == 0x202F ||
         point == 0x205F || point == 0x3000;
}

bool isWordCharacter(char32_t point) {
  const utf8proc_category_t category = categoryOf(point);
  return point == '_' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

std::string utf8Of(std::u32string_view points) {
  std::string text;
  for (const char32_t point : points) appendUtf8(text, point);
  return text;
}

bool isLetter(char32_t point) {
  const utf8proc_category_t category = categoryOf(point);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool isUpperCase(char32_t point) {
  return categoryOf(point) == UTF8PROC_CATEGORY_LU;
}

bool isLowerCase(char32_t point) {
  return categoryOf(point) == UTF8PROC_CATEGORY_LL;
}

bool isSymbol(char32_t point) {
  return point > 0x7F && categoryOf(point) == UTF8PROC_CATEGORY_SO;
}

}  // namespace strata
