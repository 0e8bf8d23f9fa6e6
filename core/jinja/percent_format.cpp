// "%s" % value and the format filter: Python's printf-style formatting.

#include <cmath>

#include "core/jinja/interpreter.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

constexpr std::int64_t kWidest = 1 << 20;  // of a field or a precision

struct Field {
  bool left = false, zero = false, plus = false, space = false, alternate = false;
  std::int64_t width = 0;
  std::int64_t precision = -1;
};

class PercentFormatter {
 public:
  PercentFormatter(Interpreter& interpreter, std::string_view format, const Value& values)
      : m_interpreter(interpreter), m_format(format), m_values(values), m_out(interpreter.heap()) {}

  std::string run() {
    while (m_at < m_format.size()) {
      const std::size_t percent = std::min(m_format.find('%', m_at), m_format.size());
      m_out.append(m_format.substr(m_at, percent - m_at));
      m_at = percent + 1;
      if (percent < m_format.size()) field();
    }
    const bool spread = m_values.is(Kind::tuple);
    const std::size_t given = spread ? m_values.as<ListObject>().items.size() : 1;
    if (m_used < given && !m_named &&
        (spread || !(m_values.is(Kind::dict) || m_values.is(Kind::list) || m_values.isUndefined()))) {
      refuse("a format has fewer fields than it is given values");
    }
    return m_out.take();
  }

 private:
  char take() {
    if (m_at >= m_format.size()) refuse("a format ends within a field");
    return m_format[m_at++];
  }

  Value next() {
    if (!m_values.is(Kind::tuple)) {
      if (m_used++ > 0) refuse("a format has more fields than it is given values");
      return m_values;
    }
    const std::vector<Value>& items = m_values.as<ListObject>().items;
    if (m_used >= items.size()) refuse("a format has more fields than it is given values");
    return items[m_used++];
  }

  std::int64_t number(char& c) {
    std::int64_t n = 0;
    if (c == '*') {
      n = integerOf(next(), "the width of a format");
      c = take();
    } else {
      for (; c >= '0' && c <= '9'; c = take()) n = std::min<std::int64_t>(n * 10 + (c - '0'), kWidest + 1);
    }
    if (n > kWidest || n < -kWidest) refuse("a field of a format is too wide");
    return n;
  }

  void field() {
    Field field;
    std::optional<Value> named;
    char c = take();
    if (c == '(') {
      const std::size_t end = m_format.find(')', m_at);
      if (end == std::string_view::npos) refuse("a format has a '(' without a ')'");
      if (!m_values.is(Kind::dict)) refuse("a format with names wants a dictionary");
      const Value* value = m_values.as<DictObject>().find(m_interpreter.heap(), m_format.substr(m_at, end - m_at));
      if (value == nullptr)
        refuse("a format names '" + std::string(m_format.substr(m_at, end - m_at)) + "', which it is not given");
      named = *value;
      m_named = true;
      m_at = end + 1;
      c = take();
    }
    for (;; c = take()) {
      if (c == '-') {
        field.left = true;
      } else if (c == '0') {
        field.zero = true;
      } else if (c == '+') {
        field.plus = true;
      } else if (c == ' ') {
        field.space = true;
      } else if (c == '#') {
        field.alternate = true;
      } else {
        break;
      }
    }
    field.width = number(c);
    if (field.width < 0) {
      field.left = true;
      field.width = -field.width;
    }
    if (c == '.') {
      c = take();
      field.precision = std::max<std::int64_t>(0, number(c));
    }
    while (c == 'l' || c == 'h' || c == 'L') c = take();
    if (c == '%') {
      m_out.append('%');
      return;
    }
    put(field, c, named ? *named : next());
  }

  void put(const Field& field, char type, const Value& value) {
    switch (type) {
      case 's':
      case 'r':
      case 'a': {
        std::string text = type == 's' ? m_interpreter.text(value) : m_interpreter.repr(value);
        if (field.precision >= 0) text.resize(byteOf(text, static_cast<std::size_t>(field.precision)));
        pad(field, text);
        return;
      }
      case 'c':
        pad(field, character(value));
        return;
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        whole(field, type, value);
        return;
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        floating(field, type, value);
        return;
      default:
        refuse("a format has an unknown field '%" + std::string(1, type) + "'");
    }
  }

  std::string character(const Value& value) {
    if (value.isString() && value.as<StringObject>().length == 1) return textOf(value);
    const std::int64_t code = integerOf(value, "what '%c' prints");
    if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) refuse("'%c' is given what is no character");
    std::string text;
    appendCharacter(text, static_cast<char32_t>(code));
    return text;
  }

  void whole(const Field& field, char type, const Value& value) {
    refuseUndefined(value);
    std::int64_t n = 0;
    if (value.is(Kind::floating) && (type == 'd' || type == 'i' || type == 'u')) {
      if (!(std::fabs(value.asFloating()) < 9.2e18)) refuse("a float does not fit in a whole number");
      n = static_cast<std::int64_t>(value.asFloating());
    } else if (value.isInteger()) {
      n = value.asInteger();
    } else {
      refuse("'%" + std::string(1, type) + "' wants a number, not a " + typeName(value));
    }
    const std::uint64_t magnitude = n < 0 ? ~static_cast<std::uint64_t>(n) + 1 : static_cast<std::uint64_t>(n);
    char digits[32];
    const char* pattern = type == 'x' ? "%llx" : type == 'X' ? "%llX" : type == 'o' ? "%llo" : "%llu";
    std::snprintf(digits, sizeof digits, pattern, static_cast<unsigned long long>(magnitude));
    std::string text = digits;
    if (field.precision > static_cast<std::int64_t>(text.size()))
      text.insert(0, static_cast<std::size_t>(field.precision) - text.size(), '0');
    std::string prefix = n < 0 ? "-" : field.plus ? "+" : field.space ? " " : "";
    if (field.alternate && type == 'x') prefix += "0x";
    if (field.alternate && type == 'X') prefix += "0X";
    if (field.alternate && type == 'o') prefix += "0o";
    padNumber(field, prefix, text);
  }

  void floating(const Field& field, char type, const Value& value) {
    refuseUndefined(value);
    if (!value.isNumber()) refuse("'%" + std::string(1, type) + "' wants a number, not a " + typeName(value));
    const double x = value.asNumber();
    const auto precision = static_cast<int>(std::min<std::int64_t>(field.precision < 0 ? 6 : field.precision, 1000));
    const std::string pattern = std::string(field.alternate ? "%#" : "%") + ".*" + type;
    m_interpreter.heap().scan(kFloatDigits + static_cast<std::size_t>(precision));
    std::string text(1400, '\0');
    text.resize(
        static_cast<std::size_t>(std::snprintf(text.data(), text.size(), pattern.c_str(), precision, std::fabs(x))));
    padNumber(field, std::signbit(x) && !std::isnan(x) ? "-" : field.plus ? "+" : field.space ? " " : "", text);
  }

  void padNumber(const Field& field, const std::string& prefix, const std::string& digits) {
    const std::size_t length = prefix.size() + digits.size();
    const auto width = static_cast<std::size_t>(field.width);
    if (!field.zero || field.left || length >= width) return pad(field, prefix + digits);
    m_out.append(prefix);
    m_out.append(width - length, "0");
    m_out.append(digits);
  }

  void pad(const Field& field, const std::string& text) {
    const std::size_t length = countCharacters(text);
    const std::size_t missing =
        static_cast<std::size_t>(field.width) > length ? static_cast<std::size_t>(field.width) - length : 0;
    if (!field.left) m_out.append(missing, " ");
    m_out.append(text);
    if (field.left) m_out.append(missing, " ");
  }

  Interpreter& m_interpreter;
  std::string_view m_format;
  const Value& m_values;
  TextBuilder m_out;
  std::size_t m_at = 0;
  std::size_t m_used = 0;
  bool m_named = false;
};

}  // namespace

Value formatPercent(Interpreter& interpreter, const Value& format, const Value& values) {
  return interpreter.string(PercentFormatter(interpreter, textOf(format), values).run(),
                            format.as<StringObject>().markup);
}

}  // namespace strata::jinja
