#include "core/jinja/parser.h"

namespace strata::jinja {

Parser::Parser(Program& program, const Limits& limits)
    : m_program(program), m_limits(limits), m_lexer(program.source), m_token(m_lexer.next()) {}

Parser::Nesting::Nesting(Parser& parser) : m_parser(parser) {
  if (++m_parser.m_nesting > m_parser.m_limits.nesting) {
    --m_parser.m_nesting;
    throw Failure{Failure::Kind::limit, "it nests deeper than " + std::to_string(m_parser.m_limits.nesting) + " levels",
                  m_parser.m_token.line};
  }
}

void Parser::parse() {
  m_program.body = statements({}, {}, 1);
  if (!m_unknown.empty()) wrong(m_unknown.front().what, m_unknown.front().line);
}

void Parser::wrong(std::string message, int line) {
  throw Failure{Failure::Kind::wrong, std::move(message), line == 0 ? m_token.line : line};
}

const Token& Parser::peek() {
  if (!m_ahead) m_ahead = m_lexer.next();
  return *m_ahead;
}

Token Parser::take() {
  Token taken = std::move(m_token);
  if (m_ahead) {
    m_token = std::move(*m_ahead);
    m_ahead.reset();
  } else {
    m_token = m_lexer.next();
  }
  return taken;
}

bool Parser::skipSign(std::string_view sign) {
  if (!m_token.isSign(sign)) return false;
  take();
  return true;
}

bool Parser::skipName(std::string_view name) {
  if (!m_token.isName(name)) return false;
  take();
  return true;
}

void Parser::expectSign(std::string_view sign) {
  if (!skipSign(sign)) wrong("'" + std::string(sign) + "' is awaited, not " + describe(m_token));
}

std::string Parser::expectName(std::string_view what) {
  if (m_token.kind != Token::Kind::name) wrong(std::string(what) + " is awaited, not " + describe(m_token));
  return take().text;
}

void Parser::expectBlockEnd() {
  if (m_token.kind != Token::Kind::blockEnd) wrong("'%}' is awaited, not " + describe(m_token));
  take();
}

void Parser::count() {
  if (m_program.expressions.size() + m_program.statements.size() >= m_limits.nodes) {
    throw Failure{Failure::Kind::limit, "it has more than " + std::to_string(m_limits.nodes) + " parts", m_token.line};
  }
}

Statement* Parser::makeStatement(Statement::Kind kind, int line) {
  count();
  Statement& statement = m_program.statements.emplace_back();
  statement.kind = kind;
  statement.line = line;
  return &statement;
}

// Up to a tag that is one of `ends`, which stays; `open` is the tag that waits for it.
Block Parser::statements(std::initializer_list<std::string_view> ends, const std::string& open, int line) {
  const Nesting nesting(*this);
  Block block;
  for (;;) {
    const int at = m_token.line;
    if (m_token.kind == Token::Kind::data) {
      Statement* text = makeStatement(Statement::Kind::text, at);
      text->text = take().text;
      block.push_back(text);
    } else if (m_token.kind == Token::Kind::variableBegin) {
      take();
      Statement* output = makeStatement(Statement::Kind::output, at);
      output->value = tuple(true, false);
      if (m_token.kind != Token::Kind::variableEnd) wrong("'}}' is awaited, not " + describe(m_token));
      take();
      block.push_back(output);
    } else if (m_token.kind == Token::Kind::blockBegin) {
      take();
      for (const std::string_view end : ends)
        if (m_token.isName(end)) return block;
      block.push_back(statement());
      expectBlockEnd();
    } else if (ends.size() > 0) {
      wrong("the '" + open + "' of line " + std::to_string(line) + " has no '" + std::string(*(ends.end() - 1)) + "'");
    } else {
      return block;
    }
  }
}

Block Parser::body(std::initializer_list<std::string_view> ends, const std::string& open, int line) {
  skipSign(":");
  expectBlockEnd();
  return statements(ends, open, line);
}

const Statement* Parser::statement() {
  const int line = m_token.line;
  const std::string tag = expectName("the name of a tag");
  if (tag == "set") return parseSet(line);
  if (tag == "if") return parseIf(line);
  if (tag == "for") return parseFor(line);
  if (tag == "macro") return parseMacro(line);
  if (tag == "call") return parseCall(line);
  if (tag == "filter") return parseFilterBlock(line);
  if (tag == "with") return parseWith(line);
  if (tag == "block") return parseBlock(line);
  if (tag == "print") return parsePrint(line);
  if (tag == "autoescape") return parseAutoescape(line);
  if (tag == "break" || tag == "continue") {
    if (m_loops == 0) wrong("'" + tag + "' stands outside of a loop", line);
    return makeStatement(tag == "break" ? Statement::Kind::breakLoop : Statement::Kind::continueLoop, line);
  }
  if (tag == "generation") {
    Statement* generation = makeStatement(Statement::Kind::generation, line);
    const int loops = std::exchange(m_loops, 0);
    generation->body = body({"endgeneration"}, tag, line);
    m_loops = loops;
    take();
    return generation;
  }
  if (tag == "include" || tag == "import" || tag == "from" || tag == "extends") {
    wrong("'" + tag + "' reads another template, which a chat template may not; put its text here", line);
  }
  wrong("there is no tag '" + tag + "'" +
            (tag.starts_with("end") || tag == "else" || tag == "elif" ? " to be closed here" : ""),
        line);
}

const Statement* Parser::parseSet(int line) {
  const Expr* target = assignTarget(true);
  if (skipSign("=")) {
    Statement* set = makeStatement(Statement::Kind::set, line);
    set->target = target;
    set->value = tuple(true, false);
    return set;
  }
  Statement* set = makeStatement(Statement::Kind::setBlock, line);
  set->target = target;
  const Expr* filtered = nullptr;
  while (skipSign("|")) filtered = filter(filtered);
  set->value = filtered;
  set->body = body({"endset"}, "set", line);
  take();
  return set;
}

const Statement* Parser::parseFor(int line) {
  Statement* loop = makeStatement(Statement::Kind::loop, line);
  ++m_insideFor;
  loop->target = assignTarget(false, true);
  if (!skipName("in")) wrong("'in' is awaited, not " + describe(m_token));
  loop->value = tuple(false, false, "recursive");
  if (skipName("if")) loop->test = expression();
  loop->recursive = skipName("recursive");
  ++m_loops;
  loop->body = body({"else", "endfor"}, "for", line);
  --m_loops;
  if (take().text == "else") {
    loop->otherwise = body({"endfor"}, "for", line);
    take();
  }
  --m_insideFor;
  return loop;
}

const Statement* Parser::parseIf(int line) {
  Statement* branch = makeStatement(Statement::Kind::branch, line);
  const std::size_t unknown = m_unknown.size();
  for (;;) {
    const Expr* test = tuple(false, false);
    branch->branches.emplace_back(test, body({"elif", "else", "endif"}, "if", line));
    const std::string next = take().text;
    if (next == "elif") continue;
    if (next == "else") {
      branch->otherwise = body({"endif"}, "if", line);
      take();
    }
    break;
  }
  m_unknown.resize(unknown);  // what a condition guards may be missing until it is met
  return branch;
}

const Statement* Parser::parseWith(int line) {
  Statement* with = makeStatement(Statement::Kind::with, line);
  while (m_token.kind != Token::Kind::blockEnd) {
    if (!with->assignments.empty()) expectSign(",");
    const Expr* target = assignTarget(false);
    expectSign("=");
    with->assignments.emplace_back(target, expression());
  }
  with->body = body({"endwith"}, "with", line);
  take();
  return with;
}

void Parser::parseSignature(Signature& signature) {
  expectSign("(");
  while (!m_token.isSign(")")) {
    if (!signature.names.empty()) expectSign(",");
    signature.names.push_back(targetName());
    if (skipSign("=")) {
      signature.defaults.push_back(expression());
    } else if (!signature.defaults.empty()) {
      wrong("a parameter without a default follows one with a default");
    }
  }
  expectSign(")");
}

// Names of the body tell what a macro takes beside its parameters.
Block Parser::macroBody(Signature& signature, std::string_view end, const std::string& open, int line) {
  m_macros.push_back(&signature);
  const int loops = std::exchange(m_loops, 0);
  Block block = body({end}, open, line);
  m_loops = loops;
  m_macros.pop_back();
  take();
  for (const int id : signature.names) {
    const std::string& name = m_program.names[static_cast<std::size_t>(id)];
    if (name == "caller") signature.usesCaller = false;
    if (name == "varargs") signature.usesVarargs = false;
    if (name == "kwargs") signature.usesKwargs = false;
  }
  return block;
}

const Statement* Parser::parseMacro(int line) {
  Statement* macro = makeStatement(Statement::Kind::macro, line);
  macro->name = targetName();
  macro->signature = std::make_unique<Signature>();
  parseSignature(*macro->signature);
  macro->body = macroBody(*macro->signature, "endmacro", "macro", line);
  return macro;
}

const Statement* Parser::parseCall(int line) {
  Statement* call = makeStatement(Statement::Kind::call, line);
  call->signature = std::make_unique<Signature>();
  if (m_token.isSign("(")) parseSignature(*call->signature);
  call->value = expression();
  if (call->value->kind != Expr::Kind::call) wrong("'call' must be followed by the call of a macro", line);
  call->body = macroBody(*call->signature, "endcall", "call", line);
  return call;
}

const Statement* Parser::parseFilterBlock(int line) {
  Statement* block = makeStatement(Statement::Kind::filter, line);
  const Expr* filtered = filter(nullptr);
  while (skipSign("|")) filtered = filter(filtered);
  block->value = filtered;
  const int loops = std::exchange(m_loops, 0);
  block->body = body({"endfilter"}, "filter", line);
  m_loops = loops;
  take();
  return block;
}

const Statement* Parser::parseBlock(int line) {
  Statement* block = makeStatement(Statement::Kind::block, line);
  const std::string name = expectName("the name of the block");
  const bool scoped = skipName("scoped");
  const bool required = skipName("required");
  if (required) wrong("the block '" + name + "' is required, but no template extends this one", line);
  if (scoped) block->kind = Statement::Kind::scope;
  const int loops = std::exchange(m_loops, 0);
  block->body = body({"endblock"}, "block", line);
  m_loops = loops;
  take();
  skipName(name);
  return block;
}

const Statement* Parser::parsePrint(int line) {
  Statement* all = makeStatement(Statement::Kind::branch, line);  // no branches: always the otherwise
  while (m_token.kind != Token::Kind::blockEnd) {
    if (!all->otherwise.empty()) expectSign(",");
    Statement* output = makeStatement(Statement::Kind::output, m_token.line);
    output->value = expression();
    all->otherwise.push_back(output);
  }
  return all;
}

const Statement* Parser::parseAutoescape(int line) {
  Statement* scope = makeStatement(Statement::Kind::scope, line);
  if (expression()->kind != Expr::Kind::boolean || m_program.expressions.back().number != 0) {
    wrong("'autoescape' must be false: a prompt is not HTML", line);
  }
  const int loops = std::exchange(m_loops, 0);
  scope->body = body({"endautoescape"}, "autoescape", line);
  m_loops = loops;
  take();
  return scope;
}

int Parser::targetName() {
  const int line = m_token.line;
  const std::string name = expectName("a name");
  for (const std::string_view constant : {"true", "false", "none", "True", "False", "None"})
    if (name == constant) wrong("'" + name + "' cannot be assigned to", line);
  return m_program.idOf(name);
}

const Expr* Parser::targetPart(bool withFields) {
  const Nesting nesting(*this);
  const int line = m_token.line;
  if (skipSign("(")) {
    const Expr* inner = assignTarget(withFields);
    expectSign(")");
    return inner;
  }
  if (m_token.kind != Token::Kind::name) wrong("a name to assign to is awaited, not " + describe(m_token));
  const int name = targetName();
  if (m_insideFor > 0 && m_program.names[static_cast<std::size_t>(name)] == "loop")
    wrong("'loop' of a for block cannot be set", line);
  Expr* target = make(Expr::Kind::name, line);
  target->number = name;
  if (withFields && skipSign(".")) {
    target->kind = Expr::Kind::field;
    target->text = expectName("the name of an attribute");
  }
  return target;
}

// One name, or several that a sequence is spread over.
const Expr* Parser::assignTarget(bool withFields, bool untilIn) {
  const int line = m_token.line;
  std::vector<const Expr*> parts{targetPart(withFields)};
  bool several = false;
  while (skipSign(",")) {
    several = true;
    if (m_token.isSign("=") || m_token.isSign(")") || (untilIn && m_token.isName("in")) ||
        m_token.kind == Token::Kind::blockEnd) {
      break;
    }
    parts.push_back(targetPart(withFields));
  }
  if (!several) return parts.front();
  return make(Expr::Kind::tuple, line, std::move(parts));
}

}  // namespace strata::jinja
