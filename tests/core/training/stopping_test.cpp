// A run that is stopped while it evaluates or saves: what it does, what it keeps, and what it says that it is doing.

#include <algorithm>
#include <filesystem>

#include "core/project/job_phase.h"
#include "core/project/run_database.h"
#include "job_fixture.h"
#include "test_disk.h"

namespace strata::testing {
namespace {

class Stopping : public TrainJob {
 protected:
  void SetUp() override {
    TrainJob::SetUp();
    m_config.evalData = m_config.data;
    m_config.evalRows = 40;
    m_config.evalEvery = 2;
    m_config.evalMaps = "full;stride:2";
  }
  /// Hooks that learn the run's folder.
  TrainHooks hooks() {
    TrainHooks hooks;
    hooks.onStart = [this](const RunInfo& info, std::int64_t, std::int64_t) {
      m_run = project().runsFolder() / info.id;
    };
    return hooks;
  }
  std::optional<JobPhase> phase() const {
    const auto report = readPhase(m_run);
    return report ? std::optional(report->phase) : std::nullopt;
  }
  /// Stops at the second batch of the evaluation after `steps` steps.
  TrainHooks stopInEvaluation(std::int64_t steps) {
    TrainHooks all = hooks();
    all.onStep = [this](const StepResult& result) { m_done = result.step + 1; };
    all.stop = [this, steps] { return m_done == steps && phase() == JobPhase::evaluating && ++m_asked >= 2; };
    return all;
  }

  std::filesystem::path m_run;
  std::int64_t m_done = 0;
  int m_asked = 0;
};

TEST_F(Stopping, AnEvaluationEndsBetweenItsBatchesAndIsDoneAgainOnResume) {
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  for (const std::int64_t steps : {2, 8}) {  // in the middle of the run, and at its end
    SCOPED_TRACE(steps);
    m_done = m_asked = 0;
    const auto cut = startTraining(project(), m_config, stopInEvaluation(steps));
    ASSERT_TRUE(cut) << cut.error().message;
    EXPECT_EQ(cut->state, RunState::stopped);
    EXPECT_EQ(cut->steps, steps);
    EXPECT_EQ(m_asked, 2) << "of the 20 batches of both maps";
    EXPECT_EQ(checkpointSteps(cut->folder), std::vector<std::int64_t>{steps});
    for (const auto& [step, nll] : evaluations(cut->folder)) EXPECT_LT(step, steps) << "half an evaluation is stored";
    const auto resumed = resumeTraining(cut->folder, {}, {});
    ASSERT_TRUE(resumed) << resumed.error().message;
    EXPECT_EQ(resumed->state, RunState::done);
    EXPECT_EQ(resumed->loss, whole->loss);
    EXPECT_EQ(weightsOf(*resumed), weightsOf(*whole));
    EXPECT_EQ(evaluations(resumed->folder), evaluations(whole->folder));
  }
}

TEST_F(Stopping, AStopThatCameDuringAStepSavesWithoutEvaluating) {
  TrainHooks all = hooks();
  all.onStep = [&](const StepResult& result) {
    if (result.step == 1) writeText(m_run / "stop", "");
  };
  std::int64_t evaluated = -1;
  all.onEvaluation = [&](const EvaluationPoint& point) { evaluated = point.step; };
  const auto answer = startTraining(project(), m_config, all);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->state, RunState::stopped);
  EXPECT_EQ(checkpointSteps(answer->folder), std::vector<std::int64_t>{2});
  EXPECT_EQ(evaluated, 0);
}

TEST_F(Stopping, WhatIsDueIsSavedBeforeItIsEvaluated) {
  m_config.saveEvery = 4;
  TrainHooks all = hooks();
  std::vector<std::int64_t> before;
  all.onEvaluation = [&](const EvaluationPoint& point) {
    const auto saved = checkpointSteps(m_run);
    if (point.map == "full" && std::find(saved.begin(), saved.end(), point.step) != saved.end()) {
      before.push_back(point.step);
    }
  };
  ASSERT_TRUE(startTraining(project(), m_config, all));
  EXPECT_EQ(before, (std::vector<std::int64_t>{4, 8}));
  before.clear();
  m_config.saveEvery = 0;
  ASSERT_TRUE(startTraining(project(), m_config, all));
  EXPECT_EQ(before, std::vector<std::int64_t>{8}) << "the end is saved before its evaluation too";
}

TEST_F(Stopping, TheRunSaysWhatItIsDoing) {
  TrainHooks all = hooks();
  std::vector<JobPhase> stepping, evaluating, saving;
  const auto note = [&](std::vector<JobPhase>& seen) {
    ASSERT_TRUE(phase());
    seen.push_back(*phase());
  };
  all.onStep = [&](const StepResult&) { note(stepping); };
  all.onEvaluation = [&](const EvaluationPoint&) { note(evaluating); };
  {
    const OnWrite watched([&](const std::string& path, std::size_t) {
      if (isInCheckpoint(path)) note(saving);
      return 0;
    });
    ASSERT_TRUE(startTraining(project(), m_config, all));
  }
  const auto onlyOf = [](const std::vector<JobPhase>& seen, JobPhase phase) {
    return std::count(seen.begin(), seen.end(), phase) == static_cast<std::ptrdiff_t>(seen.size());
  };
  EXPECT_EQ(stepping.size(), 8U);
  EXPECT_TRUE(onlyOf(stepping, JobPhase::stepping));
  EXPECT_EQ(evaluating.size(), 10U);
  EXPECT_TRUE(onlyOf(evaluating, JobPhase::evaluating));
  EXPECT_GT(saving.size(), 3U);
  EXPECT_TRUE(onlyOf(saving, JobPhase::saving));
  EXPECT_FALSE(std::filesystem::exists(m_run / "phase")) << "it goes with the job";
}

TEST_F(Stopping, ARunThatWasKilledWhileItSavedDoesNotSaySoWhenItIsResumed) {
  const auto cut = startTraining(project(), m_config, stopAfter(2));
  ASSERT_TRUE(cut) << cut.error().message;
  writeText(cut->folder / "phase", "saving         \n");
  std::filesystem::remove(m_config.data);  // the loading fails: what is said while it loads?
  EXPECT_FALSE(resumeTraining(cut->folder, {}, {}));
  EXPECT_FALSE(readPhase(cut->folder));
}

TEST_F(Stopping, CheckpointsComeByTimeToo) {
  m_config.evalEvery = 0;
  m_config.evalData.clear();
  EXPECT_EQ(TrainConfig().saveMinutes, 10);
  const auto rarely = startTraining(project(), m_config, {});
  ASSERT_TRUE(rarely) << rarely.error().message;
  EXPECT_EQ(checkpointSteps(rarely->folder), std::vector<std::int64_t>{8});
  m_config.saveMinutes = 1e-9;
  for (const int saveEvery : {0, 5}) {
    m_config.saveEvery = saveEvery;
    const auto often = startTraining(project(), m_config, {});
    ASSERT_TRUE(often) << often.error().message;
    EXPECT_EQ(checkpointSteps(often->folder), (std::vector<std::int64_t>{7, 8}));
    EXPECT_EQ(weightsOf(*often), weightsOf(*rarely));
  }
}

}  // namespace
}  // namespace strata::testing
