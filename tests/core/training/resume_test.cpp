// A run cut into pieces is bit-equal to one that was never interrupted, whatever it trains and wherever it is cut.

#include <functional>

#include "core/project/run_database.h"
#include "job_fixture.h"

namespace strata::testing {
namespace {

struct Case {
  std::string name;
  std::function<void(TrainConfig&)> apply;
};

void PrintTo(const Case& value, std::ostream* out) {
  *out << value.name;
}

void packed(TrainConfig& config) {
  config.data = std::filesystem::path(config.data).replace_extension("jsonl");
}
void lora(TrainConfig& config) {
  config.lora = 2;
  config.loraDropout = 0.2;
}
void distillation(TrainConfig& config) {
  config.distill = true;
}
void bf16(TrainConfig& config) {
  config.dtype = "bfloat16";
}

class Resume : public TrainJob, public ::testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    TrainJob::SetUp();
    m_config.steps = 6;
    m_config.microBatch = 2;
    GetParam().apply(m_config);
  }
  /// Goes on with a run that stopped, to its end.
  TrainAnswer resumed(const TrainAnswer& cut) {
    EXPECT_EQ(cut.state, RunState::stopped);
    const auto answer = resumeTraining(cut.folder, {}, {});
    EXPECT_TRUE(answer) << answer.error().message;
    return answer.value();
  }
  static void expectSame(const TrainAnswer& a, const TrainAnswer& b) {
    EXPECT_EQ(a.state, RunState::done);
    EXPECT_EQ(a.steps, b.steps);
    EXPECT_EQ(a.loss, b.loss);
    EXPECT_EQ(weightsOf(a), weightsOf(b));
    for (const char* file : {"optimizer.safetensors", "state.json"})
      EXPECT_EQ(readText(a.checkpoint / file), readText(b.checkpoint / file)) << file;
  }
};

TEST_P(Resume, ARunStoppedAtTwoPlacesIsBitEqualToAnUninterruptedOne) {
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  ASSERT_EQ(whole->loss.size(), 6U);
  for (const auto& [first, second] : {std::pair{3, 2}, std::pair{1, 1}}) {
    SCOPED_TRACE(first);
    auto cut = startTraining(project(), m_config, stopAfter(first));
    ASSERT_TRUE(cut) << cut.error().message;
    EXPECT_EQ(cut->steps, first);
    cut = resumeTraining(cut->folder, {}, stopAfter(second));
    ASSERT_TRUE(cut) << cut.error().message;
    EXPECT_EQ(cut->steps, first + second);
    expectSame(resumed(*cut), *whole);
  }
}

TEST_P(Resume, ARunCutBeforeItsFirstCheckpointStartsOver) {
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  const auto unstarted = startTraining(project(), m_config, stopAfter(0));
  ASSERT_TRUE(unstarted) << unstarted.error().message;
  EXPECT_EQ(unstarted->steps, 0);
  expectSame(resumed(*unstarted), *whole);

  const auto killed = startTraining(project(), m_config, stopAfter(2));
  ASSERT_TRUE(killed) << killed.error().message;
  std::filesystem::remove_all(killed->folder / "checkpoints");
  expectSame(resumed(*killed), *whole);
}

TEST_P(Resume, AChildThatWasStoppedIsBitEqualToAChildThatWasNot) {
  m_config.steps = 3;
  const auto parent = startTraining(project(), m_config, {});
  ASSERT_TRUE(parent) << parent.error().message;
  m_config.steps = 4;
  m_config.lr = 5e-4;
  const auto whole = extendTraining(project(), parent->folder, m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  ASSERT_EQ(whole->loss.size(), 4U);
  for (const int steps : {0, 2}) {
    SCOPED_TRACE(steps);
    const auto cut = extendTraining(project(), parent->folder, m_config, stopAfter(steps));
    ASSERT_TRUE(cut) << cut.error().message;
    expectSame(resumed(*cut), *whole);
  }
}

INSTANTIATE_TEST_SUITE_P(Training, Resume,
                         ::testing::Values(Case{"Text", [](TrainConfig&) {}},

                                           Case{"PackedPairs", packed}, Case{"LoraWithDropout", lora},
                                           Case{"Distillation", distillation}, Case{"Bf16", bf16},
                                           Case{"AllAtOnce",
                                                [](TrainConfig& c) {
                                                  packed(c);
                                                  lora(c);
                                                  distillation(c);
                                                  bf16(c);
                                                  c.checkpointing = true;
                                                }}),
                         [](const auto& info) { return info.param.name; });

class ResumeEarlyStop : public TrainJob {
 protected:
  void SetUp() override {
    TrainJob::SetUp();
    m_config.steps = 60;
    m_config.schedule = "constant";
    m_config.warmup = 60;
    m_config.lr = 0.1;  // grows until training does harm
    m_config.clip = 0;
    m_config.evalData = m_config.data;
    m_config.evalRows = 4;
    m_config.evalEvery = 2;
    m_config.evalMaps = "full;stride:2";
    m_config.earlyStopPatience = 2;
    m_config.earlyStopMap = "stride:2";
  }
  void expectSame(const TrainAnswer& a, const TrainAnswer& b) {
    EXPECT_EQ(a.state, RunState::done);
    EXPECT_EQ(a.steps, b.steps);
    EXPECT_EQ(a.loss, b.loss);
    EXPECT_EQ(readBest(a.folder), readBest(b.folder));
    EXPECT_EQ(a.checkpoint.filename(), b.checkpoint.filename());
    EXPECT_EQ(weightsOf(a), weightsOf(b));
    EXPECT_EQ(evaluations(a.folder), evaluations(b.folder));
  }
};

TEST_F(ResumeEarlyStop, PatienceAndBestAreThoseOfAnUninterruptedRunWhereverItIsCut) {
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  ASSERT_LT(whole->steps, 60);
  ASSERT_GT(readBest(whole->folder).value(), 0);
  for (std::int64_t steps = 0; steps < whole->steps; steps += 3) {
    SCOPED_TRACE("cut after " + std::to_string(steps));
    const auto cut = startTraining(project(), m_config, stopAfter(steps));
    ASSERT_TRUE(cut) << cut.error().message;
    ASSERT_EQ(cut->state, RunState::stopped);
    const auto resumed = resumeTraining(cut->folder, {}, {});
    ASSERT_TRUE(resumed) << resumed.error().message;
    expectSame(*resumed, *whole);
  }
}

TEST_F(ResumeEarlyStop, ARunCutAfterEveryStepEndsWhereTheUninterruptedOneDoes) {
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  auto cut = startTraining(project(), m_config, stopAfter(0));
  ASSERT_TRUE(cut) << cut.error().message;
  while (cut->state == RunState::stopped && cut->steps < 60) {
    cut = resumeTraining(cut->folder, {}, stopAfter(1));
    ASSERT_TRUE(cut) << cut.error().message;
  }
  expectSame(*cut, *whole);
}

}  // namespace
}  // namespace strata::testing
