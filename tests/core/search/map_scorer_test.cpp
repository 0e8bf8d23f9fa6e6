#include "core/search/map_scorer.h"

#include <numeric>

#include "core/model/score.h"
#include "core/search/sensitivity.h"
#include "golden_models.h"
#include "small_search.h"

namespace strata {
namespace {

using namespace testing;

/// Every map for inference over so many layers.
std::vector<SharingMap> allMaps(int layers) {
  std::vector<SharingMap> maps;
  std::vector<int> src(static_cast<std::size_t>(layers), 0);
  const std::function<void(int)> fill = [&](int layer) {
    if (layer == layers) {
      if (auto map = SharingMap::create(src)) maps.push_back(*map);
      return;
    }
    for (int source = 0; source <= layer; ++source) {
      src[static_cast<std::size_t>(layer)] = source;
      fill(layer + 1);
    }
  };
  fill(1);
  return maps;
}

double naive(const Model& model, const SharingMap& map, const SearchText& text) {
  return scoreWindows(model, map, text.windows)->nll();
}

TEST(MapScorer, GivesWhatScoringEachMapByItselfGives) {
  const auto model = openStories(48);
  const SearchText text = stories(*model);
  ASSERT_GT(text.windows.size(), 3u);
  const std::vector<SharingMap> maps = allMaps(model->config().layers);
  ASSERT_EQ(maps.size(), 52u) << "partitions of five layers";
  const auto objective = textObjective(model, text);
  const auto losses = objective->measure(maps, {});
  ASSERT_TRUE(losses) << losses.error().message;
  for (std::size_t i = 0; i < maps.size(); i += 5) {
    EXPECT_NEAR(meanOf((*losses)[i]).mean, naive(*model, maps[i], text), 1e-5) << printMap(maps[i]);
    EXPECT_EQ(meanOf((*losses)[i]).tokens, text.tokens);
  }
}

TEST(MapScorer, GivesTheSameForEveryFamily) {
  for (const std::string& name : kGoldenModels) {
    const auto model = Model::open({.path = sourceFolder() / "tests/golden/models" / name, .dtype = "float32"});
    ASSERT_TRUE(model) << model.error().message;
    SearchText text;
    for (const int length : {40, 40, 17}) {
      std::vector<TokenId> window(static_cast<std::size_t>(length));
      for (std::size_t i = 0; i < window.size(); ++i) {
        window[i] = static_cast<TokenId>((7 * i + static_cast<std::size_t>(length)) %
                                         static_cast<std::size_t>((*model)->config().vocab));
      }
      text.windows.push_back(std::move(window));
    }
    const int layers = (*model)->config().layers;
    const std::vector<SharingMap> maps = {SharingMap::full(layers), *parseMap("stride:2", layers),
                                          mapOf({layers - 1, 0}, layers), *parseMap("even:1", layers)};
    const auto losses = textObjective(*model, text)->measure(maps, {});
    ASSERT_TRUE(losses) << name << ": " << losses.error().message;
    for (std::size_t i = 0; i < maps.size(); ++i) {
      EXPECT_NEAR(meanOf((*losses)[i]).mean, naive(**model, maps[i], text), 1e-5) << name << " " << printMap(maps[i]);
    }
  }
}

TEST(MapScorer, RunsALayerOnceForEachPrefixOfSources) {
  const auto model = openStories(48);
  SearchText text = stories(*model);
  text.windows.resize(1);
  const MapScorer scorer(model, text);
  ASSERT_EQ(scorer.batches(), 1u);
  const auto ignore = [](std::size_t, const Losses&) -> Result<void> { return {}; };
  ASSERT_TRUE(
      scorer.score(0, {*parseMap("0,1,2,3,3", 5), *parseMap("full", 5), *parseMap("0,1,2,3,0", 5)}, {}, ignore));
  EXPECT_EQ(scorer.layersRun(), 4 + 3);
}

TEST(MapScorer, StopsWhereItIsAskedTo) {
  const auto model = openStories(48);
  const SearchText text = stories(*model);
  const auto measured = textObjective(model, text)->measure({SharingMap::full(5)}, {[] { return false; }, {}});
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().code, ErrorCode::cancelled);
}

TEST(SearchText, WithoutAnythingToPredictIsRefused) {
  const auto model = openStories();
  TemporaryFolder folder;
  for (const std::string text : {"", "\n<|endoftext|>\n"}) {
    writeText(folder.path() / "empty.txt", text);
    const auto read = readSearchText(*model, folder.path() / "empty.txt", 0);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message.find("empty.txt"), std::string::npos) << read.error().message;
  }
}

TEST(SearchText, ASampleIsSpreadOverTheText) {
  const auto model = openStories(32);
  const SearchText whole = stories(*model), some = stories(*model, 200);
  EXPECT_LT(some.tokens, 300);
  EXPECT_GT(some.tokens, 100);
  EXPECT_EQ(some.windows.front(), whole.windows.front());
  EXPECT_EQ(some.hash, whole.hash);
}

TEST(SearchText, QuestionsAreNoText) {
  const auto model = openStories();
  const auto read = readSearchText(*model, sourceFolder() / "projects/tiny-stories/recall.json", 0);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("is no text"), std::string::npos) << read.error().message;
}

}  // namespace
}  // namespace strata
