// A whole decoding step whose ids and lengths the host never sees: in the emulation, and on a GPU also captured in a
// CUDA graph.

#include "decode_step.h"

#include <gmock/gmock.h>

#include <set>

#include "device_functions.h"

namespace strata::kernels::testing {
namespace {

class DecodeStep : public OnDevice<::testing::TestWithParam<Element>, 5> {
 protected:
  static constexpr int kSteps = 12;

  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped()) return;
    STRATA_FIND_STEP_ENTRIES(m_entries);
    m_workspaceBytes = m_entries.workspaceBytes(m_sizes);
  }

  /// A step's memory on the host, filled.
  std::vector<std::uint64_t> memory() {
    StepMemory places(GetParam(), m_sizes, m_workspaceBytes);
    std::vector<std::uint64_t> block(static_cast<std::size_t>(places.bytes() / 8 + 1));
    places.fill(block.data());
    return block;
  }
  StepArrays arraysOf(void* base) { return StepMemory(GetParam(), m_sizes, m_workspaceBytes).at(base); }

  std::vector<std::int64_t> idsOf(std::vector<std::uint64_t>& block) {
    const auto* ids = static_cast<const std::int64_t*>(arraysOf(block.data()).ids);
    return {ids, ids + m_sizes.b};
  }

  /// The ids of each step, and the memory after the last.
  std::vector<std::vector<std::int64_t>> expected(std::vector<std::uint64_t>& block, int steps) {
    std::vector<std::vector<std::int64_t>> ids;
    for (int i = 0; i < steps; ++i) {
      runStep(HostOperations{GetParam()}, m_sizes, arraysOf(block.data()));
      ids.push_back(idsOf(block));
    }
    return ids;
  }

  StepSizes m_sizes;
  StepEntries m_entries;
  std::int64_t m_workspaceBytes = 0;
};

TEST_P(DecodeStep, GivesTheLogitsOfThePlainComputation) {
  std::vector<std::uint64_t> plain = memory(), got = memory();
  expected(plain, 1);
  const Memory there(got.data(), static_cast<std::int64_t>(got.size()) * 8);
  runStep(DeviceOperations{m_entries, entryElement(GetParam()), nullptr}, m_sizes, arraysOf(there.data()));
  there.copyBack(got.data());
  const auto* logits = static_cast<const float*>(arraysOf(got.data()).logits);
  const auto* plainLogits = static_cast<const float*>(arraysOf(plain.data()).logits);
  for (std::int64_t i = 0; i < m_sizes.b * m_sizes.vocab; ++i) {
    ASSERT_NEAR(logits[i], plainLogits[i], GetParam() == Element::f32 ? 1e-4 : 0.6) << i;  // of about 8
  }
}

class DecodeSteps : public DecodeStep {};  // fp32: two roundings to bf16 may choose different tokens

TEST_P(DecodeSteps, GoOnByTheIdsAndLengthsOfTheDevice) {
  std::vector<std::uint64_t> plain = memory(), got = memory();
  const auto ids = expected(plain, kSteps);
  EXPECT_GT(std::set<std::vector<std::int64_t>>(ids.begin(), ids.end()).size(), 3u) << "the text says little";
  const Memory there(got.data(), static_cast<std::int64_t>(got.size()) * 8);
  for (int i = 0; i < kSteps; ++i) {
    runStep(DeviceOperations{m_entries, entryElement(GetParam()), nullptr}, m_sizes, arraysOf(there.data()));
    there.copyBack(got.data());
    EXPECT_EQ(idsOf(got), ids[static_cast<std::size_t>(i)]) << "step " << i;
  }
  EXPECT_EQ(static_cast<const std::int64_t*>(arraysOf(got.data()).lengths)[0], kSteps + 1);
}

#if !defined(STRATA_SIMT)

TEST_P(DecodeStep, IsReplayedAsAGraph) {
  int (*createStream)(void**, unsigned) = nullptr;
  int (*beginCapture)(void*, int) = nullptr;
  int (*endCapture)(void*, void**) = nullptr;
  int (*instantiate)(void**, void*, unsigned long long) = nullptr;
  int (*launchGraph)(void*, void*) = nullptr;
  int (*wait)(void*) = nullptr;
  void* driver = device().driver;
  ASSERT_TRUE(findFunction(driver, "cuStreamCreate", createStream));
  ASSERT_TRUE(findFunction(driver, "cuStreamBeginCapture_v2", beginCapture));
  ASSERT_TRUE(findFunction(driver, "cuStreamEndCapture", endCapture));
  ASSERT_TRUE(findFunction(driver, "cuGraphInstantiateWithFlags", instantiate));
  ASSERT_TRUE(findFunction(driver, "cuGraphLaunch", launchGraph));
  ASSERT_TRUE(findFunction(driver, "cuStreamSynchronize", wait));
  std::vector<std::uint64_t> single = memory(), replayed = memory();
  const auto bytes = static_cast<std::int64_t>(single.size()) * 8;
  const Memory singleThere(single.data(), bytes), replayedThere(replayed.data(), bytes);
  for (int i = 0; i < kSteps; ++i) {
    runStep(DeviceOperations{m_entries, entryElement(GetParam()), nullptr}, m_sizes, arraysOf(singleThere.data()));
  }
  void *stream = nullptr, *graph = nullptr, *executable = nullptr;
  constexpr unsigned kNonBlocking = 1;
  constexpr int kThreadLocal = 1;  // CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
  ASSERT_EQ(createStream(&stream, kNonBlocking), 0);
  ASSERT_EQ(beginCapture(stream, kThreadLocal), 0);
  runStep(DeviceOperations{m_entries, entryElement(GetParam()), stream}, m_sizes, arraysOf(replayedThere.data()));
  ASSERT_EQ(endCapture(stream, &graph), 0);
  ASSERT_EQ(instantiate(&executable, graph, 0), 0);
  for (int i = 0; i < kSteps; ++i) ASSERT_EQ(launchGraph(executable, stream), 0);
  ASSERT_EQ(wait(stream), 0);
  singleThere.copyBack(single.data());
  replayedThere.copyBack(replayed.data());
  EXPECT_EQ(idsOf(replayed), idsOf(single));
  const auto* logits = static_cast<const float*>(arraysOf(single.data()).logits);
  const auto* replayedLogits = static_cast<const float*>(arraysOf(replayed.data()).logits);
  for (std::int64_t i = 0; i < m_sizes.b * m_sizes.vocab; ++i) ASSERT_EQ(replayedLogits[i], logits[i]) << i;
}

#endif

INSTANTIATE_TEST_SUITE_P(, DecodeSteps, ::testing::Values(Element::f32), [](const auto&) { return "F32"; });
INSTANTIATE_TEST_SUITE_P(, DecodeStep, ::testing::Values(Element::f32, Element::bf16),
                         [](const auto& info) { return info.param == Element::f32 ? "F32" : "Bf16"; });

}  // namespace
}  // namespace strata::kernels::testing
