// The exact values of tests/golden through the command line.

#include "golden_models.h"
#include "program.h"

namespace strata::testing {
namespace {

class GoldenProgram : public ::testing::TestWithParam<std::string> {
 protected:
  nlohmann::json golden() const {
    return nlohmann::json::parse(readText(std::filesystem::path(goldenModel(GetParam())) / "golden.json"));
  }
};

TEST_P(GoldenProgram, GreedyIdsAndNllAreExact) {
  const auto json = golden();
  const std::string prompt = joined(json["prompt_ids"]), ids = joined(json["input_ids"][0]);
  for (const auto& map : json["maps"]) {
    const std::string src = joined(map["src"]);
    const auto score = answerOf({"score", goldenModel(GetParam()), "--dtype", "float32", "--ids", ids, "--map", src});
    EXPECT_NEAR(score["nll"].get<double>(), map["fp32"]["nll"][0].get<double>(), 2e-5) << map["name"];
    if (map["kind"] != "inference") continue;
    const auto answer = answerOf({"generate", goldenModel(GetParam()), "--dtype", "float32", "--ids", prompt, "--map",
                                  src, "--max-tokens", json["new_tokens"].dump(), "--ignore-eos"});
    EXPECT_EQ(answer["ids"], map["fp32"]["greedy_ids"]) << map["name"];
  }
}

TEST_P(GoldenProgram, GradientNormsAreThoseOfTheReference) {
  const auto json = golden();
  const auto& map = json["maps"].back();
  const auto score = answerOf({"score", goldenModel(GetParam()), "--dtype", "float32", "--ids",
                               joined(json["input_ids"][0]), "--map", joined(map["src"]), "--grad-norms"});
  for (const auto& [name, expected] : map["fp32"]["grad_l2"].items()) {
    ASSERT_TRUE(score["grad_norms"].contains(name)) << name;
    EXPECT_NEAR(score["grad_norms"][name].get<double>(), expected.get<double>(), 1e-4 * expected.get<double>() + 1e-9)
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenProgram, ::testing::ValuesIn(kGoldenModels), goldenName);

class GoldenAdapter : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenAdapter, NllAndGradientsOfTheAdapterAreExactAndAMergedExportKeepsThem) {
  const std::string model = goldenModel(GetParam());
  const auto json = nlohmann::json::parse(readText(std::filesystem::path(model) / "golden.json"));
  const std::string ids = joined(json["input_ids"][0]);
  const auto& lora = json["lora"]["cases"][0];
  const auto score = answerOf({"score", model, "--dtype", "float32", "--adapter", model + "/adapter", "--ids", ids,
                               "--map", joined(lora["src"]), "--grad-norms"});
  EXPECT_NEAR(score["nll"].get<double>(), lora["fp32"]["nll"][0].get<double>(), 2e-5);
  for (const auto& [name, expected] : lora["fp32"]["grad_l2"].items()) {
    ASSERT_TRUE(score["grad_norms"].contains(name)) << name;
    EXPECT_NEAR(score["grad_norms"][name].get<double>(), expected.get<double>(), 1e-4 * expected.get<double>() + 1e-9)
        << name;
  }
  const TemporaryFolder folder;
  answerOf({"export", model, "--adapter", model + "/adapter", folder.path() / "merged"});
  const auto merged = answerOf({"score", folder.path() / "merged", "--ids", ids, "--map", joined(lora["src"])});
  const bool rounds = merged["dtype"] == "bfloat16";  // the merged weights, once
  EXPECT_NEAR(merged["nll"].get<double>(), lora["fp32"]["nll"][0].get<double>(), rounds ? 2e-2 : 5e-5);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenAdapter, ::testing::ValuesIn(kTrainedGoldenModels), goldenName);

}  // namespace
}  // namespace strata::testing
