#pragma once
// Running the program under test.

#include <array>
#include <cstdio>
#include <cstdlib>

#include "support.h"

namespace strata::testing {

/// STRATA_PROGRAM names another build of it.
inline std::string program() {
  const char* given = std::getenv("STRATA_PROGRAM");
  return given != nullptr ? given : STRATA_BINARY_DIR "/bin/strata";
}

/// What a shell command prints on both streams.
inline std::string outputOf(const std::string& command) {
  std::string output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), n);
  pclose(pipe);
  return output;
}

}  // namespace strata::testing
