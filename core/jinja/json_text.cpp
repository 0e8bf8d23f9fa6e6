// tojson: Python's json.dumps.

#include <algorithm>
#include <cmath>

#include "core/jinja/interpreter.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

std::string jsonNumber(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  return printFloat(number);
}

class JsonPrinter {
 public:
  struct Style {
    bool asciiOnly = false;
    bool sortKeys = false;
    bool lines = false;
    std::string indent;
    std::string comma = ", ";
    std::string colon = ": ";
  };
  JsonPrinter(Interpreter& interpreter, TextBuilder& out, Style style)
      : m_interpreter(interpreter), m_out(out), m_style(std::move(style)) {}

  void print(const Value& value, std::size_t depth) {
    m_interpreter.heap().step();
    switch (value.kind()) {
      case Kind::none:
        m_out.append("null");
        break;
      case Kind::boolean:
        m_out.append(value.asBoolean() ? "true" : "false");
        break;
      case Kind::integer:
        m_out.append(std::to_string(value.asInteger()));
        break;
      case Kind::bigInteger:
        m_out.append(std::to_string(value.as<BigIntegerObject>().value));
        break;
      case Kind::floating:
        m_out.append(jsonNumber(value.asFloating()));
        break;
      case Kind::string:
        m_interpreter.heap().scan(textOf(value).size());
        printJsonString(m_out, textOf(value), m_style.asciiOnly);
        break;
      case Kind::list:
      case Kind::tuple:
        list(value.as<ListObject>().items, depth);
        break;
      case Kind::dict:
        dict(value.as<DictObject>(), depth);
        break;
      default:
        refuse("a value of type " + typeName(value) + " cannot be written as JSON");
    }
  }

 private:
  void breakLine(std::size_t depth) {
    if (!m_style.lines) return;
    m_out.append('\n');
    m_out.append(depth, m_style.indent);
  }

  void list(const std::vector<Value>& items, std::size_t depth) {
    if (items.empty()) return m_out.append("[]");
    m_out.append('[');
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) m_out.append(m_style.comma);
      breakLine(depth + 1);
      print(items[i], depth + 1);
    }
    breakLine(depth);
    m_out.append(']');
  }

  void key(const Value& key) {
    switch (key.kind()) {
      case Kind::string:
        printJsonString(m_out, textOf(key), m_style.asciiOnly);
        break;
      case Kind::none:
      case Kind::boolean:
      case Kind::integer:
      case Kind::floating:
      case Kind::bigInteger:
        m_out.append('"');
        print(key, 0);
        m_out.append('"');
        break;
      default:
        refuse("a key of JSON must be a string, a number, a boolean or none, not a " + typeName(key));
    }
  }

  void dict(const DictObject& dict, std::size_t depth) {
    if (dict.entries().empty()) return m_out.append("{}");
    std::vector<const DictObject::Entry*> entries;
    m_interpreter.heap().ensure(dict.entries().size() * sizeof(void*));
    for (const DictObject::Entry& entry : dict.entries()) entries.push_back(&entry);
    if (m_style.sortKeys) {
      std::stable_sort(entries.begin(), entries.end(), [&](const auto* a, const auto* b) {
        return ordered(m_interpreter.heap(), '<', a->first, b->first);
      });
    }
    m_out.append('{');
    bool first = true;
    for (const DictObject::Entry* entry : entries) {
      if (!std::exchange(first, false)) m_out.append(m_style.comma);
      breakLine(depth + 1);
      key(entry->first);
      m_out.append(m_style.colon);
      print(entry->second, depth + 1);
    }
    breakLine(depth);
    m_out.append('}');
  }

  Interpreter& m_interpreter;
  TextBuilder& m_out;
  Style m_style;
};

}  // namespace

void printJsonString(TextBuilder& out, std::string_view text, bool asciiOnly) {
  out.append('"');
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = nextCharacter(text, at);
    if (c >= 0x20 && c != '"' && c != '\\' && (c < 0x7F || !asciiOnly)) continue;
    static constexpr std::string_view kSpecial = "\"\\\n\r\t\f\b", kLetters = "\"\\nrtfb";
    char escape[16];
    const std::size_t special = c < 0x80 ? kSpecial.find(static_cast<char>(c)) : std::string_view::npos;
    if (special != std::string_view::npos) {
      std::snprintf(escape, sizeof escape, "\\%c", kLetters[special]);
    } else if (c < 0x10000) {
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
    } else {
      const auto offset = static_cast<unsigned>(c - 0x10000);
      std::snprintf(escape, sizeof escape, "\\u%04x\\u%04x", 0xD800 + (offset >> 10), 0xDC00 + (offset & 0x3FF));
    }
    out.append(text.substr(plain, start - plain));
    out.append(escape);
    plain = at;
  }
  out.append(text.substr(plain));
  out.append('"');
}

Value toJson(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonPrinter::Style style;
  style.asciiOnly = truth(given[0]);
  style.sortKeys = truth(given[3]);
  if (!given[1].isMissing() && !given[1].isNone()) {
    style.lines = true;
    style.comma = ",";
    if (given[1].isString()) {
      style.indent = textOf(given[1]);
    } else {
      const std::int64_t width = std::clamp<std::int64_t>(integerOf(given[1], "the indent of tojson"), 0, 1 << 20);
      style.indent.assign(static_cast<std::size_t>(width), ' ');
    }
  }
  if (!given[2].isMissing() && !given[2].isNone()) {
    const Value pair = interpreter.toList(given[2]);
    const std::vector<Value>& separators = pair.as<ListObject>().items;
    if (separators.size() != 2) refuse("the separators of tojson must be two strings");
    style.comma = textOf(separators[0], "a separator of tojson");
    style.colon = textOf(separators[1], "a separator of tojson");
  }
  TextBuilder out(interpreter.heap());
  JsonPrinter(interpreter, out, std::move(style)).print(value, 0);
  return interpreter.string(out.take());
}

}  // namespace strata::jinja
