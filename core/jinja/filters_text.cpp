// Filters that make texts of texts.

#include <algorithm>
#include <cmath>

#include "core/jinja/filters.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

// A text as it is, anything else as it prints.
Value softly(Interpreter& interpreter, const Value& value) {
  return value.isString() ? value : interpreter.string(interpreter.text(value));
}

template <std::string (*change)(std::string_view)>
Value changed(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("this filter", arguments, {});
  const Value text = softly(interpreter, value);
  interpreter.heap().ensure(textOf(text).size() * 6);
  interpreter.heap().scan(textOf(text).size());
  return alike(interpreter, text, change(textOf(text)));
}

// Words begin after white space, brackets and dashes, unlike in str.title.
std::string titled(std::string_view text) {
  std::string out;
  const auto parts = [](char32_t c) {
    return isSpace(c) || (c < 0x80 && std::string_view("-({[<").find(static_cast<char>(c)) != std::string_view::npos);
  };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    const char32_t c = nextCharacter(text, end);
    if (parts(c)) {
      out += text.substr(at, end - at);
      at = end;
      continue;
    }
    out += toUpper(text.substr(at, end - at));
    at = end;
    for (std::size_t next = end; end < text.size() && !parts(nextCharacter(text, next)); end = next) {
    }
    out += toLower(text.substr(at, end - at));
    at = end;
  }
  return out;
}

Value string(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("string", arguments, {});
  return softly(interpreter, value);
}

Value trim(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("trim", arguments, {"chars"});
  return stripText(interpreter, softly(interpreter, value), given[0], true, true);
}

Value replace(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("replace", arguments, {"old", "new", "count"}, 2);
  return interpreter.string(replaceText(interpreter, interpreter.text(value), interpreter.text(given[0]),
                                        interpreter.text(given[1]), integerOr(given[2], -1, "the count of replace")));
}

Value center(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("center", arguments, {"width"});
  return interpreter.string(
      centerText(interpreter, interpreter.text(value), integerOr(given[0], 80, "the width of center"), " "));
}

Value indent(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("indent", arguments, {"width", "first", "blank"});
  const std::string& text = textOf(value, "what indent takes");
  TextBuilder indention(interpreter.heap());
  if (given[0].isString()) {
    indention.append(textOf(given[0]));
  } else {
    indention.append(static_cast<std::size_t>(std::max<std::int64_t>(0, integerOr(given[0], 4, "the width of indent"))),
                     " ");
  }
  interpreter.heap().ensure(text.size() * sizeof(std::string_view));
  interpreter.heap().scan(text.size());
  const std::string whole = text + "\n";
  TextBuilder out(interpreter.heap());
  bool first = true;
  for (const std::string_view line : splitLines(whole, false)) {
    if (!first) out.append('\n');
    if (first ? truth(given[1]) : !line.empty() || truth(given[2])) out.append(indention.text());
    out.append(line);
    first = false;
  }
  return alike(interpreter, value, out.take());
}

Value format(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  if (!arguments.positional.empty() && !arguments.named.empty()) {
    refuse("format takes either values or named values, not both");
  }
  const Value text = softly(interpreter, value);
  if (arguments.named.empty()) {
    return formatPercent(interpreter, text, makeList(interpreter.heap(), std::move(arguments.positional), Kind::tuple));
  }
  DictBuilder values(interpreter.heap());
  for (const auto& [key, given] : arguments.named) values.set(key, given);
  return formatPercent(interpreter, text, values.dict());
}

Value truncate(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("truncate", arguments, {"length", "killwords", "end", "leeway"});
  const std::int64_t length = integerOr(given[0], 255, "the length of truncate");
  const std::string end = given[2].isMissing() ? "..." : textOf(given[2], "the end of truncate");
  const std::int64_t leeway = integerOr(given[3], 5, "the leeway of truncate");
  const auto endLength = static_cast<std::int64_t>(countCharacters(end));
  if (length < endLength || leeway < 0)
    refuse("truncate wants a length that its end fits in, and a leeway of 0 or more");
  if (!value.isString()) {
    Arguments none;
    if (interpreter.applyFilter("length", value, none).asInteger() - leeway <= length) return value;
  }
  const std::string& text = textOf(value, "what truncate takes");
  if (static_cast<std::int64_t>(value.as<StringObject>().length) - leeway <= length) return value;
  interpreter.heap().scan(text.size());
  std::string start = text.substr(0, byteOf(text, static_cast<std::size_t>(length - endLength)));
  if (!truth(given[1])) start.resize(std::min(start.rfind(' '), start.size()));
  return alike(interpreter, value, start + end);
}

Value wordCount(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("wordcount", arguments, {});
  const std::string text = interpreter.text(value);
  interpreter.heap().scan(text.size());
  std::int64_t count = 0;
  bool inWord = false;
  for (std::size_t at = 0; at < text.size();) {
    const bool word = isWord(nextCharacter(text, at));
    if (word && !inWord) ++count;
    inWord = word;
  }
  return Value::integer(count);
}

Value fileSize(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("filesizeformat", arguments, {"binary"});
  Arguments otherwise{{Value::none()}, {}};
  const Value number = interpreter.applyFilter("float", value, otherwise);
  if (number.isNone()) refuse("filesizeformat wants a number");
  const double bytes = number.asFloating();
  const bool binary = truth(given[0]);
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return interpreter.string("1 Byte");
  char text[400];
  if (!(bytes >= base)) {
    if (!std::isfinite(bytes) || bytes < -9e18) refuse("filesizeformat is given what is no size");
    std::snprintf(text, sizeof text, "%lld Bytes", static_cast<long long>(bytes));
    return interpreter.string(text);
  }
  double unit = base * base;
  int prefix = 0;
  while (prefix < 7 && bytes >= unit) {
    unit *= base;
    ++prefix;
  }
  std::snprintf(text, sizeof text, "%.1f %c%s", base * bytes / unit, (binary ? "KMGTPEZY" : "kMGTPEZY")[prefix],
                binary ? "iB" : "B");
  return interpreter.string(text);
}

Value toJsonFilter(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  return toJson(interpreter, value, arguments);
}

constexpr Builtin kTextBuiltins[] = {
    {"trim", trim},
    {"tojson", toJsonFilter},
    {"upper", changed<toUpper>},
    {"lower", changed<toLower>},
    {"title", changed<titled>},
    {"capitalize", changed<toCapitalized>},
    {"string", string},
    {"replace", replace},
    {"indent", indent},
    {"center", center},
    {"format", format},
    {"truncate", truncate},
    {"wordcount", wordCount},
    {"filesizeformat", fileSize},
};

}  // namespace

const std::span<const Builtin> kTextFilters = kTextBuiltins;

}  // namespace strata::jinja
