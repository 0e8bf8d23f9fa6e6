// strata sensitivity and strata search, and the jobs of those kinds.

#include <gmock/gmock.h>

#include "engine_process.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Search : public ::testing::Test {
 protected:
  Search() { writeText(text, readText(sourceFolder() / "projects/tiny-stories/heldout.txt").substr(0, 1500)); }
  std::vector<std::string> on(const std::string& verb, std::vector<std::string> more) const {
    more.insert(more.begin(), {verb, storyModel(), "--text", text.string(), "--context", "128", "--threads", "1"});
    return more;
  }
  TemporaryFolder folder;
  fs::path text = folder.path() / "text.txt", project = folder.path() / "project";
};

TEST_F(Search, TheMatrixIsThatOfStrataScore) {
  const std::string out = (folder.path() / "matrix.json").string();
  const auto answer = answerOf(on("sensitivity", {"--out", out}));
  expectKeys(answer, {"layers", "tokens", "baseline_nll", "delta"});
  EXPECT_EQ(nlohmann::json::parse(readText(out))["delta"], answer["delta"]);
  const double baseline = answerOf(on("score", {}))["nll"];
  EXPECT_NEAR(answer["baseline_nll"].get<double>(), baseline, 1e-5);
  for (const auto& [map, layer, source] : {std::tuple("0,0,2,3,4", 1, 0), std::tuple("0,1,2,3,1", 4, 1)}) {
    const double nll = answerOf(on("score", {"--map", map}))["nll"];
    EXPECT_NEAR(answer["delta"][layer][source].get<double>(), nll - baseline, 1e-5) << map;
  }
  EXPECT_TRUE(answer["delta"][2][2].is_null());
  EXPECT_THAT(runProgram(on("sensitivity", {})).out, HasSubstr("rows read columns"));
}

TEST_F(Search, TheAnswerIsAMapFileThatOtherCommandsRead) {
  const std::string out = (folder.path() / "map.json").string();
  const auto answer = answerOf(on("search", {"--retention", ".6", "--out", out}));
  expectKeys(answer, {"format", "version", "layers", "src", "retention", "method", "nll", "baseline_nll", "evaluated",
                      "seconds", "seed", "model_hash"});
  EXPECT_EQ(answer["method"], "greedy");
  EXPECT_NEAR(answerOf(on("score", {"--map", "file:" + out}))["nll"].get<double>(), answer["nll"].get<double>(), 1e-5);
  const auto again = answerOf(on("search", {"--retention", ".6"}));
  EXPECT_EQ(again["src"], answer["src"]);
  EXPECT_EQ(again["nll"], answer["nll"]);
}

TEST_F(Search, AProjectKeepsTheMapAndTheRun) {
  const auto answer = answerOf(
      on("search", {"--retention", ".4", "--method", "random:3", "--project", project.string(), "--name", "mine"}));
  EXPECT_EQ(nlohmann::json::parse(readText(project / "maps/mine.json"))["src"], answer["src"]);
  const auto runs = answerOf({"runs", "list", "--project", project.string()});
  ASSERT_EQ(runs["runs"].size(), 1u);
  EXPECT_EQ(runs["runs"][0]["kind"], "search");
  EXPECT_EQ(runs["runs"][0]["state"], "done");
}

TEST_F(Search, BadInputEndsInASentence) {
  writeText(folder.path() / "empty.txt", "");
  const auto refused = [&](std::vector<std::string> arguments, int code, const char* says) {
    const Answer answer = runProgram(std::move(arguments));
    EXPECT_EQ(answer.code, code) << answer.err;
    EXPECT_THAT(answer.err, HasSubstr(says));
  };
  const std::string empty = (folder.path() / "empty.txt").string();
  refused({"sensitivity", storyModel(), "--text", empty}, 1, "nothing to predict");
  refused({"search", storyModel(), "--text", empty, "--retention", ".5"}, 1, "nothing to predict");
  refused({"sensitivity", storyModel()}, 2, "text");
  refused({"search", storyModel(), "--text", (folder.path() / "none.txt").string(), "--retention", ".5"}, 1,
          "none.txt");
  refused(on("search", {}), 2, "retention or a cache budget");
  refused(on("search", {"--retention", "0"}), 2, "above 0");
  refused(on("search", {"--retention", "1.5"}), 2, "retention");
  refused(on("search", {"--retention", ".5", "--budget", "1000"}), 2, "Both");
  refused(on("search", {"--budget", "10"}), 2, "too small");
  refused(on("search", {"--retention", ".5", "--method", "beam:0"}), 2, "beam");
  refused(on("search", {"--retention", ".5", "--maps", "0,2,2,3,4"}), 2, "layer 1");
}

TEST_F(Search, AJobThatIsKilledGoesOnToTheSameMatrix) {
  writeText(text, readText(sourceFolder() / "projects/tiny-stories/heldout.txt").substr(0, 30000));
  const auto expected = answerOf(on("sensitivity", {}));
  fs::create_directories(project);
  writeText(project / "strata.json", R"({"format": "strata-project", "version": 1, "name": "p"})");
  EngineProcess engine;
  engine.initialize();
  const auto call = [&](const std::string& method, const Json& params) {
    return engine.result(engine.send(method, params));
  };
  call("project/open", {{"folder", project.string()}});
  const Json config = {{"model", storyModel()}, {"text", text.string()}, {"context", 128}, {"threads", 1}};
  const std::string id = call("jobs/start", {{"kind", "sensitivity"}, {"config", config}})["job"]["id"];
  const auto matrix = [&] { return call("maps/sensitivity", {{"model", storyModel()}}); };
  const auto until = [&](const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (!holds() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return holds();
  };
  ASSERT_TRUE(until([&] { return matrix()["cells"] > 0; })) << "cells as they arrive";
  EXPECT_EQ(matrix()["run"], id);
  const int pid = std::atoi(readText(project / "runs" / id / "lock").c_str());
  ASSERT_GT(pid, 0);
  kill(pid, SIGKILL);
  ASSERT_TRUE(until([&] { return call("jobs/list", {})["jobs"][0]["alive"] == false; }));
  call("jobs/start", {{"kind", "sensitivity"}, {"resume", id}});
  ASSERT_TRUE(until([&] { return call("jobs/list", {})["jobs"][0]["state"] == "done"; }));
  const Json stored = Json::parse(readText(project / "runs" / id / "matrix.json"));
  EXPECT_EQ(stored["delta"].dump(), Json(Json::parse(expected["delta"].dump())).dump());
}

}  // namespace
}  // namespace strata::testing
