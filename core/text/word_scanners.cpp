#include "core/text/word_scanners.h"

#include <array>

#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

using unicode::Category;

enum class Kind : std::uint8_t { letter, number, space, other };

/// The four kinds that the expressions know, of every code point.
class Kinds {
 public:
  Kinds() : m_classes(unicode::classTable()) {}
  Kind operator()(char32_t c) const {
    const std::uint8_t bits = m_classes[c];
    const auto category = static_cast<Category>(bits & unicode::kCategoryBits);
    if ((bits & unicode::kSpaceBit) != 0) return Kind::space;
    if (category >= Category::Lu && category <= Category::Lo) return Kind::letter;
    if (category >= Category::Nd && category <= Category::No) return Kind::number;
    return Kind::other;
  }

 private:
  const std::uint8_t* m_classes;
};

/// Walks a text character by character.
class Cursor {
 public:
  Cursor(std::string_view text, const Kinds& kinds) : m_end(text.data() + text.size()), m_kinds(kinds) {
    moveTo(text.data());
  }
  bool atEnd() const { return m_at == m_end; }
  const char* at() const { return m_at; }
  char32_t character() const { return m_character; }
  Kind kind() const { return m_kind; }
  /// Whether there is a character here and it is of this kind.
  bool is(Kind kind) const { return m_at != m_end && m_kind == kind; }
  bool isNewline() const { return m_at != m_end && (m_character == '\n' || m_character == '\r'); }
  void advance() { moveTo(m_next); }
  void moveTo(const char* at) {
    m_at = m_next = at;
    if (at == m_end) return;
    m_character = nextCodePoint(m_next);
    m_kind = m_kinds(m_character);
  }

 private:
  const char* m_end;
  const char* m_at = nullptr;
  const char* m_next = nullptr;
  char32_t m_character = 0;
  Kind m_kind = Kind::other;
  const Kinds& m_kinds;
};

/// The end of 's, 't, 're, 've, 'm, 'll or 'd at `at`, or nullptr.
template <class Same>
const char* contractionEnd(const char* at, const char* end, Same same) {
  if (at == end || *at != '\'') return nullptr;
  for (const char* letters : {"s", "t", "re", "ve", "m", "ll", "d"}) {
    const char* here = at + 1;
    const char* letter = letters;
    while (*letter != '\0' && here != end && same(nextCodePoint(here), *letter)) ++letter;
    if (*letter == '\0') return here;
  }
  return nullptr;
}

bool sameExactly(char32_t c, char letter) {
  return c == static_cast<char32_t>(letter);
}

/// Unicode's simple case folding: the long s is an s.
bool sameFolded(char32_t c, char letter) {
  if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  return c == static_cast<char32_t>(letter) || (letter == 's' && c == 0x17F);
}

/// `\s+(?!\S)|\s+` from a space on: all of the run where the text ends, else all but its last character, which the next
/// word takes; one character is taken whatever follows.
void takeSpaces(Cursor& cursor) {
  const char* last = cursor.at();
  std::size_t count = 0;
  for (; cursor.is(Kind::space); cursor.advance(), ++count) last = cursor.at();
  if (!cursor.atEnd() && count > 1) cursor.moveTo(last);
}

/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
void takeGpt2Word(Cursor& cursor, const char* end) {
  if (const char* after = contractionEnd(cursor.at(), end, sameExactly)) return cursor.moveTo(after);
  const char* const start = cursor.at();
  if (cursor.character() == ' ') cursor.advance();
  if (!cursor.atEnd() && cursor.kind() != Kind::space) {
    const Kind kind = cursor.kind();
    while (cursor.is(kind)) cursor.advance();
    return;
  }
  cursor.moveTo(start);
  takeSpaces(cursor);
}

/// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,D}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
void takeTiktokenWord(Cursor& cursor, const char* end, int digits) {
  if (const char* after = contractionEnd(cursor.at(), end, sameFolded)) return cursor.moveTo(after);
  const char* const start = cursor.at();
  if (cursor.kind() == Kind::number) {
    for (int taken = 0; taken < digits && cursor.is(Kind::number); ++taken) cursor.advance();
    return;
  }
  if (cursor.kind() != Kind::letter && !cursor.isNewline()) cursor.advance();
  if (cursor.is(Kind::letter)) {
    while (cursor.is(Kind::letter)) cursor.advance();
    return;
  }
  cursor.moveTo(start);
  if (cursor.character() == ' ') cursor.advance();
  if (cursor.is(Kind::other)) {
    while (cursor.is(Kind::other)) cursor.advance();
    while (cursor.isNewline()) cursor.advance();
    return;
  }
  cursor.moveTo(start);
  const char* newline = nullptr;  // behind the run's last
  while (cursor.is(Kind::space)) {
    const bool isNewline = cursor.isNewline();
    cursor.advance();
    if (isNewline) newline = cursor.at();
  }
  if (newline != nullptr) return cursor.moveTo(newline);
  cursor.moveTo(start);
  takeSpaces(cursor);
}

class WordScanner final : public Pattern {
 public:
  enum class Expression { gpt2, llama3, qwen2 };
  explicit WordScanner(Expression expression) : m_expression(expression) {}
  bool looksOneStretchAhead() const override { return true; }  // one character, in fact

  void find(std::string_view text, std::vector<Stretch>& stretches) const override {
    if (text.empty()) {
      stretches.push_back({0, 0, false});
      return;
    }
    stretches.reserve(stretches.size() + text.size() / 4);
    const char* const end = text.data() + text.size();
    Cursor cursor(text, m_kinds);
    while (!cursor.atEnd()) {
      const auto begin = static_cast<std::size_t>(cursor.at() - text.data());
      if (m_expression == Expression::gpt2) {
        takeGpt2Word(cursor, end);
      } else {
        takeTiktokenWord(cursor, end, m_expression == Expression::llama3 ? 3 : 1);
      }
      stretches.push_back({begin, static_cast<std::size_t>(cursor.at() - text.data()), true});
    }
  }

 private:
  Expression m_expression;
  Kinds m_kinds;
};

constexpr std::string_view kLlama3Expression =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Expression =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

}  // namespace

std::unique_ptr<Pattern> wordScanner(std::string_view expression) {
  using Expression = WordScanner::Expression;
  if (expression == kGpt2Expression) return std::make_unique<WordScanner>(Expression::gpt2);
  if (expression == kLlama3Expression) return std::make_unique<WordScanner>(Expression::llama3);
  if (expression == kQwen2Expression) return std::make_unique<WordScanner>(Expression::qwen2);
  return nullptr;
}

}  // namespace strata
