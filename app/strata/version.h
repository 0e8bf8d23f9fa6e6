#pragma once
// What `strata --version` prints: the version, and how this program was built.

#include <string>

namespace strata {

/// Lines without the last line break; the first is "strata VERSION".
std::string versionText();

}  // namespace strata
