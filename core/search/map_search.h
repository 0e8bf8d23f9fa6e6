#pragma once
// Searches for the sharing map with a number of owners that costs least on an objective.
//
//   MapSearch search(*objective, {.method = {"greedy"}, .owners = 3}, {.goOn = …, .onMeasured = …});
//   STRATA_TRY(const SearchResult found, search.run());
// greedy          owners one by one, each where the nearest-owner map is best; then steps to the best neighbour (an
//                 owner moved, a follower re-pointed, or all followers that gain by it at once) until none is better
// beam:w          owners one by one with the w best sets kept; then followers re-pointed until none is better
// dp              the 16 best maps by the sensitivity matrix (additive.h) measured; then followers of the best
//                 re-pointed until none is better, since cells do not add up
// dissimilarity   dissimilarity.h, measured
// random:n        n maps with owners drawn uniformly, each follower reading the nearest
// measure         only the maps given
// greedy, beam and dp measure the even map too, so that what they find is never worse on the objective.
// Of a long text, greedy and beam look at a list of maps on a sample first and measure the best of them on all of it.
// Deterministic: the same objective, options and seed give the same maps in the same order.

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/config/search_config.h"
#include "core/routing/sharing_map.h"
#include "core/search/objective.h"
#include "core/search/sensitivity.h"

namespace strata {

struct MeasuredMap {
  SharingMap map = SharingMap::full(1);
  Losses losses;
  double mean = 0;
};

struct SearchOptions {
  SearchMethod method;
  int owners = 1;  // of the map to find; of `measure` not read
  std::uint64_t seed = 1;
  bool guided = false;
  std::vector<SharingMap> maps;  // measured too
};

struct SearchHooks {
  MeasureHooks measure;
  /// A map was measured; `best` so far, where one has the right number of owners.
  std::function<Result<void>(const MeasuredMap& map, const MeasuredMap* best)> onMeasured;
  /// So many maps more will be measured now.
  std::function<void(std::int64_t maps)> onPlan;
  /// The whole matrix; dp and guided searches ask for it once.
  std::function<Result<DeltaMatrix>()> matrix;
  /// mapByDissimilarity()
  std::function<Result<SharingMap>()> dissimilar;
};

struct SearchResult {
  MeasuredMap best, full;
  std::int64_t evaluated = 0;
};

class MapSearch {
 public:
  MapSearch(Objective& objective, int layers, SearchOptions options, SearchHooks hooks);

  /// What an earlier run measured: not measured again.
  void know(const SharingMap& map, Losses losses);
  Result<SearchResult> run();

 private:
  using Measured = std::vector<const MeasuredMap*>;

  /// Measures those that are new; all in the order asked for.
  Result<Measured> measure(const std::vector<SharingMap>& maps);
  Result<const MeasuredMap*> bestOf(const std::vector<SharingMap>& maps);
  /// The `most` that the matrix ranks first, where the search is guided.
  std::vector<SharingMap> ranked(std::vector<SharingMap> maps, std::size_t most) const;
  /// The `most` that are best on the objective's sample, and what was measured before; all where there is no sample.
  Result<std::vector<SharingMap>> screened(std::vector<SharingMap> maps, std::size_t most);
  Result<const MeasuredMap*> search();
  Result<const MeasuredMap*> beam(int width);
  enum class Neighbours { all, repointed };
  /// Steps to the best neighbour until none is better.
  Result<const MeasuredMap*> descend(const MeasuredMap* from, Neighbours which);
  Result<const MeasuredMap*> random(int count);

  Objective& m_objective;
  int m_layers;
  SearchOptions m_options;
  SearchHooks m_hooks;
  std::optional<DeltaMatrix> m_matrix;
  std::map<std::vector<int>, MeasuredMap> m_known;  // by src; what was not asked for yet among it
  std::map<std::vector<int>, bool> m_told;          // asked for in this run
  const MeasuredMap* m_best = nullptr;              // with the right number of owners
};

/// Maps that differ from `map` by one follower that reads another owner.
std::vector<SharingMap> repointed(const SharingMap& map);
/// Maps that differ from `map` by one owner that is another layer; followers that read the nearest owner still do.
std::vector<SharingMap> withOwnerMoved(const SharingMap& map);

}  // namespace strata
