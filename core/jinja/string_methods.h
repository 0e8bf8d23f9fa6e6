#pragma once
// What str's methods and the filters of the same names share.

#include "core/jinja/interpreter.h"

namespace strata::jinja {

extern const std::span<const Builtin> kStringMethods;
extern const std::span<const Builtin> kStringTests;  // isdigit, startswith, … : the methods that answer a question

/// A text of the same kind (markup or not) as `self`.
inline Value alike(Interpreter& interpreter, const Value& self, std::string text) {
  return interpreter.string(std::move(text), self.as<StringObject>().markup);
}

std::string replaceText(Interpreter& interpreter, const std::string& text, const std::string& from,
                        const std::string& to, std::int64_t count);
std::string centerText(Interpreter& interpreter, const std::string& text, std::int64_t width, const std::string& fill);
std::string joinItems(Interpreter& interpreter, const std::string& separator, const Value& items, bool stringsOnly);
Value stripText(Interpreter& interpreter, const Value& self, const Value& characters, bool left, bool right);
/// The last place of `part` in `text`, npos where there is none; linear.
std::size_t findLast(Heap& heap, std::string_view text, std::string_view part);
/// Where a count or a position is left out or none.
std::int64_t integerOr(const Value& value, std::int64_t otherwise, const char* what);

}  // namespace strata::jinja
