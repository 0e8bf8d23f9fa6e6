// What `is` asks.

#include <cmath>

#include "core/jinja/parser.h"
#include "core/jinja/string_methods.h"

namespace strata::jinja {
namespace {

Value answer(bool holds) {
  return Value::boolean(holds);
}

template <bool (*holds)(const Value&)>
Value simple(Interpreter&, const Value& value, Arguments& arguments) {
  bind("this test", arguments, {});
  return answer(holds(value));
}

bool isDefined(const Value& value) {
  return !value.isUndefined();
}
bool isUndefined(const Value& value) {
  return value.isUndefined();
}
bool isNone(const Value& value) {
  return value.isNone();
}
bool isBoolean(const Value& value) {
  return value.is(Kind::boolean);
}
bool isFalse(const Value& value) {
  return value.is(Kind::boolean) && !value.asBoolean();
}
bool isTrue(const Value& value) {
  return value.is(Kind::boolean) && value.asBoolean();
}
bool isInteger(const Value& value) {
  return value.is(Kind::integer) || value.is(Kind::bigInteger);
}
bool isFloat(const Value& value) {
  return value.is(Kind::floating);
}
bool isNumber(const Value& value) {
  return value.isNumber() || value.is(Kind::bigInteger);
}
bool isString(const Value& value) {
  return value.isString();
}
bool isMapping(const Value& value) {
  return value.is(Kind::dict);
}
bool isSequence(const Value& value) {  // has a length and items
  return value.isString() || value.isSequence() || value.is(Kind::dict) || value.is(Kind::range) || value.isUndefined();
}
bool isIterable(const Value& value) {
  return isSequence(value) || value.is(Kind::view) || value.is(Kind::generator) || value.is(Kind::loop);
}
bool isCallable(const Value& value) {
  switch (value.kind()) {
    case Kind::function:
    case Kind::macro:
    case Kind::loop:
    case Kind::joiner:
    case Kind::undefined:
      return true;
    default:
      return false;
  }
}
bool isEscaped(const Value& value) {
  return value.isString() && value.as<StringObject>().markup;
}

template <bool upper>
Value isCase(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  return findBuiltin(kStringTests, upper ? "isupper" : "islower")
      ->call(interpreter, interpreter.string(interpreter.text(value)), arguments);
}

bool divides(Interpreter& interpreter, const Value& value, const Value& by, std::int64_t rest) {
  return equals(interpreter.heap(), arithmetic(interpreter, '%', value, by), Value::integer(rest));
}

template <int rest>
Value parity(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("this test", arguments, {});
  return answer(divides(interpreter, value, Value::integer(2), rest));
}

Value divisible(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("divisibleby", arguments, {"num"}, 1);
  return answer(divides(interpreter, value, given[0], 0));
}

Value isFilter(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("filter", arguments, {});
  hashOf(interpreter.heap(), value);  // refuses what can be no name
  return answer(value.isString() && findFilter(textOf(value)) != nullptr);
}

Value isTest(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("test", arguments, {});
  hashOf(interpreter.heap(), value);
  return answer(value.isString() && findTest(textOf(value)) != nullptr);
}

Value same(Interpreter&, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("sameas", arguments, {"other"}, 1);
  if (value.kind() != given[0].kind()) return answer(false);
  if (value.object() != nullptr) return answer(value.object() == given[0].object());
  if (value.is(Kind::floating)) return answer(value.asFloating() == given[0].asFloating());
  return answer(value.isNone() || value.asInteger() == given[0].asInteger());
}

Value isIn(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("in", arguments, {"seq"}, 1);
  return answer(contains(interpreter, value, given[0]));
}

template <char operation>
Value compared(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("this test", arguments, {"other"}, 1);
  if (operation == '=') return answer(equals(interpreter.heap(), value, given[0]));
  if (operation == '!') return answer(!equals(interpreter.heap(), value, given[0]));
  return answer(ordered(interpreter.heap(), operation, value, given[0]));
}

constexpr Builtin kTestBuiltins[] = {
    {"defined", simple<isDefined>},
    {"undefined", simple<isUndefined>},
    {"none", simple<isNone>},
    {"string", simple<isString>},
    {"mapping", simple<isMapping>},
    {"sequence", simple<isSequence>},
    {"iterable", simple<isIterable>},
    {"number", simple<isNumber>},
    {"integer", simple<isInteger>},
    {"float", simple<isFloat>},
    {"boolean", simple<isBoolean>},
    {"true", simple<isTrue>},
    {"false", simple<isFalse>},
    {"callable", simple<isCallable>},
    {"escaped", simple<isEscaped>},
    {"lower", isCase<false>},
    {"upper", isCase<true>},
    {"odd", parity<1>},
    {"even", parity<0>},
    {"divisibleby", divisible},
    {"filter", isFilter},
    {"test", isTest},
    {"sameas", same},
    {"in", isIn},
    {"==", compared<'='>},
    {"eq", compared<'='>},
    {"equalto", compared<'='>},
    {"!=", compared<'!'>},
    {"ne", compared<'!'>},
    {">", compared<'>'>},
    {"gt", compared<'>'>},
    {"greaterthan", compared<'>'>},
    {">=", compared<'g'>},
    {"ge", compared<'g'>},
    {"<", compared<'<'>},
    {"lt", compared<'<'>},
    {"lessthan", compared<'<'>},
    {"<=", compared<'l'>},
    {"le", compared<'l'>},
};

}  // namespace

const Builtin* findTest(std::string_view name) {
  return findBuiltin(kTestBuiltins, name);
}

}  // namespace strata::jinja
