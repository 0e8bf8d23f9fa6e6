#pragma once
// The whole of a file that is already open.

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/error.h"

namespace strata {

/// From where the descriptor stands to the end; files over `maxBytes` are refused. `path` names it in errors.
Result<std::string> readDescriptor(int fd, const std::filesystem::path& path, std::uint64_t maxBytes);

}  // namespace strata
