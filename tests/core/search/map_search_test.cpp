#include "core/search/map_search.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "core/search/additive.h"
#include "core/search/dissimilarity.h"
#include "small_search.h"

namespace strata {
namespace {

using namespace testing;
using ::testing::ElementsAre;

/// A loss that is told, not measured.
class ToldObjective : public Objective {
 public:
  explicit ToldObjective(std::function<double(const SharingMap&)> loss) : m_loss(std::move(loss)) {}
  std::string metric() const override { return "nll"; }
  Result<std::vector<Losses>> measure(const std::vector<SharingMap>& maps, const MeasureHooks& hooks) override {
    std::vector<Losses> losses;
    for (const SharingMap& map : maps) {
      if (hooks.goOn && !hooks.goOn()) return fail(ErrorCode::cancelled, "stopped");
      order.push_back(map.src());
      losses.push_back({{m_loss(map), 1}});
    }
    return losses;
  }
  bool screens() const override { return roughly != nullptr; }
  Result<std::vector<double>> screen(const std::vector<SharingMap>& maps, const MeasureHooks&) override {
    std::vector<double> means;
    for (const SharingMap& map : maps) means.push_back(roughly(map));
    return means;
  }
  std::vector<std::vector<int>> order;  // of what was measured
  std::function<double(const SharingMap&)> roughly;

 private:
  std::function<double(const SharingMap&)> m_loss;
};

/// Every follower costs its distance, owners of their own numbers some more: cells add up.
double additiveLoss(const SharingMap& map) {
  double loss = 1;
  for (int l = 0; l < map.layers(); ++l) {
    if (!map.owns(l)) loss += .1 * (l - map[l]) + .01 * ((5 * l + 3 * map[l]) % 7);
  }
  return loss;
}

DeltaMatrix additiveMatrix(int layers) {
  DeltaMatrix matrix;
  matrix.layers = layers;
  matrix.baseline = 1;
  for (int l = 0; l < layers; ++l) {
    for (int s = 0; s < layers; ++s) {
      matrix.delta.push_back(s < l ? std::optional(additiveLoss(mapOf({l, s}, layers)) - 1) : std::nullopt);
    }
  }
  return matrix;
}

/// Every map with that many owners.
std::vector<SharingMap> mapsWithOwners(int layers, int owners) {
  std::vector<SharingMap> maps;
  std::vector<int> src(static_cast<std::size_t>(layers), 0);
  const std::function<void(int)> fill = [&](int layer) {
    if (layer == layers) {
      const auto map = SharingMap::create(src);
      if (map && map->owners() == owners) maps.push_back(*map);
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

SearchResult searched(Objective& objective, int layers, const std::string& method, int owners, SearchHooks hooks = {},
                      std::uint64_t seed = 1, bool guided = false) {
  MapSearch search(objective, layers,
                   {.method = *searchMethodOf(method), .owners = owners, .seed = seed, .guided = guided, .maps = {}},
                   std::move(hooks));
  auto result = search.run();
  EXPECT_TRUE(result) << result.error().message;
  return *result;
}

TEST(MapSearch, NeighboursAreRepointedFollowersAndMovedOwners) {
  const auto texts = [](const std::vector<SharingMap>& maps) {
    std::vector<std::string> all;
    for (const SharingMap& map : maps) {
      std::string text;
      for (const int source : map.src()) text += std::to_string(source);
      all.push_back(text);
    }
    return all;
  };
  EXPECT_THAT(texts(repointed(*parseMap("0,0,2,2,0", 5))), ElementsAre("00200", "00222"));
  EXPECT_THAT(texts(withOwnerMoved(*parseMap("0,0,2,2", 4))), ElementsAre("0111", "0003"));
}

TEST(MapSearch, EachMethodFindsTheBestWhereCellsAddUp) {
  constexpr int kLayers = 7, kOwners = 3;
  double best = 1e9;
  for (const SharingMap& map : mapsWithOwners(kLayers, kOwners)) best = std::min(best, additiveLoss(map));
  SearchHooks hooks;
  hooks.matrix = [] { return Result<DeltaMatrix>(additiveMatrix(kLayers)); };
  for (const std::string method : {"greedy", "beam:3", "dp"}) {
    ToldObjective objective(additiveLoss);
    const SearchResult found = searched(objective, kLayers, method, kOwners, hooks);
    EXPECT_NEAR(found.best.mean, best, 1e-9) << method;
    EXPECT_EQ(found.best.map.owners(), kOwners);
    EXPECT_EQ(found.full.mean, 1);
    EXPECT_EQ(found.evaluated, static_cast<std::int64_t>(objective.order.size())) << method << " measured a map twice";
  }
}

TEST(MapSearch, NoSearchEndsWithAMapWorseThanTheEvenOne) {
  const SharingMap even = *parseMap("even:3", 9);
  SearchHooks hooks;
  hooks.matrix = [] { return Result<DeltaMatrix>(additiveMatrix(9)); };
  for (const std::string method : {"greedy", "beam:2", "dp"}) {
    ToldObjective objective([&](const SharingMap& map) { return map == even ? 1 : 1 + additiveLoss(map); });
    EXPECT_EQ(searched(objective, 9, method, 3, hooks).best.map, even) << method;
  }
}

TEST(MapSearch, TheAdditiveProgramListsTheBestOwnerSetsInOrder) {
  const DeltaMatrix matrix = additiveMatrix(7);
  const std::vector<SharingMap> best = bestAdditiveMaps(matrix, 3, 16);
  ASSERT_EQ(best.size(), 15u) << "two owners of six";
  for (std::size_t i = 1; i < best.size(); ++i) {
    EXPECT_LE(*matrix.estimate(best[i - 1]), *matrix.estimate(best[i]) + 1e-12);
  }
  EXPECT_EQ(bestAdditiveMaps(matrix, 1, 16).front(), *parseMap("even:1", 7));
  EXPECT_EQ(bestAdditiveMaps(matrix, 7, 16).front(), SharingMap::full(7));
}

TEST(MapSearch, AGuidedSearchMeasuresFewerMapsOfADeepModel) {
  constexpr int kLayers = 24, kOwners = 6;
  SearchHooks hooks;
  hooks.matrix = [] { return Result<DeltaMatrix>(additiveMatrix(kLayers)); };
  ToldObjective exact(additiveLoss), guided(additiveLoss);
  const SearchResult all = searched(exact, kLayers, "greedy", kOwners, hooks);
  const SearchResult some = searched(guided, kLayers, "greedy", kOwners, hooks, 1, true);
  EXPECT_LE(some.best.mean, all.best.mean + .05);
  EXPECT_LT(some.evaluated, all.evaluated / 2);
}

TEST(MapSearch, ASampleThatTellsMapsApartRoughlySavesMeasuring) {
  ToldObjective exact(additiveLoss), sampled(additiveLoss);
  sampled.roughly = [](const SharingMap& map) { return additiveLoss(map) + .02 * (map[5] + map[7] % 2); };
  const SearchResult all = searched(exact, 16, "greedy", 4);
  const SearchResult some = searched(sampled, 16, "greedy", 4);
  EXPECT_NEAR(some.best.mean, all.best.mean, .02);
  EXPECT_LT(some.evaluated, all.evaluated / 2);
  EXPECT_EQ(some.best.mean, additiveLoss(some.best.map)) << "what counts is measured on all of the text";
}

TEST(MapSearch, TheSameSeedDrawsTheSameMapsAndAnotherOthers) {
  const auto drawn = [](std::uint64_t seed) {
    ToldObjective objective(additiveLoss);
    (void)searched(objective, 12, "random:10", 4, {}, seed);
    return objective.order;
  };
  EXPECT_EQ(drawn(7), drawn(7));
  EXPECT_NE(drawn(7), drawn(8));
  EXPECT_EQ(drawn(7).size(), 11u) << "ten and the full map";
  ToldObjective few(additiveLoss);
  EXPECT_EQ(searched(few, 4, "random:10", 2).evaluated, 4) << "there are three maps of two owners of four";
}

TEST(MapSearch, WhatWasMeasuredBeforeIsNotMeasuredAgain) {
  ToldObjective first(additiveLoss), second(additiveLoss);
  const SearchResult whole = searched(first, 8, "greedy", 3);
  MapSearch again(second, 8, {.method = {"greedy"}, .owners = 3, .maps = {}}, {});
  for (std::size_t i = 0; i < first.order.size() / 2; ++i) {
    const SharingMap map = *SharingMap::create(first.order[i]);
    again.know(map, {{additiveLoss(map), 1}});
  }
  const auto result = again.run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->best.map, whole.best.map);
  EXPECT_EQ(result->evaluated, whole.evaluated);
  EXPECT_LE(second.order.size(), first.order.size() - first.order.size() / 2);
}

/// The shipped five-layer model, on which no nearest-owner map is best.
class StoriesSearch : public ::testing::Test {
 protected:
  StoriesSearch() : model(openStories(128)), text(stories(*model)), objective(textObjective(model, text)) {
    hooks.matrix = [this]() -> Result<DeltaMatrix> {
      Sensitivity matrix(5, text.windows.size());
      STRATA_CHECK(measureSensitivity(MapScorer(model, text), matrix, {}));
      return summaryOf(matrix);
    };
    hooks.dissimilar = [this] { return mapByDissimilarity(*model, text, 3, {}); };
  }
  std::shared_ptr<const Model> model;
  SearchText text;
  std::unique_ptr<Objective> objective;
  SearchHooks hooks;
};

TEST_F(StoriesSearch, GreedyAndDpComeCloseToBruteForceOverAllMaps) {
  for (const int owners : {2, 3, 4}) {
    const auto maps = mapsWithOwners(5, owners);
    const auto measured = objective->measure(maps, {});
    ASSERT_TRUE(measured);
    double best = 1e9;
    for (const Losses& losses : *measured) best = std::min(best, meanOf(losses).mean);
    for (const std::string method : {"greedy", "dp"}) {
      const SearchResult found = searched(*objective, 5, method, owners, hooks);
      EXPECT_LE(found.best.mean, best + .005) << method << ", " << owners << " owners: " << printMap(found.best.map);
      EXPECT_EQ(found.best.map.owners(), owners);
    }
  }
}

TEST_F(StoriesSearch, DissimilarityGivesAMapOfThatManyOwners) {
  const SearchResult found = searched(*objective, 5, "dissimilarity", 3, hooks);
  EXPECT_EQ(found.best.map.owners(), 3);
  EXPECT_EQ(found.evaluated, 2);
}

}  // namespace
}  // namespace strata
