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
  const void* kept = nullptr;  // in the part of L2 that is set apart
  std::size_t keptBytes = 0;
  float keptShare = 0;
  friend bool operator==(const LaunchRecord&, const LaunchRecord&) = default;
};

struct Recording {
  std::map<const void*, std::string> kernels;  // by the host's address
  std::vector<LaunchRecord> launches;
  std::vector<std::string> graphs;     // what was done with streams and graphs
  std::vector<std::string> forbidden;  // copies, allocations and waits
  void* given = nullptr;               // the stream that a call was given
};

constexpr int kKeptBytes = 2000;  // that the device's L2 keeps at most

// As in the runtime's driver_types.h.
struct AccessPolicyWindow {
  void* base;
  std::size_t bytes;
  float hitRatio;
  int onHit, onMiss;
};
struct LaunchAttribute {
  int id;
  int padding;
  union {
    char bytes[64];
    AccessPolicyWindow window;
  };
};
struct LaunchConfig {
  Size grid, block;
  std::size_t sharedBytes;
  void* stream;
  LaunchAttribute* attributes;
  unsigned attributeCount;
};

Recording& recording() {
  static Recording all;
  return all;
}

int note(const char* what) {
  recording().graphs.emplace_back(what);
  return 0;
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
using strata::kernels::testing::note;
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
  constexpr int kMultiprocessors = 16, kMostKept = 108, kMostWindow = 109;
  *value = attribute == kMultiprocessors ? 132
           : attribute == kMostKept      ? strata::kernels::testing::kKeptBytes
           : attribute == kMostWindow    ? 1 << 20
                                         : 0;
  return 0;
}
int cudaGetLastError() {
  return 0;
}
int cudaDeviceSetLimit(int, std::size_t) {
  return note("set a limit");
}
int cudaStreamCreateWithFlags(void** stream, unsigned) {
  static int created = 0;
  *stream = &created;
  return note("create a stream");
}
int cudaEventCreateWithFlags(void** event, unsigned) {
  static int created = 0;
  *event = &created;
  return note("create an event");
}
int cudaEventDestroy(void*) {
  return note("destroy an event");
}
int cudaEventRecord(void*, void* stream) {
  return note(stream == recording().given ? "record the given stream" : "record its own stream");
}
int cudaStreamWaitEvent(void* stream, void*, unsigned) {
  return note(stream == recording().given ? "the given stream waits" : "its own stream waits");
}
int cudaStreamDestroy(void*) {
  return note("destroy a stream");
}
int cudaStreamBeginCapture(void*, int) {
  return note("begin");
}
int cudaStreamEndCapture(void*, void** graph) {
  *graph = graph;
  return note("end");
}
int cudaGraphInstantiate(void** ready, void*, unsigned long long) {
  *ready = ready;
  return note("instantiate");
}
int cudaGraphDestroy(void*) {
  return 0;
}
int cudaGraphExecDestroy(void*) {
  return note("release");
}
int cudaCtxResetPersistingL2Cache() {
  return note("give up what L2 keeps");
}
int cudaGraphLaunch(void*, void*) {
  return note("launch");
}
int cudaLaunchKernelExC(const strata::kernels::testing::LaunchConfig* config, const void* function, void** arguments) {
  if (arguments == nullptr || arguments[0] == nullptr) forbid("a launch without arguments");
  if (config->attributeCount != 1 || config->attributes->id != 1) forbid("a launch with other attributes");
  const auto& window = config->attributes->window;
  recording().launches.push_back({recording().kernels[function], config->grid, config->block, config->sharedBytes,
                                  config->stream, window.base, window.bytes, window.hitRatio});
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
// What tests/support/nccl_stub.cpp was told goes into the same record.
int strata_test_nccl(const char* call, const void* from, const void* to, std::size_t count, int ranks, int rank) {
  std::string text = call;
  if (count > 0) text += " " + std::to_string(count);
  if (from != nullptr) text += from == to ? " in place" : from < to ? " from before" : " from behind";
  if (ranks > 0) text += " " + std::to_string(rank) + " of " + std::to_string(ranks);
  return note(text.c_str());
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
    STRATA_FIND_STEP_MODULE(m_entries);
    recording().launches.clear();
    recording().graphs.clear();
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

  /// Makes the NCCL of tests/support/nccl_stub.cpp the one that the module finds.
  static void loadNcclStub() {
    ASSERT_NE(dlopen(STRATA_BINARY_DIR "/tests/libstrata_nccl_stub.so", RTLD_NOW | RTLD_GLOBAL), nullptr) << dlerror();
  }

  StepModule m_entries;
  void* m_module = nullptr;
  void* m_stream = this;  // any address
};

TEST_F(Launches, OfADecodingStepAreKernelsOnItsStreamAndNothingElse) {
  const StepSizes sizes;
  StepMemory places(Element::bf16, sizes, m_entries.workspaceBytes(sizes));
  const FarMemory memory(places.bytes());
  const DecodeStep step = places.at(memory.data());
  m_entries.run(step, m_stream);
  EXPECT_THAT(recording().forbidden, IsEmpty());
  EXPECT_THAT(recording().launches, Each(Field(&LaunchRecord::stream, m_stream)));
  const auto first = recording().launches;
  const auto names = started();
  std::vector<std::string> expected{"selectRows"};
  const auto add = [&](const std::vector<std::string>& more) {
    expected.insert(expected.end(), more.begin(), more.end());
  };
  const std::vector<std::string> ofEachCache{"ropeAppend", "decodeAttention", "ropeAppend", "decodeAttention"};
  const std::vector<std::string> adapted{"matvec", "matvec", "matvec", "addScaled"};
  for (int l = 0; l < 2; ++l) {
    add({"addRmsNorm", "matvec", "addRmsNorm", "addRmsNorm"});
    add(ofEachCache);
    add({"matvec", "addRmsNorm", "matvec", "siluMul", "matvec"});
  }
  add({"addRmsNorm", "matvec", "matvec", "matvec", "addScaled", "matvec", "addScaled"});
  add(ofEachCache);
  add(adapted);
  add({"addRmsNorm"});
  add(adapted);
  add({"siluMul"});
  add(adapted);
  add({"addRmsNorm", "matvec", "argmaxPart", "argmaxMerge"});
  EXPECT_EQ(names, expected);
  m_entries.run(step, m_stream);
  EXPECT_EQ(recording().launches, first) << "the next step is the same launches";
}

TEST_F(Launches, OfAttentionThatFollowersRepeatKeepWhatTheyReadInL2) {
  const StepSizes sizes;
  StepMemory places(Element::bf16, sizes, m_entries.workspaceBytes(sizes));
  const FarMemory memory(places.bytes());
  const DecodeStep step = places.at(memory.data());
  EXPECT_EQ(STRATA_ENTRY(strata_cuda_set_apart_l2)(), kKeptBytes);
  EXPECT_THAT(recording().graphs, ElementsAre("set a limit"));
  m_entries.run(step, m_stream);
  std::vector<std::string> kept;
  for (const LaunchRecord& launch : recording().launches) {
    if (launch.kernel.find("decodeAttention") == std::string::npos) {
      EXPECT_EQ(launch.keptBytes, 0u);
      continue;
    }
    std::string name = "nothing";
    for (const StepPart& part : step.parts) {
      for (std::size_t l = 0; l < 3; ++l) {
        const StepSource& source = part.sources[l];
        if (launch.kept == nullptr || launch.kept != source.k || !source.isOwn) continue;
        name = "row " + std::to_string(part.begin) + " layer " + std::to_string(l);
        EXPECT_EQ(launch.keptBytes, static_cast<std::size_t>(source.keptBytes));
      }
    }
    if (launch.kept != nullptr) {
      EXPECT_FLOAT_EQ(launch.keptShare,
                      std::min(1.0f, static_cast<float>(kKeptBytes) / static_cast<float>(launch.keptBytes)));
    }
    kept.push_back(name);
  }
  EXPECT_THAT(kept,
              ElementsAre("row 0 layer 0", "nothing", "row 0 layer 0", "row 1 layer 1", "nothing", "row 1 layer 1"));
}

TEST_F(Launches, OfARecordedStepAreOneEach) {
  const StepSizes sizes;
  StepMemory places(Element::bf16, sizes, m_entries.workspaceBytes(sizes));
  const FarMemory memory(places.bytes());
  const DecodeStep step = places.at(memory.data());
  m_entries.run(step, m_stream);
  const std::size_t kernels = recording().launches.size();
  recording().launches.clear();
  void *stream = nullptr, *graph = nullptr;
  ASSERT_EQ(m_entries.graphBegin(&stream), 0);
  m_entries.run(step, stream);
  ASSERT_EQ(m_entries.graphEnd(stream, &graph), 0);
  EXPECT_EQ(recording().launches.size(), kernels);
  EXPECT_THAT(recording().launches, Each(Field(&LaunchRecord::stream, stream)));
  EXPECT_THAT(recording().graphs, ElementsAre("create a stream", "begin", "end", "instantiate", "destroy a stream"));
  recording().launches.clear();
  recording().graphs.clear();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(m_entries.graphLaunch(graph, m_stream), 0);
  EXPECT_EQ(m_entries.graphRelease(graph), 0);
  EXPECT_THAT(recording().graphs, ElementsAre("launch", "launch", "launch", "release", "give up what L2 keeps"));
  EXPECT_THAT(recording().launches, IsEmpty());
  EXPECT_THAT(recording().forbidden, IsEmpty());
}

TEST_F(Launches, OfALongCacheAreTheSameForEveryLength) {
  StepSizes sizes;
  sizes.capacity = 8192;
  StepMemory places(Element::bf16, sizes, m_entries.workspaceBytes(sizes));
  const FarMemory memory(places.bytes());
  m_entries.run(places.at(memory.data()), m_stream);  // reads no length
  EXPECT_THAT(recording().forbidden, IsEmpty());
  EXPECT_THAT(started(), ::testing::Contains("mergeRanges").Times(4)) << "layer 1 sees a window of 5 keys";
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

TEST_F(Launches, OfADrawIsOneKernel) {
  const FarMemory memory(1 << 20);
  const auto* logits = static_cast<const float*>(memory.data());
  auto* const ids = static_cast<std::int64_t*>(memory.data());
  const auto sample = STRATA_ENTRY(strata_cuda_sample);
  cuda::Sampling how{.temperature = 0.7, .topK = 40, .topP = 0.9};
  EXPECT_EQ(sample(logits, ids, ids, ids, &how, 4, 1000, m_stream), 0);
  EXPECT_THAT(recording().forbidden, IsEmpty());
  EXPECT_THAT(started(), ElementsAre("sample"));
  how.temperature = 0;
  EXPECT_EQ(sample(logits, ids, ids, ids, &how, 4, 1000, m_stream), 1) << "temperature 0 is argmax";
}

TEST_F(Launches, OfNothingAreNone) {
  EXPECT_EQ(m_entries.step.addRmsNorm(0, nullptr, nullptr, nullptr, 1, nullptr, 0, 8, m_stream), 0);
  EXPECT_EQ(m_entries.step.matvec(0, 0, nullptr, 1, 8, nullptr, 0, m_stream), 0);
  EXPECT_EQ(m_entries.step.siluMul(0, nullptr, nullptr, nullptr, 0, m_stream), 0);
  EXPECT_EQ(m_entries.argmax(nullptr, nullptr, nullptr, 0, 8, nullptr, 0, m_stream), 0);
  EXPECT_THAT(started(), IsEmpty());
}

TEST_F(Launches, OfSizesThatAKernelDoesNotTakeAreRefused) {
  constexpr int kInvalid = 1;
  MatvecTarget targets[5];
  EXPECT_EQ(m_entries.step.addRmsNorm(2, nullptr, nullptr, nullptr, 1, nullptr, 1, 8, m_stream), kInvalid);
  EXPECT_EQ(m_entries.step.matvec(0, 0, nullptr, 9, 8, targets, 1, m_stream), kInvalid);
  EXPECT_EQ(m_entries.step.matvec(0, 0, nullptr, 1, 8, targets, 5, m_stream), kInvalid);
  targets[0].n = 1;
  targets[0].format = WeightFormat::int4;
  targets[0].group = 48;
  EXPECT_EQ(m_entries.step.matvec(0, 0, nullptr, 1, 8, targets, 1, m_stream), kInvalid) << "no such group";
  EXPECT_EQ(m_entries.argmax(nullptr, nullptr, nullptr, 1, 8, nullptr, 0, m_stream), kInvalid) << "no workspace";
  EXPECT_EQ(STRATA_ENTRY(strata_cuda_rope)(0, nullptr, nullptr, nullptr, 1, 1, 7, m_stream), kInvalid) << "odd D";
  EXPECT_THAT(started(), IsEmpty());
}

TEST_F(Launches, TheStandInNoticesACopyAndAWait) {
  cudaMemcpyAsync(nullptr, nullptr, 0, 0, m_stream);
  cudaStreamSynchronize(m_stream);
  EXPECT_THAT(recording().forbidden, ElementsAre("cudaMemcpyAsync", "cudaStreamSynchronize"));
}

TEST_F(Launches, BetweenRanksRunOnAStreamOfTheirOwnInTheOrderOfTheGivenOne) {
  loadNcclStub();
  recording().given = m_stream;
  char id[128] = {};
  EXPECT_EQ(STRATA_ENTRY(strata_cuda_ranks_id)(id), 0);
  void* ranks = nullptr;
  ASSERT_EQ(STRATA_ENTRY(strata_cuda_ranks_open)(id, 4, 1, &ranks), 0);
  const FarMemory memory(4096);
  auto* whole = static_cast<float*>(memory.data());
  EXPECT_EQ(STRATA_ENTRY(strata_cuda_ranks_reduce_scatter)(ranks, whole, 64, m_stream), 0);
  EXPECT_EQ(STRATA_ENTRY(strata_cuda_ranks_all_gather)(ranks, whole, 64, m_stream), 0);
  EXPECT_EQ(STRATA_ENTRY(strata_cuda_ranks_wait)(ranks, m_stream), 0);
  EXPECT_EQ(STRATA_ENTRY(strata_cuda_ranks_close)(ranks), 0);
  EXPECT_THAT(recording().graphs,
              ElementsAre("id", "open 1 of 4", "create a stream", "create an event",  //
                          "record the given stream", "its own stream waits", "reduce-scatter 64 from before",
                          "record the given stream", "its own stream waits", "all-gather 64 from behind",
                          "record its own stream", "the given stream waits",  //
                          "close", "destroy an event", "destroy a stream"));
  EXPECT_THAT(recording().forbidden, IsEmpty());
  EXPECT_THAT(recording().launches, IsEmpty());
}

}  // namespace
}  // namespace strata::kernels::testing
