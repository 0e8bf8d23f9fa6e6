#pragma once
// The tables of filters, by what they work on, and what they share.

#include "core/jinja/string_methods.h"

namespace strata::jinja {

extern const std::span<const Builtin> kTextFilters;
extern const std::span<const Builtin> kHtmlFilters;
extern const std::span<const Builtin> kWrapFilters;
extern const std::span<const Builtin> kSequenceFilters;
extern const std::span<const Builtin> kSelectFilters;
extern const std::span<const Builtin> kSortFilters;
extern const std::span<const Builtin> kNumberFilters;

/// "author.name", "0" or 0: the way to a part of an item, as map, sort and others take it.
class AttributePath {
 public:
  AttributePath(Interpreter& interpreter, const Value& attribute, Value otherwise = {});
  Value of(const Value& item) const;

 private:
  Interpreter& m_interpreter;
  std::vector<Value> m_parts;
  Value m_otherwise;  // for what is not there; missing: it stays undefined
};

/// Texts in lower case, other values as they are.
Value withoutCase(Interpreter& interpreter, const Value& value);

}  // namespace strata::jinja
