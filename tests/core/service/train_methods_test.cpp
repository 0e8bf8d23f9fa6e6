// train/*: presets, estimates and what would be refused, as a window asks for them.

#include <algorithm>
#include <map>

#include "project_fixture.h"

namespace strata::testing {
namespace {

class TrainMethods : public ProjectMethods {
 protected:
  void SetUp() override {
    openNew();
    writeText(folder() / "project/train.txt", std::string(5000, 'a'));
  }
  static Json config(const Json& more = Json::object()) {
    Json config = {{"model", model("sample-base")}, {"data", "train.txt"}, {"length", 128}};
    config.update(more);
    return config;
  }
  Json estimate(const Json& config) { return answer("train/estimate", {{"config", config}}); }
  std::map<std::string, std::string> problems(const Json& config) {
    std::map<std::string, std::string> found;
    const Json answer = estimate(config);
    for (const Json& each : answer["problems"]) found[each["field"]] = each["problem"];
    return found;
  }
};

TEST_F(TrainMethods, PresetsComeInTheirOrderWithATitleAndASentence) {
  const Json presets = answer("train/presets")["presets"];
  ASSERT_EQ(presets.size(), 6u);
  EXPECT_EQ(presets[0]["name"], "sample");
  EXPECT_EQ(presets[3]["title"], "The paper's recipe");
  EXPECT_EQ(presets[3]["config"]["p-cross"], 0.5);
  for (const Json& preset : presets) EXPECT_NE(preset["description"], "") << preset;
}

TEST_F(TrainMethods, AnEstimateTellsMemoryByPartAndDisk) {
  const Json full = estimate(config());
  EXPECT_EQ(full["problems"], Json::array());
  EXPECT_EQ(full["layers"], 12);
  EXPECT_EQ(full["trained"], full["parameters"]);
  const std::int64_t trained = full["trained"];
  EXPECT_EQ(full["memory"]["weights"], 4 * trained);
  EXPECT_EQ(full["memory"]["optimizer"], 8 * trained);
  EXPECT_GT(full["memory"]["logits"], 0);
  EXPECT_GT(full["memory"]["process"], 0);
  EXPECT_EQ(full["checkpoint"], 12 * trained);
  EXPECT_EQ(full["disk"], 3 * 12 * trained);
  EXPECT_GT(full["disk_free"], 0);
  EXPECT_EQ(full["device"], "cpu");
  EXPECT_EQ(full["fits"], full["memory"]["total"] <= full["available"]);

  const Json checkpointed = estimate(config({{"checkpointing", true}}));
  EXPECT_LT(checkpointed["memory"]["activations"], full["memory"]["activations"]);
  const Json watched = estimate(config({{"eval-every", 5}, {"split", 0.1}, {"early-stop-patience", 2}}));
  EXPECT_EQ(watched["disk"], 4 * 12 * trained) << "the best too";
}

TEST_F(TrainMethods, AnEstimateIsOfEachRankThatTheLauncherStarts) {
  const Json alone = estimate(config({{"batch", 8}}));
  EXPECT_EQ(alone["ranks"], 1);
  answer("project/set_launcher", {{"launcher", "mpirun -np 4"}});
  const Json four = estimate(config({{"batch", 8}}));
  EXPECT_EQ(four["ranks"], 4);
  EXPECT_LT(four["memory"]["optimizer"].get<double>(), .3 * alone["memory"]["optimizer"].get<double>());
  EXPECT_EQ(four["fits"], 4 * four["memory"]["total"].get<std::int64_t>() <= four["available"].get<std::int64_t>());
  EXPECT_NE(problems(config({{"batch", 2}}))["batch"].find("cannot be shared by 4 ranks"), std::string::npos);
  answer("project/set_launcher", {{"launcher", "srun"}});
  EXPECT_EQ(estimate(config({{"batch", 8}}))["ranks"], 0);
}

TEST_F(TrainMethods, ALoraTrainsWhatItsTargetsHave) {
  const Json all = estimate(config({{"lora", 16}})),
             some = estimate(config({{"lora", 16}, {"lora-targets", "q_proj,v_proj"}}));
  // 12 layers, rank 16: q and o 192 + 192, k and v 192 + 64, gate, up and down 192 + 512.
  EXPECT_EQ(all["trained"], 12 * 16 * (2 * 384 + 2 * 256 + 3 * 704));
  EXPECT_EQ(some["trained"], 12 * 16 * (384 + 256));
  EXPECT_EQ(all["parameters"], estimate(config())["parameters"]);
  EXPECT_LT(all["memory"]["optimizer"], estimate(config())["memory"]["optimizer"]);
}

TEST_F(TrainMethods, AnEstimateNamesAllThatWouldBeRefused) {
  const auto found = problems(config({{"length", 5000},
                                      {"data", "missing.txt"},
                                      {"batch", 8},
                                      {"micro-batch", 3},
                                      {"eval-every", 10},
                                      {"early-stop-map", "stride:2"}}));
  EXPECT_NE(found.at("length").find("512"), std::string::npos);
  EXPECT_NE(found.at("data").find("missing.txt"), std::string::npos);
  EXPECT_NE(found.at("micro-batch").find("does not divide"), std::string::npos);
  EXPECT_NE(found.at("eval-data").find("eval-every"), std::string::npos);
  EXPECT_NE(found.at("early-stop-map").find("stride:2"), std::string::npos);
  EXPECT_EQ(found.size(), 5u);
}

TEST_F(TrainMethods, WithoutAModelOnlyTheProblemIsTold) {
  const Json none = estimate({{"data", "train.txt"}});
  EXPECT_EQ(none["memory"]["total"], 0);
  EXPECT_EQ(none["layers"], 0);
  EXPECT_TRUE(none["fits"].is_null());
  EXPECT_EQ(problems({{"data", "train.txt"}}).count("model"), 1u);
  EXPECT_EQ(problems(config({{"model", "nobody"}})).count("model"), 1u);
  const auto unknown = problems(config({{"sampler", "uniformly"}}));
  EXPECT_EQ(unknown.size(), 1u);
}

TEST_F(TrainMethods, AMeasurementThatCannotStartSaysWhy) {
  EXPECT_NE(refusal("train/probe", {{"config", config()}}).find("/nonexistent"), std::string::npos);
  EXPECT_NE(refusal("train/probe", {{"config", config({{"lr", -1}})}}).find("lr"), std::string::npos);
}

}  // namespace
}  // namespace strata::testing
