#include "core/base/system_memory.h"

#include <cstdlib>
#include <fstream>

namespace strata {

std::int64_t systemMemory(const std::string& field) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field + ":")) return std::strtoll(line.c_str() + field.size() + 1, nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace strata
