// object.name, object[key] and slices, with Jinja's fallbacks: an attribute that is not there is looked for as an item,
// an item as an attribute, and what is nowhere is undefined.

#include "core/jinja/interpreter.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

std::string describeType(const Value& value) {
  return value.isNone() ? "None" : "a " + typeName(value);
}

bool isDunder(std::string_view name) {
  return name.size() > 4 && name.starts_with("__") && name.ends_with("__");
}

// The item of a sequence at a position from its end where negative; missing where there is none.
std::optional<std::size_t> positionOf(std::int64_t index, std::size_t size) {
  const auto count = static_cast<std::int64_t>(size);
  if (index < 0) index += count;
  if (index < 0 || index >= count) return std::nullopt;
  return static_cast<std::size_t>(index);
}

struct Bounds {
  std::int64_t start, step, count;
};

// Python's slice.indices.
Bounds boundsOf(std::size_t size, const Value& start, const Value& stop, const Value& step) {
  const auto count = static_cast<std::int64_t>(size);
  const auto given = [](const Value& value, std::int64_t otherwise) {
    return value.isNone() ? otherwise : integerOf(value, "the bound of a slice");
  };
  const std::int64_t by = std::max(given(step, 1), -INT64_MAX);
  if (by == 0) refuse("the step of a slice must not be 0");
  const auto clamp = [&](const Value& value, std::int64_t otherwise) {
    std::int64_t at = given(value, otherwise);
    if (value.isNone()) return at;
    if (at < 0) at += count;
    if (at < 0) return by < 0 ? std::int64_t{-1} : std::int64_t{0};
    if (at >= count) return by < 0 ? count - 1 : count;
    return at;
  };
  const std::int64_t first = clamp(start, by < 0 ? count - 1 : 0);
  const std::int64_t last = clamp(stop, by < 0 ? -1 : count);
  std::int64_t items = 0;
  if (by > 0 && first < last) items = (last - first - 1) / by + 1;
  if (by < 0 && first > last) items = (first - last - 1) / -by + 1;
  return {first, by, items};
}

Value sliceText(Interpreter& interpreter, const Value& value, const Value& start, const Value& stop,
                const Value& step) {
  const auto& object = value.as<StringObject>();
  const Bounds bounds = boundsOf(object.length, start, stop, step);
  interpreter.heap().scan(object.ascii() ? 0 : object.text.size());
  if (bounds.count == 0) return interpreter.string({}, object.markup);
  if (bounds.step == 1) {
    const auto first = static_cast<std::size_t>(bounds.start), count = static_cast<std::size_t>(bounds.count);
    const std::string_view text = object.text;
    if (object.ascii()) return interpreter.string(std::string(text.substr(first, count)), object.markup);
    const std::string_view from = text.substr(byteOf(text, first));
    return interpreter.string(std::string(from.substr(0, byteOf(from, count))), object.markup);
  }
  interpreter.heap().ensure(object.length * sizeof(char32_t));
  const std::vector<char32_t> characters = decode(object.text);
  TextBuilder out(interpreter.heap());
  std::string character;
  for (std::int64_t i = 0; i < bounds.count; ++i) {
    character.clear();
    appendCharacter(character, characters[static_cast<std::size_t>(bounds.start + i * bounds.step)]);
    out.append(character);
  }
  return interpreter.string(out.take(), object.markup);
}

// What other kinds of values have beside methods; missing where they have no such thing.
Value propertyOf(Interpreter& interpreter, const Value& object, std::string_view name) {
  switch (object.kind()) {
    case Kind::space: {
      const Value* field = object.as<NamespaceObject>().fields.as<DictObject>().find(interpreter.heap(), name);
      return field == nullptr ? Value() : *field;
    }
    case Kind::loop:
      return interpreter.loopAttribute(object, name);
    case Kind::tuple: {
      const auto& tuple = object.as<ListObject>();
      if (tuple.group && (name == "grouper" || name == "list")) return tuple.items[name == "grouper" ? 0 : 1];
      return {};
    }
    case Kind::range: {
      const auto& range = object.as<RangeObject>();
      if (name == "start") return Value::integer(range.start);
      if (name == "stop") return Value::integer(range.stop);
      if (name == "step") return Value::integer(range.step);
      return {};
    }
    case Kind::macro:
      if (name == "name") return interpreter.string(object.as<MacroObject>().name);
      return {};
    case Kind::cycler:
      if (name == "current") return object.as<CyclerObject>().items[object.as<CyclerObject>().position];
      return {};
    default:
      return {};
  }
}

}  // namespace

Value Interpreter::attribute(const Value& object, std::string_view name) {
  refuseUndefined(object);
  if (isDunder(name) || isHidden(object, name)) {
    return makeUndefined(m_heap, "the sandbox hides '" + std::string(name) + "' of " + describeType(object), true);
  }
  Value property = propertyOf(*this, object, name);
  if (!property.isMissing()) return property;
  if (const Builtin* method = findMethod(object, name)) return boundMethod(*method, object);
  if (object.is(Kind::dict)) {
    if (const Value* present = object.as<DictObject>().find(m_heap, name)) return *present;
  }
  return undefined(describeType(object) + " has no attribute '" + std::string(name) + "'");
}

Value Interpreter::item(const Value& object, const Value& key) {
  refuseUndefined(object);
  switch (object.kind()) {
    case Kind::dict:
      if (!key.is(Kind::list) && !key.is(Kind::dict)) {
        if (const Value* present = object.as<DictObject>().find(m_heap, key)) return *present;
      }
      break;
    case Kind::list:
    case Kind::tuple:
      if (key.isInteger()) {
        const std::vector<Value>& items = object.as<ListObject>().items;
        if (const auto at = positionOf(key.asInteger(), items.size())) return items[*at];
      }
      break;
    case Kind::string:
      if (key.isInteger()) {
        const auto& text = object.as<StringObject>();
        if (const auto at = positionOf(key.asInteger(), text.length)) {
          if (text.ascii()) return string(text.text.substr(*at, 1), text.markup);
          m_heap.scan(text.text.size());
          const std::size_t begin = byteOf(text.text, *at);
          std::size_t end = begin;
          nextCharacter(text.text, end);
          return string(text.text.substr(begin, end - begin), text.markup);
        }
      }
      break;
    case Kind::range:
      if (key.isInteger()) {
        const auto& range = object.as<RangeObject>();
        if (const auto at = positionOf(key.asInteger(), static_cast<std::size_t>(range.count)))
          return Value::integer(range.start + static_cast<std::int64_t>(*at) * range.step);
      }
      break;
    default:
      break;
  }
  if (!key.isString()) {
    if (key.isUndefined()) return undefined(describeType(object) + " has no element that is undefined");
    return undefined(describeType(object) + " has no element " + repr(key));
  }
  const std::string& name = textOf(key);
  if (isDunder(name) || isHidden(object, name)) {
    return makeUndefined(m_heap, "the sandbox hides '" + name + "' of " + describeType(object), true);
  }
  Value property = propertyOf(*this, object, name);
  if (!property.isMissing()) return property;
  if (const Builtin* method = findMethod(object, name)) return boundMethod(*method, object);
  return undefined(describeType(object) + " has no attribute '" + name.substr(0, byteOf(name, 80)) + "'");
}

Value Interpreter::slice(const Value& object, const Value& start, const Value& stop, const Value& step) {
  refuseUndefined(object);
  if (object.isString()) return sliceText(*this, object, start, stop, step);
  if (object.is(Kind::range)) {
    const auto& range = object.as<RangeObject>();
    const Bounds bounds = boundsOf(static_cast<std::size_t>(range.count), start, stop, step);
    const std::int64_t first = range.start + bounds.start * range.step, by = range.step * bounds.step;
    return Value::of(Kind::range, m_heap.make<RangeObject>(first, first + bounds.count * by, by, bounds.count));
  }
  if (!object.isSequence() && !(object.is(Kind::generator) && dialect() == Dialect::javascript)) {
    refuse("a " + typeName(object) + " cannot be sliced");
  }
  const Value list = toList(object);
  const std::vector<Value>& items = list.as<ListObject>().items;
  const Bounds bounds = boundsOf(items.size(), start, stop, step);
  ListBuilder part(m_heap);
  part.reserve(static_cast<std::size_t>(bounds.count));
  for (std::int64_t i = 0; i < bounds.count; ++i)
    part.push(items[static_cast<std::size_t>(bounds.start + i * bounds.step)]);
  return object.is(Kind::tuple) ? part.tuple() : part.list();
}

Value Interpreter::loopAttribute(const Value& value, std::string_view name) {
  auto& loop = value.as<LoopObject>();
  if (name == "index") return Value::integer(loop.index0 + 1);
  if (name == "index0") return Value::integer(loop.index0);
  if (name == "first") return Value::boolean(loop.index0 == 0);
  if (name == "length") return Value::integer(lengthOf(loop));
  if (name == "revindex") return Value::integer(lengthOf(loop) - loop.index0);
  if (name == "revindex0") return Value::integer(lengthOf(loop) - loop.index0 - 1);
  if (name == "depth") return Value::integer(loop.depth0 + 1);
  if (name == "depth0") return Value::integer(loop.depth0);
  if (name == "last" || name == "nextitem") {
    if (loop.after.isMissing()) loop.after = next(loop);
    if (name == "last") return Value::boolean(loop.after.isMissing());
    return loop.after.isMissing() ? undefined("there is no next item") : loop.after;
  }
  if (name == "previtem") return loop.index0 == 0 ? undefined("there is no previous item") : loop.before;
  return {};
}

}  // namespace strata::jinja
