// eval/* and reports/*: what evaluations left in their runs, alone, in pairs and as reports.

#include <gmock/gmock.h>

#include <algorithm>

#include "core/base/base64.h"
#include "core/base/files.h"
#include "core/project/project.h"
#include "core/project/run_database.h"
#include "project_fixture.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class EvaluationMethods : public ProjectMethods {
 protected:
  EvaluationMethods() {
    openNew();
    Json rows = Json::array();
    for (int i = 0; i < kQuestions; ++i) {
      rows.push_back({{"id", idOf(i)},
                      {"title", "Article " + std::to_string(i / 4)},
                      {"context", "Lily saw " + std::to_string(i) + " birds."},
                      {"question", "How many birds, " + std::to_string(i) + "?"},
                      {"answers", {{"text", {std::to_string(i)}}, {"answer_start", {9}}}}});
    }
    std::string text;
    for (const Json& row : rows) text += row.dump() + "\n";
    writeText(data, text);
  }
  static std::string idOf(int i) { return "q" + std::to_string(100 + i); }

  Json config(const std::string& of) const {
    return {{"model", of}, {"task", "squad"}, {"data", data.string()}, {"maps", {"full", "stride:2"}}};
  }
  /// An evaluation as its job leaves it: under the full map right where `right`, under stride:2 never.
  std::string evaluation(const std::string& of, const std::function<bool(int)>& right, bool done = true) {
    auto run = strata::Run::create(*Project::open(folder() / "project"), "eval", config(of));
    EXPECT_TRUE(run);
    {
      auto database = *RunDatabase::open(run->folder());
      for (const char* map : {"full", "stride:2"}) {
        for (int i = 0; i < kQuestions; ++i) {
          const bool good = map[0] == 'f' && right(i);
          RunQuestion asked{"How many birds, " + std::to_string(i) + "?", std::to_string(i)};
          asked.context = "Lily saw " + std::to_string(i) + " birds.";
          asked.cluster = "Article " + std::to_string(i / 4);
          asked.references = {std::to_string(i)};
          asked.answerable = i % 5 != 0;
          EXPECT_TRUE(database.addAnswer({map,
                                          idOf(i),
                                          good ? std::to_string(i) : "many",
                                          {{"em", good}, {"f1", good}, {"nll", good ? 1. : 2.}, {"tokens", 2}},
                                          asked}));
        }
      }
      EXPECT_TRUE(database.addMetric({2 * kQuestions, "done", 2 * kQuestions, 0, 4}));
    }
    Json results = {{"task", "squad"}, {"model_hash", of}, {"data_hash", "d"}, {"results", Json::array()}};
    for (const Json& src : {Json{0, 1, 2, 3, 4}, Json{0, 0, 2, 2, 4}}) {
      const bool full = src[1] == 1;
      results["results"].push_back({{"map", full ? "full" : "stride:2"},
                                    {"src", src},
                                    {"n", kQuestions},
                                    {"seconds", 2},
                                    {"kv_bytes_per_token", full ? 1280 : 768},
                                    {"f1", .5},
                                    {"em", .5},
                                    {"nll", 1.5}});
    }
    if (done) writeText(run->folder() / "results.json", results.dump());
    EXPECT_TRUE(run->setState(done ? RunState::done : RunState::stopped));
    return run->info().id;
  }
  static Json side(const std::string& run, const char* map) { return {{"run", run}, {"map", map}}; }
  static bool even(int i) { return i % 2 == 0; }
  static bool threes(int i) { return i % 3 == 0; }

  static constexpr int kQuestions = 24;
  fs::path data = folder() / "questions.jsonl";
  std::string stories = model("stories260K");
};

TEST_F(EvaluationMethods, ResultsHaveAnIntervalForEachScoreAndMap) {
  const Json answer = this->answer("eval/results", {{"run", evaluation(stories, even)}});
  EXPECT_EQ(answer["metric"], "f1");
  EXPECT_EQ(answer["exact"], "em");
  ASSERT_EQ(answer["maps"].size(), 2u);
  const Json& full = answer["maps"][0];
  EXPECT_EQ(full["retention"], 1.0);
  EXPECT_EQ(full["kv_bytes_per_token"], 1280);
  EXPECT_EQ(full["n"], kQuestions);
  EXPECT_EQ(full["scores"][0]["metric"], "f1");
  EXPECT_EQ(full["scores"][0]["value"], .5);
  EXPECT_LT(full["scores"][0]["low"], .5);
  EXPECT_GT(full["scores"][0]["high"], .5);
  EXPECT_EQ(answer["maps"][1]["scores"][0]["value"], 0.0);
}

TEST_F(EvaluationMethods, AnEvaluationThatStoppedIsReadAsFarAsItIs) {
  const std::string run = evaluation(stories, even, false);
  const Json answer = this->answer("eval/results", {{"run", run}});
  EXPECT_EQ(answer["state"], "stopped");
  EXPECT_EQ(answer["done"], 2 * kQuestions);
  EXPECT_EQ(answer["maps"][0]["scores"][0]["value"], .5);
  EXPECT_EQ(answer["maps"][0]["retention"], 0.0) << "not known yet";
  const Json pairs = this->answer("eval/compare", {{"a", side(run, "full")}, {"b", {side(run, "stride:2")}}});
  EXPECT_EQ(pairs["pairs"][0]["difference"], -.5);
}

TEST_F(EvaluationMethods, SidesAreComparedQuestionByQuestion) {
  const std::string a = evaluation(stories, even), b = evaluation(stories, threes);
  const Json answer =
      this->answer("eval/compare", {{"a", side(a, "full")}, {"b", {side(b, "full"), side(b, "stride:2")}}});
  ASSERT_EQ(answer["pairs"].size(), 2u);
  const Json& pair = answer["pairs"][0];
  EXPECT_NEAR(pair["difference"].get<double>(), 8. / 24 - .5, 1e-12);
  EXPECT_EQ(pair["clusters"], 6);
  EXPECT_EQ(pair["only_a"], 8) << "even and no multiple of three";
  EXPECT_EQ(pair["only_b"], 4);
  EXPECT_LE(pair["p"], pair["adjusted_p"]);
  EXPECT_THAT(pair["hint"].get<std::string>(), HasSubstr("24"));
}

TEST_F(EvaluationMethods, SamplesAreFilteredSearchedAndComeByPages) {
  const std::string a = evaluation(stories, even), b = evaluation(stories, threes);
  const Json both = {{"a", side(a, "full")}, {"b", side(b, "full")}};
  const auto list = [&](Json more) {
    more.update(both);
    return answer("eval/samples", more);
  };
  const Json all = list({{"count", 10}});
  EXPECT_EQ(all["all"], kQuestions);
  EXPECT_EQ(all["only_a"], 8);
  EXPECT_EQ(all["only_b"], 4);
  EXPECT_EQ(all["both_right"], 4);
  EXPECT_EQ(all["both_wrong"], 8);
  EXPECT_EQ(all["unanswerable"], 5);
  EXPECT_EQ(all["samples"].size(), 10u);
  EXPECT_EQ(all["next"], 10);
  EXPECT_EQ(list({{"from", 20}})["next"], 0);
  const Json flips = list({{"filter", "only_b"}});
  EXPECT_EQ(flips["total"], 4);
  for (const Json& each : flips["samples"]) EXPECT_EQ(each["answer_a"], "many");
  EXPECT_EQ(list({{"search", "BIRDS, 7?"}})["total"], 1);
  EXPECT_THAT(refusal("eval/samples", {{"a", side(a, "full")}, {"b", side(b, "full")}, {"filter", "odd"}}),
              HasSubstr("only_a"));
}

TEST_F(EvaluationMethods, AQuestionComesWholeAndKeepsItsNoteForAllEvaluationsOfTheData) {
  const std::string a = evaluation(stories, even), b = evaluation(stories, threes);
  answer("eval/annotate", {{"run", a}, {"id", "q107"}, {"note", "Count again."}});
  const Json sample = answer("eval/sample", {{"run", b}, {"id", "q107"}});
  EXPECT_EQ(sample["note"], "Count again.");
  EXPECT_EQ(sample["context"], "Lily saw 7 birds.");
  EXPECT_EQ(sample["references"], Json({"7"}));
  EXPECT_EQ(sample["prompt"], "Context: Lily saw 7 birds.\nQuestion: How many birds, 7?\nAnswer:");
  EXPECT_EQ(sample["stop"], Json({"\n"}));
  answer("eval/annotate", {{"run", a}, {"id", "q107"}, {"note", ""}});
  EXPECT_EQ(answer("eval/sample", {{"run", b}, {"id", "q107"}})["note"], "");
  EXPECT_THAT(refusal("eval/sample", {{"run", b}, {"id", "q9"}}), HasSubstr("did not ask"));
}

TEST_F(EvaluationMethods, TheMatrixHasTheNewestOfEachModelAndMap) {
  // Ids are by the second and then by chance.
  const std::string newest = std::max(evaluation(stories, even), evaluation(stories, threes)),
                    other = evaluation("another", even);
  const Json answer = this->answer("eval/matrix", {{"task", "squad"}, {"data", ""}});
  EXPECT_EQ(answer["metric"], "f1");
  ASSERT_EQ(answer["cells"].size(), 4u);
  for (const Json& cell : answer["cells"]) EXPECT_EQ(cell["run"], cell["model"] == "another" ? other : newest);
  EXPECT_TRUE(this->answer("eval/matrix", {{"task", "nq"}, {"data", ""}})["cells"].empty());
  const std::string fromProject = "../" + data.filename().string();
  EXPECT_EQ(this->answer("eval/matrix", {{"task", "squad"}, {"data", fromProject}})["cells"].size(), 4u);
}

TEST_F(EvaluationMethods, APlanSaysWhatItWouldTakeAndCouldShow) {
  evaluation(stories, even);
  Json wanted = config(stories);
  wanted["limit"] = 12;
  const Json plan = answer("eval/plan", {{"config", wanted}});
  EXPECT_EQ(plan["available"], kQuestions);
  EXPECT_EQ(plan["questions"], 12);
  EXPECT_NEAR(plan["seconds"].get<double>(), 2. / kQuestions * 2 * 12, 1e-9);
  EXPECT_GT(plan["detectable"], .1);
  EXPECT_THAT(plan["prompt"].get<std::string>(), HasSubstr("Lily saw 0 birds."));
}

TEST_F(EvaluationMethods, AReportIsWrittenListedReadAndThrownAway) {
  const std::string a = evaluation(stories, even), b = evaluation(stories, threes);
  const Json written = answer("reports/write", {{"runs", {a, b}}, {"formats", {"md", "html"}}, {"name", "first"}});
  EXPECT_EQ(written["formats"], Json({"html", "json", "md"}));
  const Json list = answer("reports/list", Json::object())["reports"];
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]["name"], "first");
  EXPECT_FALSE(list[0]["conclusion"].get<std::string>().empty());
  const Json page = answer("reports/read", {{"name", "first"}});
  const auto text = decodeBase64(page["bytes"].get<std::string>());
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, readText(folder() / "project/reports/first.md"));
  answer("reports/remove", {{"name", "first"}});
  EXPECT_TRUE(answer("reports/list", Json::object())["reports"].empty());
  answer("reports/remove", {{"name", "first"}, {"restore", true}});
  EXPECT_EQ(answer("reports/list", Json::object())["reports"].size(), 1u);
  EXPECT_THAT(refusal("reports/remove", {{"name", "../first"}}), HasSubstr("cannot name"));
  EXPECT_THAT(refusal("reports/remove", {{"name", "second"}}), HasSubstr("no report"));
}

}  // namespace
}  // namespace strata::testing
