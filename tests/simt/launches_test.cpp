// What the entry points ask of CUDA's runtime: kernels on the stream that they are given, and nothing else. The module
// is linked without the runtime (libstrata_cuda_recorded.so) and meets the stand-in below, which records. Device memory
// is memory that the host cannot read. No GPU is needed.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <sys/mman.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "decode_step.h"
#include "support.h"

namespace strata::kernels::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

struct Size {
  unsigned x, y, z;
  friend bool operator==(const Size&, const Size&) = default;
};

struct LaunchRecord {
  std::string kernel;  // mangled
  Size grid, block;
  std::size_t sharedBytes;
  void* stream;
  friend bool operator==(const LaunchRecord&, const LaunchRecord&) = default;
};

struct Recording {
  std::map<const void*, std::string> kernels;  // by the host's address
  std::vector<LaunchRecord> launches;
  std::vector<std::string> forbidden;  // copies, allocations and waits
};

Recording& recording() {
  static Recording all;
  return all;
}

int forbid(const char* name) {
  recording().forbidden.emplace_back(name);
  return 0;
}

}  // namespace
}  // namespace strata::kernels::testing

// The runtime's entry points that the module may have. What is not here keeps it from loading, which the test reports.
#pragma GCC visibility push(default)
extern "C" {
using strata::kernels::testing::forbid;
using strata::kernels::testing::recording;
using Dim3 = strata::kernels::testing::Size;

void** __cudaRegisterFatBinary(void*) {
  static void* handle = nullptr;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterFunction(void**, const char* host, char*, const char* name, int, void*, void*, void*, void*, int*) {
  recording().kernels[host] = name;
}
unsigned __cudaPopCallConfiguration(void*, void*, void*, void*) {
  return 1;
}
int __cudaGetKernel(void**, const void*) {
  return forbid("__cudaGetKernel");
}
int __cudaLaunchKernel(void*, Dim3, Dim3, void**, std::size_t, void*) {
  return forbid("__cudaLaunchKernel");
}
int cudaGetDevice(int* device) {
  *device = 0;
  return 0;
}
int cudaDeviceGetAttribute(int* value, int attribute, int) {
  *value = attribute == 16 ? 132 : 0;  // multiprocessors
  return 0;
}
int cudaLaunchKernel(const void* function, Dim3 grid, Dim3 block, void** arguments, std::size_t sharedBytes,
                     void* stream) {
  if (arguments == nullptr || arguments[0] == nullptr) forbid("a launch without arguments");
  recording().launches.push_back({recording().kernels[function], grid, block, sharedBytes, stream});
  return 0;
}
int cudaMemcpy(void*, const void*, std::size_t, int) {
  return forbid("cudaMemcpy");
}
int cudaMemcpyAsync(void*, const void*, std::size_t, int, void*) {
  return forbid("cudaMemcpyAsync");
}
int cudaMemsetAsync(void*, int, std::size_t, void*) {
  return forbid("cudaMemsetAsync");
}
int cudaMalloc(void**, std::size_t) {
  return forbid("cudaMalloc");
}
int cudaMallocAsync(void**, std::size_t, void*) {
  return forbid("cudaMallocAsync");
}
int cudaFree(void*) {
  return forbid("cudaFree");
}
int cudaStreamSynchronize(void*) {
  return forbid("cudaStreamSynchronize");
}
int cudaDeviceSynchronize() {
  return forbid("cudaDeviceSynchronize");
}
}
#pragma GCC visibility pop

namespace strata::kernels::testing {
namespace {

/// Addresses that nobody may read or write.
class FarMemory {
 public:
  explicit FarMemory(std::int64_t bytes) : m_bytes(static_cast<std::size_t>(bytes)) {
    m_data = mmap(nullptr, m_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  ~FarMemory() { munmap(m_data, m_bytes); }
  FarMemory(const FarMemory&) = delete;
  FarMemory& operator=(const FarMemory&) = delete;
  void* data() const { return m_data; }

 private:
  std::size_t m_bytes;
  void* m_data;
};

#define STRATA_ENTRY(name) entry(static_cast<decltype(&name)>(nullptr), #name)

class Launches : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string file = STRATA_BINARY_DIR "/kernels/libstrata_cuda_recorded.so";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "the device kernels were not compiled: no nvcc";
    m_module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(m_module, nullptr) << dlerror();
    STRATA_FIND_STEP_ENTRIES(m_entries);
    recording().launches.clear();
    recording().forbidden.clear();
  }

  template <class Function>
  Function* entry(Function*, const char* name) const {
    auto* function = reinterpret_cast<Function*>(dlsym(m_module, name));
    EXPECT_NE(function, nullptr) << name;
    return function;
  }

  /// The kernels started since the last call, by their names without namespaces and types.
  std::vector<std::string> started() {
    std::vector<std::string> names;
    for (const LaunchRecord& launch : recording().launches) {
      const std::size_t end = launch.kernel.find("Kernel"), begin = launch.kernel.find_last_of("0123456789", end);
      names.push_back(launch.kernel.substr(begin + 1, end - begin - 1));
      EXPECT_THAT(launch.grid.x * launch.grid.y * launch.grid.z, ::testing::Gt(0u)) << launch.kernel;
      EXPECT_LE(launch.grid.y, 65535u) << launch.kernel;
      EXPECT_LE(launch.grid.z, 65535u) << launch.kernel;
      EXPECT_LE(launch.block.x * launch.block.y * launch.block.z, 1024u) << launch.kernel;
    }
    recording().launches.clear();
    return names;
  }

  StepEntries m_entries;
  void* m_module = nullptr;
  void* m_stream = this;  // any address
};

TEST_F(Launches, OfADecodingStepAreKernelsOnItsStreamAndNothingElse) {
  const StepSizes sizes;
  StepMemory places(Element::bf16, sizes, m_entries.workspaceBytes(sizes));
  const FarMemory memory(places.bytes());
  const StepArrays arrays = places.at(memory.data());
  runStep(DeviceOperations{m_entries, 1, m_stream}, sizes, arrays);
  EXPECT_THAT(recording().forbidden, IsEmpty());
  EXPECT_THAT(recording().launches, Each(Field(&LaunchRecord::stream, m_stream)));
  const auto first = recording().launches;
  const std::vector<std::string> layer{"addRmsNorm", "matvec", "ropeAppend", "decodeAttention", "matvec",
                                       "addRmsNorm", "matvec", "siluMul",    "matvec"};
  std::vector<std::string> expected{"selectRows"};
  for (std::int64_t l = 0; l < sizes.layers; ++l) expected.insert(expected.end(), layer.begin(), layer.end());
  for (const char* name : {"addRmsNorm", "matvec", "argmaxPart", "argmaxMerge"}) expected.emplace_back(name);
  EXPECT_EQ(started(), expected);
  runStep(DeviceOperations{m_entries, 1, m_stream}, sizes, arrays);
  EXPECT_EQ(recording().launches, first) << "the next step is the same launches";
}

TEST_F(Launches, OfALongCacheAreTheSameForEveryLength) {
  StepSizes sizes;
  sizes.capacity = 8192;
  StepMemory places(Element::bf16, sizes, m_entries.workspaceBytes(sizes));
  const FarMemory memory(places.bytes());
  runStep(DeviceOperations{m_entries, 1, m_stream}, sizes, places.at(memory.data()));  // reads no length
  EXPECT_THAT(recording().forbidden, IsEmpty());
  EXPECT_THAT(started(), ::testing::Contains("mergeRanges").Times(3));
}

TEST_F(Launches, OfTrainingAreKernelsOnTheStreamToo) {
  const FarMemory memory(1 << 20);
  void* const data = memory.data();
  auto* const values = static_cast<float*>(data);
  auto* const ids = static_cast<std::int64_t*>(data);
  EXPECT_EQ(STRATA_ENTRY(strata_cuda_softmax_cross_entropy)(1, data, ids, 1, values, 16, 1000, m_stream), 0);
  EXPECT_EQ(STRATA_ENTRY(strata_cuda_rope)(1, data, values, values, 16, 4, 64, m_stream), 0);
  EXPECT_THAT(recording().forbidden, IsEmpty());
  EXPECT_THAT(recording().launches, Each(Field(&LaunchRecord::stream, m_stream)));
  EXPECT_THAT(started(), ElementsAre("softmaxCrossEntropy", "rope"));
}

TEST_F(Launches, OfAPrefillDoNotDependOnTheLengths) {
  const FarMemory memory(1 << 20);
  void* const data = memory.data();
  const auto attention = STRATA_ENTRY(strata_cuda_attention);
  const auto* lengths = static_cast<const std::int64_t*>(data);
  for (const int element : {0, 1}) {
    EXPECT_EQ(attention(element, data, data, data, lengths, 0, 1, data, 2, 100, 8, 2, 512, 128, m_stream), 0);
  }
  EXPECT_THAT(recording().forbidden, IsEmpty());
  EXPECT_THAT(started(), ElementsAre("decodeAttention", "prefillAttention"));
  EXPECT_EQ(attention(1, data, data, data, lengths, 0, 1, data, 2, 100, 8, 2, 512, 132, m_stream), 1) << "D over 128";
}

TEST_F(Launches, OfADrawAreTwoKernels) {
  const FarMemory memory(1 << 20);
  const auto* logits = static_cast<const float*>(memory.data());
  auto* const ids = static_cast<std::int64_t*>(memory.data());
  const auto sample = STRATA_ENTRY(strata_cuda_sample);
  EXPECT_EQ(sample(logits, ids, ids, 0.7f, 1, 4, 1000, ids, 4096, m_stream), 0);
  EXPECT_THAT(recording().forbidden, IsEmpty());
  EXPECT_THAT(started(), ElementsAre("argmaxPart", "argmaxMerge"));
  EXPECT_EQ(sample(logits, ids, ids, 0, 1, 4, 1000, ids, 4096, m_stream), 1) << "temperature 0 is argmax";
}

TEST_F(Launches, OfNothingAreNone) {
  EXPECT_EQ(m_entries.addRmsNorm(0, nullptr, nullptr, nullptr, 1, nullptr, 0, 8, m_stream), 0);
  EXPECT_EQ(m_entries.matvec(0, 0, nullptr, 1, 8, nullptr, 0, m_stream), 0);
  EXPECT_EQ(m_entries.siluMul(0, nullptr, nullptr, nullptr, 0, m_stream), 0);
  EXPECT_EQ(m_entries.argmax(nullptr, nullptr, nullptr, 0, 8, nullptr, 0, m_stream), 0);
  EXPECT_THAT(started(), IsEmpty());
}

TEST_F(Launches, OfSizesThatAKernelDoesNotTakeAreRefused) {
  constexpr int kInvalid = 1;
  MatvecTarget targets[5];
  EXPECT_EQ(m_entries.addRmsNorm(2, nullptr, nullptr, nullptr, 1, nullptr, 1, 8, m_stream), kInvalid);
  EXPECT_EQ(m_entries.matvec(0, 0, nullptr, 9, 8, targets, 1, m_stream), kInvalid);
  EXPECT_EQ(m_entries.matvec(0, 0, nullptr, 1, 8, targets, 5, m_stream), kInvalid);
  targets[0].n = 1;
  targets[0].format = WeightFormat::int4;
  targets[0].group = 48;
  EXPECT_EQ(m_entries.matvec(0, 0, nullptr, 1, 8, targets, 1, m_stream), kInvalid) << "no such group";
  EXPECT_EQ(m_entries.argmax(nullptr, nullptr, nullptr, 1, 8, nullptr, 0, m_stream), kInvalid) << "no workspace";
  EXPECT_EQ(STRATA_ENTRY(strata_cuda_rope)(0, nullptr, nullptr, nullptr, 1, 1, 7, m_stream), kInvalid) << "odd D";
  EXPECT_THAT(started(), IsEmpty());
}

TEST_F(Launches, TheStandInNoticesACopyAndAWait) {
  cudaMemcpyAsync(nullptr, nullptr, 0, 0, m_stream);
  cudaStreamSynchronize(m_stream);
  EXPECT_THAT(recording().forbidden, ElementsAre("cudaMemcpyAsync", "cudaStreamSynchronize"));
}

}  // namespace
}  // namespace strata::kernels::testing
