// wordwrap and pprint: filters that break long lines.

#include <algorithm>

#include "core/jinja/filters.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

constexpr std::size_t kPageWidth = 80;

// The pieces that a line may be broken between: words, white space, and (where hyphens part) what ends in a hyphen
// between letters.
std::vector<std::string_view> piecesOf(std::string_view line, bool onHyphens) {
  std::vector<std::string_view> pieces;
  const auto isBlank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  const auto isLetterAt = [&](std::size_t at) {
    if (at >= line.size()) return false;
    return isLetter(nextCharacter(line, at));
  };
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at;
    if (isBlank(line[at])) {
      while (end < line.size() && isBlank(line[end])) ++end;
    } else {
      while (end < line.size() && !isBlank(line[end])) {
        ++end;
        if (!onHyphens || line[end - 1] != '-' || end < at + 3 || !isLetterAt(end)) continue;
        std::size_t before = end - 2;
        while (before > at && (line[before] & 0xC0) == 0x80) --before;
        if (before == at || !isLetterAt(before)) continue;
        std::size_t earlier = before - 1;
        while (earlier > at && (line[earlier] & 0xC0) == 0x80) --earlier;
        if (isLetterAt(earlier)) break;
      }
    }
    pieces.push_back(line.substr(at, end - at));
    at = end;
  }
  return pieces;
}

struct Wrapping {
  std::size_t width;
  bool breaksWords;
};

// textwrap.wrap without changing white space.
void wrapLine(TextBuilder& out, std::vector<std::string_view> pieces, const Wrapping& how, std::string_view newline) {
  const auto isBlank = [](std::string_view piece) { return strip(piece, true, true).empty(); };
  std::reverse(pieces.begin(), pieces.end());
  bool firstLine = true;
  while (!pieces.empty()) {
    if (!firstLine && isBlank(pieces.back())) pieces.pop_back();
    std::vector<std::string_view> line;
    std::size_t length = 0;
    while (!pieces.empty()) {
      const std::size_t size = countCharacters(pieces.back());
      if (length + size > how.width) break;
      line.push_back(pieces.back());
      length += size;
      pieces.pop_back();
    }
    if (!pieces.empty() && countCharacters(pieces.back()) > how.width) {
      const std::size_t room = how.width - length;
      if (how.breaksWords) {
        const std::size_t cut = byteOf(pieces.back(), room);
        line.push_back(pieces.back().substr(0, cut));
        pieces.back().remove_prefix(cut);
      } else if (line.empty()) {
        line.push_back(pieces.back());
        pieces.pop_back();
      }
    }
    if (!line.empty() && isBlank(line.back())) line.pop_back();
    if (line.empty()) continue;
    if (!firstLine) out.append(newline);
    for (const std::string_view piece : line) out.append(piece);
    firstLine = false;
  }
}

Value wordWrap(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given =
      bind("wordwrap", arguments, {"width", "break_long_words", "wrapstring", "break_on_hyphens"});
  const std::int64_t width = integerOr(given[0], 79, "the width of wordwrap");
  if (width <= 0) refuse("the width of wordwrap must be 1 or more");
  const std::string newline =
      given[2].isMissing() || given[2].isNone() ? "\n" : textOf(given[2], "the wrapstring of wordwrap");
  const std::string& text = textOf(value, "what wordwrap takes");
  interpreter.heap().ensure(text.size() * 2 * sizeof(std::string_view));
  interpreter.heap().step(2 * text.size());
  const Wrapping how{static_cast<std::size_t>(width), given[1].isMissing() || truth(given[1])};
  const bool onHyphens = given[3].isMissing() || truth(given[3]);
  TextBuilder out(interpreter.heap());
  bool first = true;
  for (const std::string_view line : splitLines(text, false)) {
    if (!std::exchange(first, false)) out.append(newline);
    wrapLine(out, piecesOf(line, onHyphens), how, newline);
  }
  return alike(interpreter, value, out.take());
}

// A value on as few lines as fit; dictionaries by their keys.
void printPretty(Interpreter& interpreter, TextBuilder& out, const Value& value, std::size_t indent,
                 std::size_t after) {
  interpreter.heap().step();
  const bool isDict = value.is(Kind::dict);
  if (!isDict && !value.isSequence()) return out.append(interpreter.repr(value));
  std::vector<std::pair<Value, Value>> entries;
  if (isDict) {
    interpreter.heap().ensure(value.as<DictObject>().entries().size() * sizeof(entries[0]));
    entries = value.as<DictObject>().entries();
    std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
      if (a.first.isString() != b.first.isString()) return b.first.isString();
      return ordered(interpreter.heap(), '<', a.first, b.first);
    });
  } else {
    for (const Value& item : value.as<ListObject>().items) entries.emplace_back(Value(), item);
  }
  TextBuilder flat(interpreter.heap());
  const char* open = isDict ? "{" : value.is(Kind::list) ? "[" : "(";
  const char* close = isDict ? "}" : value.is(Kind::list) ? "]" : entries.size() == 1 ? ",)" : ")";
  const auto print = [&](TextBuilder& to, bool wide) {
    to.append(open);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) to.append(wide ? ",\n" : ", ");
      if (i > 0 && wide) to.append(indent + 1, " ");
      std::size_t column = indent + 1;
      if (isDict) {
        const std::string key = interpreter.repr(entries[i].first) + ": ";
        to.append(key);
        column += countCharacters(key);
      }
      printPretty(interpreter, to, entries[i].second, wide ? column : 0,
                  wide ? 1 + (i + 1 == entries.size() ? after : 0) : 0);
    }
    to.append(close);
  };
  flat.append(interpreter.repr(value));
  if (countCharacters(flat.text()) + indent + after <= kPageWidth || entries.empty()) {
    if (!isDict) return out.append(flat.text());
    return print(out, false);
  }
  print(out, true);
}

Value prettyPrint(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("pprint", arguments, {});
  TextBuilder out(interpreter.heap());
  printPretty(interpreter, out, value, 0, 0);
  return interpreter.string(out.take());
}

constexpr Builtin kWrapBuiltins[] = {{"wordwrap", wordWrap}, {"pprint", prettyPrint}};

}  // namespace

const std::span<const Builtin> kWrapFilters = kWrapBuiltins;

}  // namespace strata::jinja
