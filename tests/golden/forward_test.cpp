// Logits, losses, greedy ids and gradients of every map of every golden model.

#include <ATen/ATen.h>

#include "core/model/generate.h"
#include "core/model/score.h"
#include "golden_files.h"

namespace strata::testing {
namespace {

constexpr double kLogits = 2e-4, kNll = 2e-5, kGradient = 1e-4;

class Golden : public ::testing::TestWithParam<std::string> {
 protected:
  GoldenCase m_case{GetParam()};
};

TEST_P(Golden, LogitsAndLossOfEveryMapAgree) {
  const auto model = openGolden(GetParam());
  for (const Json& entry : m_case.json["maps"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    for (int i = 0; i < 2; ++i) {
      const auto score = scoreWindows(*model, mapOf(entry), {m_case.sequence(i)}, {.logits = true});
      ASSERT_TRUE(score) << score.error().message;
      const at::Tensor expected = m_case.tensor(entry["name"].get<std::string>() + "/logits/" + std::to_string(i));
      EXPECT_LT((score->logits - expected).abs().max().item<double>(), kLogits);
      EXPECT_NEAR(score->nll(), entry["fp32"]["nll"][static_cast<std::size_t>(i)].get<double>(), kNll);
    }
  }
}

TEST_P(Golden, GradientsOfEveryMapAgree) {
  const auto model = openGolden(GetParam());
  for (const Json& entry : m_case.json["maps"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto score = scoreWindows(*model, mapOf(entry), {m_case.sequence(0)}, {.gradNorms = true});
    ASSERT_TRUE(score) << score.error().message;
    std::size_t compared = 0;
    for (const auto& [name, norm] : entry["fp32"]["grad_l2"].items()) {
      const double expected = norm.get<double>();
      EXPECT_NEAR(score->gradNorms.at(name), expected, kGradient * expected) << name;
      ++compared;
    }
    EXPECT_EQ(compared, score->gradNorms.size());
  }
}

TEST_P(Golden, GreedyIdsOfEveryInferenceMapAreEqualWithACache) {
  const auto model = openGolden(GetParam());
  GenerateConfig config;
  config.maxTokens = m_case.json["new_tokens"].get<int>();
  config.ignoreEos = true;
  for (const Json& entry : m_case.json["maps"]) {
    if (entry["kind"] != "inference") continue;
    SCOPED_TRACE(entry["name"].get<std::string>());
    for (const std::int64_t chunk : {std::int64_t{3}, std::int64_t{512}}) {
      const auto result =
          generate(model, mapOf(entry), {m_case.json["prompt_ids"].get<std::vector<TokenId>>()}, config,
                   {.onToken = {}, .cancel = nullptr, .context = 0, .prefillChunk = chunk, .stopWhen = {}});
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_EQ(result->answers[0].ids, entry["fp32"]["greedy_ids"].get<std::vector<TokenId>>());
    }
  }
}

TEST_P(Golden, LegacyConfigGivesTheSameLogits) {
  const TemporaryFolder folder;
  for (const auto& file : std::filesystem::directory_iterator(goldenFolder(GetParam()))) {
    const std::string name = file.path().filename();
    if (name.ends_with(".safetensors") || name.ends_with("index.json"))
      std::filesystem::copy(file.path(), folder.path() / name);
  }
  std::filesystem::copy(goldenFolder(GetParam()) / "config.legacy.json", folder.path() / "config.json");
  const auto model = Model::open({.path = folder.path(), .dtype = "float32"});
  ASSERT_TRUE(model) << model.error().message;
  const auto score =
      scoreWindows(**model, SharingMap::full((*model)->config().layers), {m_case.sequence(0)}, {.logits = true});
  ASSERT_TRUE(score);
  EXPECT_LT((score->logits - m_case.tensor("identity/logits/0")).abs().max().item<double>(), kLogits);
}

INSTANTIATE_TEST_SUITE_P(Models, Golden, ::testing::ValuesIn(kGoldenModels), goldenName);

class GoldenLora : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenLora, LogitsAndGradientsOfEveryCaseAgree) {
  const GoldenCase golden(GetParam());
  const auto model = openGolden(GetParam(), "float32", true);
  for (const Json& entry : golden.json["lora"]["cases"]) {
    SCOPED_TRACE(entry["map"].get<std::string>());
    for (int i = 0; i < 2; ++i) {
      const auto score = scoreWindows(*model, mapOf(entry), {golden.sequence(i)}, {.logits = true});
      ASSERT_TRUE(score);
      const at::Tensor expected =
          golden.tensor("lora/" + entry["map"].get<std::string>() + "/logits/" + std::to_string(i));
      EXPECT_LT((score->logits - expected).abs().max().item<double>(), kLogits);
      EXPECT_NEAR(score->nll(), entry["fp32"]["nll"][static_cast<std::size_t>(i)].get<double>(), kNll);
    }
    const auto score = scoreWindows(*model, mapOf(entry), {golden.sequence(0)}, {.gradNorms = true});
    ASSERT_TRUE(score);
    for (const auto& [name, norm] : entry["fp32"]["grad_l2"].items()) {
      const double expected = norm.get<double>();
      std::string own = name;
      if (own.starts_with("base_model.model.")) own = own.substr(17);
      EXPECT_NEAR(score->gradNorms.at(own), expected, kGradient * expected) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenLora, ::testing::ValuesIn(kTrainedGoldenModels), goldenName);

}  // namespace
}  // namespace strata::testing
