// A whole decoding step whose ids and lengths the host never sees, started kernel by kernel and replayed from a graph:
// in the emulation and on a GPU.

#include "decode_step.h"

#include <gmock/gmock.h>

#include <set>

#include "device_functions.h"

namespace strata::kernels::testing {
namespace {

class DecodeStepTest : public OnDevice<::testing::TestWithParam<Element>, 5> {
 protected:
  static constexpr int kSteps = 12;

  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped()) return;
    STRATA_FIND_STEP_MODULE(m_module);
    m_workspaceBytes = m_module.workspaceBytes(m_sizes);
  }

  /// A step's memory on the host, filled.
  std::vector<std::uint64_t> memory() {
    StepMemory places(GetParam(), m_sizes, m_workspaceBytes);
    std::vector<std::uint64_t> block(static_cast<std::size_t>(places.bytes() / 8 + 1));
    places.fill(block.data());
    return block;
  }
  DecodeStep stepAt(void* base) { return StepMemory(GetParam(), m_sizes, m_workspaceBytes).at(base); }

  std::vector<std::int64_t> idsOf(std::vector<std::uint64_t>& block) {
    const std::int64_t* ids = stepAt(block.data()).ids;
    return {ids, ids + m_sizes.b};
  }

  /// The ids of each step, and the memory after the last.
  std::vector<std::vector<std::int64_t>> expected(std::vector<std::uint64_t>& block, int steps) {
    std::vector<std::vector<std::int64_t>> ids;
    for (int i = 0; i < steps; ++i) {
      stepOnHost(GetParam(), stepAt(block.data()));
      ids.push_back(idsOf(block));
    }
    return ids;
  }

  StepSizes m_sizes;
  StepModule m_module;
  std::int64_t m_workspaceBytes = 0;
};

TEST_P(DecodeStepTest, GivesTheLogitsOfThePlainComputation) {
  for (const std::int64_t batch : {2, 11}) {  // 11: more than a product takes at once
    SCOPED_TRACE(batch);
    m_sizes.b = batch;
    m_workspaceBytes = m_module.workspaceBytes(m_sizes);
    std::vector<std::uint64_t> plain = memory(), got = memory();
    expected(plain, 1);
    const Memory there(got.data(), static_cast<std::int64_t>(got.size()) * 8);
    m_module.run(stepAt(there.data()), nullptr);
    there.copyBack(got.data());
    const float *logits = stepAt(got.data()).logits, *plainLogits = stepAt(plain.data()).logits;
    for (std::int64_t i = 0; i < m_sizes.b * m_sizes.vocab; ++i) {
      ASSERT_NEAR(logits[i], plainLogits[i], GetParam() == Element::f32 ? 1e-4 : 0.6) << i;  // of about 8
    }
  }
}

TEST_P(DecodeStepTest, IsReplayedAsAGraph) {
  std::vector<std::uint64_t> single = memory(), replayed = memory();
  const auto bytes = static_cast<std::int64_t>(single.size()) * 8;
  const Memory singleThere(single.data(), bytes), replayedThere(replayed.data(), bytes);
  for (int i = 0; i < kSteps; ++i) m_module.run(stepAt(singleThere.data()), nullptr);
  void *stream = nullptr, *graph = nullptr;
  ASSERT_EQ(m_module.graphBegin(&stream), 0);
  m_module.run(stepAt(replayedThere.data()), stream);
  ASSERT_EQ(m_module.graphEnd(stream, &graph), 0);
  for (int i = 0; i < kSteps; ++i) ASSERT_EQ(m_module.graphLaunch(graph, nullptr), 0);
  singleThere.copyBack(single.data());
  replayedThere.copyBack(replayed.data());
  EXPECT_EQ(m_module.graphRelease(graph), 0);
  EXPECT_EQ(idsOf(replayed), idsOf(single));
  EXPECT_EQ(stepAt(replayed.data()).lengths[0], kSteps + 1);
  const float *logits = stepAt(single.data()).logits, *replayedLogits = stepAt(replayed.data()).logits;
  for (std::int64_t i = 0; i < m_sizes.b * m_sizes.vocab; ++i) ASSERT_EQ(replayedLogits[i], logits[i]) << i;
}

class DecodeStepsTest : public DecodeStepTest {};  // fp32: two roundings to bf16 may choose different tokens

TEST_P(DecodeStepsTest, GoOnByTheIdsAndLengthsOfTheDevice) {
  std::vector<std::uint64_t> plain = memory(), got = memory();
  const auto ids = expected(plain, kSteps);
  EXPECT_GT(std::set<std::vector<std::int64_t>>(ids.begin(), ids.end()).size(), 3u) << "the text says little";
  const Memory there(got.data(), static_cast<std::int64_t>(got.size()) * 8);
  for (int i = 0; i < kSteps; ++i) {
    m_module.run(stepAt(there.data()), nullptr);
    there.copyBack(got.data());
    EXPECT_EQ(idsOf(got), ids[static_cast<std::size_t>(i)]) << "step " << i;
  }
  EXPECT_EQ(stepAt(got.data()).lengths[0], kSteps + 1);
}

INSTANTIATE_TEST_SUITE_P(, DecodeStepsTest, ::testing::Values(Element::f32), [](const auto&) { return "F32"; });
INSTANTIATE_TEST_SUITE_P(, DecodeStepTest, ::testing::Values(Element::f32, Element::bf16),
                         [](const auto& info) { return info.param == Element::f32 ? "F32" : "Bf16"; });

}  // namespace
}  // namespace strata::kernels::testing
