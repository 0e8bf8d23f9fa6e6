#pragma once
// The memory of this machine, as the kernel says.

#include <cstdint>
#include <string>

namespace strata {

/// A field of /proc/meminfo ("MemTotal", "MemAvailable") in bytes; 0 where it is not there.
std::int64_t systemMemory(const std::string& field);

}  // namespace strata
