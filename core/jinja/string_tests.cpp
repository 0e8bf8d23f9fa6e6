// The methods of Python's str that answer questions: where, how often, of what kind.

#include <algorithm>

#include "core/jinja/string_methods.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

// The part of a text that find, count and startswith look at, and where it starts in characters.
struct Part {
  std::string_view text;
  std::int64_t start = 0;
  bool exists = true;  // no: the start lies behind the end
};

Part partOf(Interpreter& interpreter, const Value& self, const Value& from, const Value& to) {
  const auto& object = self.as<StringObject>();
  const auto length = static_cast<std::int64_t>(object.length);
  std::int64_t start = integerOr(from, 0, "a position"), stop = integerOr(to, length, "a position");
  if (start < 0) start = std::max<std::int64_t>(0, start + length);
  if (stop < 0) stop = std::max<std::int64_t>(0, stop + length);
  stop = std::min(stop, length);
  if (start > stop) return {{}, start, false};
  const std::string_view text = object.text;
  if (object.ascii())
    return {text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(stop - start)), start};
  interpreter.heap().scan(text.size());
  const std::string_view rest = text.substr(byteOf(text, static_cast<std::size_t>(start)));
  return {rest.substr(0, byteOf(rest, static_cast<std::size_t>(stop - start))), start};
}

template <bool last, bool refuses>
Value found(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("find", arguments, {"sub", "start", "end"}, 1);
  const std::string& wanted = textOf(given[0], "what find looks for");
  const Part part = partOf(interpreter, self, given[1], given[2]);
  std::size_t at = std::string::npos;
  if (part.exists) {
    at = last ? findLast(interpreter.heap(), part.text, wanted) : findText(interpreter.heap(), part.text, wanted);
  }
  if (at == std::string::npos) {
    if (refuses) refuse("index() does not find the text");
    return Value::integer(-1);
  }
  return Value::integer(part.start + static_cast<std::int64_t>(countCharacters(part.text.substr(0, at))));
}

Value counted(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("count", arguments, {"sub", "start", "end"}, 1);
  const std::string& wanted = textOf(given[0], "what count looks for");
  const Part part = partOf(interpreter, self, given[1], given[2]);
  if (!part.exists) return Value::integer(0);
  if (wanted.empty()) return Value::integer(static_cast<std::int64_t>(countCharacters(part.text)) + 1);
  std::int64_t count = 0;
  for (std::size_t at = findText(interpreter.heap(), part.text, wanted); at != std::string::npos;
       at = findText(interpreter.heap(), part.text, wanted, at + wanted.size())) {
    ++count;
  }
  return Value::integer(count);
}

template <bool atStart>
Value startsOrEnds(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind(atStart ? "startswith" : "endswith", arguments, {"prefix", "start", "end"}, 1);
  const Part part = partOf(interpreter, self, given[1], given[2]);
  const auto fits = [&](const Value& value) {
    const std::string& wanted = textOf(value, "what a text starts or ends with");
    interpreter.heap().work(wanted.size());
    return part.exists && (atStart ? part.text.starts_with(wanted) : part.text.ends_with(wanted));
  };
  if (!given[0].is(Kind::tuple)) return Value::boolean(fits(given[0]));
  const std::vector<Value>& all = given[0].as<ListObject>().items;
  return Value::boolean(std::any_of(all.begin(), all.end(), fits));
}

template <bool (*holds)(char32_t)>
Value all(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  bind("this method", arguments, {});
  const std::string& text = textOf(self);
  interpreter.heap().scan(text.size());
  for (std::size_t at = 0; at < text.size();)
    if (!holds(nextCharacter(text, at))) return Value::boolean(false);
  return Value::boolean(!text.empty());
}

bool isLetterOrNumber(char32_t c) {
  return isLetter(c) || isNumeric(c);
}

bool isAscii(char32_t c) {
  return c < 0x80;
}

template <bool upper>
Value oneCase(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  bind("this method", arguments, {});
  const std::string& text = textOf(self);
  interpreter.heap().scan(text.size());
  bool cased = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = nextCharacter(text, at);
    if (isTitle(c) || (upper ? isLower(c) : isUpper(c))) return Value::boolean(false);
    cased = cased || (upper ? isUpper(c) : isLower(c));
  }
  return Value::boolean(cased);
}

Value isTitled(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  bind("istitle", arguments, {});
  const std::string& text = textOf(self);
  interpreter.heap().scan(text.size());
  bool inWord = false, cased = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = nextCharacter(text, at);
    if ((isUpper(c) || isTitle(c)) ? inWord : (isLower(c) && !inWord)) return Value::boolean(false);
    inWord = isUpper(c) || isTitle(c) || isLower(c);
    cased = cased || inWord;
  }
  return Value::boolean(cased);
}

Value isIdentifier(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  bind("isidentifier", arguments, {});
  const std::string& text = textOf(self);
  interpreter.heap().scan(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const bool first = at == 0;
    const char32_t c = nextCharacter(text, at);
    if (first ? !isNameStart(c) : !isNameRest(c)) return Value::boolean(false);
  }
  return Value::boolean(!text.empty());
}

Value isAllAscii(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  if (textOf(self).empty()) return Value::boolean(true);
  return all<isAscii>(interpreter, self, arguments);
}

constexpr Builtin kStringBuiltins[] = {
    {"startswith", startsOrEnds<true>},
    {"endswith", startsOrEnds<false>},
    {"find", found<false, false>},
    {"rfind", found<true, false>},
    {"index", found<false, true>},
    {"rindex", found<true, true>},
    {"count", counted},
    {"isdigit", all<isDigit>},
    {"isdecimal", all<isDecimal>},
    {"isnumeric", all<isNumeric>},
    {"isalpha", all<isLetter>},
    {"isalnum", all<isLetterOrNumber>},
    {"isspace", all<isSpace>},
    {"isascii", isAllAscii},
    {"isupper", oneCase<true>},
    {"islower", oneCase<false>},
    {"istitle", isTitled},
    {"isidentifier", isIdentifier},
};

}  // namespace

const std::span<const Builtin> kStringTests = kStringBuiltins;

}  // namespace strata::jinja
