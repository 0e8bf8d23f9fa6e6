// The expressions of Parser, from the loosest binding (a if b else c) to the tightest.

#include "core/jinja/parser.h"

namespace strata::jinja {

namespace {
constexpr int kDeepest = 400;            // of expressions that nest to the left: a + b + c + …
constexpr std::size_t kMostNamed = 200;  // arguments of one call
}  // namespace

Expr* Parser::make(Expr::Kind kind, int line, std::vector<const Expr*> parts) {
  count();
  Expr& expr = m_program.expressions.emplace_back();
  expr.kind = kind;
  expr.line = line;
  expr.number = 0;
  expr.parts = std::move(parts);
  for (const Expr* part : expr.parts)
    if (part != nullptr && part->depth >= expr.depth) expr.depth = static_cast<std::int16_t>(part->depth + 1);
  if (expr.depth > kDeepest) {
    throw Failure{Failure::Kind::limit, "an expression has more than " + std::to_string(kDeepest) + " levels", line};
  }
  return &expr;
}

Expr* Parser::nameOf(const std::string& name, int line) {
  for (Signature* macro : m_macros) {
    if (name == "caller") macro->usesCaller = true;
    if (name == "varargs") macro->usesVarargs = true;
    if (name == "kwargs") macro->usesKwargs = true;
  }
  Expr* expr = make(Expr::Kind::name, line);
  expr->number = m_program.idOf(name);
  return expr;
}

const Expr* Parser::expression(bool withCondition) {
  const Nesting nesting(*this);
  return withCondition ? condition() : logicalOr();
}

const Expr* Parser::condition() {
  const Nesting nesting(*this);
  const int line = m_token.line;
  const std::size_t unknown = m_unknown.size();
  const Expr* value = logicalOr();
  while (skipName("if")) {
    const Expr* test = logicalOr();
    const Expr* otherwise = skipName("else") ? condition() : nullptr;
    value = make(Expr::Kind::condition, line, {value, test, otherwise});
    m_unknown.resize(unknown);
  }
  return value;
}

const Expr* Parser::logicalOr() {
  const Expr* left = logicalAnd();
  for (int line = m_token.line; skipName("or"); line = m_token.line)
    left = make(Expr::Kind::logicalOr, line, {left, logicalAnd()});
  return left;
}

const Expr* Parser::logicalAnd() {
  const Expr* left = logicalNot();
  for (int line = m_token.line; skipName("and"); line = m_token.line)
    left = make(Expr::Kind::logicalAnd, line, {left, logicalNot()});
  return left;
}

const Expr* Parser::logicalNot() {
  const int line = m_token.line;
  if (!skipName("not")) return compare();
  const Nesting nesting(*this);
  return make(Expr::Kind::logicalNot, line, {logicalNot()});
}

const Expr* Parser::compare() {
  const int line = m_token.line;
  std::vector<const Expr*> parts{sum()};
  std::string operations;
  for (;;) {
    static constexpr std::string_view kSigns[] = {"==", "!=", "<", "<=", ">", ">="};
    static constexpr char kLetters[] = {'=', '!', '<', 'l', '>', 'g'};
    char operation = 0;
    for (std::size_t i = 0; i < std::size(kSigns) && operation == 0; ++i)
      if (skipSign(kSigns[i])) operation = kLetters[i];
    if (operation == 0 && skipName("in")) operation = 'i';
    if (operation == 0 && m_token.isName("not") && peek().isName("in")) {
      take();
      take();
      operation = 'n';
    }
    if (operation == 0) break;
    operations += operation;
    parts.push_back(sum());
  }
  if (operations.empty()) return parts.front();
  Expr* expr = make(Expr::Kind::compare, line, std::move(parts));
  expr->text = std::move(operations);
  return expr;
}

const Expr* Parser::sum() {
  const Expr* left = concat();
  for (;;) {
    const int line = m_token.line;
    const char operation = skipSign("+") ? '+' : skipSign("-") ? '-' : 0;
    if (operation == 0) return left;
    Expr* expr = make(Expr::Kind::arithmetic, line, {left, concat()});
    expr->operation = operation;
    left = expr;
  }
}

const Expr* Parser::concat() {
  const int line = m_token.line;
  std::vector<const Expr*> parts{product()};
  while (skipSign("~")) parts.push_back(product());
  if (parts.size() == 1) return parts.front();
  return make(Expr::Kind::concat, line, std::move(parts));
}

const Expr* Parser::product() {
  const Expr* left = power();
  for (;;) {
    const int line = m_token.line;
    const char operation = skipSign("*") ? '*' : skipSign("//") ? 'f' : skipSign("/") ? '/' : skipSign("%") ? '%' : 0;
    if (operation == 0) return left;
    Expr* expr = make(Expr::Kind::arithmetic, line, {left, power()});
    expr->operation = operation;
    left = expr;
  }
}

const Expr* Parser::power() {
  const Expr* left = unary();
  for (int line = m_token.line; skipSign("**"); line = m_token.line) {
    Expr* expr = make(Expr::Kind::arithmetic, line, {left, unary()});
    expr->operation = 'p';
    left = expr;
  }
  return left;
}

const Expr* Parser::unary(bool withFilters) {
  const Nesting nesting(*this);
  const int line = m_token.line;
  const Expr* node = nullptr;
  if (skipSign("-")) {
    node = make(Expr::Kind::negative, line, {unary(false)});
  } else if (skipSign("+")) {
    node = make(Expr::Kind::positive, line, {unary(false)});
  } else {
    node = primary();
  }
  node = postfix(node);
  return withFilters ? filtersAndTests(node) : node;
}

const Expr* Parser::primary() {
  const int line = m_token.line;
  switch (m_token.kind) {
    case Token::Kind::name: {
      const std::string name = take().text;
      if (name == "true" || name == "True" || name == "false" || name == "False") {
        Expr* expr = make(Expr::Kind::boolean, line);
        expr->number = name == "true" || name == "True" ? 1 : 0;
        return expr;
      }
      if (name == "none" || name == "None") return make(Expr::Kind::none, line);
      return nameOf(name, line);
    }
    case Token::Kind::text: {
      Expr* expr = make(Expr::Kind::text, line);
      while (m_token.kind == Token::Kind::text) expr->text += take().text;
      expr->number = m_program.texts++;
      return expr;
    }
    case Token::Kind::integer: {
      Expr* expr = make(Expr::Kind::integer, line);
      expr->number = take().integer;
      return expr;
    }
    case Token::Kind::floating: {
      Expr* expr = make(Expr::Kind::floating, line);
      expr->floating = take().floating;
      return expr;
    }
    default:
      if (m_token.isSign("[")) return listLiteral();
      if (m_token.isSign("{")) return dictLiteral();
      if (skipSign("(")) {
        const Expr* inner = tuple(true, true);
        expectSign(")");
        return inner;
      }
      wrong("a value is awaited, not " + describe(m_token));
  }
}

bool Parser::tupleEnds(std::string_view end) {
  return m_token.kind == Token::Kind::variableEnd || m_token.kind == Token::Kind::blockEnd || m_token.isSign(")") ||
         (!end.empty() && m_token.isName(end));
}

// One expression, or several with commas, which make a tuple.
const Expr* Parser::tuple(bool withCondition, bool parenthesised, std::string_view end) {
  const int line = m_token.line;
  std::vector<const Expr*> parts;
  bool isTuple = false;
  for (;;) {
    if (!parts.empty()) expectSign(",");
    if (tupleEnds(end)) break;
    parts.push_back(expression(withCondition));
    if (!m_token.isSign(",")) break;
    isTuple = true;
  }
  if (!isTuple && !parts.empty()) return parts.front();
  if (!isTuple && !parenthesised) wrong("an expression is awaited, not " + describe(m_token));
  return make(Expr::Kind::tuple, line, std::move(parts));
}

const Expr* Parser::listLiteral() {
  const int line = take().line;
  std::vector<const Expr*> parts;
  while (!m_token.isSign("]")) {
    if (!parts.empty()) expectSign(",");
    if (m_token.isSign("]")) break;
    parts.push_back(expression());
  }
  take();
  return make(Expr::Kind::list, line, std::move(parts));
}

const Expr* Parser::dictLiteral() {
  const int line = take().line;
  std::vector<const Expr*> parts;
  while (!m_token.isSign("}")) {
    if (!parts.empty()) expectSign(",");
    if (m_token.isSign("}")) break;
    parts.push_back(expression());
    expectSign(":");
    parts.push_back(expression());
  }
  take();
  return make(Expr::Kind::dict, line, std::move(parts));
}

const Expr* Parser::postfix(const Expr* subject) {
  for (;;) {
    if (m_token.isSign(".") || m_token.isSign("[")) {
      subject = subscript(subject);
    } else if (m_token.isSign("(")) {
      subject = call(subject);
    } else {
      return subject;
    }
  }
}

const Expr* Parser::filtersAndTests(const Expr* subject) {
  for (;;) {
    if (skipSign("|")) {
      subject = filter(subject);
    } else if (m_token.isName("is")) {
      subject = test(subject);
    } else if (m_token.isSign("(")) {
      subject = call(subject);
    } else {
      return subject;
    }
  }
}

const Expr* Parser::call(const Expr* subject) {
  const int line = m_token.line;
  std::unique_ptr<CallArguments> arguments = callArguments();
  Expr* expr = make(Expr::Kind::call, line, {subject});
  expr->arguments = std::move(arguments);
  return expr;
}

const Expr* Parser::subscript(const Expr* subject) {
  const Token sign = take();
  if (sign.text == ".") {
    if (m_token.kind == Token::Kind::name) {
      Expr* expr = make(Expr::Kind::attribute, sign.line, {subject});
      expr->text = take().text;
      return expr;
    }
    if (m_token.kind != Token::Kind::integer) wrong("a name or a number is awaited, not " + describe(m_token));
    Expr* index = make(Expr::Kind::integer, m_token.line);
    index->number = take().integer;
    return make(Expr::Kind::item, sign.line, {subject, index});
  }
  std::vector<const Expr*> parts;
  while (!m_token.isSign("]")) {
    if (!parts.empty()) expectSign(",");
    parts.push_back(subscribed());
  }
  take();
  if (parts.size() == 1 && parts.front()->kind == Expr::Kind::slice) {
    const std::vector<const Expr*>& bounds = parts.front()->parts;
    return make(Expr::Kind::slice, sign.line, {subject, bounds[0], bounds[1], bounds[2]});
  }
  for (const Expr* part : parts)
    if (part->kind == Expr::Kind::slice && part->parts.size() == 3) wrong("several slices in one subscript", sign.line);
  const Expr* index = parts.size() == 1 ? parts.front() : make(Expr::Kind::tuple, sign.line, std::move(parts));
  return make(Expr::Kind::item, sign.line, {subject, index});
}

// What stands in [ ]; of a slice its three bounds.
const Expr* Parser::subscribed() {
  const int line = m_token.line;
  const Expr* bounds[3] = {nullptr, nullptr, nullptr};
  if (!m_token.isSign(":")) {
    bounds[0] = expression();
    if (!m_token.isSign(":")) return bounds[0];
  }
  take();
  const auto ends = [&] { return m_token.isSign("]") || m_token.isSign(","); };
  if (!m_token.isSign(":") && !ends()) bounds[1] = expression();
  if (skipSign(":") && !ends()) bounds[2] = expression();
  return make(Expr::Kind::slice, line, {bounds[0], bounds[1], bounds[2]});
}

std::unique_ptr<CallArguments> Parser::callArguments() {
  const int line = m_token.line;
  auto arguments = std::make_unique<CallArguments>();
  const auto ensure = [&](bool right) {
    if (!right) wrong("the arguments of a call are in the wrong order", line);
  };
  expectSign("(");
  bool first = true;
  while (!m_token.isSign(")")) {
    if (!first) {
      expectSign(",");
      if (m_token.isSign(")")) break;
    }
    first = false;
    if (skipSign("*")) {
      ensure(arguments->list == nullptr && arguments->dict == nullptr);
      arguments->list = expression();
    } else if (skipSign("**")) {
      ensure(arguments->dict == nullptr);
      arguments->dict = expression();
    } else if (m_token.kind == Token::Kind::name && peek().isSign("=")) {
      ensure(arguments->dict == nullptr);
      std::string name = take().text;
      take();
      if (arguments->named.size() >= kMostNamed)
        wrong("a call has more than " + std::to_string(kMostNamed) + " named arguments", line);
      for (const auto& [present, value] : arguments->named)
        if (present == name) wrong("the argument '" + name + "' is given twice", line);
      arguments->named.emplace_back(std::move(name), expression());
    } else {
      ensure(arguments->list == nullptr && arguments->dict == nullptr && arguments->named.empty());
      arguments->positional.push_back(expression());
    }
  }
  take();
  return arguments;
}

std::string Parser::dottedName() {
  std::string name = expectName("the name of a filter or a test");
  while (skipSign(".")) name += "." + expectName("a name");
  return name;
}

const Expr* Parser::filter(const Expr* subject) {
  const int line = m_token.line;
  const std::string name = dottedName();
  std::unique_ptr<CallArguments> arguments = m_token.isSign("(") ? callArguments() : nullptr;
  Expr* expr = make(Expr::Kind::filter, line, {subject});
  expr->text = name;
  expr->arguments = std::move(arguments);
  expr->builtin = findFilter(name);
  if (expr->builtin == nullptr) m_unknown.push_back({"there is no filter '" + name + "'", line});
  return expr;
}

const Expr* Parser::test(const Expr* subject) {
  const int line = take().line;
  const bool negated = skipName("not");
  const std::string name = dottedName();
  std::unique_ptr<CallArguments> arguments;
  if (m_token.isSign("(")) {
    arguments = callArguments();
  } else if ((m_token.kind == Token::Kind::name || m_token.kind == Token::Kind::text ||
              m_token.kind == Token::Kind::integer || m_token.kind == Token::Kind::floating || m_token.isSign("[") ||
              m_token.isSign("{")) &&
             !m_token.isName("else") && !m_token.isName("or") && !m_token.isName("and")) {
    if (m_token.isName("is")) wrong("tests cannot be chained with 'is'");
    arguments = std::make_unique<CallArguments>();
    arguments->positional.push_back(postfix(primary()));
  }
  Expr* expr = make(Expr::Kind::test, line, {subject});
  expr->text = name;
  expr->arguments = std::move(arguments);
  expr->builtin = findTest(name);
  if (expr->builtin == nullptr) m_unknown.push_back({"there is no test '" + name + "'", line});
  if (!negated) return expr;
  return make(Expr::Kind::logicalNot, line, {expr});
}

}  // namespace strata::jinja
