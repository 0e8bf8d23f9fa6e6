#pragma once
// Options are plain structs with commented defaults and one visit() that names every field once; the command line, the
// JSON form (and later the wizard and reports) are driven by it, so that they cannot disagree.
//
//   struct GenerateConfig {
//     int maxTokens = 128;
//     template <class V>
//     void visit(V& v) { v("max-tokens", maxTokens, "new tokens at most", Range{1, 1e7}); }
//   };
//
// Fields are bool, int, std::int64_t, std::uint64_t, double, std::string, std::optional of those,
// std::vector<std::string>, or std::map<std::string, std::string>; in messages (core/protocol) also Json, a struct with
// a visit() of its own, and vectors of all these. A visitor takes (name, field, help) and (name, field, help, Range).

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

/// Allowed values of a number, both ends included.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

/// The fields of any config as JSON, in visiting order. Unset optionals are null.
template <class Config>
Json configToJson(Config config);

enum class UnknownKeys { refuse, ignore };

/// Fills `config` from JSON; what the JSON leaves out stays as it is, and so does all of `config` on an error. Unknown
/// keys (unless they are to be ignored), wrong types and values out of range are refused by name; `where` names the
/// source.
template <class Config>
Result<void> configFromJson(const Json& json, const std::string& where, Config& config,
                            UnknownKeys unknown = UnknownKeys::refuse);

/// Checks every Range.
template <class Config>
Result<void> checkRanges(Config config);

}  // namespace strata

#include "core/config/visit_impl.h"
