#include "core/text/oniguruma.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <optional>
#include <vector>

#include "core/text/character_set.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

constexpr std::size_t kLongestPattern = 16 * 1024;
constexpr std::size_t kDeepest = 64;
constexpr std::size_t kLongestResult = 1 << 20;

std::string literal(char32_t c) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "\\x{%X}", static_cast<unsigned>(c));
  return text.data();
}

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where) : m_pattern(pattern), m_where(where) {}

  Result<std::string> run() {
    if (m_pattern.size() > kLongestPattern) return refuse("is longer than 16 KiB");
    STRATA_CHECK(alternatives(0));
    if (!atEnd()) return refuse("has a ) without its (");
    return std::move(m_out);
  }

 private:
  bool atEnd() const { return m_at == m_pattern.size(); }
  char peek(std::size_t ahead = 0) const { return m_at + ahead < m_pattern.size() ? m_pattern[m_at + ahead] : '\0'; }
  bool next(std::string_view text) const { return m_pattern.substr(m_at).starts_with(text); }
  bool take(std::string_view text) {
    if (!next(text)) return false;
    m_at += text.size();
    return true;
  }
  char32_t takeCharacter() {
    const Utf8Char c = readUtf8(m_pattern.substr(m_at));
    m_at += c.length;
    return c.codePoint;
  }
  tl::unexpected<Error> refuse(const std::string& why) const {
    return fail(ErrorCode::unsupported,
                m_where + ": the regular expression \"" + toValidUtf8(m_pattern.substr(0, 200)) + "\" " + why +
                    ", at byte " + std::to_string(m_at) + "; use a tokenizer with a simpler one.",
                m_where);
  }

  /// Up to the group's end or the pattern's.
  Result<void> alternatives(std::size_t depth) {
    if (depth > kDeepest) return refuse("is nested deeper than 64 groups");
    std::size_t opened = 0;  // (?i) in the middle holds to the end of the group, over its | as well
    while (!atEnd() && peek() != ')') {
      if (take("|")) {
        m_out += '|';
        continue;
      }
      STRATA_CHECK(quantified(depth, opened));
    }
    m_out.append(opened, ')');
    return {};
  }

  Result<void> quantified(std::size_t depth, std::size_t& opened) {
    const std::size_t start = m_out.size();
    if (start > kLongestResult) return refuse("has too many classes");
    STRATA_TRY(const bool repeatable, atom(depth, opened));
    if (!repeatable) return {};
    const auto wrap = [&] {
      m_out.insert(start, "(?:");
      m_out += ')';
    };
    for (bool first = true;; first = false) {
      const char c = peek();
      std::string bounds;
      if (c == '*' || c == '+' || c == '?') {
        ++m_at;
        bounds = c;
        if (!first) wrap();
        m_out += bounds;
        if (peek() == '?' || peek() == '+') m_out += m_pattern[m_at++];  // lazy, possessive
      } else if (c == '{' && takeInterval(bounds)) {
        if (!first) wrap();
        m_out += bounds;
        const bool exact = bounds.find(',') == std::string::npos;
        if (peek() == '?' && !exact)
          m_out += m_pattern[m_at++];  // {n}? and {n,m}+ are two quantifiers in Ruby's syntax
      } else {
        return {};
      }
    }
  }

  /// "{n}", "{n,}", "{n,m}" or "{,m}"; anything else is literal.
  bool takeInterval(std::string& bounds) {
    std::size_t at = m_at + 1;
    std::string low, high;
    while (at < m_pattern.size() && isDigit(m_pattern[at])) low += m_pattern[at++];
    const bool comma = at < m_pattern.size() && m_pattern[at] == ',';
    if (comma) ++at;
    while (comma && at < m_pattern.size() && isDigit(m_pattern[at])) high += m_pattern[at++];
    if (at >= m_pattern.size() || m_pattern[at] != '}' || (low.empty() && high.empty())) return false;
    m_at = at + 1;
    bounds = "{" + (low.empty() ? "0" : low) + (comma ? "," + high : "") + "}";
    return true;
  }

  /// One atom; false where nothing may repeat it.
  Result<bool> atom(std::size_t depth, std::size_t& opened) {
    const char c = peek();
    if (c == '(') return group(depth, opened);
    if (c == '[') {
      STRATA_TRY(const CharacterSet set, characterClass(0));
      m_out += set.pcre2();
      return true;
    }
    if (c == '\\') return escape();
    if (c == '.' || c == '^' || c == '$') {
      m_out += m_pattern[m_at++];
      return true;
    }
    if (c == '*' || c == '+' || c == '?') return refuse("repeats nothing");
    m_out += literal(takeCharacter());
    return true;
  }

  Result<bool> group(std::size_t depth, std::size_t& opened) {
    if (take("(?#")) {
      const std::size_t end = m_pattern.find(')', m_at);
      if (end == std::string_view::npos) return refuse("has a comment without an end");
      m_at = end + 1;
      return false;
    }
    std::string open = "(";
    for (const char* kind : {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"}) {
      if (take(kind)) {
        open = kind;
        return closeGroup(open, depth);
      }
    }
    if (next("(?<") || next("(?'")) {
      const char close = peek(2) == '<' ? '>' : '\'';
      const std::size_t end = m_pattern.find(close, m_at + 3);
      if (end == std::string_view::npos) return refuse("names a group without an end");
      open = "(?<" + std::string(m_pattern.substr(m_at + 3, end - m_at - 3)) + ">";
      m_at = end + 1;
      return closeGroup(open, depth);
    }
    if (!next("(?")) {
      ++m_at;
      return closeGroup(open, depth);
    }
    m_at += 2;
    std::string flags;
    for (; peek() == 'i' || peek() == 'm' || peek() == '-'; ++m_at) flags += peek() == 'm' ? 's' : peek();
    if (take(":")) return closeGroup("(?" + flags + ":", depth);
    if (!take(")")) return refuse("holds a kind of group that is not supported");
    m_out += "(?" + flags + ":";
    ++opened;
    return false;
  }

  Result<bool> closeGroup(const std::string& open, std::size_t depth) {
    m_out += open;
    STRATA_CHECK(alternatives(depth + 1));
    if (!take(")")) return refuse("has a ( without its )");
    m_out += ')';
    return true;
  }

  /// What a backslash and a letter say about one character: a set, or nothing and `c` for the character itself.
  Result<std::optional<CharacterSet>> characterEscape(char32_t& c, bool inClass) {
    ++m_at;
    if (atEnd()) return refuse("ends in a backslash");
    c = takeCharacter();
    const auto negated = [](CharacterSet set) {
      set.negate();
      return set;
    };
    switch (c) {
      case 'd':
        return CharacterSet::digit();
      case 'D':
        return negated(CharacterSet::digit());
      case 'w':
        return inClass ? CharacterSet::wordInClass() : CharacterSet::word();
      case 'W':
        return negated(inClass ? CharacterSet::wordInClass() : CharacterSet::word());
      case 's':
        return CharacterSet::space();
      case 'S':
        return negated(CharacterSet::space());
      case 'h':
        return CharacterSet::hexDigit();
      case 'H':
        return negated(CharacterSet::hexDigit());
      case 't':
        c = '\t';
        return std::nullopt;
      case 'n':
        c = '\n';
        return std::nullopt;
      case 'r':
        c = '\r';
        return std::nullopt;
      case 'f':
        c = '\f';
        return std::nullopt;
      case 'v':
        c = '\v';
        return std::nullopt;
      case 'a':
        c = '\a';
        return std::nullopt;
      case 'e':
        c = 0x1B;
        return std::nullopt;
      case 'x':
      case 'u':
        return hexadecimal(c);
      case 'p':
      case 'P':
        return property(c == 'P');
      case 'c':
      case 'C':
      case 'M':
        return refuse("holds a control or meta escape, which is not supported");
      default:
        break;
    }
    if (c == '0') {
      c = 0;
      for (int digits = 0; digits < 2 && peek() >= '0' && peek() <= '7'; ++digits) {
        c = c * 8 + static_cast<char32_t>(m_pattern[m_at++] - '0');
      }
    }
    return std::nullopt;
  }

  Result<std::optional<CharacterSet>> hexadecimal(char32_t& c) {
    const bool braces = c == 'x' && take("{");
    const std::size_t most = braces ? 8 : c == 'u' ? 4 : 2;
    std::string digits;
    while (digits.size() < most && std::isxdigit(static_cast<unsigned char>(peek())) != 0) digits += m_pattern[m_at++];
    if ((braces && !take("}")) || digits.empty() || (c == 'u' && digits.size() != 4)) {
      return refuse("holds an unfinished hexadecimal escape");
    }
    const unsigned long value = std::stoul(digits, nullptr, 16);
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return refuse("names a character that does not exist");
    c = static_cast<char32_t>(value);
    return std::nullopt;
  }

  Result<std::optional<CharacterSet>> property(bool negated) {
    const std::size_t end = m_pattern.find('}', m_at);
    if (!take("{") || end == std::string_view::npos) return refuse("has a \\p without its {name}");
    if (take("^")) negated = !negated;
    const std::string_view name = m_pattern.substr(m_at, end - m_at);
    for (const char c : name) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != ' ' && c != '_' && c != '-') {
        return refuse("names a property that is not supported");
      }
    }
    m_at = end + 1;
    CharacterSet set = CharacterSet::property(name);
    if (negated) set.negate();
    return set;
  }

  Result<bool> escape() {
    const char c = peek(1);
    const auto copy = [&] {
      m_out += m_pattern.substr(m_at, 2);
      m_at += 2;
      return true;
    };
    if (c == 'b' || c == 'B') {
      m_at += 2;
      const std::string word = CharacterSet::word().pcre2();
      const std::string before = "(?<=" + word + ")", after = "(?=" + word + ")";
      const std::string notBefore = "(?<!" + word + ")", notAfter = "(?!" + word + ")";
      m_out += c == 'b' ? "(?:" + before + notAfter + "|" + notBefore + after + ")"
                        : "(?:" + before + after + "|" + notBefore + notAfter + ")";
      return true;
    }
    if (c == 'A' || c == 'z' || c == 'Z' || c == 'G' || c == 'R' || c == 'X' || c == 'K') return copy();
    if (c == 'N') {
      m_at += 2;
      m_out += "[^\\n]";
      return true;
    }
    if (c == 'O') {
      m_at += 2;
      m_out += "(?s:.)";
      return true;
    }
    if (c >= '1' && c <= '9') {
      std::string number;
      for (++m_at; isDigit(peek()); ++m_at) number += peek();
      m_out += "\\g{" + number + "}";
      return true;
    }
    if (c == 'k' || c == 'g') return reference(c);
    if (c == 'y' || c == 'Y') return refuse("holds a text segment boundary, which is not supported");
    char32_t character = 0;
    STRATA_TRY(const std::optional<CharacterSet> set, characterEscape(character, false));
    m_out += set ? set->pcre2() : literal(character);
    return true;
  }

  /// \k<name> and \g<name>, \k<1>.
  Result<bool> reference(char kind) {
    const std::size_t end = m_pattern.find('>', m_at);
    if (peek(2) != '<' || end == std::string_view::npos) return refuse("refers to a group without naming it");
    const std::string name(m_pattern.substr(m_at + 3, end - m_at - 3));
    if (kind == 'k' && !name.empty() && (isDigit(name[0]) || name[0] == '-')) {
      m_out += "\\g{" + name + "}";
    } else {
      m_out += "\\" + std::string(1, kind) + "<" + name + ">";
    }
    m_at = end + 1;
    return true;
  }

  /// "[…]" with nested classes, [:posix:] and &&.
  Result<CharacterSet> characterClass(std::size_t depth) {
    if (depth > kDeepest) return refuse("is nested deeper than 64 classes");
    ++m_at;
    const bool negated = take("^");
    CharacterSet all;  // the parts so far that && joins
    bool intersected = false;
    CharacterSet part;
    const std::size_t start = m_at;  // a ] that comes first is literal
    while (peek() != ']' || m_at == start) {
      if (atEnd()) return refuse("has a [ without its ]");
      if (take("&&")) {
        if (intersected) part.intersect(std::move(all));
        all = std::move(part);
        part = CharacterSet();
        intersected = true;
        continue;
      }
      STRATA_CHECK(classItem(part, depth));
    }
    ++m_at;
    if (intersected) part.intersect(std::move(all));
    if (negated) part.negate();
    return part;
  }

  Result<void> classItem(CharacterSet& part, std::size_t depth) {
    if (next("[:")) {
      const std::size_t end = m_pattern.find(":]", m_at + 2);
      if (end != std::string_view::npos && end - m_at < 20) {
        const bool negated = peek(2) == '^';
        const std::size_t nameAt = m_at + (negated ? 3 : 2);
        CharacterSet set;
        if (CharacterSet::posix(m_pattern.substr(nameAt, end - nameAt), set)) {
          if (negated) set.negate();
          part.addSet(std::move(set));
          m_at = end + 2;
          return {};
        }
      }
    }
    if (peek() == '[') {
      STRATA_TRY(CharacterSet inner, characterClass(depth + 1));
      part.addSet(std::move(inner));
      return {};
    }
    STRATA_TRY(const std::optional<char32_t> first, classCharacter(part));
    if (!first && peek() == '-' && peek(1) != ']' && peek(1) != '\0')
      return refuse("has a range that starts with a class");
    if (!first) return {};
    if (peek() != '-' || peek(1) == ']' || peek(1) == '[' || peek(1) == '\0') {
      part.addRange(*first, *first);
      return {};
    }
    ++m_at;
    STRATA_TRY(const std::optional<char32_t> last, classCharacter(part));
    if (!last) {  // "a-\d": the three of them
      part.addRange(*first, *first);
      part.addRange('-', '-');
      return {};
    }
    if (*last < *first) return refuse("has a range whose end comes before its start");
    part.addRange(*first, *last);
    return {};
  }

  /// A character, or nothing where a set was added to `part`.
  Result<std::optional<char32_t>> classCharacter(CharacterSet& part) {
    if (peek() != '\\') return takeCharacter();
    char32_t c = 0;
    if (peek(1) == 'b') {
      m_at += 2;
      return '\b';
    }
    if (peek(1) == 'R' || peek(1) == 'X') return refuse("holds an escape that a class cannot");
    STRATA_TRY(std::optional<CharacterSet> set, characterEscape(c, true));
    if (!set) return c;
    part.addSet(std::move(*set));
    return std::nullopt;
  }

  std::string_view m_pattern;
  const std::string& m_where;
  std::string m_out;
  std::size_t m_at = 0;
};

}  // namespace

Result<std::string> toPcre2(std::string_view pattern, const std::string& where) {
  return Translator(pattern, where).run();
}

}  // namespace strata
