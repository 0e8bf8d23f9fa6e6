// The methods of lists, tuples, dictionaries, ranges, loops and cyclers, and which methods the sandbox hides.

#include <algorithm>

#include "core/jinja/string_methods.h"

namespace strata::jinja {
namespace {

Value listIndex(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("index", arguments, {"value", "start", "stop"}, 1);
  const Value list = interpreter.toList(self);
  const std::vector<Value>& items = list.as<ListObject>().items;
  const auto size = static_cast<std::int64_t>(items.size());
  const auto position = [&](const Value& value, std::int64_t otherwise) {
    const std::int64_t at = integerOr(value, otherwise, "a position");
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
  };
  for (std::int64_t i = position(given[1], 0); i < position(given[2], size); ++i)
    if (equals(interpreter.heap(), items[static_cast<std::size_t>(i)], given[0])) return Value::integer(i);
  refuse("index() does not find " + interpreter.repr(given[0]));
}

Value listCount(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("count", arguments, {"value"}, 1);
  const Value list = interpreter.toList(self);
  const std::vector<Value>& items = list.as<ListObject>().items;
  return Value::integer(std::count_if(items.begin(), items.end(),
                                      [&](const Value& item) { return equals(interpreter.heap(), item, given[0]); }));
}

Value copied(Interpreter&, const Value& self, Arguments& arguments) {
  bind("copy", arguments, {});
  return self;  // nobody can change either
}

Value dictGet(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("get", arguments, {"key", "default"}, 1);
  if (const Value* present = self.as<DictObject>().find(interpreter.heap(), given[0])) return *present;
  return given[1].isMissing() ? Value::none() : given[1];
}

template <ViewObject::What what>
Value dictView(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  bind("this method", arguments, {});
  return Value::of(Kind::view, interpreter.heap().make<ViewObject>(self, what));
}

Value dictFromKeys(Interpreter& interpreter, const Value&, Arguments& arguments) {
  const std::vector<Value> given = bind("fromkeys", arguments, {"iterable", "value"}, 1);
  DictBuilder dict(interpreter.heap());
  const Value keys = interpreter.toList(given[0]);
  for (const Value& key : keys.as<ListObject>().items) dict.set(key, given[1].isMissing() ? Value::none() : given[1]);
  return dict.dict();
}

Value loopCycle(Interpreter&, const Value& self, Arguments& arguments) {
  if (arguments.positional.empty() || !arguments.named.empty()) refuse("loop.cycle() wants the values to go through");
  const auto at = static_cast<std::size_t>(self.as<LoopObject>().index0) % arguments.positional.size();
  return arguments.positional[at];
}

Value loopChanged(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  auto& loop = self.as<LoopObject>();
  Value now = makeList(interpreter.heap(), std::move(arguments.positional), Kind::tuple);
  if (!loop.lastChanged.isMissing() && equals(interpreter.heap(), loop.lastChanged, now)) return Value::boolean(false);
  loop.lastChanged = std::move(now);
  return Value::boolean(true);
}

Value cyclerNext(Interpreter&, const Value& self, Arguments& arguments) {
  bind("next", arguments, {});
  auto& cycler = self.as<CyclerObject>();
  const std::size_t at = cycler.position;
  cycler.position = (at + 1) % cycler.items.size();
  return cycler.items[at];
}

Value cyclerReset(Interpreter&, const Value& self, Arguments& arguments) {
  bind("reset", arguments, {});
  self.as<CyclerObject>().position = 0;
  return Value::none();
}

Value isWhole(Interpreter&, const Value& self, Arguments& arguments) {
  bind("is_integer", arguments, {});
  return Value::boolean(self.asFloating() ==
                        static_cast<double>(static_cast<long long>(std::clamp(self.asFloating(), -9e18, 9e18))));
}

constexpr Builtin kListMethods[] = {{"index", listIndex}, {"count", listCount}, {"copy", copied}};
constexpr Builtin kTupleMethods[] = {{"index", listIndex}, {"count", listCount}};
constexpr Builtin kDictMethods[] = {
    {"get", dictGet},
    {"items", dictView<ViewObject::What::items>},
    {"keys", dictView<ViewObject::What::keys>},
    {"values", dictView<ViewObject::What::values>},
    {"copy", copied},
    {"fromkeys", dictFromKeys},
};
constexpr Builtin kLoopMethods[] = {{"cycle", loopCycle}, {"changed", loopChanged}};
constexpr Builtin kCyclerMethods[] = {{"next", cyclerNext}, {"reset", cyclerReset}};
constexpr Builtin kFloatMethods[] = {{"is_integer", isWhole}};

constexpr std::string_view kHiddenOfLists[] = {"append", "clear", "pop",    "reverse",
                                               "insert", "sort",  "extend", "remove"};
constexpr std::string_view kHiddenOfDicts[] = {"clear", "pop", "popitem", "setdefault", "update"};
constexpr std::string_view kHiddenOfTexts[] = {"encode", "translate", "maketrans", "format_map"};

}  // namespace

const Builtin* findMethod(const Value& object, std::string_view name) {
  switch (object.kind()) {
    case Kind::string: {
      const Builtin* method = findBuiltin(kStringMethods, name);
      return method != nullptr ? method : findBuiltin(kStringTests, name);
    }
    case Kind::list:
      return findBuiltin(kListMethods, name);
    case Kind::tuple:
    case Kind::range:
      return findBuiltin(kTupleMethods, name);
    case Kind::dict:
      return findBuiltin(kDictMethods, name);
    case Kind::loop:
      return findBuiltin(kLoopMethods, name);
    case Kind::cycler:
      return findBuiltin(kCyclerMethods, name);
    case Kind::floating:
      return findBuiltin(kFloatMethods, name);
    default:
      return nullptr;
  }
}

bool isHidden(const Value& object, std::string_view name) {
  const auto among = [&](std::span<const std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  switch (object.kind()) {
    case Kind::list:
      return among(kHiddenOfLists);
    case Kind::dict:
      return among(kHiddenOfDicts);
    case Kind::string:
      return among(kHiddenOfTexts);
    default:
      return false;
  }
}

}  // namespace strata::jinja
