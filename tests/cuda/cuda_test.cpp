// The engine on a GPU against what it gives on the CPU: logits, greedy ids, training, memory. Says why it was skipped
// where there is no GPU.

#include <ATen/ATen.h>

#include <fstream>
#include <numeric>

#include "core/base/json.h"
#include "core/model/device.h"
#include "core/model/generate.h"
#include "core/model/score.h"
#include "core/model/session.h"
#include "golden_files.h"
#include "program.h"

namespace strata::testing {
namespace {

const std::string kDevice = "cuda";
const std::string kStory = (sourceFolder() / "resources/models/stories260K").string();

/// Empty where a GPU can be used, else why not.
std::string missingGpu() {
  const auto device = chooseDevice(kDevice);
  return device ? "" : device.error().message;
}

/// What a command prints as JSON.
Result<Json> answerOf(const std::string& command) {
  return parseJson(outputOf("(" + command + " 2>/dev/null)"), command);
}

class OnCuda : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string missing = missingGpu();
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
};

class ModelsOnCuda : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string missing = missingGpu();
    if (!missing.empty()) GTEST_SKIP() << missing;
    auto model = Model::open({.path = goldenFolder(GetParam()), .dtype = "float32", .device = kDevice});
    ASSERT_TRUE(model) << model.error().message;
    m_model = *model;
  }
  GoldenCase m_case{GetParam()};
  std::shared_ptr<const Model> m_model;
};

TEST_P(ModelsOnCuda, GiveTheLogitsAndLossOfEveryMap) {
  for (const Json& entry : m_case.json["maps"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    for (int i = 0; i < 2; ++i) {
      const auto score = scoreWindows(*m_model, mapOf(entry), {m_case.sequence(i)}, {.logits = true});
      ASSERT_TRUE(score) << score.error().message;
      const at::Tensor expected = m_case.tensor(entry["name"].get<std::string>() + "/logits/" + std::to_string(i));
      EXPECT_LT((score->logits.cpu() - expected).abs().max().item<double>(), 2e-4);
      EXPECT_NEAR(score->nll(), entry["fp32"]["nll"][static_cast<std::size_t>(i)].get<double>(), 2e-5);
    }
  }
}

TEST_P(ModelsOnCuda, GiveTheGreedyIdsOfEveryInferenceMap) {
  GenerateConfig config;
  config.maxTokens = m_case.json["new_tokens"].get<int>();
  config.ignoreEos = true;
  for (const Json& entry : m_case.json["maps"]) {
    if (entry["kind"] != "inference") continue;
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto result =
        generate(m_model, mapOf(entry), {m_case.json["prompt_ids"].get<std::vector<TokenId>>()}, config);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->answers[0].ids, entry["fp32"]["greedy_ids"].get<std::vector<TokenId>>());
  }
}

INSTANTIATE_TEST_SUITE_P(, ModelsOnCuda, ::testing::ValuesIn(kGoldenModels), goldenName);

TEST_F(OnCuda, TellsTheStoryThatTheCpuTells) {
  const std::string generate = program() + " generate " + kStory + " --ids 1 --max-tokens 60 --json --device ";
  const auto cpu = answerOf(generate + "cpu"), cuda = answerOf(generate + kDevice);
  ASSERT_TRUE(cpu && cuda);
  EXPECT_EQ((*cuda)["ids"], (*cpu)["ids"]);
}

TEST_F(OnCuda, TrainsTwentyStepsAsTheCpuDoes) {
  const TemporaryFolder folder;
  std::ofstream text(folder.path() / "text.txt");
  for (int i = 0; i < 200; ++i) {
    text << "Once upon a time there was a little dog named Tim number " << i << ". He liked to play in the park.\n";
  }
  text.close();
  const auto losses = [&](const std::string& device) {
    const auto answer = answerOf(program() + " train --project " + (folder.path() / device).string() + " --model " +
                                 kStory + " --data " + (folder.path() / "text.txt").string() +
                                 " --steps 20 --batch 2 --length 64 --lr 0.001 --json --device " + device);
    EXPECT_TRUE(answer);
    return answer ? (*answer)["loss"].get<std::vector<double>>() : std::vector<double>();
  };
  const std::vector<double> cpu = losses("cpu"), cuda = losses(kDevice);
  ASSERT_EQ(cpu.size(), 20u);
  ASSERT_EQ(cuda.size(), 20u);
  // Rounding differs from the first step on and grows with the steps.
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(cuda[i], cpu[i], (i == 0 ? 1e-5 : 1e-2) * cpu[i]) << "step " << i;
}

TEST_F(OnCuda, HoldsTheWeightsAndTheOwnersCacheAndNoMore) {
  const auto device = chooseDevice(kDevice).value();
  const std::int64_t before = deviceMemory(device);
  const auto model = Model::open({.path = kStory, .dtype = "float32", .device = kDevice}).value();
  Weights weights = model->weights();
  std::int64_t expected = 0, parameters = 0;
  visitParameters(weights, false, [&](const std::string&, const at::Tensor& tensor) {
    expected += tensor.numel() * 4;
    ++parameters;
  });
  constexpr std::int64_t kBlock = 512;  // LibTorch's allocator rounds each tensor up to it
  const std::int64_t held = deviceMemory(device) - before;
  EXPECT_GE(held + parameters, expected / 2) << "a tied head counts once";
  EXPECT_LE(held, expected + (parameters + 16) * kBlock);

  const ModelConfig& config = model->config();
  constexpr std::int64_t kCapacity = 512;
  // The first round also pays for what LibTorch keeps for its products.
  for (const int owners : {0, config.layers, 1}) {
    std::vector<int> src(static_cast<std::size_t>(config.layers), 0);
    if (owners != 1) std::iota(src.begin(), src.end(), 0);
    const std::int64_t start = deviceMemory(device);
    InferenceSession session(model, SharingMap::create(src, MapKind::inference).value(), {.capacity = kCapacity});
    {
      const auto logits = session.prefill({{1, 5, 9}});
      ASSERT_TRUE(logits) << logits.error().message;
    }
    if (owners == 0) continue;
    const std::int64_t cache = owners * 2 * config.kvHeads * kCapacity * config.headDim * 4;
    EXPECT_NEAR(static_cast<double>(deviceMemory(device) - start), static_cast<double>(cache), 64 * kBlock)
        << owners << " owners";
  }
}

}  // namespace
}  // namespace strata::testing
