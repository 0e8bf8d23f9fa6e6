// map, select, reject and their kin. Jinja does their work when the result is walked; here it is done at once, which no
// template can tell apart but by errors in what it never walks.

#include "core/jinja/filters.h"
#include "core/jinja/parser.h"

namespace strata::jinja {
namespace {

Value map(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  ListBuilder out(interpreter.heap());
  if (!truth(value)) return out.generator();
  if (arguments.positional.empty()) {
    const std::vector<Value> given = bind("map", arguments, {"attribute", "default"});
    if (given[0].isMissing()) refuse("map wants the name of a filter or an attribute");
    const AttributePath path(interpreter, given[0], given[1]);
    const Value list = interpreter.toList(value);
    for (const Value& item : list.as<ListObject>().items) out.push(path.of(item));
    return out.generator();
  }
  const std::string name = textOf(arguments.positional[0], "the name of map's filter");
  const Arguments rest{{arguments.positional.begin() + 1, arguments.positional.end()}, arguments.named};
  const Value list = interpreter.toList(value);
  for (const Value& item : list.as<ListObject>().items) {
    Arguments given = rest;
    interpreter.heap().step(1 + rest.positional.size() + rest.named.size());
    out.push(interpreter.applyFilter(name, item, given));
  }
  return out.generator();
}

template <bool byAttribute, bool wanted>
Value choose(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  ListBuilder out(interpreter.heap());
  if (!truth(value)) return out.generator();
  constexpr std::size_t offset = byAttribute ? 1 : 0;
  if (arguments.positional.size() < offset) refuse("this filter wants the name of an attribute");
  const AttributePath path(interpreter, byAttribute ? arguments.positional[0] : Value());
  const bool tests = arguments.positional.size() > offset;
  const std::string name = tests ? textOf(arguments.positional[offset], "the name of a test") : "";
  Arguments rest;
  if (tests) rest = {{arguments.positional.begin() + offset + 1, arguments.positional.end()}, arguments.named};
  const Value list = interpreter.toList(value);
  for (const Value& item : list.as<ListObject>().items) {
    const Value part = path.of(item);
    interpreter.heap().step(1 + rest.positional.size() + rest.named.size());
    Arguments given = rest;
    const bool holds = tests ? interpreter.applyTest(name, part, given) : truth(part);
    if (holds == wanted) out.push(item);
  }
  return out.generator();
}

Value unique(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("unique", arguments, {"case_sensitive", "attribute"});
  const AttributePath path(interpreter, given[1]);
  DictBuilder seen(interpreter.heap());
  ListBuilder out(interpreter.heap());
  const Value list = interpreter.toList(value);
  for (const Value& item : list.as<ListObject>().items) {
    Value key = path.of(item);
    if (!truth(given[0])) key = withoutCase(interpreter, key);
    const std::size_t before = seen.dict().as<DictObject>().entries().size();
    seen.set(std::move(key), Value::none());
    if (seen.dict().as<DictObject>().entries().size() > before) out.push(item);
  }
  return out.generator();
}

Value sum(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("sum", arguments, {"attribute", "start"});
  const AttributePath path(interpreter, given[0]);
  Value total = given[1].isMissing() ? Value::integer(0) : given[1];
  if (total.isString()) refuse("sum does not add strings; use join");
  const Value list = interpreter.toList(value);
  for (const Value& item : list.as<ListObject>().items) total = arithmetic(interpreter, '+', total, path.of(item));
  return total;
}

constexpr Builtin kSelectBuiltins[] = {
    {"map", map},
    {"select", choose<false, true>},
    {"reject", choose<false, false>},
    {"selectattr", choose<true, true>},
    {"rejectattr", choose<true, false>},
    {"unique", unique},
    {"sum", sum},
};

}  // namespace

const std::span<const Builtin> kSelectFilters = kSelectBuiltins;

}  // namespace strata::jinja
