#pragma once
// JSON with the checks that a file from outside needs: nlohmann keeps the last of two equal keys without a word.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/error.h"

// Instantiated once, in json.cpp.
extern template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace strata {

/// Keeps the order of keys, so that a config.json is written back as it came.
using Json = nlohmann::ordered_json;

/// Parses one JSON value. `where` names the source in errors (a file name). Refused: invalid UTF-8, duplicate keys,
/// nesting deeper than 128, anything after the value; the message gives line and column.
Result<Json> parseJson(std::string_view text, const std::string& where);

/// Reads and parses a file of at most `maxBytes`.
Result<Json> readJson(const std::filesystem::path& path, std::uint64_t maxBytes = 64u << 20);

/// One line of UTF-8, whatever bytes the strings hold (invalid ones become U+FFFD).
std::string dumpLine(const Json& value);

}  // namespace strata
