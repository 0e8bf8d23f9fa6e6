// A run's record of its GPU's memory, as a driver answers that is a stub: its card of 24 GiB fills.

#include "core/training/memory_record.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace strata {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

class MemoryRecordOfAGpu : public ::testing::Test {
 protected:
  // Its name is that of the driver's library, which is then found in memory.
  MemoryRecordOfAGpu() : m_stub(dlopen(STRATA_BINARY_DIR "/tests/libstrata_nvml_stub.so", RTLD_NOW)) {}
  ~MemoryRecordOfAGpu() override {
    unsetenv("STRATA_NVML_STUB_USED");
    if (m_stub != nullptr) dlclose(m_stub);
  }
  static std::optional<std::int64_t> inUse(MemoryRecord& record) {
    for (const auto& [name, bytes] : record.take(c10::Device("cuda:0"))) {
      if (name == "memory_device") return bytes;
    }
    return std::nullopt;
  }
  void* m_stub;
};

TEST_F(MemoryRecordOfAGpu, CountsWhatAnyProgramHoldsThereAsTheCardFills) {
  ASSERT_NE(m_stub, nullptr) << dlerror();
  for (const std::int64_t used : {4, 19, 20, 22, 24}) {
    setenv("STRATA_NVML_STUB_USED", std::to_string(used).c_str(), 1);
    MemoryRecord record;
    EXPECT_EQ(inUse(record), used * kGiB);
    EXPECT_EQ(inUse(record), std::nullopt) << "the driver is asked every few seconds";
  }
}

}  // namespace
}  // namespace strata
