// NVML as a stub library answers it.

#include "core/model/gpu_memory.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace strata {
namespace {

constexpr const char* kStub = STRATA_BINARY_DIR "/tests/libstrata_nvml_stub.so";
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

class GpuMemoryTest : public ::testing::Test {
 protected:
  GpuMemoryTest() { unsetenv("CUDA_VISIBLE_DEVICES"); }
  ~GpuMemoryTest() override { unsetenv("CUDA_VISIBLE_DEVICES"); }
};

TEST_F(GpuMemoryTest, IsThatOfTheDriver) {
  const auto first = gpuMemory(0, kStub), second = gpuMemory(1, kStub);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->total, 24 * kGiB);
  EXPECT_EQ(first->free, 20 * kGiB);
  EXPECT_EQ(second->total, 80 * kGiB);
  EXPECT_FALSE(gpuMemory(2, kStub));
}

TEST_F(GpuMemoryTest, FollowsTheOrderOfTheVisibleDevices) {
  setenv("CUDA_VISIBLE_DEVICES", "1,0", 1);
  EXPECT_EQ(gpuMemory(0, kStub)->total, 80 * kGiB);
  setenv("CUDA_VISIBLE_DEVICES", "GPU-second", 1);
  EXPECT_EQ(gpuMemory(0, kStub)->free, 79 * kGiB);
  EXPECT_FALSE(gpuMemory(1, kStub));
  setenv("CUDA_VISIBLE_DEVICES", "", 1);
  EXPECT_FALSE(gpuMemory(0, kStub));
}

TEST_F(GpuMemoryTest, WithoutTheLibraryNothingIsKnown) {
  EXPECT_FALSE(gpuMemory(0, "libno-such-nvml.so.1"));
  EXPECT_FALSE(gpuMemory(0, "libc.so.6")) << "a library that is another";
}

}  // namespace
}  // namespace strata
