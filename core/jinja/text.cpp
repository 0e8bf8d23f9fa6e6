#include "core/jinja/text.h"

#include <utf8proc.h>

#include <algorithm>

namespace strata::jinja {
namespace {

utf8proc_category_t categoryOf(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

// What changes its length in capitals (Unicode's SpecialCasing.txt, the unconditional ones that text meets).
struct Special {
  char32_t from;
  const char* upper;
  const char* title;
};
constexpr Special kSpecials[] = {
    {0xDF, "SS", "Ss"},
    {0x149, "\u02BCN", "\u02BCN"},
    {0x1F0, "J\u030C", "J\u030C"},
    {0x587, "\u0535\u0552", "\u0535\u0582"},
    {0xFB00, "FF", "Ff"},
    {0xFB01, "FI", "Fi"},
    {0xFB02, "FL", "Fl"},
    {0xFB03, "FFI", "Ffi"},
    {0xFB04, "FFL", "Ffl"},
    {0xFB05, "ST", "St"},
    {0xFB06, "ST", "St"},
};

void appendUpper(std::string& out, char32_t c, bool title) {
  if (c >= 0x80) {
    for (const Special& special : kSpecials) {
      if (special.from == c) {
        out += title ? special.title : special.upper;
        return;
      }
    }
  }
  const auto point = static_cast<utf8proc_int32_t>(c);
  appendCharacter(out, static_cast<char32_t>(title ? utf8proc_totitle(point) : utf8proc_toupper(point)));
}

bool isCased(char32_t c) {
  return isUpper(c) || isLower(c) || isTitle(c);
}

bool isCaseIgnorable(char32_t c) {
  const utf8proc_category_t category = categoryOf(c);
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_LM || category == UTF8PROC_CATEGORY_SK || c == '\'' || c == '.' || c == ':' ||
         c == 0xB7 || c == 0x2019;
}

// A capital sigma at the end of a word becomes the final one.
bool isFinalSigma(const std::vector<char32_t>& text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && isCaseIgnorable(text[before - 1])) --before;
  if (before == 0 || !isCased(text[before - 1])) return false;
  std::size_t after = at + 1;
  while (after < text.size() && isCaseIgnorable(text[after])) ++after;
  return after == text.size() || !isCased(text[after]);
}

void appendLower(std::string& out, const std::vector<char32_t>& text, std::size_t at) {
  const char32_t c = text[at];
  if (c == 0x130) {
    out += "i\u0307";
  } else if (c == 0x3A3) {
    appendCharacter(out, isFinalSigma(text, at) ? 0x3C2 : 0x3C3);
  } else {
    appendCharacter(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

}  // namespace

std::size_t countCharacters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

char32_t nextCharacter(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(at);
  const int length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t c = length == 1 ? first : first & (0x7Fu >> length);
  for (int i = 1; i < length; ++i) c = (c << 6) | (byte(at + static_cast<std::size_t>(i)) & 0x3F);
  at = std::min(text.size(), at + static_cast<std::size_t>(length));
  return c;
}

std::size_t byteOf(std::string_view text, std::size_t position) {
  std::size_t at = 0;
  for (; position > 0 && at < text.size(); --position) nextCharacter(text, at);
  return at;
}

std::vector<char32_t> decode(std::string_view text) {
  std::vector<char32_t> characters;
  characters.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) characters.push_back(nextCharacter(text, at));
  return characters;
}

void appendCharacter(std::string& text, char32_t c) {
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

bool isUtf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t c = 0;
    const utf8proc_ssize_t length = utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &c);
    if (length <= 0) return false;
    at += static_cast<std::size_t>(length);
  }
  return true;
}

bool isSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool isLineEnd(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool isLetter(char32_t c) {
  switch (categoryOf(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return true;
    default:
      return false;
  }
}

bool isDecimal(char32_t c) {
  return categoryOf(c) == UTF8PROC_CATEGORY_ND;
}

bool isDigit(char32_t c) {
  return isDecimal(c) || c == 0xB2 || c == 0xB3 || c == 0xB9 || c == 0x2070 || (c >= 0x2074 && c <= 0x2079) ||
         (c >= 0x2080 && c <= 0x2089) || (c >= 0x2460 && c <= 0x2468) || (c >= 0x2474 && c <= 0x247C) ||
         (c >= 0x2488 && c <= 0x2490);
}

bool isNumeric(char32_t c) {
  const utf8proc_category_t category = categoryOf(c);
  return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL || category == UTF8PROC_CATEGORY_NO;
}

bool isUpper(char32_t c) {
  return categoryOf(c) == UTF8PROC_CATEGORY_LU || (c >= 0x2160 && c <= 0x216F) || (c >= 0x24B6 && c <= 0x24CF);
}

bool isLower(char32_t c) {
  return categoryOf(c) == UTF8PROC_CATEGORY_LL || c == 0xAA || c == 0xBA || (c >= 0x2B0 && c <= 0x2B8) ||
         (c >= 0x2170 && c <= 0x217F) || (c >= 0x24D0 && c <= 0x24E9);
}

bool isTitle(char32_t c) {
  return categoryOf(c) == UTF8PROC_CATEGORY_LT;
}

bool isPrintable(char32_t c) {
  switch (categoryOf(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    case UTF8PROC_CATEGORY_ZS:
      return c == ' ';
    default:
      return true;
  }
}

bool isWord(char32_t c) {
  return c == '_' || isLetter(c) || isNumeric(c);
}

bool isNameStart(char32_t c) {
  return c < 0x80 ? (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
                  : isLetter(c) || categoryOf(c) == UTF8PROC_CATEGORY_NL;
}

bool isNameRest(char32_t c) {
  if (isNameStart(c) || isDecimal(c)) return true;
  if (c < 0x80) return false;
  const utf8proc_category_t category = categoryOf(c);
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_PC;
}

std::string toUpper(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) appendUpper(out, nextCharacter(text, at), false);
  return out;
}

std::string toLower(std::string_view text) {
  const std::vector<char32_t> characters = decode(text);
  std::string out;
  for (std::size_t i = 0; i < characters.size(); ++i) appendLower(out, characters, i);
  return out;
}

std::string toTitle(std::string_view text) {
  const std::vector<char32_t> characters = decode(text);
  std::string out;
  bool inWord = false;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (inWord) {
      appendLower(out, characters, i);
    } else {
      appendUpper(out, characters[i], true);
    }
    inWord = isCased(characters[i]);
  }
  return out;
}

std::string toCapitalized(std::string_view text) {
  const std::vector<char32_t> characters = decode(text);
  std::string out;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (i == 0) {
      appendUpper(out, characters[0], true);
    } else {
      appendLower(out, characters, i);
    }
  }
  return out;
}

std::string swapCase(std::string_view text) {
  const std::vector<char32_t> characters = decode(text);
  std::string out;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (isUpper(characters[i])) {
      appendLower(out, characters, i);
    } else if (isLower(characters[i])) {
      appendUpper(out, characters[i], false);
    } else {
      appendCharacter(out, characters[i]);
    }
  }
  return out;
}

std::string foldCase(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = nextCharacter(text, at);
    utf8proc_int32_t folded[8];
    int boundary = 0;
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), folded, 8, UTF8PROC_CASEFOLD, &boundary);
    if (count < 1 || count > 8) {
      appendCharacter(out, c);
      continue;
    }
    for (utf8proc_ssize_t i = 0; i < count; ++i) appendCharacter(out, static_cast<char32_t>(folded[i]));
  }
  return out;
}

std::string_view strip(std::string_view text, bool left, bool right, const std::u32string* characters) {
  const auto goes = [&](char32_t c) {
    return characters == nullptr ? isSpace(c) : std::binary_search(characters->begin(), characters->end(), c);
  };
  while (left && !text.empty()) {
    std::size_t at = 0;
    if (!goes(nextCharacter(text, at))) break;
    text.remove_prefix(at);
  }
  while (right && !text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && (text[start] & 0xC0) == 0x80) --start;
    std::size_t at = start;
    if (!goes(nextCharacter(text, at))) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

std::vector<std::string_view> splitLines(std::string_view text, bool keepEnds) {
  std::vector<std::string_view> lines;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = at;
    const char32_t c = nextCharacter(text, at);
    if (!isLineEnd(c)) continue;
    if (c == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(start, (keepEnds ? at : end) - start));
    start = at;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

std::size_t countLineEnds(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) count += isLineEnd(nextCharacter(text, at)) ? 1 : 0;
  return count;
}

std::string escapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace strata::jinja
