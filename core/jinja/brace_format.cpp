// "{} {name!r:>10}".format(…): Python's format strings and the format specifications of str, int and float.

#include <cmath>

#include "core/jinja/interpreter.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

constexpr std::int64_t kWidest = 1 << 20;

struct Specification {
  std::string fill = " ";
  char align = 0;
  char sign = '-';
  bool alternate = false;
  char group = 0;
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char type = 0;
};

std::int64_t readNumber(std::string_view text, std::size_t& at) {
  std::int64_t n = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
    n = std::min(n * 10 + (text[at] - '0'), kWidest + 1);
  if (n > kWidest) refuse("a field of a format is too wide");
  return n;
}

Specification readSpecification(std::string_view text) {
  Specification spec;
  std::size_t at = 0;
  const auto isAlign = [](char c) { return c == '<' || c == '>' || c == '^' || c == '='; };
  if (!text.empty()) {
    std::size_t second = 0;
    nextCharacter(text, second);
    if (second < text.size() && isAlign(text[second])) {
      spec.fill = std::string(text.substr(0, second));
      spec.align = text[second];
      at = second + 1;
    } else if (isAlign(text[0])) {
      spec.align = text[0];
      at = 1;
    }
  }
  const auto peek = [&] { return at < text.size() ? text[at] : '\0'; };
  if (peek() == '+' || peek() == '-' || peek() == ' ') spec.sign = text[at++];
  if (peek() == '#') {
    spec.alternate = true;
    ++at;
  }
  if (peek() == '0') {
    if (spec.align == 0) {
      spec.fill = "0";
      spec.align = '=';
    }
    ++at;
  }
  spec.width = readNumber(text, at);
  if (peek() == ',' || peek() == '_') spec.group = text[at++];
  if (peek() == '.') {
    ++at;
    if (peek() < '0' || peek() > '9') refuse("a format has a '.' without a precision");
    spec.precision = readNumber(text, at);
  }
  if (at < text.size()) spec.type = text[at++];
  if (at < text.size()) refuse("a format has an invalid specification '" + std::string(text.substr(0, 40)) + "'");
  return spec;
}

// Groups of three (of four where not decimal) from the right, up to the point.
std::string grouped(const std::string& digits, char separator, std::size_t size) {
  if (separator == 0) return digits;
  const std::size_t whole = std::min(digits.find_first_not_of("0123456789abcdefABCDEF"), digits.size());
  std::string out;
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % size == 0) out += separator;
    out += digits[i];
  }
  return out + digits.substr(whole);
}

class BraceFormatter {
 public:
  BraceFormatter(Interpreter& interpreter, Arguments& arguments)
      : m_interpreter(interpreter), m_arguments(arguments), m_out(interpreter.heap()) {}

  std::string run(std::string_view format, int depth) {
    if (depth > 2) refuse("a format has braces in braces in braces");
    for (std::size_t at = 0; at < format.size();) {
      const std::size_t brace = std::min(format.find_first_of("{}", at), format.size());
      m_out.append(format.substr(at, brace - at));
      if (brace == format.size()) break;
      if (brace + 1 < format.size() && format[brace + 1] == format[brace]) {
        m_out.append(format[brace]);
        at = brace + 2;
        continue;
      }
      if (format[brace] == '}') refuse("a format has a '}' that closes nothing");
      at = field(format, brace + 1, depth);
    }
    return m_out.take();
  }

 private:
  // From behind the '{'; gives where the text goes on behind the '}'.
  std::size_t field(std::string_view format, std::size_t begin, int depth) {
    std::size_t end = begin;
    for (int open = 1; end < format.size(); ++end) {
      if (format[end] == '{') ++open;
      if (format[end] == '}' && --open == 0) break;
    }
    if (end >= format.size()) refuse("a format has a '{' without a '}'");
    m_interpreter.heap().work(end - begin);
    const std::string_view whole = format.substr(begin, end - begin);
    const std::size_t colon = whole.find(':');
    std::string_view name = whole.substr(0, colon);
    char conversion = 0;
    if (const std::size_t mark = name.find('!'); mark != std::string_view::npos) {
      if (mark + 2 != name.size()) refuse("a format has an invalid conversion");
      conversion = name[mark + 1];
      name = name.substr(0, mark);
    }
    Value value = lookUp(name);
    if (conversion == 'r' || conversion == 'a') {
      value = m_interpreter.string(m_interpreter.repr(value));
    } else if (conversion == 's') {
      value = m_interpreter.string(m_interpreter.text(value));
    } else if (conversion != 0) {
      refuse("a format has an unknown conversion '" + std::string(1, conversion) + "'");
    }
    std::string spec;
    if (colon != std::string_view::npos) {
      spec = whole.substr(colon + 1);
      if (spec.find_first_of("{}") != std::string::npos) {
        BraceFormatter inner(m_interpreter, m_arguments);
        inner.m_next = m_next;
        spec = inner.run(spec, depth + 1);
        m_next = inner.m_next;
      }
    }
    put(value, spec);
    return end + 1;
  }

  Value lookUp(std::string_view name) {
    std::size_t at = std::min(name.find_first_of(".["), name.size());
    const std::string first(name.substr(0, at));
    Value value;
    if (first.empty() || first.find_first_not_of("0123456789") == std::string::npos) {
      std::size_t position = 0;
      const std::size_t index = first.empty() ? m_next++ : static_cast<std::size_t>(readNumber(first, position));
      if (index >= m_arguments.positional.size()) refuse("a format has more fields than it is given values");
      value = m_arguments.positional[index];
    } else {
      for (const auto& [key, given] : m_arguments.named)
        if (key == first) value = given;
      if (value.isMissing()) refuse("a format names '" + first + "', which it is not given");
    }
    while (at < name.size()) {
      const bool isAttribute = name[at] == '.';
      const std::size_t end =
          isAttribute ? std::min(name.find_first_of(".[", at + 1), name.size()) : name.find(']', at);
      if (end == std::string_view::npos) refuse("a format has a '[' without a ']'");
      const std::string_view part = name.substr(at + 1, end - at - 1);
      if (isAttribute) {
        value = m_interpreter.attribute(value, part);
      } else if (!part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos) {
        std::size_t position = 0;
        value = m_interpreter.item(value, Value::integer(readNumber(part, position)));
      } else {
        value = m_interpreter.item(value, m_interpreter.string(std::string(part)));
      }
      at = isAttribute ? end : end + 1;
    }
    return value;
  }

  void put(const Value& value, std::string_view text) {
    if (text.empty()) return m_interpreter.print(m_out, value);
    Specification spec = readSpecification(text);
    if (value.isString()) {
      if (spec.type != 0 && spec.type != 's')
        refuse("a string cannot be formatted as '" + std::string(1, spec.type) + "'");
      if (spec.align == '=' && spec.fill == "0") spec.align = '<';
      std::string body = textOf(value);
      if (spec.precision >= 0) body.resize(byteOf(body, static_cast<std::size_t>(spec.precision)));
      pad(spec, {}, body, '<');
    } else if (value.is(Kind::floating) || (value.isInteger() && isFloatType(spec.type))) {
      floating(spec, value.asNumber(), value.is(Kind::floating));
    } else if (value.is(Kind::integer) || value.is(Kind::boolean)) {
      whole(spec, value.asInteger());
    } else {
      refuse("a " + typeName(value) + " cannot be formatted with '" + std::string(text) + "'");
    }
  }

  static bool isFloatType(char type) {
    return type != 0 && std::string_view("eEfFgG%").find(type) != std::string_view::npos;
  }

  static std::string signOf(const Specification& spec, bool negative) {
    return negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
  }

  void whole(const Specification& spec, std::int64_t n) {
    const std::uint64_t magnitude = n < 0 ? ~static_cast<std::uint64_t>(n) + 1 : static_cast<std::uint64_t>(n);
    std::string digits;
    std::string prefix = signOf(spec, n < 0);
    char buffer[32];
    switch (spec.type) {
      case 0:
      case 'd':
      case 'n':
        digits = std::to_string(magnitude);
        break;
      case 'x':
      case 'X':
      case 'o':
        std::snprintf(buffer, sizeof buffer,
                      spec.type == 'x'   ? "%llx"
                      : spec.type == 'X' ? "%llX"
                                         : "%llo",
                      static_cast<unsigned long long>(magnitude));
        digits = buffer;
        break;
      case 'b':
        for (std::uint64_t rest = magnitude; rest > 0 || digits.empty(); rest >>= 1)
          digits.insert(digits.begin(), (rest & 1) != 0 ? '1' : '0');
        break;
      case 'c':
        if (n < 0 || n > 0x10FFFF || (n >= 0xD800 && n <= 0xDFFF)) refuse("a format is given what is no character");
        appendCharacter(digits, static_cast<char32_t>(n));
        prefix.clear();
        break;
      default:
        refuse("a whole number cannot be formatted as '" + std::string(1, spec.type) + "'");
    }
    if (spec.alternate && spec.type != 0 && std::string_view("xXob").find(spec.type) != std::string_view::npos)
      prefix += std::string("0") + spec.type;
    const bool decimal = spec.type == 0 || spec.type == 'd';
    pad(spec, prefix, grouped(digits, spec.group, decimal ? 3 : 4), '>');
  }

  void floating(const Specification& spec, double x, bool isFloat) {
    const double magnitude = std::fabs(x) * (spec.type == '%' ? 100 : 1);
    std::string digits;
    if (spec.type == 0 && spec.precision < 0 && isFloat) {
      digits = printFloat(magnitude);
    } else {
      const auto precision = static_cast<int>(std::min<std::int64_t>(spec.precision < 0 ? 6 : spec.precision, 1000));
      const char type = spec.type == 0 || spec.type == 'n' ? 'g' : spec.type == '%' ? 'f' : spec.type;
      if (std::string_view("eEfFgG").find(type) == std::string_view::npos) {
        refuse("a float cannot be formatted as '" + std::string(1, spec.type) + "'");
      }
      const std::string pattern = std::string(spec.alternate ? "%#" : "%") + ".*" + type;
      m_interpreter.heap().scan(kFloatDigits + static_cast<std::size_t>(precision));
      digits.assign(1400, '\0');
      digits.resize(static_cast<std::size_t>(std::snprintf(digits.data(), digits.size(), pattern.c_str(),
                                                           precision == 0 && type == 'g' ? 1 : precision, magnitude)));
      if (spec.type == 0 && digits.find_first_not_of("0123456789") == std::string::npos) digits += ".0";
    }
    if (spec.type == '%') digits += '%';
    pad(spec, signOf(spec, std::signbit(x) && !std::isnan(x)), grouped(digits, spec.group, 3), '>');
  }

  void pad(const Specification& spec, const std::string& prefix, const std::string& body, char otherwise) {
    const std::size_t length = countCharacters(prefix) + countCharacters(body);
    const auto width = static_cast<std::size_t>(spec.width);
    const std::size_t missing = width > length ? width - length : 0;
    const char align = spec.align == 0 ? otherwise : spec.align;
    const std::size_t before = align == '>' ? missing : align == '^' ? missing / 2 : 0;
    m_out.append(before, spec.fill);
    m_out.append(prefix);
    if (align == '=') m_out.append(missing, spec.fill);
    m_out.append(body);
    if (align == '<' || align == '^') m_out.append(missing - before, spec.fill);
  }

  Interpreter& m_interpreter;
  Arguments& m_arguments;
  TextBuilder m_out;
  std::size_t m_next = 0;
};

}  // namespace

Value formatBraces(Interpreter& interpreter, const Value& format, Arguments& arguments) {
  return interpreter.string(BraceFormatter(interpreter, arguments).run(textOf(format), 0),
                            format.as<StringObject>().markup);
}

}  // namespace strata::jinja
