#include "core/jinja/interpreter.h"
#include "core/jinja/text.h"

namespace strata::jinja {

Value Interpreter::evaluate(const Expr& expr) {
  const Level level(*this);
  m_heap.step();
  switch (expr.kind) {
    case Expr::Kind::none:
      return Value::none();
    case Expr::Kind::boolean:
      return Value::boolean(expr.number != 0);
    case Expr::Kind::integer:
      return Value::integer(expr.number);
    case Expr::Kind::floating:
      return Value::floating(expr.floating);
    case Expr::Kind::text: {
      Value& text = m_texts[static_cast<std::size_t>(expr.number)];
      if (text.isMissing()) text = string(expr.text);
      return text;
    }
    case Expr::Kind::name:
      return name(static_cast<int>(expr.number));
    case Expr::Kind::attribute: {
      const Value object = evaluate(*expr.parts[0]);
      m_line = expr.line;
      return attribute(object, expr.text);
    }
    case Expr::Kind::item: {
      const Value object = evaluate(*expr.parts[0]);
      const Value key = evaluate(*expr.parts[1]);
      m_line = expr.line;
      return item(object, key);
    }
    case Expr::Kind::logicalNot:
      return Value::boolean(!truth(evaluate(*expr.parts[0])));
    case Expr::Kind::logicalAnd: {
      Value left = evaluate(*expr.parts[0]);
      return truth(left) ? evaluate(*expr.parts[1]) : left;
    }
    case Expr::Kind::logicalOr: {
      Value left = evaluate(*expr.parts[0]);
      return truth(left) ? left : evaluate(*expr.parts[1]);
    }
    case Expr::Kind::condition:
      if (truth(evaluate(*expr.parts[1]))) return evaluate(*expr.parts[0]);
      if (expr.parts[2] != nullptr) return evaluate(*expr.parts[2]);
      return undefined("the inline if of line " + std::to_string(expr.line) + " is false and has no else");
    case Expr::Kind::call:
      return evaluateCall(expr, nullptr);
    case Expr::Kind::filter:
      return evaluateFilter(expr);
    case Expr::Kind::test:
      return evaluateTest(expr);
    case Expr::Kind::list:
    case Expr::Kind::tuple:
    case Expr::Kind::dict:
      return evaluateLiteral(expr);
    default:
      return evaluateOperator(expr);
  }
}

Value Interpreter::evaluateOperator(const Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::compare:
      return evaluateCompare(expr);
    case Expr::Kind::concat:
      return evaluateConcat(expr);
    case Expr::Kind::slice:
      return evaluateSlice(expr);
    case Expr::Kind::negative:
    case Expr::Kind::positive: {
      const Value value = evaluate(*expr.parts[0]);
      m_line = expr.line;
      return expr.kind == Expr::Kind::negative ? negative(value) : positive(value);
    }
    default: {
      const Value left = evaluate(*expr.parts[0]);
      const Value right = evaluate(*expr.parts[1]);
      m_line = expr.line;
      return arithmetic(*this, expr.operation, left, right);
    }
  }
}

Value Interpreter::evaluateLiteral(const Expr& expr) {
  if (expr.kind == Expr::Kind::dict) {
    DictBuilder dict(m_heap);
    for (std::size_t i = 0; i < expr.parts.size(); i += 2) {
      Value key = evaluate(*expr.parts[i]);
      dict.set(std::move(key), evaluate(*expr.parts[i + 1]));
    }
    return dict.dict();
  }
  ListBuilder items(m_heap);
  items.reserve(expr.parts.size());
  for (const Expr* part : expr.parts) items.push(evaluate(*part));
  return expr.kind == Expr::Kind::list ? items.list() : items.tuple();
}

Value Interpreter::evaluateCompare(const Expr& expr) {
  Value left = evaluate(*expr.parts[0]);
  for (std::size_t i = 0; i < expr.text.size(); ++i) {
    Value right = evaluate(*expr.parts[i + 1]);
    m_line = expr.line;
    bool holds = false;
    switch (expr.text[i]) {
      case '=':
        holds = equals(m_heap, left, right);
        break;
      case '!':
        holds = !equals(m_heap, left, right);
        break;
      case 'i':
        holds = contains(*this, left, right);
        break;
      case 'n':
        holds = !contains(*this, left, right);
        break;
      default:
        holds = ordered(m_heap, expr.text[i], left, right);
    }
    if (!holds) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Interpreter::evaluateConcat(const Expr& expr) {
  TextBuilder out(m_heap);
  for (const Expr* part : expr.parts) print(out, evaluate(*part));
  return string(out.take());
}

Value Interpreter::evaluateSlice(const Expr& expr) {
  const Value object = evaluate(*expr.parts[0]);
  Value bounds[3];
  for (int i = 0; i < 3; ++i) {
    const Expr* part = expr.parts[static_cast<std::size_t>(i) + 1];
    bounds[i] = part == nullptr ? Value::none() : evaluate(*part);
  }
  m_line = expr.line;
  return slice(object, bounds[0], bounds[1], bounds[2]);
}

Value Interpreter::evaluateFilter(const Expr& expr) {
  const Value subject = expr.parts[0] == nullptr ? m_filtered : evaluate(*expr.parts[0]);
  Arguments arguments;
  collect(expr.arguments.get(), arguments);
  m_line = expr.line;
  if (expr.builtin == nullptr) refuse("there is no filter '" + expr.text + "'");
  return expr.builtin->call(*this, subject, arguments);
}

Value Interpreter::evaluateTest(const Expr& expr) {
  const Value subject = evaluate(*expr.parts[0]);
  Arguments arguments;
  collect(expr.arguments.get(), arguments);
  m_line = expr.line;
  if (expr.builtin == nullptr) refuse("there is no test '" + expr.text + "'");
  return expr.builtin->call(*this, subject, arguments);
}

}  // namespace strata::jinja
