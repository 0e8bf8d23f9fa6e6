// What a GPU is asked for, by a device that records it: no GPU is needed.

#include "core/model/device.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include "core/base/log.h"
#include "support.h"

namespace strata::testing {
namespace {

constexpr auto kRecorded = c10::DeviceType::PrivateUse1;

/// Records for which device the host waited.
struct RecordingGuard final : public c10::impl::DeviceGuardImplInterface {
  static inline std::vector<int> waits;

  c10::DeviceType type() const override { return kRecorded; }
  c10::Device exchangeDevice(c10::Device) const override { return getDevice(); }
  c10::Device getDevice() const override { return {kRecorded, 0}; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device device) const override { return c10::Stream(c10::Stream::DEFAULT, device); }
  c10::Stream exchangeStream(c10::Stream stream) const override { return stream; }
  c10::DeviceIndex deviceCount() const noexcept override { return 0; }  // autograd starts a thread for each
  void synchronizeDevice(const c10::DeviceIndex index) const override { waits.push_back(index); }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, RecordingGuard);

/// An allocator that says it gave out some bytes on device 1.
struct RecordingAllocator final : public c10::DeviceAllocator {
  c10::DataPtr allocate(std::size_t) override { return {nullptr, c10::Device(kRecorded, 0)}; }
  void copy_data(void*, const void*, std::size_t) const override {}
  bool initialized() override { return ready; }
  void emptyCache(c10::MempoolId_t) override {}
  void recordStream(const c10::DataPtr&, c10::Stream) override {}
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex device) override {
    c10::CachingDeviceAllocator::DeviceStats stats;
    stats.allocated_bytes[0].current = device == 1 ? 12345 : 0;
    stats.reserved_bytes[0].current = 99999;
    return stats;
  }
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex) override {}
  bool ready = false;
};

TEST(Device, AClockWaitsForTheDeviceItMeasures) {
  RecordingGuard::waits.clear();
  synchronize(c10::Device(c10::DeviceType::CPU));
  EXPECT_TRUE(RecordingGuard::waits.empty());
  synchronize(c10::Device(kRecorded, 1));
  EXPECT_EQ(RecordingGuard::waits, std::vector<int>{1});
}

TEST(Device, MemoryIsWhatTheDevicesOwnAllocatorGaveOut) {
  EXPECT_EQ(deviceMemory(c10::Device(c10::DeviceType::CPU)), 0);
  EXPECT_EQ(deviceMemory(c10::Device(kRecorded, 1)), 0) << "no allocator is there";
  static RecordingAllocator allocator;  // LibTorch keeps the pointer
  c10::SetAllocator(kRecorded, &allocator);
  EXPECT_EQ(deviceMemory(c10::Device(kRecorded, 1)), 0) << "it has not begun";
  allocator.ready = true;
  EXPECT_EQ(deviceMemory(c10::Device(kRecorded, 1)), 12345);
  EXPECT_EQ(deviceMemory(c10::Device(kRecorded, 0)), 0);
}

TEST(Device, AKernelThatCouldNotBeStartedIsSaidOnce) {
  startLog(LogLevel::warning);
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(launched("some_kernel", 0));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(launched("some_kernel", 9));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("some_kernel"), std::string::npos) << log;
  EXPECT_NE(log.find("CUDA error 9"), std::string::npos) << log;
  EXPECT_EQ(log.find("CUDA error 9"), log.rfind("CUDA error 9")) << log;
}

}  // namespace
}  // namespace strata::testing
