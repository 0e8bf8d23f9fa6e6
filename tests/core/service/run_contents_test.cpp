// The table of runs and what is read of one, over real folders and databases.

#include "core/service/run_contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "core/config/train_config.h"
#include "core/project/run_database.h"
#include "core/protocol/columns.h"
#include "core/service/job_board.h"
#include "support.h"

namespace strata {
namespace {

using strata::testing::TemporaryFolder;
using strata::testing::writeText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

protocol::ReadSeries::Params query(std::vector<std::string> names, std::int64_t buckets = 1000) {
  protocol::ReadSeries::Params params;
  params.names = std::move(names);
  params.buckets = buckets;
  return params;
}
protocol::ReadSeries::Params query(std::vector<std::string> names, const char* x, double from, double to) {
  protocol::ReadSeries::Params params = query(std::move(names));
  params.x = x;
  params.from = from;
  params.to = to;
  return params;
}

std::vector<double> numbers(const std::string& column) {
  const auto decoded = protocol::decodeColumn(column);
  EXPECT_TRUE(decoded) << column;
  return decoded.value_or(std::vector<double>());
}

struct Contents : ::testing::Test {
  TemporaryFolder temporary;
  Project project = *Project::openOrCreate(temporary.path() / "project");

  fs::path makeRun(const char* kind = "train", const Json& config = Json::object(),
                   RunState state = RunState::done) const {
    strata::Result<strata::Run> run = strata::Run::create(project, kind, config);
    EXPECT_TRUE(run->setState(state));
    return run->folder();
  }
  static void measure(const fs::path& run, const std::vector<Metric>& metrics) {
    auto database = *RunDatabase::open(run);
    for (const Metric& metric : metrics) ASSERT_TRUE(database.addMetric(metric));
  }
  JobBoard board() const {
    return {{project.folder(), "/nonexistent"}, Notifier([](const std::string&, const Json&) {})};
  }
};

TEST_F(Contents, ARowOfTheTableTellsWhatTheRunIsAndHowGoodItGot) {
  const fs::path train = makeRun("train", {{"model", "/models/base/"},
                                           {"data", "/data/train.txt"},
                                           {"steps", 20},
                                           {"lora", 16},
                                           {"sampler", "window:4"},
                                           {"p-cross", .25}});
  measure(train, {{1, "loss", 3, 100, 1.5}, {2, "loss", 2, 200, 3}, {1, "nll/full", 2, 100, 1.5}, {2, "nll/full", 4}});
  const fs::path eval = makeRun("eval", {{"model", "base"}, {"task", "squad"}, {"data", "dev.json"}});
  measure(eval, {{0, "f1/full", .5, 0, 9}, {8, "done", 8, 0, 4}, {8, "seconds", 4, 0, 4}});
  JobBoard jobs = board();
  const auto listed = jobs.list({});
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->jobs.size(), 2u);
  const auto named = [&](const fs::path& run) {
    return *std::find_if(listed->jobs.begin(), listed->jobs.end(),
                         [&](const auto& job) { return job.id == run.filename(); });
  };
  const protocol::JobInfo one = named(train);
  EXPECT_EQ(one.title, "base on train.txt");
  EXPECT_EQ(one.model, "/models/base/");
  EXPECT_EQ(one.data, "/data/train.txt");
  EXPECT_EQ(one.method, "LoRA r=16");
  EXPECT_EQ(one.sampler, "window:4");
  EXPECT_EQ(one.pCross, .25);
  EXPECT_EQ(one.seconds, 3);
  EXPECT_EQ(one.best, (std::vector<protocol::Score>{{"nll/full", 2}}));
  const protocol::JobInfo other = named(eval);
  EXPECT_EQ(other.title, "base, squad on dev.json");
  EXPECT_EQ(other.task, "squad");
  EXPECT_EQ(other.method, "");
  EXPECT_EQ(other.seconds, 4);
  EXPECT_EQ(other.best, (std::vector<protocol::Score>{{"f1/full", .5}}));
}

TEST_F(Contents, ASeriesTellsWhereEachBucketLiesOnEveryAxis) {
  const fs::path run = makeRun();
  measure(run, {{1, "loss", 3, 100, 1.5}, {2, "loss", 2, 200, 3}, {3, "loss", 1, 350, 4.5}});
  const auto answer = readSeries(run, query({"loss"}, 2));
  ASSERT_TRUE(answer) << answer.error().message;
  const auto column = [](const std::string& text) { return *protocol::decodeColumn(text); };
  const protocol::SeriesBuckets& loss = answer->series.at(0);
  EXPECT_EQ(column(loss.step), (std::vector<double>{2, 3}));
  EXPECT_EQ(column(loss.tokens), (std::vector<double>{200, 350}));
  EXPECT_EQ(column(loss.seconds), (std::vector<double>{3, 4.5}));
  EXPECT_EQ(column(loss.x), column(loss.step));
}

TEST_F(Contents, EventsComeTheNewestFirstAndAreCounted) {
  const fs::path run = makeRun();
  EXPECT_EQ(readEvents(run, {})->total, 0) << "before it has begun";
  {
    auto database = RunDatabase::open(run);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->addEvent(10, "checkpoint", ""));
    ASSERT_TRUE(database->addEvent(12, "skipped", "Not a number."));
    ASSERT_TRUE(database->flush());
  }
  const auto answer = readEvents(run, {.id = {}, .count = 1});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->total, 2);
  ASSERT_EQ(answer->events.size(), 1u);
  EXPECT_EQ(answer->events[0].step, 12);
  EXPECT_EQ(answer->events[0].kind, "skipped");
  EXPECT_EQ(answer->events[0].text, "Not a number.");
  EXPECT_GT(answer->events[0].time, 1.7e9);
}

TEST_F(Contents, ARunIsExportedIntoTheProjectsExportsUnlessAPathIsGiven) {
  const fs::path run = makeRun();
  measure(run, {{1, "loss", 3, 100, 1.5}, {2, "loss", 2, 200, 3}});
  const auto csv = exportRun(run, {});
  ASSERT_TRUE(csv) << csv.error().message;
  EXPECT_EQ(csv->points, 2);
  EXPECT_EQ(csv->path, (project.folder() / "exports" / (run.filename().string() + ".csv")).string());
  EXPECT_TRUE(fs::is_regular_file(csv->path));
  const auto events = exportRun(run, {.id = {}, .format = "tensorboard", .path = {}});
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(events->path, (project.folder() / "exports/tensorboard" / run.filename()).string());
  EXPECT_FALSE(fs::is_empty(events->path));
  const auto named = exportRun(run, {.id = {}, .format = "csv", .path = "loss.csv"});
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_TRUE(fs::is_regular_file(project.folder() / "loss.csv"));
  const auto refused = exportRun(run, {.id = {}, .format = "png", .path = {}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("csv or tensorboard"));
}

TEST_F(Contents, ARunIsNotExportedThroughALink) {
  const fs::path run = makeRun();
  measure(run, {{1, "loss", 3, 100, 1.5}});
  fs::create_directory(temporary.path() / "elsewhere");
  fs::create_directory_symlink(temporary.path() / "elsewhere", project.folder() / "exports");
  EXPECT_FALSE(exportRun(run, {}));
  EXPECT_TRUE(fs::is_empty(temporary.path() / "elsewhere"));
}

TEST_F(Contents, TheTableComesByPagesAndByKind) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(makeRun(i % 2 == 0 ? "train" : "eval").filename());
  std::sort(ids.rbegin(), ids.rend());
  JobBoard jobs = board();
  const auto page = jobs.list({.from = 1, .count = 2, .kind = {}});
  EXPECT_EQ(page->total, 5);
  ASSERT_EQ(page->jobs.size(), 2u);
  EXPECT_EQ(page->jobs[0].id, ids[1]);
  EXPECT_EQ(page->jobs[1].id, ids[2]);
  EXPECT_TRUE(jobs.list({.from = 9, .kind = {}})->jobs.empty());
  const auto evaluations = jobs.list({.kind = "eval"});
  EXPECT_EQ(evaluations->total, 2);
  for (const auto& job : evaluations->jobs) EXPECT_EQ(job.kind, "eval");
  EXPECT_THAT(jobs.list({.kind = "dance"}).error().message, HasSubstr("dance"));
}

TEST_F(Contents, ADamagedDatabaseHidesNoOtherRun) {
  const fs::path broken = makeRun("train", {{"model", "m"}}), cut = makeRun(), good = makeRun();
  measure(good, {{1, "loss", 2, 10, 1}});
  writeText(broken / "run.sqlite", std::string(5000, 'x'));
  writeText(cut / "run.sqlite", "SQLite format 3");
  JobBoard jobs = board();
  const auto listed = jobs.list({});
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_EQ(listed->jobs.size(), 3u);
  EXPECT_TRUE(std::any_of(listed->jobs.begin(), listed->jobs.end(), [](const auto& job) { return job.loss == 2.0; }));
  EXPECT_THAT(readSeries(broken, query({"loss"})).error().message, HasSubstr("run.sqlite"));
  EXPECT_FALSE(readAnswers(broken, {}));
  EXPECT_TRUE(readSeries(good, query({"loss"})));
}

TEST_F(Contents, ADatabaseThatIsALinkIsNotRead) {
  const fs::path other = makeRun(), run = makeRun();
  measure(other, {{1, "loss", 2}});
  fs::create_symlink(other / "run.sqlite", run / "run.sqlite");
  EXPECT_THAT(readSeries(run, query({"loss"})).error().message, HasSubstr("is a symbolic link"));
}

TEST_F(Contents, AnUnchangedRunIsNotReadAgain) {
  const fs::path run = makeRun();
  measure(run, {{1, "loss", 2}});
  JobBoard jobs = board();
  EXPECT_EQ(jobs.list({})->jobs.front().loss, 2.0);
  measure(run, {{2, "loss", 7}});  // by nobody who would say so
  EXPECT_EQ(jobs.list({})->jobs.front().loss, 2.0);
  ASSERT_TRUE(strata::Run::reopen(run)->setState(RunState::stopped));
  EXPECT_EQ(jobs.list({})->jobs.front().loss, 7.0);
}

TEST_F(Contents, ANewEngineReadsOnlyTheRunsThatHaveChanged) {
  const fs::path kept = makeRun(), changed = makeRun(), removed = makeRun();
  for (const fs::path& run : {kept, changed, removed}) measure(run, {{1, "loss", 2}});
  const auto lossOf = [](JobBoard& jobs, const fs::path& run) {
    const auto listed = jobs.list({});
    for (const protocol::JobInfo& job : listed->jobs) {
      if (job.id == run.filename()) return job.loss.value_or(-1);
    }
    return -2.0;
  };
  {
    JobBoard jobs = board();
    EXPECT_EQ(lossOf(jobs, kept), 2);
  }
  for (const fs::path& run : {kept, changed}) measure(run, {{2, "loss", 7}});
  ASSERT_TRUE(strata::Run::reopen(changed)->setState(RunState::stopped));
  fs::remove_all(removed);
  for (int engine = 0; engine < 2; ++engine) {
    JobBoard jobs = board();
    EXPECT_EQ(lossOf(jobs, kept), 2) << "it was read again";
    EXPECT_EQ(lossOf(jobs, changed), 7);
    EXPECT_EQ(lossOf(jobs, removed), -2);
  }
  // What the index holds is only a copy.
  fs::remove(project.folder() / "project.sqlite");
  fs::remove(project.folder() / "project.sqlite-wal");
  fs::remove(project.folder() / "project.sqlite-shm");
  JobBoard jobs = board();
  EXPECT_EQ(lossOf(jobs, kept), 7);
}

TEST_F(Contents, AnIndexThatIsDamagedIsNotNeeded) {
  const fs::path run = makeRun();
  measure(run, {{1, "loss", 2}});
  writeText(project.folder() / "project.sqlite", std::string(5000, 'x'));
  JobBoard jobs = board();
  EXPECT_EQ(jobs.list({})->jobs.front().loss, 2.0);
}

TEST_F(Contents, ARunTellsItsConfigurationAndTheCommandThatMakesSuchARun) {
  TrainConfig config;
  config.model = "/models/my base";
  config.data = "/data/train.txt";
  config.steps = 20;
  config.lora = 16;
  const fs::path parent = makeRun("train", configToJson(config));
  const std::string project = " --project " + this->project.folder().string();
  const auto told = readConfig(parent);
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_EQ(told->kind, "train");
  EXPECT_EQ(told->config, configToJson(config));
  EXPECT_EQ(told->command,
            "strata train" + project + " --model '/models/my base' --data /data/train.txt --lora 16 --steps 20");

  config.steps = 50;
  const fs::path extended =
      strata::Run::create(this->project, "train", configToJson(config), parent.filename())->folder();
  EXPECT_EQ(readConfig(extended)->command,
            "strata train" + project + " --extend " + parent.filename().string() + " --steps 50");
  fs::remove_all(parent);
  EXPECT_EQ(readConfig(extended)->command, "");

  const fs::path eval =
      makeRun("eval", {{"model", "base"}, {"task", "squad"}, {"data", "dev.json"}, {"maps", {"full", "stride:2"}}});
  EXPECT_EQ(readConfig(eval)->command,
            "strata eval" + project + " base --data dev.json --task squad --maps full --maps stride:2");
  EXPECT_EQ(readConfig(eval)->config["device"], "cpu");
  const fs::path search = makeRun("search", {{"model", "base"}, {"text", "a.txt"}, {"retention", .5}, {"seed", 1}});
  EXPECT_EQ(readConfig(search)->command, "strata search" + project + " base --text a.txt --retention 0.5");
  const fs::path matrix = makeRun("sensitivity", {{"model", "base"}, {"text", "a.txt"}, {"tokens", 100}});
  EXPECT_EQ(readConfig(matrix)->command, "strata sensitivity" + project + " base --text a.txt --tokens 100");
  const fs::path other = makeRun("magic", {{"owners", 6}});
  EXPECT_EQ(readConfig(other)->config, (Json{{"owners", 6}}));
  EXPECT_EQ(readConfig(other)->command, "");
}

TEST_F(Contents, SeriesComeAsColumnsAndAtFullZoomAsThePoints) {
  const fs::path run = makeRun();
  EXPECT_TRUE(readSeries(run, query({}))->names.empty()) << "it has no database yet";
  std::vector<Metric> metrics;
  for (int step = 1; step <= 1000; ++step) {
    metrics.push_back({step, "loss", step == 500 ? std::nan("") : std::sin(step), 4 * step, step / 8.0});
    metrics.push_back({step, "lr", 1.0 / step, 4 * step, step / 8.0});
  }
  measure(run, metrics);
  EXPECT_THAT(readSeries(run, query({}))->names, ElementsAre("loss", "lr"));
  const auto all = readSeries(run, query({"lr", "loss", "none"}, 10));
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->series.size(), 3u);
  EXPECT_EQ(all->series[0].name, "lr");
  EXPECT_THAT(numbers(all->series[0].x), ElementsAre(128, 256, 384, 512, 640, 768, 896, 1000));
  EXPECT_EQ(numbers(all->series[0].max).front(), 1);
  EXPECT_EQ(numbers(all->series[0].min).front(), 1.0 / 128);
  EXPECT_EQ(numbers(all->series[0].last).back(), 1.0 / 1000);
  EXPECT_EQ(numbers(all->series[0].count).back(), 1000 - 896);
  EXPECT_EQ(all->series[2].x, "");
  const auto points = readSeries(run, query({"loss"}, "seconds", 62.25, 62.75));
  EXPECT_THAT(numbers(points->series[0].x), ElementsAre(62.25, 62.375, 62.5, 62.625, 62.75));
  const auto values = numbers(points->series[0].last);
  EXPECT_EQ(values[0], std::sin(498));
  EXPECT_TRUE(std::isnan(values[2]));
}

TEST_F(Contents, WhatDoesNotFitIntoAnAnswerIsNamed) {
  const fs::path run = makeRun();
  std::vector<Metric> metrics;
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.push_back("metric" + std::to_string(i));
  for (int step = 1; step <= 2000; ++step) {
    for (const std::string& name : names) metrics.push_back({step, name, 1});
  }
  measure(run, metrics);
  std::size_t answers = 0;
  std::vector<std::string> left = names, found;
  for (; !left.empty(); ++answers) {
    const auto some = readSeries(run, query(left, 4096));
    ASSERT_TRUE(some);
    ASSERT_FALSE(some->series.empty());
    EXPECT_LE(configToJson(*some).dump().size(), (256u << 10) + 1000);
    for (const auto& each : some->series) found.push_back(each.name);
    left = some->left;
  }
  EXPECT_EQ(found, names);
  EXPECT_EQ(answers, 5u) << "each is larger than half an answer";
}

TEST_F(Contents, WrongParametersAreNamedInASentence) {
  const fs::path run = makeRun();
  measure(run, {{1, "loss", 2}});
  EXPECT_EQ(readSeries(run, query({"loss"}, "time", 0, 1)).error().message,
            "x is \"time\"; give step, tokens or seconds.");
  EXPECT_THAT(readSeries(run, query({"loss"}, "step", 3, 2)).error().message, HasSubstr("from"));
  EXPECT_THAT(readSeries(run, query(std::vector<std::string>(300, "loss"))).error().message, HasSubstr("at most 256"));
}

TEST_F(Contents, TellWhatEachLayerBorrowedInTheStepsThatAreDone) {
  const std::string model = strata::testing::sourceFolder() / "resources/models/stories260K";
  const Json config = {
      {"model", model}, {"data", "train.txt"}, {"steps", 400}, {"sampler", "rd-cla:2"}, {"p-cross", .5}};
  const fs::path run = makeRun("train", config);
  EXPECT_EQ(readBorrowed(run)->steps, 0) << "it has not begun";
  measure(run, {{1, "loss", 3, 100, 1.5}, {200, "loss", 2, 200, 3}});
  const auto borrowed = readBorrowed(run);
  ASSERT_TRUE(borrowed) << borrowed.error().message;
  EXPECT_EQ(borrowed->steps, 200);
  EXPECT_EQ(borrowed->counted, 200);
  ASSERT_EQ(borrowed->share.size(), 5u);
  EXPECT_EQ(borrowed->share[2], 0) << "every second layer always owns";
  EXPECT_NEAR(borrowed->share[1], .5, .1);
  EXPECT_NEAR(borrowed->share[3], .5, .1);
  const auto refused = readBorrowed(makeRun("eval"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is no training run"));
}

TEST_F(Contents, AnswersComeByPagesOfAtMost256KiB) {
  const fs::path run = makeRun("eval");
  {
    auto database = *RunDatabase::open(run);
    for (int i = 100; i < 200; ++i) {
      ASSERT_TRUE(database.addAnswer(
          {"full", "q" + std::to_string(i), std::string(5000, 'a'), {{"f1", i / 200.0}}, {"Which?", "this one"}}));
    }
  }
  EXPECT_THAT(readAnswers(run, {})->maps, ElementsAre("full"));
  std::int64_t from = 0;
  int pages = 0;
  for (; from < 100; ++pages) {
    const auto page = readAnswers(run, {.id = {}, .map = "full", .from = from});
    ASSERT_TRUE(page) << page.error().message;
    ASSERT_FALSE(page->answers.empty());
    EXPECT_EQ(page->total, 100);
    EXPECT_EQ(page->answers.front().question, "q" + std::to_string(100 + from));
    EXPECT_EQ(page->answers.front().text, "Which?");
    EXPECT_EQ(page->answers.front().expected, "this one");
    EXPECT_EQ(page->answers.front().scores, (std::vector<protocol::Score>{{"f1", (100 + from) / 200.0}}));
    EXPECT_LE(configToJson(*page).dump().size(), (256u << 10) + 10000);
    from += static_cast<std::int64_t>(page->answers.size());
  }
  EXPECT_EQ(from, 100);
  EXPECT_EQ(pages, 2);
}

}  // namespace
}  // namespace strata
