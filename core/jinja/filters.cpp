#include "core/jinja/filters.h"

#include "core/jinja/parser.h"
#include "core/jinja/text.h"

namespace strata::jinja {

const Builtin* findFilter(std::string_view name) {
  for (const std::span<const Builtin> table :
       {kTextFilters, kHtmlFilters, kWrapFilters, kSequenceFilters, kSelectFilters, kSortFilters, kNumberFilters}) {
    if (const Builtin* filter = findBuiltin(table, name)) return filter;
  }
  return nullptr;
}

AttributePath::AttributePath(Interpreter& interpreter, const Value& attribute, Value otherwise)
    : m_interpreter(interpreter), m_otherwise(std::move(otherwise)) {
  if (m_otherwise.isNone()) m_otherwise = {};
  if (attribute.isMissing() || attribute.isNone()) return;
  if (!attribute.isString()) {
    m_parts.push_back(attribute);
    return;
  }
  const std::string& text = textOf(attribute);
  interpreter.heap().ensure(text.size() * sizeof(Value));
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('.', at), text.size());
    const std::string part = text.substr(at, end - at);
    const bool isNumber =
        !part.empty() && part.size() < 18 && part.find_first_not_of("0123456789") == std::string::npos;
    m_parts.push_back(isNumber ? Value::integer(std::stoll(part)) : interpreter.string(part));
    at = end + 1;
  }
}

Value AttributePath::of(const Value& item) const {
  Value value = item;
  for (const Value& part : m_parts) {
    value = m_interpreter.item(value, part);
    if (value.isUndefined() && !m_otherwise.isMissing()) value = m_otherwise;
  }
  return value;
}

Value withoutCase(Interpreter& interpreter, const Value& value) {
  if (!value.isString()) return value;
  interpreter.heap().ensure(textOf(value).size() * 6);
  interpreter.heap().scan(textOf(value).size());
  return interpreter.string(toLower(textOf(value)));
}

}  // namespace strata::jinja
