#pragma once
// Members of a JSON file that others may have written: one that is missing or of another kind says nothing, as in a
// value that is no object.

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/json.h"

namespace strata {

/// "" where the key is no text.
std::string textIn(const Json& json, const char* key);
std::optional<double> numberIn(const Json& json, const char* key);
/// 0 where the key is no whole number.
std::int64_t countIn(const Json& json, const char* key);

}  // namespace strata
