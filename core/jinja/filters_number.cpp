// Filters that make numbers.

#include <charconv>
#include <cmath>

#include "core/jinja/filters.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

// A number as Python's int() and float() read it: white space around it, single underscores between digits. Empty where
// the underscores are elsewhere.
std::string cleaned(std::string_view text) {
  text = strip(text, true, true);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const auto isDigit = [&](std::size_t at) {
      return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at]));
    };
    if (i == 0 || !isDigit(i - 1) || !isDigit(i + 1)) return {};
  }
  return out;
}

std::optional<std::int64_t> readInteger(std::string_view given, std::int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) refuse("the base of int must be 0 or 2 to 36");
  const std::string text = cleaned(given);
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const auto prefixed = [&](char letter, std::int64_t itsBase) {
    if (digits.size() < 3 || digits[0] != '0' || (digits[1] | 0x20) != letter) return;
    if (base != 0 && base != itsBase) return;
    base = itsBase;
    digits.remove_prefix(2);
  };
  prefixed('x', 16);
  prefixed('o', 8);
  prefixed('b', 2);
  if (base == 0) {
    if (digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of('0') != std::string_view::npos)
      return std::nullopt;
    base = 10;
  }
  if (digits.empty() || digits[0] == '-' || digits[0] == '+') return std::nullopt;
  std::uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, static_cast<int>(base));
  if (end != digits.data() + digits.size()) return std::nullopt;
  const std::uint64_t most = static_cast<std::uint64_t>(INT64_MAX) + (negative ? 1 : 0);
  if (error == std::errc::result_out_of_range || magnitude > most) refuse("a whole number does not fit in 64 bits");
  if (error != std::errc()) return std::nullopt;
  return negative ? static_cast<std::int64_t>(~magnitude + 1) : static_cast<std::int64_t>(magnitude);
}

std::optional<double> readFloat(std::string_view given) {
  const std::string text = cleaned(given);
  if (text.empty() || text.find_first_of("xXpP(") != std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size()) return std::nullopt;
  return number;
}

Value wholeOf(double number) {
  if (!(number > -9.3e18 && number < 9.3e18) || static_cast<long double>(number) >= 9223372036854775808.0L ||
      static_cast<long double>(number) < -9223372036854775808.0L) {
    refuse("a whole number does not fit in 64 bits");
  }
  return Value::integer(static_cast<std::int64_t>(number));
}

Value toInteger(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("int", arguments, {"default", "base"});
  refuseUndefined(value);
  Value otherwise = given[0].isMissing() ? Value::integer(0) : given[0];
  if (value.isInteger()) return Value::integer(value.asInteger());
  if (value.is(Kind::bigInteger)) return value;
  if (value.is(Kind::floating)) {
    if (std::isnan(value.asFloating())) return otherwise;
    return wholeOf(value.asFloating());
  }
  if (!value.isString()) return otherwise;
  interpreter.heap().step(1 + textOf(value).size());
  if (const auto number = readInteger(textOf(value), integerOr(given[1], 10, "the base of int")))
    return Value::integer(*number);
  const auto number = readFloat(textOf(value));
  if (!number || !std::isfinite(*number)) return otherwise;
  return wholeOf(*number);
}

Value toFloat(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("float", arguments, {"default"});
  refuseUndefined(value);
  if (value.isNumber()) return Value::floating(value.asNumber());
  if (value.is(Kind::bigInteger)) return Value::floating(static_cast<double>(value.as<BigIntegerObject>().value));
  if (value.isString()) {
    interpreter.heap().step(1 + textOf(value).size());
    if (const auto number = readFloat(textOf(value))) return Value::floating(*number);
  }
  return given[0].isMissing() ? Value::floating(0) : given[0];
}

Value absolute(Interpreter&, const Value& value, Arguments& arguments) {
  bind("abs", arguments, {});
  refuseUndefined(value);
  if (value.is(Kind::floating)) return Value::floating(std::fabs(value.asFloating()));
  if (!value.isInteger()) refuse("abs wants a number, not a " + typeName(value));
  return value.asInteger() < 0 ? negative(value) : Value::integer(value.asInteger());
}

// Half to even in the decimal digits that the number really has, as Python's round().
double roundDecimally(Heap& heap, double number, std::int64_t precision) {
  constexpr double kWholeFrom = 9007199254740992;  // 2^53
  if (!std::isfinite(number) || precision > 330) return number;
  if (precision >= 0 && std::fabs(number) >= kWholeFrom) return number;
  if (precision < -330) return std::copysign(0.0, number);
  if (precision >= 0) {
    heap.step(10 + static_cast<std::uint64_t>(precision));
    char text[700];
    std::snprintf(text, sizeof text, "%.*f", static_cast<int>(precision), number);
    return std::strtod(text, nullptr);
  }
  const double unit = std::pow(10.0, static_cast<double>(-precision));
  return std::nearbyint(number / unit) * unit;
}

Value roundInteger(std::int64_t number, std::int64_t precision) {
  if (precision >= 0) return Value::integer(number);
  if (precision < -18) return Value::integer(0);
  std::int64_t unit = 1;
  for (std::int64_t i = 0; i < -precision; ++i) unit *= 10;
  std::int64_t quotient = number / unit;
  const std::int64_t rest = std::abs(number % unit) * 2 - unit;
  if (precision == -18 && std::abs(number % unit) > unit / 2) quotient += number < 0 ? -1 : 1;
  if (precision > -18 && (rest > 0 || (rest == 0 && quotient % 2 != 0))) quotient += number < 0 ? -1 : 1;
  std::int64_t rounded = 0;
  if (__builtin_mul_overflow(quotient, unit, &rounded)) refuse("a whole number does not fit in 64 bits");
  return Value::integer(rounded);
}

Value round(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("round", arguments, {"precision", "method"});
  refuseUndefined(value);
  if (!value.isNumber()) refuse("round wants a number, not a " + typeName(value));
  const std::int64_t precision = integerOr(given[0], 0, "the precision of round");
  const std::string method = given[1].isMissing() ? "common" : textOf(given[1], "the method of round");
  if (method == "common") {
    if (value.isInteger()) return roundInteger(value.asInteger(), precision);
    return Value::floating(roundDecimally(interpreter.heap(), value.asFloating(), precision));
  }
  if (method != "ceil" && method != "floor") refuse("the method of round must be common, ceil or floor");
  const double unit = std::pow(10.0, static_cast<double>(precision));
  const double scaled = value.asNumber() * unit;
  if (!std::isfinite(scaled) || unit == 0) refuse("round is given a number or a precision that is too large");
  return Value::floating((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / unit);
}

constexpr Builtin kNumberBuiltins[] = {{"int", toInteger}, {"float", toFloat}, {"abs", absolute}, {"round", round}};

}  // namespace

const std::span<const Builtin> kNumberFilters = kNumberBuiltins;

}  // namespace strata::jinja
