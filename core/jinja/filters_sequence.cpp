// Filters that look at sequences or make new ones, but for those that choose and those that sort.

#include <algorithm>

#include "core/jinja/filters.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

Value length(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("length", arguments, {});
  const auto count = [](std::size_t n) { return Value::integer(static_cast<std::int64_t>(n)); };
  switch (value.kind()) {
    case Kind::string:
      return count(value.as<StringObject>().length);
    case Kind::list:
    case Kind::tuple:
      return count(value.as<ListObject>().items.size());
    case Kind::dict:
      return count(value.as<DictObject>().entries().size());
    case Kind::view:
      return count(value.as<ViewObject>().dict.as<DictObject>().entries().size());
    case Kind::range:
      return Value::integer(value.as<RangeObject>().count);
    case Kind::undefined:
      return count(0);
    case Kind::loop:
      return Value::integer(interpreter.lengthOf(value.as<LoopObject>()));
    case Kind::generator:
      if (interpreter.dialect() == Dialect::javascript) {
        return count(value.as<GeneratorObject>().items.size() - value.as<GeneratorObject>().next);
      }
      [[fallthrough]];
    default:
      refuse("a " + typeName(value) + " has no length");
  }
}

Value first(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("first", arguments, {});
  if (value.is(Kind::generator)) {
    auto& generator = value.as<GeneratorObject>();
    if (generator.next < generator.items.size()) return generator.items[generator.next++];
  } else if (value.isString()) {
    if (!textOf(value).empty()) return interpreter.item(value, Value::integer(0));
  } else {
    const Value list = interpreter.toList(value);
    if (!list.as<ListObject>().items.empty()) return list.as<ListObject>().items.front();
  }
  return interpreter.undefined("there is no first item, the sequence was empty");
}

Value last(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("last", arguments, {});
  if (value.is(Kind::generator)) refuse("a generator has no last item; make a list of it");
  if (value.isString()) {
    if (!textOf(value).empty()) return interpreter.item(value, Value::integer(-1));
  } else {
    const Value list = interpreter.toList(value);
    if (!list.as<ListObject>().items.empty()) return list.as<ListObject>().items.back();
  }
  return interpreter.undefined("there is no last item, the sequence was empty");
}

Value list(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("list", arguments, {});
  if (!value.is(Kind::tuple)) return interpreter.toList(value);
  ListBuilder items(interpreter.heap());
  for (const Value& item : value.as<ListObject>().items) items.push(item);
  return items.list();
}

Value items(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("items", arguments, {});
  ListBuilder pairs(interpreter.heap());
  if (!value.isUndefined()) {
    if (!value.is(Kind::dict)) refuse("items wants a dictionary, not a " + typeName(value));
    for (const auto& [key, present] : value.as<DictObject>().entries())
      pairs.push(makeList(interpreter.heap(), {key, present}, Kind::tuple));
  }
  return pairs.generator();
}

Value join(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("join", arguments, {"d", "attribute"});
  const std::string separator = given[0].isMissing() ? std::string() : interpreter.text(given[0]);
  if (given[1].isMissing() || given[1].isNone())
    return interpreter.string(joinItems(interpreter, separator, value, false));
  const AttributePath path(interpreter, given[1]);
  const Value whole = interpreter.toList(value);
  ListBuilder parts(interpreter.heap());
  for (const Value& item : whole.as<ListObject>().items) parts.push(path.of(item));
  return interpreter.string(joinItems(interpreter, separator, parts.list(), false));
}

Value reverse(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("reverse", arguments, {});
  if (value.isString()) return interpreter.slice(value, Value::none(), Value::none(), Value::integer(-1));
  const Value whole = interpreter.toList(value);
  const std::vector<Value>& given = whole.as<ListObject>().items;
  ListBuilder reversed(interpreter.heap());
  for (std::size_t i = given.size(); i > 0; --i) reversed.push(given[i - 1]);
  return value.is(Kind::generator) ? reversed.list() : reversed.generator();
}

Value batch(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("batch", arguments, {"linecount", "fill_with"}, 1);
  const std::int64_t count = integerOf(given[0], "the linecount of batch");
  const Value whole = interpreter.toList(value);
  ListBuilder rows(interpreter.heap());
  ListBuilder row(interpreter.heap());
  for (const Value& item : whole.as<ListObject>().items) {
    if (static_cast<std::int64_t>(row.size()) == count) rows.push(row.list());
    row.push(item);
  }
  if (row.size() > 0) {
    if (!given[1].isMissing() && !given[1].isNone())
      while (static_cast<std::int64_t>(row.size()) < count) row.push(given[1]);
    rows.push(row.list());
  }
  return rows.generator();
}

Value slice(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("slice", arguments, {"slices", "fill_with"}, 1);
  const std::int64_t slices = integerOf(given[0], "the number of slices");
  if (slices == 0) refuse("slice wants one slice or more");
  const Value whole = interpreter.toList(value);
  const std::vector<Value>& all = whole.as<ListObject>().items;
  const auto size = static_cast<std::int64_t>(all.size());
  ListBuilder columns(interpreter.heap());
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < slices; ++i) {
    const bool longer = i < size % slices;
    ListBuilder column(interpreter.heap());
    for (const std::int64_t end = at + size / slices + (longer ? 1 : 0); at < end; ++at)
      column.push(all[static_cast<std::size_t>(at)]);
    if (!longer && !given[1].isMissing() && !given[1].isNone()) column.push(given[1]);
    columns.push(column.list());
  }
  return columns.generator();
}

Value otherwise(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("default", arguments, {"default_value", "boolean"});
  if (!value.isUndefined() && !(truth(given[1]) && !truth(value))) return value;
  return given[0].isMissing() ? interpreter.string({}) : given[0];
}

constexpr Builtin kSequenceBuiltins[] = {
    {"length", length},   {"count", length}, {"first", first},       {"last", last},
    {"list", list},       {"items", items},  {"join", join},         {"batch", batch},
    {"reverse", reverse}, {"slice", slice},  {"default", otherwise}, {"d", otherwise},
};

}  // namespace

const std::span<const Builtin> kSequenceFilters = kSequenceBuiltins;

}  // namespace strata::jinja
