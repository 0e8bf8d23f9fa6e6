// Questions answered while a model trains: metrics and answers at each evaluation, always of the same sample, and
// nothing of the training changes by them.

#include "core/training/answer_scores.h"

#include <algorithm>
#include <set>

#include "core/base/json.h"
#include "core/evaluation/tasks.h"
#include "core/model/model.h"
#include "core/project/job_phase.h"
#include "core/project/run_reader.h"
#include "core/training/train_probe.h"
#include "job_fixture.h"

namespace strata::testing {
namespace {

class Answering : public TrainJob {
 protected:
  void SetUp() override {
    TrainJob::SetUp();
    std::string pairs, questions;
    for (int i = 0; i < 200; ++i) {
      // As questions are asked, so that a few steps teach it.
      pairs += R"({"prompt": "Context: Tom had a ball.\nQuestion: Who?\nAnswer:", "completion": " Tom\n"})";
      pairs += '\n';
    }
    for (int i = 0; i < kQuestions; ++i) {
      const std::string number = std::to_string(i);
      const std::string answer = i % 4 == 3 ? "Lily" : "Tom";
      questions += Json{{"id", "q" + number},
                        {"title", "t"},
                        {"context", answer + " had a ball."},
                        {"question", "Who?"},
                        {"answers", {{"text", {answer}}, {"answer_start", {0}}}}}
                       .dump() +
                   '\n';
    }
    writeText(m_folder.path() / "answers.jsonl", pairs);
    writeText(m_folder.path() / "questions.jsonl", questions);
    m_config.data = m_folder.path() / "answers.jsonl";
    m_config.evalData = m_folder.path() / "train.txt";
    m_config.evalRows = 4;
    m_config.evalQuestions = m_folder.path() / "questions.jsonl";
    m_config.evalQuestionsLimit = 6;
    m_config.evalEvery = 4;
    m_config.evalMaps = "full;stride:2";
  }

  static std::vector<std::pair<std::int64_t, double>> values(const TrainAnswer& run, const std::string& metric) {
    const RunDatabase database = RunDatabase::open(run.folder).value();
    std::vector<std::pair<std::int64_t, double>> found;
    const std::vector<Metric> metrics = database.metrics(metric).value();
    for (const Metric& each : metrics) found.emplace_back(each.step, each.value);
    return found;
  }
  static std::vector<std::int64_t> steps(const TrainAnswer& run, const std::string& metric) {
    std::vector<std::int64_t> found;
    for (const auto& point : values(run, metric)) found.push_back(point.first);
    return found;
  }
  static std::vector<RunAnswer> answers(const TrainAnswer& run, const std::string& map) {
    return RunReader::open(run.folder).value().answers(map, 0, 1000).value();
  }
  static std::set<std::string> asked(const TrainAnswer& run) {
    std::set<std::string> ids;
    for (const RunAnswer& answer : answers(run, "full")) ids.insert(answer.question);
    return ids;
  }
  TrainAnswer trained() {
    const auto answer = startTraining(project(), m_config, {});
    EXPECT_TRUE(answer) << answer.error().message;
    return answer.value();
  }

  static constexpr int kQuestions = 20;
};

TEST_F(Answering, ScoresAndIntervalsComeAtEachEvaluationUnderEachMap) {
  std::vector<EvaluationPoint> told;
  TrainHooks hooks;
  hooks.onEvaluation = [&](const EvaluationPoint& point) { told.push_back(point); };
  const auto run = startTraining(project(), m_config, hooks);
  ASSERT_TRUE(run) << run.error().message;
  ASSERT_EQ(told.size(), 6U);
  for (const char* map : {"full", "stride:2"}) {
    for (const char* name : {"nll", "f1", "f1_low", "f1_high", "em", "answer_nll"}) {
      EXPECT_EQ(steps(*run, std::string(name) + "/" + map), (std::vector<std::int64_t>{0, 4, 8})) << name;
    }
    const auto f1 = values(*run, std::string("f1/") + map), low = values(*run, std::string("f1_low/") + map),
               high = values(*run, std::string("f1_high/") + map);
    for (std::size_t i = 0; i < f1.size(); ++i) {
      EXPECT_LE(low[i].second, f1[i].second);
      EXPECT_LE(f1[i].second, high[i].second);
    }
    EXPECT_EQ(answers(*run, map).size(), 6U) << "those of the newest evaluation";
    for (const RunAnswer& answer : answers(*run, map)) EXPECT_EQ(answer.step, 8);
  }
  EXPECT_TRUE(told.front().nll && told.front().f1 && told.front().em);
}

TEST_F(Answering, TheAnswersAreThoseOfAnEvaluationOfTheCheckpoint) {
  m_config.steps = 30;
  m_config.evalEvery = 30;
  for (const int lora : {0, 4}) {
    SCOPED_TRACE(lora);
    m_config.lora = lora;
    m_config.lr = lora > 0 ? 1e-2 : 2e-3;
    const TrainAnswer run = trained();
    const ModelLocation location = locateModel(run.folder).value();
    OpenOptions open;
    open.path = location.folder;
    open.adapter = location.adapter;
    open.dtype = "float32";
    const QuestionSet sample =
        sampleQuestions(readQuestions(m_config.evalQuestions).value(), m_config.evalQuestionsLimit, m_config.seed)
            .value();
    std::map<std::string, TaskAnswer> expected;
    TaskHooks hooks;
    hooks.onAnswers = [&](const std::vector<TaskAnswer>& some) -> Result<void> {
      for (const TaskAnswer& each : some) expected[each.question] = each;
      return {};
    };
    const auto results =
        evaluateQuestions(Model::open(open).value(), parseMaps("stride:2", 5).value(), sample, {}, hooks);
    ASSERT_TRUE(results) << results.error().message;
    EXPECT_EQ(values(run, "f1/stride:2").back().second, results->front().metrics.at("f1"));
    EXPECT_NEAR(values(run, "answer_nll/stride:2").back().second, results->front().metrics.at("nll"), 1e-9);
    for (const RunAnswer& answer : answers(run, "stride:2")) {
      EXPECT_EQ(answer.answer, expected.at(answer.question).answer);
      EXPECT_EQ(answer.asked.text, "Who?");
      EXPECT_EQ(answer.asked.expected, expected.at(answer.question).asked.expected);
      EXPECT_EQ(answer.scores.at("f1"), expected.at(answer.question).scores.at("f1"));
    }
    EXPECT_GT(values(run, "f1/full").back().second, values(run, "f1/full").front().second) << "it learned to answer";
  }
}

TEST_F(Answering, TheSampleIsDrawnOnceByTheSeed) {
  m_config.steps = 1;
  const std::set<std::string> first = asked(trained());
  EXPECT_EQ(first.size(), 6U);
  m_config.lr = 1e-4;
  EXPECT_EQ(asked(trained()), first);
  m_config.seed = 2;
  EXPECT_NE(asked(trained()), first);
  m_config.evalQuestionsLimit = 0;
  EXPECT_EQ(asked(trained()).size(), static_cast<std::size_t>(kQuestions));
}

TEST_F(Answering, TrainingIsBitEqualWithAndWithoutQuestions) {
  const TrainAnswer with = trained();
  m_config.evalQuestions.clear();
  const TrainAnswer without = trained();
  EXPECT_EQ(with.loss, without.loss);
  EXPECT_EQ(weightsOf(with), weightsOf(without));
  EXPECT_EQ(evaluations(with.folder), evaluations(without.folder));
}

TEST_F(Answering, NoHeldOutDataAreNeeded) {
  m_config.evalData.clear();
  const TrainAnswer run = trained();
  EXPECT_EQ(steps(run, "f1/full"), (std::vector<std::int64_t>{0, 4, 8}));
  EXPECT_TRUE(values(run, "nll/full").empty());
  const auto probe = probeTraining(m_config);
  ASSERT_TRUE(probe) << probe.error().message;
  EXPECT_GT(probe->evaluationSeconds, 0) << "of the answers alone";
}

TEST_F(Answering, AStopInTheMiddleOfAnAnswerKeepsTheStepAndTheEvaluationIsDoneAgainOnResume) {
  const TrainAnswer whole = trained();
  for (const int within : {6, 40, 150}) {  // times that it was asked whether to go on
    SCOPED_TRACE(within);
    std::filesystem::path folder;
    std::int64_t done = 0;
    int askedToGoOn = 0;
    TrainHooks hooks;
    hooks.onStart = [&](const RunInfo& info, std::int64_t, std::int64_t) { folder = project().runsFolder() / info.id; };
    hooks.onStep = [&](const StepResult& step) { done = step.step + 1; };
    hooks.stop = [&] {
      const auto phase = readPhase(folder);
      return done == 4 && phase && phase->phase == JobPhase::evaluating && ++askedToGoOn >= within;
    };
    const auto cut = startTraining(project(), m_config, hooks);
    ASSERT_TRUE(cut) << cut.error().message;
    ASSERT_EQ(cut->state, RunState::stopped);
    EXPECT_EQ(askedToGoOn, within) << "it ends at once";
    EXPECT_EQ(cut->steps, 4);
    EXPECT_EQ(checkpointSteps(cut->folder), std::vector<std::int64_t>{4});
    for (const char* name : {"nll/full", "f1/full", "f1/stride:2"}) {
      EXPECT_EQ(steps(*cut, name), std::vector<std::int64_t>{0}) << name;
    }
    const auto resumed = resumeTraining(cut->folder, {}, {});
    ASSERT_TRUE(resumed) << resumed.error().message;
    EXPECT_EQ(resumed->loss, whole.loss);
    EXPECT_EQ(weightsOf(*resumed), weightsOf(whole));
    for (const char* name : {"f1/full", "f1_low/full", "f1_high/stride:2", "em/full", "answer_nll/stride:2"}) {
      EXPECT_EQ(values(*resumed, name), values(whole, name)) << name;
    }
  }
}

TEST_F(Answering, AnEarlyStopWatchesAScoreAndKeepsTheBestCheckpoint) {
  m_config.steps = 40;
  m_config.evalEvery = 1;
  m_config.schedule = "constant";
  m_config.warmup = 40;
  m_config.lr = 0.1;  // grows until training does harm
  m_config.clip = 0;
  m_config.earlyStopPatience = 6;
  m_config.earlyStopMap = "stride:2";
  for (const char* metric : {"f1", "em"}) {
    SCOPED_TRACE(metric);
    m_config.earlyStopMetric = metric;
    const TrainAnswer run = trained();
    const auto scores = values(run, std::string(metric) + "/stride:2");
    const auto best = std::max_element(scores.begin(), scores.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    ASSERT_NE(best, scores.end());
    EXPECT_GT(best->first, 0) << "it learns at first";
    EXPECT_LT(run.steps, 40);
    EXPECT_EQ(run.steps, best->first + 6);
    EXPECT_EQ(readBest(run.folder), best->first);
    EXPECT_EQ(run.checkpoint, checkpointFolder(run.folder, best->first));

    const auto cut = startTraining(project(), m_config, stopAfter(best->first + 2));
    ASSERT_TRUE(cut) << cut.error().message;
    const auto resumed = resumeTraining(cut->folder, {}, {});
    ASSERT_TRUE(resumed) << resumed.error().message;
    EXPECT_EQ(resumed->steps, run.steps) << "patience goes on where it was";
    EXPECT_EQ(readBest(resumed->folder), best->first);
  }
}

TEST_F(Answering, QuestionsThatCannotBeScoredAreRefusedBeforeTheRunBegins) {
  const auto refused = [&] {
    const auto answer = startTraining(project(), m_config, {});
    return answer ? "accepted" : answer.error().message;
  };
  m_config.evalTask = "hotpotqa";
  EXPECT_NE(refused().find("questions of SQuAD, not of HotpotQA"), std::string::npos) << refused();
  m_config.evalTask.clear();
  m_config.evalQuestions = m_folder.path() / "train.txt";
  EXPECT_NE(refused().find("train.txt"), std::string::npos) << refused();
  m_config.evalQuestions = m_folder.path() / "marco.jsonl";
  writeText(m_config.evalQuestions,
            R"({"query_id": 1, "query": "who", "answers": ["No Answer Present."], "passages": []})");
  EXPECT_NE(refused().find("none of which has a text and a known answer"), std::string::npos) << refused();
  EXPECT_FALSE(std::filesystem::exists(project().runsFolder()) && !std::filesystem::is_empty(project().runsFolder()));
}

}  // namespace
}  // namespace strata::testing
