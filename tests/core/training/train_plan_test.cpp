// What is said of a run before its data is read, beside what the run then is.

#include "core/training/train_plan.h"

#include <limits>

#include "core/training/run_setup.h"
#include "job_fixture.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

class TrainPlanTest : public TrainJob {
 protected:
  static std::int64_t bytesIn(const fs::path& folder) {
    std::int64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) bytes += static_cast<std::int64_t>(entry.file_size());
    }
    return bytes;
  }
  std::int64_t trainedBy(const TrainConfig& config) {
    const auto setup = prepareRun(config);
    EXPECT_TRUE(setup) << setup.error().message;
    if (!setup) return 0;
    std::int64_t count = 0;
    for (const NamedParameter& parameter : setup->trainer->optimizer().parameters()) count += parameter.value.numel();
    return count;
  }
};

TEST_F(TrainPlanTest, CountsTheParametersThatAreTrained) {
  EXPECT_EQ(planTraining(m_config).trained, trainedBy(m_config));
  for (const char* targets : {"all-linear", "q_proj,v_proj", "down_proj"}) {
    m_config.lora = 4;
    m_config.loraTargets = targets;
    EXPECT_EQ(planTraining(m_config).trained, trainedBy(m_config)) << targets;
  }
}

TEST_F(TrainPlanTest, TellsHowLargeACheckpointIs) {
  m_config.steps = 1;
  for (const int rank : {0, 16}) {
    m_config.lora = rank;
    const TrainPlan plan = planTraining(m_config);
    ASSERT_TRUE(plan.problems.empty()) << plan.problems.front().message;
    const auto run = startTraining(project(), m_config, {});
    ASSERT_TRUE(run) << run.error().message;
    const auto stored = static_cast<double>(bytesIn(run->checkpoint));
    EXPECT_NEAR(static_cast<double>(plan.checkpointBytes), stored, 0.1 * stored) << "rank " << rank;
  }
}

TEST_F(TrainPlanTest, ALoraOverALoraIsAProblemOfTheModel) {
  m_config.steps = 1;
  m_config.lora = 2;
  const auto run = startTraining(project(), m_config, {});
  ASSERT_TRUE(run) << run.error().message;
  m_config.model = run->folder;
  const TrainPlan plan = planTraining(m_config);
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_EQ(plan.problems.front().context, "model");
  EXPECT_NE(plan.problems.front().message.find("LoRA over a LoRA"), std::string::npos);
}

TEST_F(TrainPlanTest, RoomOnTheDiskIsTold) {
  EXPECT_TRUE(checkRoom(m_folder.path(), 1));
  const auto room = checkRoom(m_folder.path(), std::numeric_limits<std::int64_t>::max());
  ASSERT_FALSE(room);
  EXPECT_EQ(room.error().code, ErrorCode::diskFull);
  EXPECT_NE(room.error().message.find("MB are free"), std::string::npos) << room.error().message;
}

TEST(OptionOf, AnErrorIsTheOptionThatItNames) {
  EXPECT_EQ(optionOf({ErrorCode::usage, "", "--length"}, "model"), "length");
  EXPECT_EQ(optionOf({ErrorCode::usage, "", "p-cross"}, "model"), "p-cross");
  EXPECT_EQ(optionOf({ErrorCode::usage, "", "/some/folder"}, "model"), "model");
  EXPECT_EQ(optionOf({ErrorCode::usage, "", ""}, "model"), "model");
}

}  // namespace
}  // namespace strata::testing
