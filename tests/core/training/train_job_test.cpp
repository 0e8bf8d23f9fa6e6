// Runs: resumed == uninterrupted, stop, extend, LoRA, early stop; through real folders and databases.

#include "core/training/train_job.h"

#include <ATen/ATen.h>

#include "core/checkpoint/safetensors.h"
#include "core/project/run_checkpoint.h"
#include "support.h"

namespace strata::testing {
namespace {

class TrainJob : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string text;
    for (int i = 0; i < 300; ++i)
      text += "Tom had a red ball number " + std::to_string(i * 37 % 101) + ". He liked to play.\n";
    writeText(m_folder.path() / "train.txt", text);
    m_config.model = sourceFolder() / "resources/models/stories260K";
    m_config.data = m_folder.path() / "train.txt";
    m_config.steps = 8;
    m_config.batch = 4;
    m_config.length = 32;
    m_config.lr = 1e-3;
    m_config.threads = 2;
  }
  Project project() { return Project::openOrCreate(m_folder.path() / "project").value(); }
  static std::string weightsOf(const TrainAnswer& answer) { return readText(answer.checkpoint / "model.safetensors"); }
  static TrainHooks stopAfter(std::int64_t steps) {
    TrainHooks hooks;
    auto done = std::make_shared<std::int64_t>(0);
    hooks.onStep = [done](const StepResult&) { ++*done; };
    hooks.stop = [done, steps] { return *done >= steps; };
    return hooks;
  }

  TemporaryFolder m_folder;
  TrainConfig m_config;
};

TEST_F(TrainJob, AResumedRunIsBitEqualToAnUninterruptedOne) {
  for (const int lora : {0, 2}) {
    SCOPED_TRACE(lora);
    m_config.lora = lora;
    const auto whole = startTraining(project(), m_config, {});
    ASSERT_TRUE(whole) << whole.error().message;
    auto cut = startTraining(project(), m_config, stopAfter(3));
    ASSERT_TRUE(cut) << cut.error().message;
    EXPECT_EQ(cut->state, RunState::stopped);
    EXPECT_EQ(cut->steps, 3);
    cut = resumeTraining(cut->folder, {}, stopAfter(2));
    ASSERT_TRUE(cut) << cut.error().message;
    cut = resumeTraining(cut->folder, {}, {});
    ASSERT_TRUE(cut) << cut.error().message;
    EXPECT_EQ(cut->state, RunState::done);
    EXPECT_EQ(cut->loss, whole->loss);
    const char* file = lora > 0 ? "adapter_model.safetensors" : "model.safetensors";
    EXPECT_EQ(readText(cut->checkpoint / file), readText(whole->checkpoint / file));
    EXPECT_EQ(readText(cut->checkpoint / "optimizer.safetensors"),
              readText(whole->checkpoint / "optimizer.safetensors"));
  }
}

TEST_F(TrainJob, AStopFileEndsTheRunAfterTheStepWithACheckpoint) {
  TrainHooks hooks;
  std::filesystem::path folder;
  hooks.onStart = [&](const RunInfo& info, std::int64_t, std::int64_t) { folder = project().runsFolder() / info.id; };
  hooks.onStep = [&](const StepResult& result) {
    if (result.step == 1) writeText(folder / "stop", "");
  };
  const auto answer = startTraining(project(), m_config, hooks);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->steps, 2);
  EXPECT_EQ(readRun(folder)->state, RunState::stopped);
  EXPECT_EQ(checkpointSteps(folder), std::vector<std::int64_t>{2});
}

TEST_F(TrainJob, ADoneRunIsExtendedAsANewRunWithAParent) {
  const auto parent = startTraining(project(), m_config, {});
  ASSERT_TRUE(parent);
  EXPECT_FALSE(resumeTraining(parent->folder, {}, {}));
  TrainConfig longer = m_config;
  longer.steps = 3;
  const auto child = extendTraining(project(), parent->folder, longer, {});
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(readRun(child->folder)->parent, parent->run);
  EXPECT_EQ(child->loss.size(), 3U);
  EXPECT_NE(weightsOf(*child), weightsOf(*parent));
}

TEST_F(TrainJob, TrainingFromAConfigNeedsNoWeights) {
  m_config.init = m_folder.path() / "init";
  m_config.model.clear();
  std::filesystem::create_directories(m_config.init);
  for (const char* name : {"config.json", "tokenizer.model", "tokenizer_config.json"}) {
    std::filesystem::copy(sourceFolder() / "resources/models/stories260K" / name,
                          std::filesystem::path(m_config.init) / name);
  }
  const auto answer = startTraining(project(), m_config, {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_GT(answer->loss.front(), 5.5);  // ln 512 = 6.2
  EXPECT_LT(answer->loss.back(), answer->loss.front());
}

TEST_F(TrainJob, EarlyStopKeepsTheBestCheckpoint) {
  m_config.steps = 40;
  m_config.lr = 0.5;  // diverges, so the first evaluation stays the best
  m_config.clip = 0;
  m_config.evalData = m_config.data;
  m_config.evalRows = 4;
  m_config.evalEvery = 1;
  m_config.evalMaps = "full;stride:2";
  m_config.earlyStopPatience = 2;
  m_config.earlyStopMap = "stride:2";
  const auto answer = startTraining(project(), m_config, {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_LT(answer->steps, 40);
}

TEST_F(TrainJob, BadInputLeavesNoRunBehind) {
  m_config.data = m_folder.path() / "missing.txt";
  const auto answer = startTraining(project(), m_config, {});
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("missing.txt"), std::string::npos);
  EXPECT_TRUE(listRuns(project())->empty());
}

}  // namespace
}  // namespace strata::testing
