#pragma once
// The command that makes a run anew.

#include <string>

#include "core/base/json.h"

namespace strata {

/// Of a run's kind and options; of options that are not those of the kind, and of other kinds: empty.
std::string commandOf(const std::string& kind, const Json& config, const std::string& project);

}  // namespace strata
