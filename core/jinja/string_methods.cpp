// The methods of Python's str that give texts or lists of them.

#include "core/jinja/string_methods.h"

#include <algorithm>

#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

template <std::string (*change)(std::string_view)>
Value changed(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  bind("this method", arguments, {});
  interpreter.heap().ensure(textOf(self).size() * 6);  // code points of it, and the result
  interpreter.heap().scan(textOf(self).size());
  return alike(interpreter, self, change(textOf(self)));
}

template <bool left, bool right>
Value stripped(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("strip", arguments, {"chars"});
  return stripText(interpreter, self, given[0], left, right);
}

Value replaced(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("replace", arguments, {"old", "new", "count"}, 2);
  return alike(interpreter, self,
               replaceText(interpreter, textOf(self), textOf(given[0], "what replace looks for"),
                           textOf(given[1], "what replace puts"), integerOr(given[2], -1, "the count of replace")));
}

Value formatted(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  return formatBraces(interpreter, self, arguments);
}

Value joined(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("join", arguments, {"iterable"}, 1);
  return alike(interpreter, self, joinItems(interpreter, textOf(self), given[0], true));
}

// The words of a text that white space parts; after `most` parts the rest stays whole.
void splitAtSpace(Interpreter& interpreter, const Value& self, std::int64_t most, bool fromRight, ListBuilder& out) {
  std::string_view rest = textOf(self);
  interpreter.heap().scan(rest.size());
  rest = strip(rest, !fromRight, fromRight);  // what is left over keeps its other end
  while (!rest.empty()) {
    if (most >= 0 && static_cast<std::int64_t>(out.size()) >= most) {
      out.push(alike(interpreter, self, std::string(rest)));
      return;
    }
    if (fromRight) {
      std::size_t start = rest.size();
      while (start > 0) {
        std::size_t before = start - 1;
        while (before > 0 && (rest[before] & 0xC0) == 0x80) --before;
        std::size_t at = before;
        if (isSpace(nextCharacter(rest, at))) break;
        start = before;
      }
      out.push(alike(interpreter, self, std::string(rest.substr(start))));
      rest = strip(rest.substr(0, start), false, true);
    } else {
      std::size_t end = 0;
      for (std::size_t at = 0; at < rest.size(); end = at)
        if (isSpace(nextCharacter(rest, at))) break;
      out.push(alike(interpreter, self, std::string(rest.substr(0, end))));
      rest = strip(rest.substr(end), true, false);
    }
  }
}

template <bool fromRight>
Value split(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("split", arguments, {"sep", "maxsplit"});
  const std::int64_t most = integerOr(given[1], -1, "the maxsplit of split");
  ListBuilder parts(interpreter.heap());
  if (given[0].isMissing() || given[0].isNone()) {
    splitAtSpace(interpreter, self, most, fromRight, parts);
  } else {
    const std::string& separator = textOf(given[0], "the separator of split");
    if (separator.empty()) refuse("the separator of split is empty");
    std::string_view rest = textOf(self);
    const auto mayGoOn = [&] { return most < 0 || static_cast<std::int64_t>(parts.size()) < most; };
    if (fromRight && most >= 0) {
      while (mayGoOn()) {
        const std::size_t at = findLast(interpreter.heap(), rest, separator);
        if (at == std::string::npos) break;
        parts.push(alike(interpreter, self, std::string(rest.substr(at + separator.size()))));
        rest = rest.substr(0, at);
      }
    } else {
      while (mayGoOn()) {
        const std::size_t at = findText(interpreter.heap(), rest, separator);
        if (at == std::string::npos) break;
        parts.push(alike(interpreter, self, std::string(rest.substr(0, at))));
        rest = rest.substr(at + separator.size());
      }
    }
    parts.push(alike(interpreter, self, std::string(rest)));
    if (!fromRight || most < 0) return parts.list();
  }
  if (fromRight) std::reverse(parts.items().begin(), parts.items().end());
  return parts.list();
}

template <bool last>
Value partition(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("partition", arguments, {"sep"}, 1);
  const std::string& separator = textOf(given[0], "the separator of partition");
  if (separator.empty()) refuse("the separator of partition is empty");
  const std::string& text = textOf(self);
  const std::size_t at =
      last ? findLast(interpreter.heap(), text, separator) : findText(interpreter.heap(), text, separator);
  const auto part = [&](std::string piece) { return alike(interpreter, self, std::move(piece)); };
  if (at == std::string::npos) {
    return last ? makeList(interpreter.heap(), {part({}), part({}), self}, Kind::tuple)
                : makeList(interpreter.heap(), {self, part({}), part({})}, Kind::tuple);
  }
  return makeList(interpreter.heap(), {part(text.substr(0, at)), given[0], part(text.substr(at + separator.size()))},
                  Kind::tuple);
}

Value lines(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("splitlines", arguments, {"keepends"});
  interpreter.heap().scan(textOf(self).size());
  ListBuilder out(interpreter.heap());
  const std::string& text = textOf(self);
  // A vector that grows holds its views twice for a moment, and may end up with room for as many again.
  interpreter.heap().ensure(countLineEnds(text) * 3 * sizeof(std::string_view));
  for (const std::string_view line : splitLines(text, truth(given[0])))
    out.push(alike(interpreter, self, std::string(line)));
  return out.list();
}

enum class Side { left, right, both };

template <Side side>
Value justified(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("justify", arguments, {"width", "fillchar"}, 1);
  const std::int64_t width = integerOf(given[0], "the width");
  const std::string fill = given[1].isMissing() ? " " : textOf(given[1], "the fill character");
  if (countCharacters(fill) != 1) refuse("the fill character must be one character");
  if (side == Side::both) return alike(interpreter, self, centerText(interpreter, textOf(self), width, fill));
  const auto length = static_cast<std::int64_t>(self.as<StringObject>().length);
  const auto missing = static_cast<std::size_t>(std::max<std::int64_t>(0, width - length));
  TextBuilder out(interpreter.heap());
  if (side == Side::right) out.append(missing, fill);
  out.append(textOf(self));
  if (side == Side::left) out.append(missing, fill);
  return alike(interpreter, self, out.take());
}

Value filledWithZeros(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("zfill", arguments, {"width"}, 1);
  const std::string& text = textOf(self);
  const std::int64_t width = integerOf(given[0], "the width");
  const auto missing = std::max<std::int64_t>(0, width - static_cast<std::int64_t>(self.as<StringObject>().length));
  const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  TextBuilder out(interpreter.heap());
  out.append(std::string_view(text).substr(0, sign));
  out.append(static_cast<std::size_t>(missing), "0");
  out.append(std::string_view(text).substr(sign));
  return alike(interpreter, self, out.take());
}

Value withoutPrefix(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("removeprefix", arguments, {"prefix"}, 1);
  const std::string& prefix = textOf(given[0], "the prefix");
  return textOf(self).starts_with(prefix) ? alike(interpreter, self, textOf(self).substr(prefix.size())) : self;
}

Value withoutSuffix(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("removesuffix", arguments, {"suffix"}, 1);
  const std::string& suffix = textOf(given[0], "the suffix");
  const std::string& text = textOf(self);
  return text.ends_with(suffix) ? alike(interpreter, self, text.substr(0, text.size() - suffix.size())) : self;
}

Value withoutTabs(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  const std::vector<Value> given = bind("expandtabs", arguments, {"tabsize"});
  const std::int64_t size = integerOr(given[0], 8, "the tabsize");
  TextBuilder out(interpreter.heap());
  std::int64_t column = 0;
  const std::string& text = textOf(self);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = nextCharacter(text, at);
    if (c == '\t') {
      if (size > 0) {
        const std::int64_t width = size - column % size;
        out.append(static_cast<std::size_t>(width), " ");
        column += width;
      }
      continue;
    }
    out.append(std::string_view(text).substr(start, at - start));
    column = c == '\n' || c == '\r' ? 0 : column + 1;
  }
  return alike(interpreter, self, out.take());
}

constexpr Builtin kMethods[] = {
    {"strip", stripped<true, true>},
    {"lstrip", stripped<true, false>},
    {"rstrip", stripped<false, true>},
    {"split", split<false>},
    {"rsplit", split<true>},
    {"replace", replaced},
    {"format", formatted},
    {"join", joined},
    {"upper", changed<toUpper>},
    {"lower", changed<toLower>},
    {"title", changed<toTitle>},
    {"capitalize", changed<toCapitalized>},
    {"swapcase", changed<swapCase>},
    {"casefold", changed<foldCase>},
    {"splitlines", lines},
    {"partition", partition<false>},
    {"rpartition", partition<true>},
    {"ljust", justified<Side::left>},
    {"rjust", justified<Side::right>},
    {"center", justified<Side::both>},
    {"zfill", filledWithZeros},
    {"removeprefix", withoutPrefix},
    {"removesuffix", withoutSuffix},
    {"expandtabs", withoutTabs},
};

}  // namespace

const std::span<const Builtin> kStringMethods = kMethods;

std::int64_t integerOr(const Value& value, std::int64_t otherwise, const char* what) {
  return value.isMissing() || value.isNone() ? otherwise : integerOf(value, what);
}

std::size_t findLast(Heap& heap, std::string_view text, std::string_view part) {
  heap.ensure(text.size() + part.size());
  const std::string backwards(text.rbegin(), text.rend()), wanted(part.rbegin(), part.rend());
  const std::size_t at = findText(heap, backwards, wanted);
  return at == std::string::npos ? at : text.size() - at - part.size();
}

std::string replaceText(Interpreter& interpreter, const std::string& text, const std::string& from,
                        const std::string& to, std::int64_t count) {
  TextBuilder out(interpreter.heap());
  std::size_t done = 0;
  if (from.empty()) {  // before each character and at the end
    while (count != 0) {
      out.append(to);
      --count;
      if (done >= text.size()) return out.take();
      const std::size_t start = done;
      nextCharacter(text, done);
      out.append(std::string_view(text).substr(start, done - start));
    }
  }
  for (; count != 0; --count) {
    const std::size_t at = findText(interpreter.heap(), text, from, done);
    if (at == std::string::npos) break;
    out.append(std::string_view(text).substr(done, at - done));
    out.append(to);
    done = at + from.size();
  }
  out.append(std::string_view(text).substr(done));
  return out.take();
}

std::string centerText(Interpreter& interpreter, const std::string& text, std::int64_t width, const std::string& fill) {
  const std::int64_t missing = std::max<std::int64_t>(0, width - static_cast<std::int64_t>(countCharacters(text)));
  const std::int64_t left = missing / 2 + (missing & width & 1);  // as CPython does it
  TextBuilder out(interpreter.heap());
  out.append(static_cast<std::size_t>(left), fill);
  out.append(text);
  out.append(static_cast<std::size_t>(missing - left), fill);
  return out.take();
}

std::string joinItems(Interpreter& interpreter, const std::string& separator, const Value& items, bool stringsOnly) {
  const Value list = interpreter.toList(items);
  TextBuilder out(interpreter.heap());
  bool first = true;
  for (const Value& item : list.as<ListObject>().items) {
    if (!std::exchange(first, false)) out.append(separator);
    if (stringsOnly && !item.isString()) refuse("join() wants strings, not a " + typeName(item));
    interpreter.print(out, item);
  }
  return out.take();
}

Value stripText(Interpreter& interpreter, const Value& self, const Value& characters, bool left, bool right) {
  const std::string& text = textOf(self);
  std::string_view rest;
  interpreter.heap().scan(text.size());
  if (characters.isMissing() || characters.isNone()) {
    rest = strip(text, left, right);
  } else {
    const std::vector<char32_t> decoded = decode(textOf(characters, "what strip takes away"));
    std::u32string wanted(decoded.begin(), decoded.end());
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    interpreter.heap().ensure(decoded.size() * 8);
    rest = strip(text, left, right, &wanted);
  }
  return rest.size() == text.size() ? self : alike(interpreter, self, std::string(rest));
}

}  // namespace strata::jinja
