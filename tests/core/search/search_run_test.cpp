#include "core/search/search_run.h"

#include <gmock/gmock.h>

#include "core/model/score.h"
#include "core/project/map_files.h"
#include "core/project/run_reader.h"
#include "core/routing/memory.h"
#include "core/search/search_text.h"
#include "core/search/sensitivity.h"
#include "small_search.h"

namespace strata {
namespace {

using namespace testing;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class SearchRuns : public ::testing::Test {
 protected:
  SearchRuns() : model(openStories(48)) {
    EXPECT_TRUE(Project::openOrCreate(project));
    writeText(text, readText(sourceFolder() / "projects/tiny-stories/heldout.txt").substr(0, 1200));
  }
  template <class Config>
  Config config() const {
    Config config;
    config.model = (sourceFolder() / "resources/models/stories260K").string();
    config.text = text.string();
    return config;
  }
  SearchConfig search(const std::string& method, double retention = .6) const {
    auto config = this->config<SearchConfig>();
    config.method = method;
    config.retention = retention;
    return config;
  }
  template <class Config>
  strata::Run newRun(const char* kind, const Config& config) {
    auto run = strata::Run::create(*Project::open(project), kind, configToJson(config));
    EXPECT_TRUE(run);
    return std::move(*run);
  }
  OpenedForSearch opened() const { return {model, "hash", "stories"}; }
  /// Ends after so many questions whether to go on.
  static MeasureProgress stopAfter(int questions) {
    auto left = std::make_shared<int>(questions);
    return {[left] { return --*left > 0; }, {}};
  }
  Json fileOf(const strata::Run& run, const char* name) const { return readJson(run.folder() / name).value(); }

  TemporaryFolder folder;
  fs::path project = folder.path() / "project", text = folder.path() / "text.txt";
  std::shared_ptr<const Model> model;
};

TEST_F(SearchRuns, TheMatrixIsThatOfScoringEachMap) {
  const auto answer = measureMatrix(config<SensitivityConfig>(), opened(), nullptr, {});
  ASSERT_TRUE(answer) << answer.error().message;
  const SearchText read = *readSearchText(*model, text, 0);
  const double baseline = scoreWindows(*model, SharingMap::full(5), read.windows)->nll();
  EXPECT_NEAR((*answer)["baseline_nll"].get<double>(), baseline, 1e-5);
  EXPECT_EQ((*answer)["layers"], 5);
  EXPECT_EQ((*answer)["tokens"], read.tokens);
  for (std::size_t layer = 0; layer < 5; ++layer) {
    for (std::size_t source = 0; source < 5; ++source) {
      const Json& cell = (*answer)["delta"][layer][source];
      if (source >= layer) {
        EXPECT_TRUE(cell.is_null());
        continue;
      }
      const SharingMap map = mapOf({static_cast<int>(layer), static_cast<int>(source)}, 5);
      EXPECT_NEAR(cell.get<double>(), scoreWindows(*model, map, read.windows)->nll() - baseline, 1e-5);
      EXPECT_GT((*answer)["half_width"][layer][source].get<double>(), 0);
    }
  }
}

TEST_F(SearchRuns, AMatrixThatWasStoppedGoesOnWithTheSameNumbers) {
  const auto config = this->config<SensitivityConfig>();
  strata::Run whole = newRun("sensitivity", config), cut = newRun("sensitivity", config);
  const auto expected = measureMatrix(config, opened(), &whole, {});
  ASSERT_TRUE(expected);
  const auto stopped = measureMatrix(config, opened(), &cut, stopAfter(12));
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_EQ(cut.info().state, RunState::stopped);
  const Json half = fileOf(cut, "matrix.json");
  EXPECT_GT(half["cells"].get<int>(), 0);
  EXPECT_EQ(half["complete"], false);
  const auto resumed = measureMatrix(config, opened(), &cut, {});
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_EQ(cut.info().state, RunState::done);
  EXPECT_EQ((*resumed)["delta"], (*expected)["delta"]);
  EXPECT_EQ((*resumed)["half_width"], (*expected)["half_width"]);
  EXPECT_EQ(fileOf(cut, "matrix.json")["complete"], true);
}

TEST_F(SearchRuns, AMatrixOfATextThatHasChangedDoesNotGoOn) {
  const auto config = this->config<SensitivityConfig>();
  strata::Run run = newRun("sensitivity", config);
  ASSERT_FALSE(measureMatrix(config, opened(), &run, stopAfter(12)));
  writeText(text, "Once upon a time there was another text.");
  const auto resumed = measureMatrix(config, opened(), &run, {});
  ASSERT_FALSE(resumed);
  EXPECT_THAT(resumed.error().message, HasSubstr("start a new one"));
  EXPECT_EQ(run.info().state, RunState::failed);
}

TEST_F(SearchRuns, ASearchStoresItsMapAndAllThatItMeasured) {
  const SearchConfig config = search("greedy");
  strata::Run run = newRun("search", config);
  const auto answer = searchMaps(config, opened(), &run, {});
  ASSERT_TRUE(answer) << answer.error().message;
  for (const char* key : {"format", "version", "layers", "src", "retention", "method", "nll", "baseline_nll",
                          "evaluated", "seconds", "seed", "model_hash"}) {
    EXPECT_TRUE(answer->contains(key)) << key;
  }
  EXPECT_EQ(run.info().state, RunState::done);
  const auto maps = knownMaps(project, {run.info().id});
  ASSERT_EQ(maps.size(), 1 + (*answer)["evaluated"].get<std::size_t>());
  EXPECT_EQ(maps[0].name, "stories, 3 of 5, greedy");
  EXPECT_EQ(maps[0].map.owners(), 3);
  EXPECT_EQ(maps[0].scores[0].value, (*answer)["nll"].get<double>());
  EXPECT_TRUE(maps[0].scores[0].halfWidth);
  EXPECT_EQ(maps[0].text, text);
  for (std::size_t i = 1; i < maps.size(); ++i) {
    EXPECT_EQ(maps[i].run, run.info().id);
    EXPECT_EQ(maps[i].textHash, (*answer)["text_hash"]);
    ASSERT_EQ(maps[i].scores.size(), 1u);
    EXPECT_TRUE(maps[i].scores[0].halfWidth);
    EXPECT_GE(maps[i].scores[0].value, maps[0].map.owners() == maps[i].map.owners() ? maps[0].scores[0].value : 0);
  }
  const auto progress = RunReader::open(run.folder())->progress(run.info());
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->step, progress->steps);
  EXPECT_FALSE(progress->best.empty());
}

TEST_F(SearchRuns, ASearchThatIsStoppedKeepsTheBestAndGoesOnToTheSame) {
  const SearchConfig config = search("greedy", .4);
  strata::Run whole = newRun("search", config), cut = newRun("search", config);
  const Json expected = searchMaps(config, opened(), &whole, {}).value();
  const auto stopped = searchMaps(config, opened(), &cut, stopAfter(28));
  ASSERT_TRUE(stopped) << stopped.error().message;
  ASSERT_TRUE(stopped->contains("stopped")) << stopped->dump();
  EXPECT_EQ(cut.info().state, RunState::stopped);
  EXPECT_LT((*stopped)["evaluated"], expected["evaluated"]);
  EXPECT_EQ(knownMaps(project, {}).size(), 1u) << "both have the same name";
  const Json resumed = searchMaps(config, opened(), &cut, {}).value();
  EXPECT_EQ(resumed["src"], expected["src"]);
  EXPECT_EQ(resumed["nll"], expected["nll"]);
  EXPECT_EQ(resumed["evaluated"], expected["evaluated"]);
}

TEST_F(SearchRuns, MeasuringMapsStoresNoMapOfItsOwn) {
  auto config = search("measure");
  config.retention = {};
  config.maps = {"0,0,2,2,2", "stride:2"};
  strata::Run run = newRun("search", config);
  const Json answer = searchMaps(config, opened(), &run, {}).value();
  EXPECT_EQ(answer["results"].size(), 3u) << "the full map is measured beside them";
  EXPECT_EQ(knownMaps(project, {run.info().id}).size(), 3u);
}

TEST_F(SearchRuns, DpTakesAMatrixThatTheProjectHas) {
  const auto matrix = config<SensitivityConfig>();
  strata::Run first = newRun("sensitivity", matrix);
  ASSERT_TRUE(measureMatrix(matrix, opened(), &first, {}));
  const SearchConfig config = search("dp");
  strata::Run run = newRun("search", config);
  ASSERT_TRUE(searchMaps(config, opened(), &run, {}));
  EXPECT_FALSE(fs::exists(run.folder() / "matrix.json"));
  const SearchConfig other = [&] {
    SearchConfig config = search("dp");
    config.tokens = 100;
    return config;
  }();
  strata::Run second = newRun("search", other);
  ASSERT_TRUE(searchMaps(other, opened(), &second, {}));
  EXPECT_TRUE(fs::exists(second.folder() / "matrix.json")) << "another sample has a matrix of its own";
}

TEST_F(SearchRuns, ABudgetMeansTheOwnersThatFit) {
  auto config = this->config<SearchConfig>();
  const std::int64_t layer = kvBytes(*parseMap("even:1", 5), model->config().shape(), model->context(),
                                     static_cast<int>(c10::elementSize(model->dtype())));
  for (const int owners : {1, 3, 5}) {
    config.budget = layer * owners + layer / 2;
    EXPECT_EQ(*ownersFor(config, *model), owners);
  }
  config.budget = layer * 100;
  EXPECT_EQ(*ownersFor(config, *model), 5);
  config.budget = layer - 1;
  const auto refused = ownersFor(config, *model);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(layer)));
}

TEST_F(SearchRuns, ATasksScoreIsAnObjective) {
  auto config = search("greedy", .8);
  config.text = (sourceFolder() / "projects/tiny-stories/recall.json").string();
  config.task = "squad";
  config.limit = 2;
  const auto big = openStories();
  const auto answer = searchMaps(config, {big, "hash", "stories"}, nullptr, {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ((*answer)["metric"], "f1");
  EXPECT_TRUE((*answer)["nll"].is_null());
  EXPECT_EQ((*answer)["src"].size(), 5u);
  config.method = "dp";
  const auto refused = searchMaps(config, {big, "hash", "stories"}, nullptr, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("needs a text"));
}

}  // namespace
}  // namespace strata
