// Decode attention on a real GPU, through libstrata_cuda.so and the driver, with the CPU's test body. Both are loaded
// at run time, so that this builds and says "skipped" on every machine.

#include <dlfcn.h>

#include <optional>

#include "attention_cases.h"
#include "kernels/cuda/decode_attention.h"
#include "support.h"

namespace strata::kernels::testing {
namespace {

/// The few driver functions needed (cuda.h's, by their exported names) and the module under test.
struct Device {
  int (*allocate)(unsigned long long* address, std::size_t bytes) = nullptr;
  int (*release)(unsigned long long address) = nullptr;
  int (*toDevice)(unsigned long long to, const void* from, std::size_t bytes) = nullptr;
  int (*toHost)(void* to, unsigned long long from, std::size_t bytes) = nullptr;
  int (*synchronize)() = nullptr;
  cuda::DecodeAttentionEntry attention = nullptr;
  cuda::DecodeAttentionWorkspaceEntry workspace = nullptr;
  std::string missing;  // why there is none
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

Device openDevice() {
  Device device;
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
  if (driver == nullptr) return device.missing = "no NVIDIA driver on this machine", device;
  void* module = dlopen(STRATA_BINARY_DIR "/lib/libstrata_cuda.so", RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) return device.missing = "libstrata_cuda.so was not built: no nvcc", device;
  int (*initialise)(unsigned) = nullptr;
  int (*count)(int*) = nullptr;
  int (*retain)(void**, int) = nullptr;
  int (*setCurrent)(void*) = nullptr;
  const bool found = find(driver, "cuInit", initialise) && find(driver, "cuDeviceGetCount", count) &&
                     find(driver, "cuDevicePrimaryCtxRetain", retain) && find(driver, "cuCtxSetCurrent", setCurrent) &&
                     find(driver, "cuMemAlloc_v2", device.allocate) && find(driver, "cuMemFree_v2", device.release) &&
                     find(driver, "cuMemcpyHtoD_v2", device.toDevice) &&
                     find(driver, "cuMemcpyDtoH_v2", device.toHost) &&
                     find(driver, "cuCtxSynchronize", device.synchronize) &&
                     find(module, "strata_cuda_decode_attention", device.attention) &&
                     find(module, "strata_cuda_decode_attention_workspace", device.workspace);
  if (!found) return device.missing = "the driver or the module lacks a function", device;
  int devices = 0;
  void* context = nullptr;
  if (initialise(0) != 0 || count(&devices) != 0 || devices == 0) return device.missing = "no CUDA device", device;
  if (retain(&context, 0) != 0 || setCurrent(context) != 0) device.missing = "the CUDA device cannot be used";
  return device;
}

const Device& device() {
  static const Device opened = openDevice();
  return opened;
}

/// Device memory with a copy of what lies on the host.
class Copy {
 public:
  Copy(const void* from, std::int64_t bytes) : m_bytes(static_cast<std::size_t>(bytes)) {
    EXPECT_EQ(device().allocate(&m_address, m_bytes + 1), 0);
    if (from == nullptr) return;
    EXPECT_EQ(device().toDevice(m_address, from, m_bytes), 0);
  }
  ~Copy() { device().release(m_address); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  void* data() const { return reinterpret_cast<void*>(m_address); }
  void copyBack(void* to) const { EXPECT_EQ(device().toHost(to, m_address, m_bytes), 0); }

 private:
  unsigned long long m_address = 0;
  std::size_t m_bytes;
};

void attentionOnDevice(Element element, const void* q, const void* kCache, const void* vCache,
                       const std::int64_t* lengths, std::int64_t window, float scale, void* out, std::int64_t b,
                       std::int64_t h, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream&) {
  const std::int64_t bytes = elementBytes(element);
  std::int64_t longest = *std::max_element(lengths, lengths + b);
  if (window > 0) longest = std::min(longest, window);
  const std::int64_t workspaceBytes = device().workspace(b, h, hkv, d, longest);
  const Copy qThere(q, b * h * d * bytes), kThere(kCache, b * hkv * capacity * d * bytes);
  const Copy vThere(vCache, b * hkv * capacity * d * bytes), lengthsThere(lengths, b * 8);
  const Copy outThere(nullptr, b * h * d * bytes), workspace(nullptr, workspaceBytes);
  ASSERT_EQ(device().attention(element == Element::f32 ? 0 : 1, qThere.data(), kThere.data(), vThere.data(),
                               static_cast<const std::int64_t*>(lengthsThere.data()), window, scale, outThere.data(), b,
                               h, hkv, capacity, d, longest, workspace.data(), workspaceBytes, nullptr),
            0);
  ASSERT_EQ(device().synchronize(), 0);
  outThere.copyBack(out);
}

class DecodeAttentionOnDevice : public ::testing::TestWithParam<Element> {
 protected:
  void SetUp() override {
    if (!device().missing.empty()) GTEST_SKIP() << device().missing;
  }
};

TEST_P(DecodeAttentionOnDevice, IsAsExactAsThePlainComputationForEveryShape) {
  for (const AttentionCase& each : attentionCases()) checkAttention(&attentionOnDevice, GetParam(), each, kOneThread);
}

TEST_P(DecodeAttentionOnDevice, MergesRangesOfLongSequences) {
  checkAttention(&attentionOnDevice, GetParam(), {1, 4, 1, 64, 5000, {5000}}, kOneThread);
  checkAttention(&attentionOnDevice, GetParam(), {2, 2, 1, 128, 700, {700, 3}}, kOneThread);
}

INSTANTIATE_TEST_SUITE_P(, DecodeAttentionOnDevice, ::testing::Values(Element::f32, Element::bf16),
                         [](const auto& info) { return info.param == Element::f32 ? "F32" : "Bf16"; });

}  // namespace
}  // namespace strata::kernels::testing
