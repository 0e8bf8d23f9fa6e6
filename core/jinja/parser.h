#pragma once
// Tokens to a Program, by recursive descent with Jinja's precedences. Throws Failure with a line.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "core/jinja/lexer.h"
#include "core/jinja/program.h"

namespace strata::jinja {

class Parser {
 public:
  Parser(Program& program, const Limits& limits);
  /// Fills the program from its source.
  void parse();

 private:
  // Statements
  Block statements(std::initializer_list<std::string_view> ends, const std::string& open, int line);
  Block body(std::initializer_list<std::string_view> ends, const std::string& open, int line);
  const Statement* statement();
  const Statement* parseSet(int line);
  const Statement* parseFor(int line);
  const Statement* parseIf(int line);
  const Statement* parseWith(int line);
  const Statement* parseMacro(int line);
  const Statement* parseCall(int line);
  const Statement* parseFilterBlock(int line);
  const Statement* parseBlock(int line);
  const Statement* parseAutoescape(int line);
  const Statement* parsePrint(int line);
  void parseSignature(Signature& signature);
  Block macroBody(Signature& signature, std::string_view end, const std::string& open, int line);
  const Expr* assignTarget(bool withFields, bool untilIn = false);
  const Expr* targetPart(bool withFields);
  int targetName();

  // Expressions
  const Expr* expression(bool withCondition = true);
  const Expr* condition();
  const Expr* logicalOr();
  const Expr* logicalAnd();
  const Expr* logicalNot();
  const Expr* compare();
  const Expr* sum();
  const Expr* concat();
  const Expr* product();
  const Expr* power();
  const Expr* unary(bool withFilters = true);
  const Expr* primary();
  const Expr* postfix(const Expr* subject);
  const Expr* filtersAndTests(const Expr* subject);
  const Expr* filter(const Expr* subject);
  const Expr* test(const Expr* subject);
  const Expr* subscript(const Expr* subject);
  const Expr* subscribed();
  const Expr* call(const Expr* subject);
  const Expr* tuple(bool withCondition, bool parenthesised, std::string_view end = {});
  const Expr* listLiteral();
  const Expr* dictLiteral();
  std::unique_ptr<CallArguments> callArguments();
  std::string dottedName();

  // Making nodes
  Expr* make(Expr::Kind kind, int line, std::vector<const Expr*> parts = {});
  Expr* nameOf(const std::string& name, int line);
  Statement* makeStatement(Statement::Kind kind, int line);
  void count();

  // Tokens
  const Token& peek();
  Token take();
  bool skipSign(std::string_view sign);
  bool skipName(std::string_view name);
  void expectSign(std::string_view sign);
  std::string expectName(std::string_view what);
  void expectBlockEnd();
  [[noreturn]] void wrong(std::string message, int line = 0);
  bool tupleEnds(std::string_view end);

  /// Counts nesting while it lives.
  class Nesting {
   public:
    explicit Nesting(Parser& parser);
    ~Nesting() { --m_parser.m_nesting; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& m_parser;
  };

  Program& m_program;
  Limits m_limits;
  Lexer m_lexer;
  Token m_token;
  std::optional<Token> m_ahead;
  int m_nesting = 0;
  int m_insideFor = 0;               // for blocks around, also outside of a macro
  int m_loops = 0;                   // that a break would end
  std::vector<Signature*> m_macros;  // around what is being parsed
  struct Unknown {
    std::string what;
    int line;
  };
  std::vector<Unknown> m_unknown;  // filters and tests that do not exist, outside of conditions
};

/// The filters and tests that templates may use, for the parser to find them.
const Builtin* findFilter(std::string_view name);
const Builtin* findTest(std::string_view name);

}  // namespace strata::jinja
