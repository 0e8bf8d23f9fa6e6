// A training run's memory and time before it is started: by formula, and measured in a process of its own.

#include "engine_process.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

class TrainProbe : public ::testing::Test {
 protected:
  TrainProbe() {
    std::string text;
    for (int i = 0; i < 40; ++i) text += std::string(kStory) + "<|endoftext|>\n";
    writeText(project() / "train.txt", text);
    writeText(project() / "strata.json",
              R"({"format": "strata-project", "version": 1, "name": "p", "models": {"m": ")" + storyModel() + "\"}}");
    setenv("TMPDIR", temporary().c_str(), 1);
    fs::create_directories(temporary());
    engine = std::make_unique<EngineProcess>();
    engine->initialize();
    engine->result(engine->send("project/open", {{"folder", project().string()}}));
  }
  ~TrainProbe() override { unsetenv("TMPDIR"); }
  fs::path project() const { return m_folder.path() / "project"; }
  fs::path temporary() const { return m_folder.path() / "tmp"; }
  std::vector<std::string> leftovers() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(temporary())) {
      const std::string name = entry.path().filename();
      if (name.starts_with("strata-probe-")) names.push_back(name);
    }
    return names;
  }
  static Json config(const Json& more = Json::object()) {
    Json config = {{"model", "m"}, {"data", "train.txt"}, {"batch", 2}, {"length", 32}, {"threads", 1}};
    config.update(more);
    return config;
  }

  std::unique_ptr<EngineProcess> engine;

 private:
  TemporaryFolder m_folder;
};

TEST_F(TrainProbe, TwoStepsAreMeasuredAndNothingIsLeft) {
  const Json probe = engine->result(engine->send(
      "train/probe",
      {{"config",
        config({{"steps", 50}, {"eval-data", "train.txt"}, {"eval-every", 10}, {"eval-maps", "full;stride:2"}})}}));
  EXPECT_GT(probe["step_s"], 0);
  EXPECT_GT(probe["tokens_s"], 0);
  EXPECT_GT(probe["evaluation_s"], 0);
  EXPECT_EQ(probe["steps"], 50);
  EXPECT_GT(probe["sequences"], 0);
  const double expected =
      probe["start_s"].get<double>() + 50 * probe["step_s"].get<double>() + 6 * probe["evaluation_s"].get<double>();
  EXPECT_NEAR(probe["seconds"], expected, 1e-6 * expected);
  const Json& peak = probe["peak"];
  EXPECT_GT(peak["weights"], 1'000'000);
  EXPECT_GT(peak["optimizer"], 2'000'000);
  EXPECT_GT(peak["total"], peak["process"].get<std::int64_t>() + 3'000'000);
  EXPECT_FALSE(fs::exists(project() / "runs"));
  EXPECT_TRUE(leftovers().empty());
}

TEST_F(TrainProbe, EpochsAreToldInSteps) {
  const Json probe = engine->result(engine->send("train/probe", {{"config", config({{"epochs", 1.5}})}}));
  EXPECT_EQ(probe["steps"], (3 * probe["sequences"].get<int>() + 3) / 4) << "two sequences a step, rounded up";
}

TEST_F(TrainProbe, AMeasurementThatFailsSaysWhy) {
  const RpcMessage refused = engine->call("train/probe", {{"config", config({{"length", 5000}})}});
  EXPECT_EQ(refused.error.code, ErrorCode::usage);
  EXPECT_NE(refused.error.message.find("exceeds the model's context"), std::string::npos) << refused.error.message;
  EXPECT_TRUE(leftovers().empty());
}

TEST_F(TrainProbe, ACancelledMeasurementLeavesNothing) {
  const std::int64_t request = engine->send("train/probe", {{"config", config({{"batch", 4096}, {"micro-batch", 1}})}});
  engine->result(engine->send("cancel", {{"id", request}}));
  EXPECT_EQ(engine->wait(request).error.code, ErrorCode::cancelled);
  EXPECT_TRUE(leftovers().empty());
}

TEST(TrainEstimate, TellsTheSameOnTheCommandLine) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 40; ++i) text += std::string(kStory) + "<|endoftext|>\n";
  writeText(folder.path() / "train.txt", text);
  const std::string data = folder.path() / "train.txt";
  const Json lora = answerOf({"estimate", storyModel(), "--train", "lora", "--lora", "4", "--length", "32"});
  EXPECT_EQ(lora["train"], "lora");
  EXPECT_LT(lora["trained"], lora["parameters"]);
  EXPECT_EQ(lora["problems"], Json::array()) << "memory can be told without data";
  const Json probed = answerOf({"estimate", storyModel(), "--train", "full", "--data", data, "--batch", "2", "--length",
                                "32", "--threads", "1", "--probe"});
  EXPECT_GT(probed["probe"]["step_s"], 0);
  EXPECT_EQ(probed["probe"]["steps"], 100);
  EXPECT_EQ(runProgram({"estimate", "--json"}).code, 2);
  EXPECT_EQ(runProgram({"estimate", storyModel(), "--train", "some"}).code, 2);
}

}  // namespace
}  // namespace strata::testing
