// Runs: stop, extend, early stop, bad input; through real folders and databases.

#include "core/training/train_job.h"

#include <algorithm>
#include <cmath>

#include "core/base/files.h"
#include "core/project/run_database.h"
#include "core/training/train_state.h"
#include "job_fixture.h"

namespace strata::testing {
namespace {

TEST_F(TrainJob, MetricsTellTokensAndSecondsThatGoOnOverAResume) {
  const auto stopped = startTraining(project(), m_config, stopAfter(3));
  ASSERT_TRUE(stopped) << stopped.error().message;
  const auto timesOf = [&](const char* name) { return RunDatabase::open(stopped->folder)->metrics(name).value(); };
  const std::vector<Metric> before = timesOf("loss");
  ASSERT_EQ(before.size(), 3u);
  ASSERT_TRUE(resumeTraining(stopped->folder, {}, {}));
  const std::vector<Metric> loss = timesOf("loss"), steps = timesOf("step_s");
  ASSERT_EQ(loss.size(), 8u);
  EXPECT_EQ(loss[2].tokens, before[2].tokens);
  EXPECT_EQ(loss[2].seconds, before[2].seconds);
  double sum = 0;
  for (std::size_t i = 0; i < loss.size(); ++i) {
    sum += steps[i].value;
    EXPECT_GE(loss[i].seconds, sum) << "the clock stood still at step " << i + 1;
    EXPECT_GT(loss[i].tokens, i == 0 ? 0 : loss[i - 1].tokens);
    EXPECT_LE(loss[i].tokens, static_cast<std::int64_t>(i + 1) * m_config.batch * m_config.length);
  }
}

TEST_F(TrainJob, ARunOnTwoThreadsIsResumedBitEqualToo) {
  m_config.threads = 2;
  m_config.steps = 2;
  m_config.batch = 2;
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  auto cut = startTraining(project(), m_config, stopAfter(1));
  ASSERT_TRUE(cut) << cut.error().message;
  cut = resumeTraining(cut->folder, {}, {});
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_EQ(cut->loss, whole->loss);
  EXPECT_EQ(weightsOf(*cut), weightsOf(*whole));
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
  m_config.steps = 60;
  m_config.schedule = "constant";
  m_config.warmup = 60;
  m_config.lr = 0.1;  // the rate grows until training does harm: the best is neither the first nor the last
  m_config.clip = 0;
  m_config.evalData = m_config.data;
  m_config.evalRows = 4;
  m_config.evalEvery = 1;
  m_config.evalMaps = "full;stride:2";
  m_config.earlyStopPatience = 4;
  m_config.earlyStopMap = "stride:2";
  std::vector<EvaluationPoint> watched;
  TrainHooks hooks;
  hooks.onEvaluation = [&](const EvaluationPoint& point) {
    if (point.map == "stride:2") watched.push_back(point);
  };
  const auto answer = startTraining(project(), m_config, hooks);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->state, RunState::done);

  const auto best =
      std::min_element(watched.begin(), watched.end(), [](const auto& a, const auto& b) { return *a.nll < *b.nll; });
  ASSERT_NE(best, watched.end());
  EXPECT_GT(best->step, 0);
  EXPECT_EQ(watched.front().step, 0);
  EXPECT_EQ(answer->steps, best->step + 4);
  EXPECT_LT(answer->steps, 60);
  EXPECT_EQ(readBest(answer->folder), best->step);
  const auto kept = checkpointSteps(answer->folder);
  EXPECT_NE(std::find(kept.begin(), kept.end(), best->step), kept.end());
  const std::filesystem::path checkpoint = checkpointFolder(answer->folder, best->step);
  EXPECT_EQ(resolveCheckpoint(answer->folder, {}).value(), checkpoint);
  EXPECT_EQ(answer->checkpoint, checkpoint);

  // The kept weights are those that were evaluated: training from them starts at the best loss
  m_config.model = checkpoint;
  watched.clear();
  m_config.steps = 1;
  ASSERT_TRUE(startTraining(project(), m_config, hooks));
  EXPECT_EQ(watched.front().nll, best->nll);
}

TEST_F(TrainJob, DataThatChangedSinceTheCheckpointAreRefusedOnResume) {
  const auto cut = startTraining(project(), m_config, stopAfter(2));
  ASSERT_TRUE(cut) << cut.error().message;
  std::string text = readText(m_config.data);
  text[5] = 'x';
  writeText(m_config.data, text);
  const auto resumed = resumeTraining(cut->folder, {}, {});
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error().code, ErrorCode::invalidData);
  EXPECT_NE(resumed.error().message.find("train.txt"), std::string::npos);
}

TEST_F(TrainJob, AnotherChatTemplateIsTrainedOnAndStaysWithTheCheckpoint) {
  writeText(m_folder.path() / "talk.jsonl",
            R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello there"}]})");
  m_config.data = m_folder.path() / "talk.jsonl";
  m_config.steps = 1;
  m_config.length = 128;
  m_config.chatTemplate = m_folder.path() / "mine.jinja";
  writeText(m_config.chatTemplate, "{% for m in messages %}<{{ m.role }}> {{ m.content }}\n{% endfor %}");
  const auto mine = startTraining(project(), m_config, {});
  ASSERT_TRUE(mine) << mine.error().message;
  EXPECT_EQ(readText(mine->checkpoint / "chat_template.jinja"), readText(m_config.chatTemplate));
  m_config.chatTemplate.clear();
  const auto models = startTraining(project(), m_config, {});
  ASSERT_TRUE(models) << models.error().message;
  EXPECT_NE(models->loss, mine->loss);
  m_config.chatTemplate = m_folder.path() / "none.jinja";
  EXPECT_FALSE(startTraining(project(), m_config, {}));
}

TEST_F(TrainJob, ALoraTrainsWithoutWeightDecayUnlessItIsGiven) {
  m_config.steps = 1;
  const auto decayOf = [&](int lora, std::optional<double> given) {
    m_config.lora = lora;
    m_config.weightDecay = given;
    const auto answer = startTraining(project(), m_config, {});
    EXPECT_TRUE(answer) << answer.error().message;
    return readRun(answer->folder)->config["weight-decay"].get<double>();
  };
  EXPECT_EQ(decayOf(0, {}), 0.1);
  EXPECT_EQ(decayOf(2, {}), 0.0);
  EXPECT_EQ(decayOf(2, 0.1), 0.1) << "as runs of version 0.4 stored it";
  EXPECT_EQ(decayOf(0, 0.0), 0.0);
}

TEST_F(TrainJob, AnExtensionGoesOnInTheSameDataWhateverTheirPath) {
  m_config.data = std::filesystem::path(m_config.data).replace_extension("jsonl");
  m_config.steps = 3;
  const auto parent = startTraining(project(), m_config, {});
  ASSERT_TRUE(parent) << parent.error().message;
  const auto extended = [&] { return extendTraining(project(), parent->folder, m_config, {}).value(); };
  const TrainAnswer same = extended();
  const std::string original = m_config.data;
  m_config.data = m_folder.path() / "moved.jsonl";
  std::filesystem::copy(original, m_config.data);
  EXPECT_EQ(extended().loss, same.loss);

  // Other records under the old path: from their start, as a run does that begins with them.
  const std::string records = readText(original);
  const std::string changed = records.substr(records.find('\n') + 1);
  writeText(original, changed);
  writeText(m_config.data, changed);
  m_config.data = original;
  const TrainAnswer other = extended();
  m_config.data = m_folder.path() / "moved.jsonl";
  EXPECT_EQ(other.loss, extended().loss);
  const auto cursorOf = [](const TrainAnswer& answer) {
    return readJson(answer.checkpoint / "state.json").value()["cursor_row"].get<std::uint64_t>();
  };
  EXPECT_LT(cursorOf(other), cursorOf(same));
}

TEST_F(TrainJob, MetricsCountTrainedTokensAndTheShareOfPadding) {
  m_config.data = std::filesystem::path(m_config.data).replace_extension("jsonl");
  std::vector<StepResult> steps;
  TrainHooks hooks;
  hooks.onStep = [&](const StepResult& result) { steps.push_back(result); };
  const auto answer = startTraining(project(), m_config, hooks);
  ASSERT_TRUE(answer) << answer.error().message;
  const RunDatabase database = RunDatabase::open(answer->folder).value();
  const auto speeds = database.metrics("tokens_s").value(), seconds = database.metrics("step_s").value(),
             padding = database.metrics("padding").value();
  ASSERT_EQ(speeds.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(speeds[i].value * seconds[i].value, static_cast<double>(steps[i].trained), 1e-6);
    EXPECT_LT(steps[i].trained + steps[i].padding, steps[i].tokens) << "prompts are neither";
    EXPECT_DOUBLE_EQ(padding[i].value, static_cast<double>(steps[i].padding) / (4 * 32));
    EXPECT_LT(padding[i].value, 0.2);
  }
}

/// Takes from a run and its checkpoint what version 0.4 did not store.
void makeRunOf04(const TrainAnswer& answer) {
  const auto without = [](const std::filesystem::path& file, const std::vector<std::string>& names, bool inConfig) {
    Json json = readJson(file).value();
    for (const std::string& name : names) EXPECT_EQ((inConfig ? json["config"] : json).erase(name), 1U) << name;
    writeText(file, json.dump());
  };
  without(answer.folder / "run.json", {"pack-window", "save-minutes"}, true);
  const std::filesystem::path state = answer.checkpoint / "state.json", manifest = answer.checkpoint / "manifest.json";
  without(state, {"attempt", "waiting_rows"}, false);
  Json files = readJson(manifest).value();
  files["files"]["state.json"] = {{"bytes", std::filesystem::file_size(state)},
                                  {"sha256", sha256OfFile(state).value()}};
  writeText(manifest, files.dump());
}

TEST_F(TrainJob, ARunOfVersion04GoesOnWithItsPacking) {
  m_config.data = std::filesystem::path(m_config.data).replace_extension("jsonl");
  const auto wide = startTraining(project(), m_config, {});
  m_config.packWindow = 1;
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole && wide);
  EXPECT_NE(whole->loss, wide->loss);
  const auto cut = startTraining(project(), m_config, stopAfter(3));
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_EQ(readJson(cut->checkpoint / "state.json").value()["waiting_rows"], Json::array());
  makeRunOf04(*cut);
  const auto resumed = resumeTraining(cut->folder, {}, {});
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_EQ(resumed->loss, whole->loss);
  EXPECT_EQ(weightsOf(*resumed), weightsOf(*whole));
  EXPECT_EQ(readRun(resumed->folder)->config["pack-window"], 1);
}

TEST_F(TrainJob, RowsThatWaitInTheWindowAreStoredAndChecked) {
  m_config.data = std::filesystem::path(m_config.data).replace_extension("jsonl");
  writeText(m_folder.path() / "long.jsonl",
            readText(m_config.data) + R"({"prompt": "A ball", "completion": ")" + std::string(20, 'x') + "\"}\n");
  m_config.data = m_folder.path() / "long.jsonl";
  const auto cut = startTraining(project(), m_config, stopAfter(3));
  ASSERT_TRUE(cut) << cut.error().message;
  const std::filesystem::path file = cut->checkpoint / "state.json";
  const Json state = readJson(file).value();
  EXPECT_FALSE(state["waiting_rows"].empty());
  EXPECT_EQ(readCursor(cut->checkpoint)->waiting, state["waiting_rows"].get<std::vector<std::uint64_t>>());
  for (const Json& bad : {Json("x"), Json{3, 2}, Json{-1}, Json{2, 2}, Json{1u << 30}}) {
    Json changed = state;
    changed["waiting_rows"] = bad;
    writeText(file, changed.dump());
    ASSERT_FALSE(readCursor(cut->checkpoint)) << bad.dump();
    EXPECT_NE(readCursor(cut->checkpoint).error().message.find("waiting_rows"), std::string::npos);
  }
}

TEST_F(TrainJob, BadInputLeavesNoRunBehind) {
  m_config.data = m_folder.path() / "missing.txt";
  const auto answer = startTraining(project(), m_config, {});
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("missing.txt"), std::string::npos);
  EXPECT_TRUE(listRuns(project())->empty());
}

TEST_F(TrainJob, EpochsBecomeTheStepsThatTheDataMake) {
  m_config.data = m_folder.path() / "train.jsonl";
  m_config.steps = TrainConfig().steps;
  m_config.epochs = 0.1;
  const auto setup = prepareRun(m_config);
  ASSERT_TRUE(setup) << setup.error().message;
  EXPECT_EQ(setup->sequences, sequencesOfAnEpoch(*setup->data, m_config.seed, m_config.packWindow));
  EXPECT_EQ(setup->config.steps, static_cast<int>(std::ceil(0.1 * static_cast<double>(setup->sequences) / 4)));
  EXPECT_FALSE(setup->config.epochs);
  const auto run = startTraining(project(), m_config, {});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->steps, setup->config.steps);
  const Json stored = readRun(run->folder)->config;
  EXPECT_EQ(stored["steps"], run->steps);
  EXPECT_TRUE(stored["epochs"].is_null());
}

TEST(Epochs, AreRoundedUpToWholeSteps) {
  EXPECT_EQ(stepsOf(1, 64, 8), 8);
  EXPECT_EQ(stepsOf(1.5, 64, 8), 12);
  EXPECT_EQ(stepsOf(1, 65, 8), 9);
  EXPECT_EQ(stepsOf(0.1, 30, 1), 3);
  EXPECT_EQ(stepsOf(0.001, 30, 8), 1);
  EXPECT_FALSE(stepsOf(1e6, 1'000'000, 1));
}

}  // namespace
}  // namespace strata::testing
