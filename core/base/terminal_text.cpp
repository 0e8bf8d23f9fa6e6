#include "core/base/terminal_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>

namespace strata {
namespace {

constexpr unsigned char kDelete = 0x7F;
constexpr unsigned char kLeadOfC1 = 0xC2;  // U+0080 to U+009F are C2 80 to C2 9F

unsigned char byteAt(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

/// Bytes of the character at `at` (RFC 3629); 0 where there is none.
std::size_t characterLength(std::string_view text, std::size_t at) {
  const unsigned char lead = byteAt(text, at);
  const unsigned char second = byteAt(text, at + 1);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;  // overlong, a surrogate
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;  // overlong, beyond U+10FFFF
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byteAt(text, at + i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

bool isC1(std::string_view text, std::size_t at) {
  const unsigned char second = byteAt(text, at + 1);
  return byteAt(text, at) == kLeadOfC1 && second >= 0x80 && second <= 0x9F;
}

}  // namespace

std::string terminalText(std::string_view text) {
  constexpr std::string_view kReplaced = "\xEF\xBF\xBD";
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const unsigned char byte = byteAt(text, at);
    const std::size_t length = characterLength(text, at);
    const bool kept = byte == '\n' || byte == '\t';
    if (byte == '\r' && byteAt(text, at + 1) == '\n') {
      // the newline follows
    } else if (length == 0 || (byte < ' ' && !kept) || byte == kDelete || isC1(text, at)) {
      result += kReplaced;
    } else {
      result += text.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return result;
}

std::string terminalJson(std::string line) {
  const auto special = [&](std::size_t at) { return byteAt(line, at) == kDelete || isC1(line, at); };
  std::size_t first = 0;
  while (first < line.size() && !special(first)) ++first;
  if (first == line.size()) return line;
  std::string result = line.substr(0, first);
  for (std::size_t at = first; at < line.size(); ++at) {
    if (!special(at)) {
      result += line[at];
      continue;
    }
    const bool c1 = byteAt(line, at) == kLeadOfC1;
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(byteAt(line, c1 ? ++at : at)));
    result += escape.data();
  }
  return result;
}

}  // namespace strata
