// str() and repr() of values, as Python prints them, or as huggingface.js does in its dialect.

#include <charconv>
#include <cmath>

#include "core/jinja/interpreter.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

void printQuoted(TextBuilder& out, std::string_view text) {
  const bool single = text.find('\'') == std::string_view::npos || text.find('"') != std::string_view::npos;
  const char quote = single ? '\'' : '"';
  out.append(quote);
  std::size_t plain = 0;  // what is printed as it is, from here on
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = nextCharacter(text, at);
    std::string escape;
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      escape = {'\\', static_cast<char>(c)};
    } else if (c == '\n') {
      escape = "\\n";
    } else if (c == '\r') {
      escape = "\\r";
    } else if (c == '\t') {
      escape = "\\t";
    } else if ((c < 0x20 || c >= 0x7F) && !isPrintable(c)) {
      char digits[12];
      std::snprintf(digits, sizeof digits,
                    c <= 0xFF     ? "\\x%02x"
                    : c <= 0xFFFF ? "\\u%04x"
                                  : "\\U%08x",
                    static_cast<unsigned>(c));
      escape = digits;
    } else {
      continue;
    }
    out.append(text.substr(plain, start - plain));
    out.append(escape);
    plain = at;
  }
  out.append(text.substr(plain));
  out.append(quote);
}

class Printer {
 public:
  Printer(Interpreter& interpreter, TextBuilder& out)
      : m_interpreter(interpreter), m_out(out), m_javascript(interpreter.dialect() == Dialect::javascript) {}

  void repr(const Value& value) {
    if (++m_depth > m_interpreter.heap().limits().valueDepth) refuse("a value is too deep to be printed");
    m_interpreter.heap().step();
    switch (value.kind()) {
      case Kind::missing:
      case Kind::undefined:
        m_out.append(m_javascript ? "undefined" : "Undefined");
        break;
      case Kind::none:
        m_out.append(m_javascript ? "null" : "None");
        break;
      case Kind::boolean:
        m_out.append(m_javascript ? (value.asBoolean() ? "true" : "false") : (value.asBoolean() ? "True" : "False"));
        break;
      case Kind::integer:
        m_out.append(std::to_string(value.asInteger()));
        break;
      case Kind::bigInteger:
        m_out.append(std::to_string(value.as<BigIntegerObject>().value));
        break;
      case Kind::floating:
        m_out.append(printFloat(value.asFloating()));
        break;
      case Kind::string:
        quoted(value);
        break;
      case Kind::list:
        m_out.append('[');
        items(value.as<ListObject>().items);
        m_out.append(']');
        break;
      case Kind::tuple: {
        const std::vector<Value>& parts = value.as<ListObject>().items;
        m_out.append(m_javascript ? '[' : '(');
        items(parts);
        m_out.append(m_javascript ? "]" : parts.size() == 1 ? ",)" : ")");
        break;
      }
      case Kind::dict:
        dict(value);
        break;
      case Kind::view:
        m_out.append(typeName(value) + "(");
        repr(m_interpreter.toList(value));
        m_out.append(')');
        break;
      case Kind::space:
        m_out.append("<Namespace ");
        dict(value.as<NamespaceObject>().fields);
        m_out.append('>');
        break;
      case Kind::range: {
        const auto& range = value.as<RangeObject>();
        m_out.append("range(" + std::to_string(range.start) + ", " + std::to_string(range.stop));
        m_out.append(range.step == 1 ? ")" : ", " + std::to_string(range.step) + ")");
        break;
      }
      case Kind::generator:
        if (m_javascript) {
          repr(m_interpreter.toList(value));
        } else {
          m_out.append("<generator object>");
        }
        break;
      case Kind::macro:
        m_out.append("<Macro '" + value.as<MacroObject>().name + "'>");
        break;
      case Kind::loop: {
        auto& loop = value.as<LoopObject>();
        m_out.append("<LoopContext " + std::to_string(loop.index0 + 1) + "/" +
                     std::to_string(m_interpreter.lengthOf(loop)) + ">");
        break;
      }
      default:
        m_out.append("<" + typeName(value) + ">");
    }
    --m_depth;
  }

 private:
  void quoted(const Value& value) {
    m_interpreter.heap().scan(textOf(value).size());
    if (m_javascript) {
      printJsonString(m_out, textOf(value), false);
      return;
    }
    const bool markup = value.as<StringObject>().markup;
    if (markup) m_out.append("Markup(");
    printQuoted(m_out, textOf(value));
    if (markup) m_out.append(')');
  }

  void items(const std::vector<Value>& values) {
    bool first = true;
    for (const Value& value : values) {
      if (!std::exchange(first, false)) m_out.append(", ");
      repr(value);
    }
  }

  void dict(const Value& value) {
    m_out.append('{');
    bool first = true;
    for (const auto& [key, entry] : value.as<DictObject>().entries()) {
      if (!std::exchange(first, false)) m_out.append(", ");
      repr(key);
      m_out.append(": ");
      repr(entry);
    }
    m_out.append('}');
  }

  Interpreter& m_interpreter;
  TextBuilder& m_out;
  bool m_javascript;
  int m_depth = 0;
};

}  // namespace

std::string printFloat(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific);
  std::string text(buffer, end);
  const std::size_t mark = text.find('e');
  const int exponent = std::atoi(text.c_str() + mark + 1);
  const bool negative = text[0] == '-';
  std::string digits = text.substr(negative ? 1 : 0, mark - (negative ? 1 : 0));
  std::erase(digits, '.');
  std::string out = negative ? "-" : "";
  if (exponent < -4 || exponent >= 16) {
    out += digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    char power[8];
    std::snprintf(power, sizeof power, "e%+03d", exponent);
    return out + power;
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0') + ".0";
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

void Interpreter::print(TextBuilder& out, const Value& value) {
  if (value.isString()) {
    out.append(textOf(value));
  } else if (!value.isUndefined() && !value.isMissing()) {
    Printer(*this, out).repr(value);
  }
}

std::string Interpreter::repr(const Value& value) {
  TextBuilder out(m_heap);
  Printer(*this, out).repr(value);
  return out.take();
}

}  // namespace strata::jinja
