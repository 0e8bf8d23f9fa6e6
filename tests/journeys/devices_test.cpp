// A machine without a usable GPU: everything runs on the CPU, and says why.

#include "program.h"

namespace strata::testing {
namespace {

const std::string kStub = "/usr/local/cuda/lib64/stubs/libcuda.so";  // the toolkit's driver that has no device

class Devices : public ::testing::TestWithParam<bool> {
 protected:
  /// The command's environment: the machine's own, or with the toolkit's stub as the driver.
  std::string environment() {
    if (!GetParam()) return "";
    std::filesystem::create_symlink(kStub, m_folder.path() / "libcuda.so.1");
    return "LD_LIBRARY_PATH=" + m_folder.path().string() + " ";
  }
  std::string story() const { return (sourceFolder() / "resources/models/stories260K").string(); }

  TemporaryFolder m_folder;
};

TEST_P(Devices, CudaIsRefusedWithASentenceAndAutoFallsBack) {
  if (GetParam() && !std::filesystem::exists(kStub)) GTEST_SKIP() << "no CUDA toolkit here";
  const std::string prefix = environment();
  const std::string listed = outputOf(prefix + program() + " devices --json");
  if (listed.find("\"cuda:0\"") != std::string::npos) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_NE(listed.find("computing stays on the CPU"), std::string::npos) << listed;
  const std::string generate = prefix + program() + " generate " + story() + " --ids 1 --max-tokens 2 --json --device ";
  EXPECT_NE(outputOf(generate + "cuda").find("cannot be used: "), std::string::npos);
  EXPECT_NE(outputOf(generate + "auto").find("\"ids\":[403,407]"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Driver, Devices, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Stub" : "OfThisMachine"; });

}  // namespace
}  // namespace strata::testing
