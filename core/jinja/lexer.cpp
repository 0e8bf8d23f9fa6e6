#include "core/jinja/lexer.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

[[noreturn]] void wrong(std::string message, int line) {
  throw Failure{Failure::Kind::wrong, std::move(message), line};
}

// Line ends become \n, and one at the very end goes.
std::string normalise(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

bool isDigitIn(char c, int base) {
  if (base <= 10) return c >= '0' && c < '0' + base;
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Digits with single underscores between them, from `at`; where they end.
std::size_t digitsEnd(std::string_view text, std::size_t at, int base) {
  while (at < text.size()) {
    if (isDigitIn(text[at], base)) {
      ++at;
    } else if (text[at] == '_' && at + 1 < text.size() && isDigitIn(text[at + 1], base)) {
      at += 2;
    } else {
      break;
    }
  }
  return at;
}

std::string withoutUnderscores(std::string_view text) {
  std::string out(text);
  std::erase(out, '_');
  return out;
}

}  // namespace

std::string describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::data:
      return "text";
    case Token::Kind::variableBegin:
      return "'{{'";
    case Token::Kind::variableEnd:
      return "'}}'";
    case Token::Kind::blockBegin:
      return "'{%'";
    case Token::Kind::blockEnd:
      return "'%}'";
    case Token::Kind::text:
      return "a string";
    case Token::Kind::integer:
    case Token::Kind::floating:
      return "a number";
    case Token::Kind::end:
      return "the end of the template";
    default:
      return "'" + token.text.substr(0, byteOf(token.text, 40)) + "'";
  }
}

Lexer::Lexer(std::string_view source) : m_source(normalise(source)) {}

Token Lexer::next() {
  if (!m_ready.empty()) {
    Token token = std::move(m_ready.front());
    m_ready.erase(m_ready.begin());
    return token;
  }
  return m_state == State::data ? data() : inTag();
}

void Lexer::advance(std::size_t bytes) {
  m_line += static_cast<int>(std::count(m_source.begin() + static_cast<std::ptrdiff_t>(m_at),
                                        m_source.begin() + static_cast<std::ptrdiff_t>(m_at + bytes), '\n'));
  m_at += bytes;
}

std::size_t Lexer::spaceEnd(std::size_t from) const {
  while (from < m_source.size()) {
    std::size_t at = from;
    if (!isSpace(nextCharacter(m_source, at))) break;
    from = at;
  }
  return from;
}

// The text before a tag, as the tag's sign wants it.
std::string Lexer::stripBefore(std::string_view text, char sign, bool variable) {
  if (sign == '-') return std::string(strip(text, false, true));
  if (sign == '+' || variable) return std::string(text);
  const std::size_t lineEnd = text.rfind('\n');
  const std::size_t start = lineEnd == std::string_view::npos ? 0 : lineEnd + 1;
  if (start == 0 && !m_lineStarting) return std::string(text);
  if (!strip(text.substr(start), true, false).empty()) return std::string(text);
  return std::string(text.substr(0, start));
}

Token Lexer::data() {
  std::string gathered;  // texts on both sides of a comment are one
  int line = m_line;
  for (;;) {
    std::size_t begin = m_at;
    while (begin < m_source.size() &&
           !(m_source[begin] == '{' && begin + 1 < m_source.size() &&
             (m_source[begin + 1] == '{' || m_source[begin + 1] == '%' || m_source[begin + 1] == '#'))) {
      ++begin;
    }
    const std::string_view text = std::string_view(m_source).substr(m_at, begin - m_at);
    if (gathered.empty()) line = m_line;
    if (begin >= m_source.size()) {
      gathered += text;
      advance(text.size());
      if (gathered.empty()) return {Token::Kind::end, m_line, {}};
      return {Token::Kind::data, line, std::move(gathered)};
    }
    const char what = m_source[begin + 1];
    std::size_t after = begin + 2;
    char sign = 0;
    if (after < m_source.size() && (m_source[after] == '-' || m_source[after] == '+')) sign = m_source[after++];
    gathered += stripBefore(text, sign, what == '{');
    advance(after - m_at);
    m_lineStarting = false;
    if (what == '#') {
      skipComment();
      continue;
    }
    if (what == '%') {
      std::size_t at = spaceEnd(m_at);
      if (m_source.compare(at, 3, "raw") == 0) {
        at = spaceEnd(at + 3);
        const bool strips = m_source.compare(at, 3, "-%}") == 0;
        if (strips || m_source.compare(at, 2, "%}") == 0) {
          at = strips ? spaceEnd(at + 3) : at + 2;
          m_lineStarting = m_source[at - 1] == '\n';
          advance(at - m_at);
          Token token = raw(std::move(gathered), line);
          if (token.text.empty()) return next();
          return token;
        }
      }
    }
    Token tag{what == '{' ? Token::Kind::variableBegin : Token::Kind::blockBegin, m_line, {}};
    m_state = what == '{' ? State::variable : State::block;
    if (gathered.empty()) return tag;
    m_ready.push_back(std::move(tag));
    return {Token::Kind::data, line, std::move(gathered)};
  }
}

void Lexer::skipComment() {
  if (m_at >= m_source.size()) return;  // at the very end nobody misses the rest
  const std::size_t end = m_source.find("#}", m_at);
  if (end == std::string::npos) wrong("a comment that starts here has no '#}'", m_line);
  std::size_t after = end + 2;
  const char sign = end > m_at ? m_source[end - 1] : 0;
  if (sign == '-') {
    after = spaceEnd(after);
  } else if (sign != '+' && after < m_source.size() && m_source[after] == '\n') {
    ++after;
  }
  m_lineStarting = m_source[after - 1] == '\n';
  advance(after - m_at);
}

// What stands between raw and endraw, behind the text before it.
Token Lexer::raw(std::string text, int line) {
  const int begin = m_line;
  if (m_at >= m_source.size()) return {Token::Kind::data, line, std::move(text)};
  for (std::size_t tag = m_source.find("{%", m_at);; tag = m_source.find("{%", tag + 2)) {
    if (tag == std::string::npos) wrong("a raw block that starts here has no endraw", begin);
    std::size_t at = tag + 2;
    char sign = 0;
    if (at < m_source.size() && (m_source[at] == '-' || m_source[at] == '+')) sign = m_source[at++];
    at = spaceEnd(at);
    if (m_source.compare(at, 6, "endraw") != 0) continue;
    at = spaceEnd(at + 6);
    const char last = at < m_source.size() ? m_source[at] : '\0';
    if (last == '-' || last == '+') ++at;
    if (m_source.compare(at, 2, "%}") != 0) continue;
    at += 2;
    if (last == '-') {
      at = spaceEnd(at);
    } else if (last != '+' && at < m_source.size() && m_source[at] == '\n') {
      ++at;
    }
    text += stripBefore(std::string_view(m_source).substr(m_at, tag - m_at), sign, false);
    m_lineStarting = m_source[at - 1] == '\n';
    advance(at - m_at);
    return {Token::Kind::data, line, std::move(text)};
  }
}

bool Lexer::atTagEnd(Token& token) {
  if (!m_open.empty()) return false;
  const std::string_view end = m_state == State::variable ? "}}" : "%}";
  const std::string_view rest = std::string_view(m_source).substr(m_at);
  const bool strips = rest.substr(0, 1) == "-" && rest.substr(1, 2) == end;
  const bool keeps = m_state == State::block && rest.substr(0, 1) == "+" && rest.substr(1, 2) == end;
  if (!strips && !keeps && rest.substr(0, 2) != end) return false;
  token = {m_state == State::variable ? Token::Kind::variableEnd : Token::Kind::blockEnd, m_line, {}};
  std::size_t after = m_at + (strips || keeps ? 3 : 2);
  if (strips) {
    after = spaceEnd(after);
  } else if (!keeps && m_state == State::block && after < m_source.size() && m_source[after] == '\n') {
    ++after;
  }
  m_lineStarting = m_source[after - 1] == '\n';
  advance(after - m_at);
  m_state = State::data;
  return true;
}

Token Lexer::inTag() {
  Token token;
  if (atTagEnd(token)) return token;
  advance(spaceEnd(m_at) - m_at);
  if (m_at >= m_source.size()) return {Token::Kind::end, m_line, {}};
  if (atTagEnd(token)) return token;
  const char first = m_source[m_at];
  if (first >= '0' && first <= '9') return number();
  if (first == '\'' || first == '"') return text(first);
  std::size_t at = m_at;
  if (isNameStart(nextCharacter(m_source, at))) {
    std::size_t end = at;
    while (at < m_source.size() && isNameRest(nextCharacter(m_source, at))) end = at;
    token = {Token::Kind::name, m_line, m_source.substr(m_at, end - m_at)};
    m_at = end;
    return token;
  }
  for (const std::string_view sign : {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
                                      "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"}) {
    if (!startsWith(sign)) continue;
    if (sign == "(" || sign == "[" || sign == "{") {
      m_open.push_back(sign == "(" ? ')' : sign == "[" ? ']' : '}');
    } else if (sign == ")" || sign == "]" || sign == "}") {
      if (m_open.empty()) wrong("there is a '" + std::string(sign) + "' that closes nothing", m_line);
      if (m_open.back() != sign[0]) {
        wrong("there is a '" + std::string(sign) + "' where a '" + std::string(1, m_open.back()) + "' is awaited",
              m_line);
      }
      m_open.pop_back();
    }
    m_at += sign.size();
    return {Token::Kind::sign, m_line, std::string(sign)};
  }
  wrong("the character '" + m_source.substr(m_at, at - m_at) + "' has no meaning here", m_line);
}

Token Lexer::number() {
  const std::string_view rest = std::string_view(m_source).substr(m_at);
  Token token{Token::Kind::integer, m_line, {}};
  const auto integer = [&](std::string_view digits, int base, std::size_t length) {
    const std::string plain = withoutUnderscores(digits);
    const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), token.integer, base);
    if (error != std::errc() || end != plain.data() + plain.size()) {
      wrong("the number " + std::string(rest.substr(0, std::min<std::size_t>(length, 40))) + " does not fit in 64 bits",
            m_line);
    }
    m_at += length;
    return token;
  };
  if (rest.size() > 2 && rest[0] == '0') {
    const char kind = static_cast<char>(rest[1] | 0x20);
    const int base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
    if (base != 0 && (isDigitIn(rest[2], base) || (rest[2] == '_' && rest.size() > 3 && isDigitIn(rest[3], base)))) {
      const std::size_t end = digitsEnd(rest, 2, base);
      return integer(rest.substr(2, end - 2), base, end);
    }
  }
  std::size_t end = digitsEnd(rest, 0, 10);
  const std::size_t whole = end;
  if (m_at == 0 || m_source[m_at - 1] != '.') {  // matrix.0.1 has no number 0.1
    if (end + 1 < rest.size() && rest[end] == '.' && isDigitIn(rest[end + 1], 10)) end = digitsEnd(rest, end + 1, 10);
    if (end < rest.size() && (rest[end] | 0x20) == 'e') {
      std::size_t digits = end + 1;
      if (digits < rest.size() && (rest[digits] == '+' || rest[digits] == '-')) ++digits;
      if (digits < rest.size() && isDigitIn(rest[digits], 10)) end = digitsEnd(rest, digits, 10);
    }
  }
  if (end > whole) {
    token.kind = Token::Kind::floating;
    token.floating = std::strtod(withoutUnderscores(rest.substr(0, end)).c_str(), nullptr);
    m_at += end;
    return token;
  }
  if (rest[0] == '0') {  // 0 and 00, but 01 is 0 and 1
    end = 1;
    while (end < whole && (rest[end] == '0' || (rest[end] == '_' && rest[end + 1] == '0'))) ++end;
  }
  return integer(rest.substr(0, end), 10, end);
}

Token Lexer::text(char quote) {
  std::size_t end = m_at + 1;
  while (end < m_source.size() && m_source[end] != quote) end += m_source[end] == '\\' ? 2 : 1;
  if (end >= m_source.size()) wrong("a string that starts here has no end", m_line);
  Token token{Token::Kind::text, m_line, unescape(std::string_view(m_source).substr(m_at + 1, end - m_at - 1))};
  advance(end + 1 - m_at);
  return token;
}

}  // namespace strata::jinja
