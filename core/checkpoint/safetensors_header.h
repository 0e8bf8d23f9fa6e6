#pragma once
// The JSON header of a safetensors file, read as a stream: a header from outside may hold duplicate keys, deep nesting
// or numbers of the wrong kind, and none of that may be built in memory first.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace strata {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;                // as spelled in the file
  std::vector<std::int64_t> shape;  // each >= 0
  std::uint64_t begin = 0;          // bytes from the start of the data
  std::uint64_t end = 0;
};

/// The tensors in the header's order; `__metadata__` is checked to be strings and dropped. Offsets are not compared
/// with anything yet. `where` names the file in errors.
Result<std::vector<SafetensorsEntry>> parseSafetensorsHeader(std::string_view json, const std::string& where);

/// A name from a file, fit for a message: quoted, control characters replaced, at most 120 bytes.
std::string quotedName(std::string_view name);

/// "[3, 4]"
std::string printShape(const std::vector<std::int64_t>& shape);

}  // namespace strata
