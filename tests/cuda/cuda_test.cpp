// The engine on a GPU against what it gives on the CPU: logits, greedy ids, draws, rounded weights, training, memory,
// chats. Says why it was skipped where there is no GPU.

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <numeric>

#include "core/base/json.h"
#include "core/model/device.h"
#include "core/model/generate.h"
#include "core/model/score.h"
#include "core/model/session.h"
#include "engine_process.h"
#include "golden_files.h"

namespace strata::testing {
namespace {

const std::string kDevice = "cuda";
/// Empty where a GPU can be used, else why not.
std::string missingGpu() {
  const auto device = chooseDevice(kDevice);
  return device ? "" : device.error().message;
}

/// What the program prints for a model with these options on a device.
nlohmann::json answerOn(const std::string& device, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--device", device});
  return answerOf(arguments);
}

/// The same on the CPU and on the GPU.
void expectIdsOfTheCpu(const std::vector<std::string>& arguments) {
  EXPECT_EQ(answerOn(kDevice, arguments)["ids"], answerOn("cpu", arguments)["ids"]);
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

TEST_P(ModelsOnCuda, AnswerSeveralPromptsAtOnceAsEachAlone) {
  GenerateConfig config;
  config.maxTokens = 8;
  config.ignoreEos = true;
  const auto all = m_case.json["prompt_ids"].get<std::vector<TokenId>>();
  const std::vector<std::vector<TokenId>> prompts{all, {all.begin(), all.begin() + 2}, {all.begin() + 1, all.end()}};
  for (const Json& entry : m_case.json["maps"]) {
    if (entry["kind"] != "inference") continue;
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto together = generate(m_model, mapOf(entry), prompts, config);
    ASSERT_TRUE(together) << together.error().message;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const auto alone = generate(m_model, mapOf(entry), {prompts[i]}, config);
      ASSERT_TRUE(alone) << alone.error().message;
      EXPECT_EQ(together->answers[i].ids, alone->answers[0].ids) << "prompt " << i;
    }
  }
}

TEST_P(ModelsOnCuda, DecodeUnderSeveralMapsTogetherAsAlone) {
  const auto prompt = m_case.json["prompt_ids"].get<std::vector<TokenId>>();
  std::vector<std::unique_ptr<InferenceSession>> together, alone;
  std::vector<InferenceSession*> sessions;
  for (const Json& entry : m_case.json["maps"]) {
    if (entry["kind"] != "inference") continue;
    for (auto* each : {&together, &alone}) {
      each->push_back(std::make_unique<InferenceSession>(m_model, mapOf(entry), SessionOptions{.capacity = 40}));
      ASSERT_TRUE(each->back()->prefill({prompt}));
    }
    sessions.push_back(together.back().get());
  }
  for (int step = 0; step < 4; ++step) {
    const std::vector<TokenId> next{prompt[static_cast<std::size_t>(step) % prompt.size()]};
    const auto all = InferenceSession::decodeTogether(sessions, std::vector(sessions.size(), &next));
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      const auto own = alone[i]->decode(next);
      ASSERT_TRUE(all[i] && own);
      EXPECT_TRUE(at::equal(*all[i], *own)) << "map " << i << ", step " << step;
    }
  }
}

TEST_F(OnCuda, TellsTheStoryThatTheCpuTells) {
  for (const char* map : {"full", "stride:2", "prefix:1"}) {
    SCOPED_TRACE(map);
    expectIdsOfTheCpu({"generate", storyModel(), "--ids", "1", "--max-tokens", "60", "--map", map});
  }
}

TEST_F(OnCuda, StartsAStepAsAGraph) {
  const Answer answer = runProgram(
      {"generate", storyModel(), "--ids", "1", "--max-tokens", "20", "--temperature", "1", "--device", kDevice});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_THAT(answer.err, ::testing::Not(::testing::HasSubstr("could not be"))) << "a kernel, or the recording";
}

TEST_F(OnCuda, DrawsWhatTheCpuDraws) {
  for (const std::vector<std::string>& choice : std::vector<std::vector<std::string>>{
           {}, {"--top-k", "20"}, {"--top-p", "0.8"}, {"--min-p", "0.1"}, {"--repeat-penalty", "1.2"}}) {
    std::vector<std::string> arguments{"generate", storyModel(), "--ids",         "1",  "--max-tokens", "24",
                                       "--seed",   "11",         "--temperature", "0.8"};
    arguments.insert(arguments.end(), choice.begin(), choice.end());
    SCOPED_TRACE(choice.empty() ? "temperature" : choice[0]);
    expectIdsOfTheCpu(arguments);
  }
}

TEST_F(OnCuda, ComputesWithRoundedWeights) {
  for (const char* weights : {"int8", "int4", "int4:128"}) {
    SCOPED_TRACE(weights);
    expectIdsOfTheCpu({"generate", storyModel(), "--ids", "1", "--max-tokens", "40", "--weights", weights});
    const auto lossOn = [&](const std::string& device) {
      const auto model = Model::open({.path = storyModel(), .weights = weights, .device = device}).value();
      std::vector<TokenId> ids;
      for (int i = 0; i < 40; ++i) ids.push_back((i * 7919 + 13) % static_cast<int>(model->config().vocab));
      return scoreWindows(*model, parseMap("stride:2", model->config().layers).value(), {ids}, {}).value().nll();
    };
    EXPECT_NEAR(lossOn(kDevice), lossOn("cpu"), 1e-4);
  }
}

TEST_F(OnCuda, ChatsThroughTheEngine) {
  EngineProcess engine;
  engine.initialize();
  const std::string model = sampleModel("sample-routed");
  std::int64_t fullBytes = 0;
  for (const char* map : {"full", "retention:.5"}) {
    SCOPED_TRACE(map);
    Json turns = {{{"role", "user"}, {"content", "Who came to the house?"}}};
    for (int turn = 0; turn < 2; ++turn) {
      SCOPED_TRACE(turn);
      Json answers[2];
      for (const bool onCuda : {false, true}) {
        Json side = sideOf(model, map, 512);
        side["ref"]["device"] = onCuda ? kDevice : "cpu";
        side["ref"]["dtype"] = "float32";
        Json ask = question(onCuda ? "gpu" : "cpu", side, "", 24);
        ask["turns"] = turns;
        answers[onCuda ? 1 : 0] = engine.result(engine.send("chat/generate", ask), 300);
      }
      EXPECT_EQ(answers[1]["ids"], answers[0]["ids"]);
      EXPECT_EQ(answers[1]["text"], answers[0]["text"]);
      EXPECT_EQ(answers[1]["kv_bytes"], answers[0]["kv_bytes"]);
      EXPECT_THAT(answers[1]["made_by"]["device"].get<std::string>(), ::testing::StartsWith(kDevice));
      const auto bytes = answers[1]["kv_bytes"].get<std::int64_t>();
      if (fullBytes == 0) fullBytes = bytes;
      if (turn == 0) {
        EXPECT_EQ(bytes, *map == 'f' ? fullBytes : fullBytes / 2) << "owners / L";
      }
      turns.push_back({{"role", "assistant"}, {"content", answers[0]["text"]}});
      turns.push_back({{"role", "user"}, {"content", "And then?"}});
    }
  }
  EXPECT_THAT(engine.errors(), ::testing::Not(::testing::HasSubstr("could not be")));
}

TEST_F(OnCuda, TrainsTwentyStepsAsTheCpuDoes) {
  const TemporaryFolder folder;
  std::ofstream text(folder.path() / "text.txt");
  for (int i = 0; i < 200; ++i) {
    text << "Once upon a time there was a little dog named Tim number " << i << ". He liked to play in the park.\n";
  }
  text.close();
  const auto losses = [&](const std::string& device) {
    return answerOn(device, {"train", "--project", (folder.path() / device).string(), "--model", storyModel(), "--data",
                             (folder.path() / "text.txt").string(), "--steps", "20", "--batch", "2", "--length", "64",
                             "--lr", "0.001"})["loss"]
        .get<std::vector<double>>();
  };
  const std::vector<double> cpu = losses("cpu"), cuda = losses(kDevice);
  ASSERT_EQ(cpu.size(), 20u);
  ASSERT_EQ(cuda.size(), 20u);
  EXPECT_TRUE(std::all_of(cuda.begin(), cuda.end(), [](double loss) { return std::isfinite(loss); }));
  EXPECT_LT(cuda.back(), 0.9 * cuda.front());
  // Rounding differs from the first step on and grows with the steps.
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(cuda[i], cpu[i], (i == 0 ? 1e-5 : 1e-2) * cpu[i]) << "step " << i;
}

TEST_F(OnCuda, HoldsTheWeightsAndTheOwnersCacheAndNoMore) {
  const auto device = chooseDevice(kDevice).value();
  const std::int64_t before = deviceMemory(device);
  const auto model = Model::open({.path = storyModel(), .dtype = "float32", .device = kDevice}).value();
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
