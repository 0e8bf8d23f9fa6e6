#include "core/jinja/operators.h"

#include <algorithm>
#include <cmath>

#include "core/jinja/interpreter.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

constexpr const char* kTooBig = "a whole number does not fit in 64 bits";

const char* signOf(char operation) {
  switch (operation) {
    case 'f':
      return "//";
    case 'p':
      return "** or pow()";
    case '+':
      return "+";
    case '-':
      return "-";
    case '*':
      return "*";
    case '/':
      return "/";
    default:
      return "%";
  }
}

// -1, 0, 1, or 2 where one is no number (NaN).
int compareNumbers(const Value& a, const Value& b) {
  if (a.isInteger() && b.isInteger()) {
    return a.asInteger() < b.asInteger() ? -1 : a.asInteger() > b.asInteger() ? 1 : 0;
  }
  // 64 bits of mantissa hold both without loss.
  const long double x = a.isInteger() ? static_cast<long double>(a.asInteger()) : a.asFloating();
  const long double y = b.isInteger() ? static_cast<long double>(b.asInteger()) : b.asFloating();
  return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
}

bool equalDicts(Heap& heap, const DictObject& a, const DictObject& b) {
  if (a.entries().size() != b.entries().size()) return false;
  return std::all_of(a.entries().begin(), a.entries().end(), [&](const DictObject::Entry& entry) {
    heap.step();
    const Value* other = b.find(heap, entry.first);
    return other != nullptr && equals(heap, entry.second, *other);
  });
}

std::int64_t integerPower(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) refuse(kTooBig);
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) refuse(kTooBig);
  }
  return result;
}

Value integerArithmetic(char operation, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (operation) {
    case '+':
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case '-':
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case '*':
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case '/':
      if (b == 0) refuse("division by zero");
      return Value::floating(static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
    case 'p':
      if (b < 0) {
        if (a == 0) refuse("0.0 cannot be raised to a negative power");
        return Value::floating(std::pow(static_cast<double>(a), static_cast<double>(b)));
      }
      if (a == 0 || a == 1) return Value::integer(b == 0 ? 1 : a);
      if (a == -1) return Value::integer(b % 2 == 0 ? 1 : -1);
      return Value::integer(integerPower(a, b));
    default: {
      if (b == 0) refuse("integer division or modulo by zero");
      if (b == -1) {  // of the smallest number there is no quotient
        if (operation == '%') return Value::integer(0);
        overflow = __builtin_sub_overflow(static_cast<std::int64_t>(0), a, &result);
        break;
      }
      const bool below = a % b != 0 && (a % b < 0) != (b < 0);  // Python rounds down, and the rest has b's sign
      result = operation == '%' ? a % b + (below ? b : 0) : a / b - (below ? 1 : 0);
    }
  }
  if (overflow) refuse(kTooBig);
  return Value::integer(result);
}

/// fmod() subtracts bit by bit of what the exponents differ.
void countModulo(Heap& heap, double a, double b) {
  if (a == 0 || b == 0 || !std::isfinite(a) || !std::isfinite(b)) return;
  heap.step(static_cast<std::uint64_t>(std::max(0, std::ilogb(a) - std::ilogb(b))) / 32);
}

Value floatingArithmetic(Heap& heap, char operation, double a, double b) {
  switch (operation) {
    case '+':
      return Value::floating(a + b);
    case '-':
      return Value::floating(a - b);
    case '*':
      return Value::floating(a * b);
    case '/':
      if (b == 0) refuse("float division by zero");
      return Value::floating(a / b);
    case 'p': {
      if (a == 0 && b < 0) refuse("0.0 cannot be raised to a negative power");
      if (a < 0 && std::floor(b) != b && std::isfinite(b))
        refuse("a negative number has no real power of " + printFloat(b));
      const double result = std::pow(a, b);
      if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) refuse("a power is too large for a float");
      return Value::floating(result);
    }
    default: {
      if (b == 0) refuse(operation == '%' ? "float modulo" : "float floor division by zero");
      countModulo(heap, a, b);
      double rest = std::fmod(a, b);
      double quotient = (a - rest) / b;
      if (rest != 0) {
        if ((b < 0) != (rest < 0)) {
          rest += b;
          quotient -= 1;
        }
      } else {
        rest = std::copysign(0.0, b);
      }
      if (operation == '%') return Value::floating(rest);
      if (quotient == 0) return Value::floating(std::copysign(0.0, a / b));
      double whole = std::floor(quotient);
      if (quotient - whole > 0.5) whole += 1;
      return Value::floating(whole);
    }
  }
}

Value joinTexts(Interpreter& interpreter, const Value& a, const Value& b) {
  const bool markup = a.as<StringObject>().markup || b.as<StringObject>().markup;
  TextBuilder text(interpreter.heap());
  const auto append = [&](const Value& part) {
    if (markup && !part.as<StringObject>().markup) {
      text.append(escapeHtml(textOf(part)));
    } else {
      text.append(textOf(part));
    }
  };
  append(a);
  append(b);
  return interpreter.string(text.take(), markup);
}

Value repeat(Interpreter& interpreter, const Value& what, std::int64_t count) {
  Heap& heap = interpreter.heap();
  const auto times = static_cast<std::size_t>(std::max<std::int64_t>(0, count));
  if (what.isString()) {
    TextBuilder text(heap);
    text.append(times, textOf(what));
    return interpreter.string(text.take(), what.as<StringObject>().markup);
  }
  const std::vector<Value>& items = what.as<ListObject>().items;
  ListBuilder list(heap);
  if (!items.empty()) {
    if (times > heap.limits().bytes / sizeof(Value) / items.size()) heap.ensure(heap.limits().bytes);
    list.reserve(times * items.size());
    for (std::size_t i = 0; i < times; ++i)
      for (const Value& item : items) list.push(item);
  }
  return what.is(Kind::list) ? list.list() : list.tuple();
}

}  // namespace

void refuseUndefined(const Value& value) {
  if (value.isUndefined()) refuse(value.as<UndefinedObject>().message);
}

bool truth(const Value& value) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
    case Kind::integer:
      return value.asInteger() != 0;
    case Kind::floating:
      return value.asFloating() != 0;
    case Kind::string:
      return !textOf(value).empty();
    case Kind::list:
    case Kind::tuple:
      return !value.as<ListObject>().items.empty();
    case Kind::dict:
      return !value.as<DictObject>().entries().empty();
    case Kind::view:
      return truth(value.as<ViewObject>().dict);
    case Kind::range:
      return value.as<RangeObject>().count > 0;
    default:
      return true;
  }
}

bool equals(Heap& heap, const Value& a, const Value& b) {
  heap.step();
  if (a.isNumber() && b.isNumber()) return compareNumbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::missing:
    case Kind::undefined:
    case Kind::none:
      return true;
    case Kind::string:
      heap.work(std::min(textOf(a).size(), textOf(b).size()));
      return textOf(a) == textOf(b);
    case Kind::list:
    case Kind::tuple: {
      const std::vector<Value>& x = a.as<ListObject>().items;
      const std::vector<Value>& y = b.as<ListObject>().items;
      return x.size() == y.size() &&
             std::equal(x.begin(), x.end(), y.begin(),
                        [&](const Value& left, const Value& right) { return equals(heap, left, right); });
    }
    case Kind::dict:
      return equalDicts(heap, a.as<DictObject>(), b.as<DictObject>());
    case Kind::range: {
      const auto& x = a.as<RangeObject>();
      const auto& y = b.as<RangeObject>();
      if (x.count != y.count) return false;
      return x.count == 0 || (x.start == y.start && (x.count == 1 || x.step == y.step));
    }
    case Kind::bigInteger:
      return a.as<BigIntegerObject>().value == b.as<BigIntegerObject>().value;
    default:
      return a.object() == b.object();
  }
}

bool ordered(Heap& heap, char operation, const Value& a, const Value& b) {
  heap.step();
  refuseUndefined(a);
  refuseUndefined(b);
  if (a.isNumber() && b.isNumber()) {
    const int order = compareNumbers(a, b);
    if (order == 2) return false;
    return operation == '<' ? order < 0 : operation == 'l' ? order <= 0 : operation == '>' ? order > 0 : order >= 0;
  }
  if (a.isString() && b.isString()) {
    heap.work(std::min(textOf(a).size(), textOf(b).size()));
    const int order = textOf(a).compare(textOf(b));  // UTF-8 sorts as its code points do
    return operation == '<' ? order < 0 : operation == 'l' ? order <= 0 : operation == '>' ? order > 0 : order >= 0;
  }
  if (a.isSequence() && a.kind() == b.kind()) {
    const std::vector<Value>& x = a.as<ListObject>().items;
    const std::vector<Value>& y = b.as<ListObject>().items;
    for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i)
      if (!equals(heap, x[i], y[i])) return ordered(heap, operation, x[i], y[i]);
    return ordered(heap, operation, Value::integer(static_cast<std::int64_t>(x.size())),
                   Value::integer(static_cast<std::int64_t>(y.size())));
  }
  const char* sign = operation == '<' ? "<" : operation == 'l' ? "<=" : operation == '>' ? ">" : ">=";
  refuse("'" + std::string(sign) + "' does not compare a " + typeName(a) + " with a " + typeName(b));
}

bool contains(Interpreter& interpreter, const Value& item, const Value& container) {
  Heap& heap = interpreter.heap();
  const bool strict = interpreter.dialect() == Dialect::javascript;
  const auto among = [&](const std::vector<Value>& items) {
    return std::any_of(items.begin(), items.end(), [&](const Value& other) {
      if (strict && (item.is(Kind::boolean) != other.is(Kind::boolean))) return false;
      return equals(heap, item, other);
    });
  };
  switch (container.kind()) {
    case Kind::string:
      if (!item.isString()) {
        if (strict) return false;
        refuse("'in <string>' wants a string on its left, not a " + typeName(item));
      }
      heap.work(textOf(container).size() + textOf(item).size());
      return findText(heap, textOf(container), textOf(item)) != std::string::npos;
    case Kind::dict:
      return container.as<DictObject>().find(heap, item) != nullptr;
    case Kind::list:
    case Kind::tuple:
      return among(container.as<ListObject>().items);
    case Kind::undefined:
      return false;
    default:
      return among(interpreter.toList(container).as<ListObject>().items);
  }
}

Value arithmetic(Interpreter& interpreter, char operation, const Value& a, const Value& b) {
  if (a.isInteger() && b.isInteger()) return integerArithmetic(operation, a.asInteger(), b.asInteger());
  if (a.isNumber() && b.isNumber()) {
    return floatingArithmetic(interpreter.heap(), operation, a.asNumber(), b.asNumber());
  }
  if (operation == '%' && a.isString()) return formatPercent(interpreter, a, b);
  refuseUndefined(a);
  refuseUndefined(b);
  if (operation == '+') {
    if (a.isString() && b.isString()) return joinTexts(interpreter, a, b);
    const bool printable = (a.isString() || a.isNumber()) && (b.isString() || b.isNumber());
    if (interpreter.dialect() == Dialect::javascript && printable) {
      return joinTexts(interpreter, interpreter.string(interpreter.text(a)), interpreter.string(interpreter.text(b)));
    }
    if (a.isSequence() && a.kind() == b.kind()) {
      ListBuilder items(interpreter.heap());
      items.reserve(a.as<ListObject>().items.size() + b.as<ListObject>().items.size());
      for (const Value& item : a.as<ListObject>().items) items.push(item);
      for (const Value& item : b.as<ListObject>().items) items.push(item);
      return a.is(Kind::list) ? items.list() : items.tuple();
    }
    if (a.isString()) refuse("only a string can be added to a string, not a " + typeName(b));
    if (a.isSequence())
      refuse("only a " + typeName(a) + " can be added to a " + typeName(a) + ", not a " + typeName(b));
  }
  if (operation == '*') {
    if ((a.isString() || a.isSequence()) && b.isInteger()) return repeat(interpreter, a, b.asInteger());
    if (a.isInteger() && (b.isString() || b.isSequence())) return repeat(interpreter, b, a.asInteger());
  }
  if (a.is(Kind::bigInteger) || b.is(Kind::bigInteger)) refuse(kTooBig);
  refuse("'" + std::string(signOf(operation)) + "' does not take a " + typeName(a) + " and a " + typeName(b));
}

Value negative(const Value& value) {
  refuseUndefined(value);
  if (value.is(Kind::floating)) return Value::floating(-value.asFloating());
  if (!value.isInteger()) refuse("unary '-' does not take a " + typeName(value));
  return integerArithmetic('-', 0, value.asInteger());
}

Value positive(const Value& value) {
  refuseUndefined(value);
  if (value.is(Kind::floating)) return value;
  if (!value.isInteger()) refuse("unary '+' does not take a " + typeName(value));
  return Value::integer(value.asInteger());
}

}  // namespace strata::jinja
