// What the backslashes of a string literal stand for (Python's, without \N{…}).

#include <charconv>

#include "core/jinja/lexer.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

// Python turns what is not ASCII into an escape before it looks for escapes, so that a backslash before it stays, and
// the escape is read as text.
void appendAsEscape(std::string& out, char32_t c) {
  char digits[9];
  const int width = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
  std::snprintf(digits, sizeof digits, "%0*x", width, static_cast<unsigned>(c));
  out += width == 2 ? "\\x" : width == 4 ? "\\u" : "\\U";
  out += digits;
}

}  // namespace

std::string Lexer::unescape(std::string_view body) {
  const auto wrong = [&](const std::string& message) { throw Failure{Failure::Kind::wrong, message, m_line}; };
  std::string out;
  const auto hexadecimal = [&](std::size_t& at, std::size_t width) {
    std::uint32_t c = 0;
    const char* first = body.data() + at;
    const char* last = body.data() + std::min(body.size(), at + width);
    const auto [end, error] = std::from_chars(first, last, c, 16);
    if (error != std::errc() || end != first + width) wrong("a string has an incomplete \\x, \\u or \\U escape");
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) wrong("a string has an escape for what is no character");
    at += width;
    appendCharacter(out, c);
  };
  for (std::size_t at = 0; at < body.size();) {
    if (body[at] != '\\') {
      out += body[at++];
      continue;
    }
    const char c = body[++at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      appendAsEscape(out, nextCharacter(body, at));
      continue;
    }
    ++at;
    static constexpr std::string_view kLetters = "abfnrtv\\'\"", kMeanings = "\a\b\f\n\r\t\v\\'\"";
    if (const std::size_t found = kLetters.find(c); found != std::string_view::npos) {
      out += kMeanings[found];
    } else if (c >= '0' && c <= '7') {
      char32_t code = static_cast<char32_t>(c - '0');
      for (int i = 0; i < 2 && at < body.size() && body[at] >= '0' && body[at] <= '7'; ++i)
        code = code * 8 + static_cast<char32_t>(body[at++] - '0');
      appendCharacter(out, code);
    } else if (c == 'x') {
      hexadecimal(at, 2);
    } else if (c == 'u') {
      hexadecimal(at, 4);
    } else if (c == 'U') {
      hexadecimal(at, 8);
    } else if (c == 'N') {
      wrong("a string names a character with \\N, which is not known here");
    } else if (c != '\n') {
      out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace strata::jinja
