#pragma once
// What operators do with values, as in Python. A Failure says what two types do not go together.

#include "core/jinja/value.h"

namespace strata::jinja {

class Interpreter;

bool truth(const Value& value);
bool equals(Heap& heap, const Value& a, const Value& b);
/// `operation` is '<', 'l' (<=), '>' or 'g' (>=).
bool ordered(Heap& heap, char operation, const Value& a, const Value& b);
bool contains(Interpreter& interpreter, const Value& item, const Value& container);
/// `operation` is one of + - * / f (//) % p (**).
Value arithmetic(Interpreter& interpreter, char operation, const Value& a, const Value& b);
Value negative(const Value& value);
Value positive(const Value& value);
/// Refuses an undefined value with what it knows of itself.
void refuseUndefined(const Value& value);

}  // namespace strata::jinja
