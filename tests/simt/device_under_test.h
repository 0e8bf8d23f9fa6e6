#pragma once
// Where the tests of the device kernels run: under STRATA_SIMT the emulation in this process, otherwise a GPU, through
// libstrata_cuda.so and the driver, both loaded at run time so that the tests build everywhere and say "skipped" where
// there is none.
//
//   const Memory x(host, bytes), y(nullptr, bytes);              // host memory under STRATA_SIMT
//   ASSERT_EQ(STRATA_ENTRY(strata_cuda_silu_mul)(…, x.data(), y.data(), …), 0);
//   y.copyBack(out);                                             // waits for the kernels

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/cuda/entries.h"

#if defined(STRATA_SIMT)
#include "simt.h"
#else
#include <dlfcn.h>

#include "support.h"
#endif

namespace strata::kernels::testing {

#if defined(STRATA_SIMT)

#define STRATA_ENTRY(name) (&name)

inline std::string missingDevice() {
  return "";
}

/// The host's own memory, so that what surrounds it is watched; of its own where there is none.
class Memory {
 public:
  Memory(const void* from, std::int64_t bytes)
      : m_bytes(static_cast<std::size_t>(bytes)), m_own(from == nullptr ? m_bytes / 8 + 2 : 0) {
    m_data = from == nullptr ? m_own.data() : const_cast<void*>(from);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  void* data() const { return m_data; }
  void copyBack(void* to) const {
    if (to != m_data) std::memcpy(to, m_data, m_bytes);
  }

 private:
  std::size_t m_bytes;
  std::vector<std::uint64_t> m_own;
  void* m_data;
};

#else

/// The few driver functions needed (cuda.h's, by their exported names) and the module under test.
struct Device {
  int (*allocate)(unsigned long long* address, std::size_t bytes) = nullptr;
  int (*release)(unsigned long long address) = nullptr;
  int (*toDevice)(unsigned long long to, const void* from, std::size_t bytes) = nullptr;
  int (*toHost)(void* to, unsigned long long from, std::size_t bytes) = nullptr;
  void* driver = nullptr;
  void* module = nullptr;
  std::string missing;  // why there is none
};

template <class Function>
bool findFunction(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

inline Device openDevice() {
  Device device;
  device.driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
  if (device.driver == nullptr) return device.missing = "no NVIDIA driver on this machine", device;
  device.module = dlopen(STRATA_BINARY_DIR "/lib/libstrata_cuda.so", RTLD_NOW | RTLD_LOCAL);
  if (device.module == nullptr) return device.missing = "libstrata_cuda.so was not built: no nvcc", device;
  int (*initialise)(unsigned) = nullptr;
  int (*count)(int*) = nullptr;
  int (*retain)(void**, int) = nullptr;
  int (*setCurrent)(void*) = nullptr;
  const bool found = findFunction(device.driver, "cuInit", initialise) &&
                     findFunction(device.driver, "cuDeviceGetCount", count) &&
                     findFunction(device.driver, "cuDevicePrimaryCtxRetain", retain) &&
                     findFunction(device.driver, "cuCtxSetCurrent", setCurrent) &&
                     findFunction(device.driver, "cuMemAlloc_v2", device.allocate) &&
                     findFunction(device.driver, "cuMemFree_v2", device.release) &&
                     findFunction(device.driver, "cuMemcpyHtoD_v2", device.toDevice) &&
                     findFunction(device.driver, "cuMemcpyDtoH_v2", device.toHost);
  if (!found) return device.missing = "the driver lacks a function", device;
  int devices = 0;
  void* context = nullptr;
  if (initialise(0) != 0 || count(&devices) != 0 || devices == 0) return device.missing = "no CUDA device", device;
  if (retain(&context, 0) != 0 || setCurrent(context) != 0) device.missing = "the CUDA device cannot be used";
  return device;
}

inline const Device& device() {
  static const Device opened = openDevice();
  return opened;
}

inline std::string missingDevice() {
  return device().missing;
}

template <class Function>
Function* entryOf(Function*, const char* name) {
  Function* function = nullptr;
  EXPECT_TRUE(findFunction(device().module, name, function)) << name;
  return function;
}
#define STRATA_ENTRY(name) ::strata::kernels::testing::entryOf(static_cast<decltype(&name)>(nullptr), #name)

/// Device memory with a copy of what lies on the host. Copies back wait for the kernels of the default stream.
class Memory {
 public:
  Memory(const void* from, std::int64_t bytes) : m_bytes(static_cast<std::size_t>(bytes)) {
    EXPECT_EQ(device().allocate(&m_address, m_bytes + 1), 0);
    if (from != nullptr) {
      EXPECT_EQ(device().toDevice(m_address, from, m_bytes), 0);
    }
  }
  ~Memory() { device().release(m_address); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  void* data() const { return reinterpret_cast<void*>(m_address); }
  void copyBack(void* to) const { EXPECT_EQ(device().toHost(to, m_address, m_bytes), 0); }

 private:
  unsigned long long m_address = 0;
  std::size_t m_bytes;
};

#endif

/// A test of device kernels: skipped where there is no device; in the emulation, whose threads run in an order by
/// `kSeed`, it also fails on a wrong access or a missing barrier.
template <class Base, int kSeed>
class OnDevice : public Base {
 protected:
  void SetUp() override {
    if (!missingDevice().empty()) GTEST_SKIP() << missingDevice();
  }
#if defined(STRATA_SIMT)
  void TearDown() override {
    EXPECT_THAT(m_session.problems(), ::testing::IsEmpty());
  }
  simt::Session m_session{kSeed};
#endif
};

}  // namespace strata::kernels::testing
