#include "core/jinja/interpreter.h"

namespace strata::jinja {

Interpreter::Flow Interpreter::execute(const Block& block) {
  for (const Statement* statement : block) {
    const Flow flow = execute(*statement);
    if (flow != Flow::on) return flow;
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::execute(const Statement& statement) {
  const Level level(*this);
  m_heap.step();
  m_line = statement.line;
  switch (statement.kind) {
    case Statement::Kind::text:
      m_out->append(statement.text);
      break;
    case Statement::Kind::output:
      print(*m_out, evaluate(*statement.value));
      break;
    case Statement::Kind::branch:
      return branch(statement);
    case Statement::Kind::loop:
      forLoop(statement, evaluate(*statement.value), m_scope, 0);
      break;
    case Statement::Kind::set:
      assignTo(*statement.target, evaluate(*statement.value));
      break;
    case Statement::Kind::setBlock:
      setBlock(statement);
      break;
    case Statement::Kind::macro:
      defineMacro(statement);
      break;
    case Statement::Kind::call:
      callBlock(statement);
      break;
    case Statement::Kind::filter: {
      m_filtered = string(capture(statement.body, makeScope(m_scope)));
      print(*m_out, evaluate(*statement.value));
      break;
    }
    case Statement::Kind::with:
      with(statement);
      break;
    case Statement::Kind::block:
      inScope(statement.body, m_context);
      break;
    case Statement::Kind::scope:
      inScope(statement.body, m_scope);
      break;
    case Statement::Kind::generation:
      generation(statement);
      break;
    case Statement::Kind::breakLoop:
      return Flow::breaking;
    case Statement::Kind::continueLoop:
      return Flow::continuing;
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::branch(const Statement& statement) {
  for (const auto& [test, body] : statement.branches) {
    m_line = test->line;
    if (truth(evaluate(*test))) return execute(body);
  }
  return execute(statement.otherwise);
}

void Interpreter::inScope(const Block& block, const Value& parent) {
  const Value outer = std::exchange(m_scope, makeScope(parent));
  execute(block);
  m_scope = outer;
}

// What the block prints, with `scope` as its variables.
std::string Interpreter::capture(const Block& block, const Value& scope) {
  TextBuilder text(m_heap);
  TextBuilder* out = std::exchange(m_out, &text);
  const Value outer = std::exchange(m_scope, scope);
  execute(block);
  m_scope = outer;
  m_out = out;
  return text.take();
}

void Interpreter::setBlock(const Statement& statement) {
  Value value = string(capture(statement.body, makeScope(m_scope)));
  if (statement.value != nullptr) {
    m_filtered = std::move(value);
    value = evaluate(*statement.value);
  }
  assignTo(*statement.target, value);
}

void Interpreter::with(const Statement& statement) {
  const Value inner = makeScope(m_scope);
  for (const auto& [target, expr] : statement.assignments) {
    const Value value = evaluate(*expr);  // sees what is outside alone
    const Value outer = std::exchange(m_scope, inner);
    assignTo(*target, value);
    m_scope = outer;
  }
  const Value outer = std::exchange(m_scope, inner);
  execute(statement.body);
  m_scope = outer;
}

void Interpreter::generation(const Statement& statement) {
  const std::size_t begin = m_root.size();
  const std::string text = capture(statement.body, makeScope(m_scope));
  m_generations.push_back({begin, begin + text.size()});
  m_heap.charge(sizeof(Span) * 2);
  m_out->append(text);
}

// The next item that the loop's test takes.
Value Interpreter::next(LoopObject& loop) {
  if (!loop.after.isMissing()) return std::exchange(loop.after, {});
  const std::vector<Value>& items = loop.items.as<ListObject>().items;
  while (loop.position < items.size()) {
    const Value& item = items[loop.position++];
    m_heap.step();
    if (loop.test == nullptr) return item;
    const Value outer = std::exchange(m_scope, makeScope(loop.scope));
    assignTo(*loop.statement->target, item);
    const bool passes = truth(evaluate(*loop.test));
    m_scope = outer;
    if (passes) return item;
  }
  return {};
}

std::int64_t Interpreter::lengthOf(LoopObject& loop) {
  if (loop.length >= 0) return loop.length;
  if (loop.test == nullptr) return loop.length = static_cast<std::int64_t>(loop.items.as<ListObject>().items.size());
  ListBuilder rest(m_heap);
  for (Value item = next(loop); !item.isMissing(); item = next(loop)) rest.push(std::move(item));
  loop.length = static_cast<std::int64_t>(rest.size()) + loop.index0 + 1;
  loop.items = rest.list();
  loop.position = 0;
  loop.test = nullptr;
  return loop.length;
}

void Interpreter::forLoop(const Statement& statement, const Value& items, const Value& scope, std::int64_t depth) {
  static const std::string kLoop = "loop";
  const auto loopName = m_program.nameIds.find(kLoop);
  const Value loopValue = Value::of(Kind::loop, m_heap.make<LoopObject>(statement, toList(items), scope, depth));
  auto& loop = loopValue.as<LoopObject>();
  const Value outer = m_scope;
  bool completed = false;  // an iteration that nothing cut short: only then Jinja leaves out the else block
  for (Value item = next(loop); !item.isMissing(); item = next(loop)) {
    ++loop.index0;
    loop.before = std::move(loop.current);
    loop.current = item;
    m_scope = makeScope(scope);
    if (loopName != m_program.nameIds.end()) assign(loopName->second, loopValue);
    assignTo(*statement.target, item);
    const Flow flow = execute(statement.body);
    if (flow == Flow::breaking) break;
    completed = completed || flow == Flow::on;
    m_scope = outer;
  }
  m_scope = outer;
  if (!completed && !statement.otherwise.empty()) {
    m_scope = makeScope(scope);
    execute(statement.otherwise);
    m_scope = outer;
  }
}

}  // namespace strata::jinja
