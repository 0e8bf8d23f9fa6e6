#pragma once
// errno as an Error; used by the files of this folder.

#include <filesystem>

#include "core/base/error.h"

namespace strata {

/// "Cannot <action> <path>: <reason>." with the code that fits the errno.
tl::unexpected<Error> systemFailure(int number, const char* action, const std::filesystem::path& path);

}  // namespace strata
