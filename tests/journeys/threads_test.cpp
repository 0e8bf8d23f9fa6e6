// What the program's threads are told before libgomp is loaded.

#include <array>
#include <cstdio>
#include <cstdlib>

#include "support.h"

namespace strata::testing {
namespace {

std::string outputOf(const std::string& command) {
  std::string output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), n);
  pclose(pipe);
  return output;
}

TEST(Threads, SpinShortlyWhileTheyWait) {
  const std::string environment = outputOf(
      "env -u GOMP_SPINCOUNT -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose " STRATA_BINARY_DIR "/bin/strata --version");
  EXPECT_NE(environment.find("GOMP_SPINCOUNT = '10000'"), std::string::npos) << environment;
}

TEST(Threads, KeepAWaitPolicyThatTheUserChose) {
  const std::string environment =
      outputOf("env -u GOMP_SPINCOUNT OMP_WAIT_POLICY=active OMP_DISPLAY_ENV=verbose " STRATA_BINARY_DIR
               "/bin/strata --version");
  EXPECT_EQ(environment.find("GOMP_SPINCOUNT = '10000'"), std::string::npos) << environment;
}

}  // namespace
}  // namespace strata::testing
