// maps/*: stored maps, and what sensitivity measurements and searches left in their runs.

#include <gmock/gmock.h>

#include <cmath>

#include "core/base/files.h"
#include "core/checkpoint/checkpoint.h"
#include "core/project/project.h"
#include "core/protocol/columns.h"
#include "project_fixture.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class MapMethods : public ProjectMethods {
 protected:
  MapMethods() {
    openNew();
    writeText(text, "Once upon a time.");
  }
  static Json file(const std::vector<int>& src) {
    return {{"format", "strata-map"}, {"version", 1}, {"layers", src.size()}, {"src", src}};
  }
  Json maps(bool trash = false) { return answer("maps/list", {{"trash", trash}})["maps"]; }
  /// A run with a file, as its job would leave it.
  std::string run(const std::string& kind, const Json& config, const std::string& name, const Json& contents,
                  RunState state = RunState::done) {
    auto run = strata::Run::create(*Project::open(folder() / "project"), kind, config);
    EXPECT_TRUE(run);
    writeText(run->folder() / name, dumpLine(contents));
    EXPECT_TRUE(run->setState(state));
    return run->info().id;
  }
  Json header() {
    return {{"model", stories},
            {"adapter", ""},
            {"model_hash", Checkpoint::open(stories)->hash().value()},
            {"text", text.string()},
            {"text_hash", sha256OfFile(text).value()},
            {"texts", 1},
            {"windows", 4},
            {"tokens", 100}};
  }
  std::string matrix(RunState state = RunState::done) {
    Json contents = header();
    Json rows = Json::array(), widths = Json::array();
    for (int layer = 0; layer < 5; ++layer) {
      Json row = Json::array(), width = Json::array();
      for (int source = 0; source < 5; ++source) {
        const bool known = source < layer && layer < 4;
        row.push_back(known ? Json(.1 * layer + .01 * source) : Json());
        width.push_back(known ? Json(.02) : Json());
      }
      rows.push_back(row);
      widths.push_back(width);
    }
    contents.update({{"layers", 5}, {"baseline_nll", 2.0}, {"cells", 6}, {"delta", rows}, {"half_width", widths}});
    return run("sensitivity", {{"model", stories}, {"text", text.string()}}, "matrix.json", contents, state);
  }

  std::string stories = model("stories260K");
  fs::path text = folder() / "text.txt";
};

TEST_F(MapMethods, MapsAreStoredRenamedThrownAwayAndTakenBack) {
  answer("maps/put", {{"name", "half"}, {"model", ""}, {"map", file({0, 0, 2, 2})}});
  answer("maps/rename", {{"name", "half"}, {"to", "two"}});
  EXPECT_EQ(maps()[0]["name"], "two");
  EXPECT_EQ(answer("maps/remove", {{"name", "two"}})["name"], "two");
  EXPECT_TRUE(maps().empty());
  EXPECT_EQ(maps(true)[0]["map"], "stride:2");
  EXPECT_EQ(answer("maps/remove", {{"name", "two"}, {"how", "restore"}})["name"], "two");
  answer("maps/remove", {{"name", "two"}});
  answer("maps/remove", {{"name", "two"}, {"how", "delete"}});
  EXPECT_TRUE(maps(true).empty());
  EXPECT_THAT(refusal("maps/remove", {{"name", "two"}, {"how", "burn"}}), HasSubstr("trash, restore or delete"));
}

TEST_F(MapMethods, AMapGoesOutAndComesInAsAFile) {
  Json map = file({0, 0, 2, 2});
  map["note"] = "mine";
  answer("maps/put", {{"name", "half"}, {"model", ""}, {"map", map}});
  const std::string path = answer("maps/export", {{"path", ""}, {"map", "half"}})["path"];
  EXPECT_EQ(path, (folder() / "project/exports/half.json").string());
  const Json read = answer("maps/import", {{"path", path}, {"layers", 4}});
  EXPECT_EQ(read["name"], "half");
  EXPECT_EQ(read["map"], "stride:2");
  EXPECT_EQ(read["src"], Json({0, 0, 2, 2}));
  EXPECT_EQ(read["file"]["note"], "mine");
  EXPECT_THAT(refusal("maps/import", {{"path", path}, {"layers", 5}}), HasSubstr("made for 4 layers"));
  EXPECT_THAT(refusal("maps/export", {{"path", "x.json"}, {"map", file({0, 2, 2})}}), HasSubstr("layer 1"));
  EXPECT_FALSE(fs::exists(folder() / "project/x.json"));
  EXPECT_THAT(refusal("maps/export", {{"path", ""}, {"map", "none"}}), HasSubstr("none"));
}

TEST_F(MapMethods, TheMatrixIsReadWhileItIsMeasured) {
  EXPECT_EQ(answer("maps/sensitivity", {{"model", stories}})["run"], "");
  const std::string id = matrix(RunState::stopped);
  const Json read = answer("maps/sensitivity", {{"model", stories}});
  EXPECT_EQ(read["run"], id);
  EXPECT_EQ(read["state"], "stopped");
  EXPECT_EQ(read["layers"], 5);
  EXPECT_EQ(read["cells"], 6);
  EXPECT_EQ(read["all_cells"], 10);
  EXPECT_EQ(read["baseline_nll"], 2.0);
  EXPECT_EQ(read["stale"], "");
  EXPECT_EQ(read["next"], 0);
  EXPECT_TRUE(read["error"].is_null());
  const auto delta = protocol::decodeColumn(read["delta"]).value(),
             width = protocol::decodeColumn(read["half_width"]).value();
  ASSERT_EQ(delta.size(), 25u);
  EXPECT_DOUBLE_EQ(delta[3 * 5 + 2], .32);
  EXPECT_TRUE(std::isnan(delta[4 * 5 + 0])) << "not measured yet";
  EXPECT_TRUE(std::isnan(delta[0]));
  EXPECT_EQ(width[3 * 5 + 2], .02);
  EXPECT_EQ(answer("maps/sensitivity", {{"model", model("sample-base")}})["run"], "");
}

TEST_F(MapMethods, AMatrixOfATextThatHasChangedIsStale) {
  matrix();
  writeText(text, "Another text.");
  EXPECT_THAT(answer("maps/sensitivity", {{"model", stories}})["stale"].get<std::string>(),
              HasSubstr("text has changed"));
  fs::remove(text);
  EXPECT_THAT(answer("maps/sensitivity", {{"model", stories}})["stale"].get<std::string>(), HasSubstr("not there"));
}

TEST_F(MapMethods, TheErrorOfTheEstimateIsThatOnMapsOfSeveralFollowers) {
  matrix();
  Json results = header();
  results.update({{"metric", "nll"},
                  {"results",
                   {{{"map", "a"}, {"src", {0, 0, 0, 3, 4}}, {"nll", 2.4}, {"tokens", 100}},      // 2 + .1 + .2
                    {{"map", "b"}, {"src", {0, 0, 2, 2, 4}}, {"nll", 2.22}, {"tokens", 100}},     // 2 + .1 + .32
                    {{"map", "one"}, {"src", {0, 0, 2, 3, 4}}, {"nll", 9.0}, {"tokens", 100}},    // a cell itself
                    {{"map", "c"}, {"src", {0, 0, 2, 3, 0}}, {"nll", 9.0}, {"tokens", 100}}}}});  // has no cell
  run("search", {{"model", stories}, {"text", text.string()}, {"method", "greedy"}}, "results.json", results);
  const Json read = answer("maps/sensitivity", {{"model", stories}});
  EXPECT_EQ(read["error_maps"], 2);
  EXPECT_NEAR(read["error"].get<double>(), (.1 + .2) / 2, 1e-9);
  EXPECT_EQ(maps().size(), 4u) << "all that was measured is listed";
  EXPECT_EQ(maps()[0]["text_hash"], header()["text_hash"]);
}

TEST_F(MapMethods, ASearchTellsItsBest) {
  Json results = header();
  results.update({{"metric", "nll"},
                  {"layers", 5},
                  {"owners", 3},
                  {"seconds", 1.5},
                  {"best", "0,0,2,2,4"},
                  {"results",
                   {{{"map", "full"}, {"src", {0, 1, 2, 3, 4}}, {"nll", 2.0}, {"half_width", .1}},
                    {{"map", "0,0,2,2,4"},
                     {"src", {0, 0, 2, 2, 4}},
                     {"nll", 2.2},
                     {"half_width", .2},
                     {"difference_half_width", .05}}}}});
  const std::string id =
      run("search", {{"model", stories}, {"method", "beam:2"}}, "results.json", results, RunState::stopped);
  const Json read = answer("maps/search", {{"run", id}});
  EXPECT_EQ(read["method"], "beam:2");
  EXPECT_EQ(read["map"], "0,0,2,2,4");
  EXPECT_EQ(read["value"], 2.2);
  EXPECT_EQ(read["full"], 2.0);
  EXPECT_EQ(read["difference_half_width"], .05);
  EXPECT_EQ(read["evaluated"], 2);
  EXPECT_THAT(refusal("maps/search", {{"run", matrix()}}), HasSubstr("no search"));
}

TEST_F(MapMethods, AJobThatCannotWorkIsRefusedBeforeItsRunIsMade) {
  const auto start = [&](const char* kind, const Json& config) {
    return refusal("jobs/start", {{"kind", kind}, {"config", config}});
  };
  EXPECT_THAT(start("search", {{"model", stories}, {"text", text.string()}}), HasSubstr("retention or a cache budget"));
  EXPECT_THAT(start("search", {{"model", stories}, {"text", text.string()}, {"method", "luck"}}), HasSubstr("luck"));
  EXPECT_THAT(start("search", {{"model", stories}, {"text", text.string()}, {"method", "measure"}}), HasSubstr("maps"));
  EXPECT_THAT(start("sensitivity", {{"model", stories}}), HasSubstr("No text"));
  EXPECT_THAT(start("sensitivity", {{"model", "/none"}, {"text", text.string()}}), HasSubstr("There is no /none"));
  EXPECT_THAT(start("sensitivity", {{"model", stories}, {"text", "none.txt"}}), HasSubstr("project/none.txt"));
  EXPECT_THAT(refusal("jobs/start", {{"kind", "search"}, {"resume", "none"}}), HasSubstr("none"));
  EXPECT_TRUE(answer("jobs/list")["jobs"].empty());
}

}  // namespace
}  // namespace strata::testing
