#pragma once
// Cuts the source of a template into tokens, one at a time. White space control (-, +, trim_blocks, lstrip_blocks) is
// done here, as in Jinja's lexer.

#include <string>
#include <string_view>
#include <vector>

#include "core/jinja/heap.h"

namespace strata::jinja {

struct Token {
  enum class Kind {
    data,
    variableBegin,
    variableEnd,
    blockBegin,
    blockEnd,
    name,
    text,
    integer,
    floating,
    sign,  // an operator or a bracket, in `text`
    end,
  };
  Kind kind = Kind::end;
  int line = 1;
  std::string text;  // of a text: unescaped
  std::int64_t integer = 0;
  double floating = 0;

  bool isSign(std::string_view sign) const { return kind == Kind::sign && text == sign; }
  bool isName(std::string_view name) const { return kind == Kind::name && text == name; }
};

/// "the end of the template", "'%}'", … for messages.
std::string describe(const Token& token);

class Lexer {
 public:
  /// `source` with any line ends; it must be UTF-8 and stay alive.
  explicit Lexer(std::string_view source);
  Token next();

 private:
  enum class State { data, variable, block };
  Token data();
  Token raw(std::string text, int line);
  void skipComment();
  Token inTag();
  bool atTagEnd(Token& token);
  Token number();
  Token text(char quote);
  std::string unescape(std::string_view body);
  std::string stripBefore(std::string_view text, char sign, bool variable);
  bool startsWith(std::string_view part) const { return std::string_view(m_source).substr(m_at, part.size()) == part; }
  void advance(std::size_t bytes);
  std::size_t spaceEnd(std::size_t from) const;

  std::string m_source;
  std::size_t m_at = 0;
  int m_line = 1;
  State m_state = State::data;
  bool m_lineStarting = true;
  std::vector<char> m_open;  // closing brackets that are awaited
  std::vector<Token> m_ready;
};

}  // namespace strata::jinja
