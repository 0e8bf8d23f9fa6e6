// What the program's threads are told before libgomp is loaded.

#include "program.h"

namespace strata::testing {
namespace {

TEST(Threads, SpinShortlyWhileTheyWait) {
  const std::string environment =
      outputOf("env -u GOMP_SPINCOUNT -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose " + program() + " --version");
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
