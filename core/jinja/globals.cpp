// The functions that every template may call.

#include <ctime>

#include "core/jinja/string_methods.h"

namespace strata::jinja {
namespace {

Value range(Interpreter& interpreter, const Value&, Arguments& arguments) {
  if (!arguments.named.empty() || arguments.positional.empty() || arguments.positional.size() > 3) {
    refuse("range() takes one to three whole numbers");
  }
  std::int64_t given[3] = {0, 0, 1};
  for (std::size_t i = 0; i < arguments.positional.size(); ++i)
    given[i] = integerOf(arguments.positional[i], "a bound of range()");
  if (arguments.positional.size() == 1) std::swap(given[0], given[1]);
  const auto [start, stop, step] = given;
  if (step == 0) refuse("the step of range() must not be 0");
  std::uint64_t count = 0;
  if (step > 0 && start < stop) {
    count =
        (static_cast<std::uint64_t>(stop) - static_cast<std::uint64_t>(start) - 1) / static_cast<std::uint64_t>(step) +
        1;
  } else if (step < 0 && start > stop) {
    count = (static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(stop) - 1) /
                (~static_cast<std::uint64_t>(step) + 1) +
            1;
  }
  const std::int64_t most = interpreter.heap().limits().rangeItems;
  if (count > static_cast<std::uint64_t>(most)) refuse("range() gives more than " + std::to_string(most) + " numbers");
  return Value::of(Kind::range,
                   interpreter.heap().make<RangeObject>(start, stop, step, static_cast<std::int64_t>(count)));
}

// The entries that dict() and namespace() start with: of a dictionary or of pairs, and of named arguments.
Value entries(Interpreter& interpreter, const char* function, Arguments& arguments) {
  if (arguments.positional.size() > 1) refuse(std::string(function) + "() takes at most one argument without a name");
  DictBuilder dict(interpreter.heap());
  if (!arguments.positional.empty()) {
    const Value& first = arguments.positional[0];
    refuseUndefined(first);
    if (first.is(Kind::dict)) {
      for (const auto& [key, value] : first.as<DictObject>().entries()) dict.set(key, value);
    } else {
      const Value pairs = interpreter.toList(first);
      for (const Value& pair : pairs.as<ListObject>().items) {
        const Value parts = interpreter.toList(pair);
        const std::vector<Value>& both = parts.as<ListObject>().items;
        if (both.size() != 2) refuse(std::string(function) + "() wants pairs of a key and a value");
        dict.set(both[0], both[1]);
      }
    }
  }
  for (const auto& [key, value] : arguments.named) dict.set(key, value);
  return dict.dict();
}

Value dictionary(Interpreter& interpreter, const Value&, Arguments& arguments) {
  return entries(interpreter, "dict", arguments);
}

Value space(Interpreter& interpreter, const Value&, Arguments& arguments) {
  return Value::of(Kind::space, interpreter.heap().make<NamespaceObject>(entries(interpreter, "namespace", arguments)));
}

Value cycler(Interpreter& interpreter, const Value&, Arguments& arguments) {
  if (arguments.positional.empty() || !arguments.named.empty()) refuse("cycler() wants the values to go through");
  return Value::of(Kind::cycler, interpreter.heap().make<CyclerObject>(std::move(arguments.positional)));
}

Value joiner(Interpreter& interpreter, const Value&, Arguments& arguments) {
  const std::vector<Value> given = bind("joiner", arguments, {"sep"});
  const Value separator = given[0].isMissing() ? interpreter.string(", ") : given[0];
  return Value::of(Kind::joiner, interpreter.heap().make<JoinerObject>(separator));
}

Value raise(Interpreter& interpreter, const Value&, Arguments& arguments) {
  const std::vector<Value> given = bind("raise_exception", arguments, {"message"}, 1);
  constexpr std::size_t kMostCharacters = 300;
  const std::string message = given[0].isString() ? shown(textOf(given[0]), kMostCharacters)
                                                  : shown(interpreter.text(given[0]), kMostCharacters);
  throw Failure{Failure::Kind::raised, message, 0};
}

Value timeNow(Interpreter& interpreter, const Value&, Arguments& arguments) {
  const std::vector<Value> given = bind("strftime_now", arguments, {"format"}, 1);
  const std::string& format = textOf(given[0], "the format of strftime_now()");
  interpreter.heap().ensure(format.size() * 64);
  interpreter.heap().step(format.size() * 8);
  if (interpreter.now()) return interpreter.string(formatTime(format, *interpreter.now()));
  const std::time_t clock = std::time(nullptr);
  std::tm parts = {};
  localtime_r(&clock, &parts);
  return interpreter.string(
      formatTime(format, std::chrono::local_seconds(std::chrono::seconds(clock + parts.tm_gmtoff))));
}

constexpr Builtin kGlobals[] = {
    {"range", range},   {"dict", dictionary},       {"namespace", space},      {"cycler", cycler},
    {"joiner", joiner}, {"raise_exception", raise}, {"strftime_now", timeNow},
};

}  // namespace

const Builtin* findGlobal(std::string_view name) {
  return findBuiltin(kGlobals, name);
}

}  // namespace strata::jinja
