#pragma once
// The loss of many maps on one text. Maps that agree on src[0..l] share the layers up to l: a batch of windows runs
// down the tree of their sources, so that a layer runs once for each prefix and not once for each map.
//
//   MapScorer scorer(model, text);
//   for (std::size_t b = 0; b < scorer.batches(); ++b)
//     STRATA_CHECK(scorer.score(b, maps, goOn, [&](std::size_t map, const Losses& ofBatch) { … }));
// One thread.

#include <functional>
#include <memory>
#include <vector>

#include "core/base/error.h"
#include "core/distributed/communicator.h"
#include "core/model/model.h"
#include "core/routing/sharing_map.h"
#include "core/search/losses.h"
#include "core/search/search_text.h"

namespace strata {

class MapScorer {
 public:
  using GoOn = std::function<bool()>;  // asked between layers; false cancels
  using OnScored = std::function<Result<void>(std::size_t map, const Losses& losses)>;

  /// `text` and the ranks, which share the maps, outlive the scorer. Of them all call the same.
  MapScorer(std::shared_ptr<const Model> model, const SearchText& text, Communicator* ranks = nullptr);

  std::size_t batches() const { return m_batches.size(); }
  /// Numbers of the windows in a batch.
  const std::vector<std::size_t>& windowsOf(std::size_t batch) const { return m_batches[batch]; }
  /// The losses of a batch's windows under each map, in the order of windowsOf(); maps in any order, equal ones too.
  /// They are what scoreWindows() gives, up to the order of sums.
  Result<void> score(std::size_t batch, const std::vector<SharingMap>& maps, const GoOn& goOn,
                     const OnScored& onScored) const;
  /// Layers run by score() since the beginning, each over one batch.
  std::int64_t layersRun() const { return m_layersRun; }

 private:
  struct Descent;

  Result<void> scoreHere(std::size_t batch, const std::vector<SharingMap>& maps, const GoOn& goOn,
                         const OnScored& onScored) const;

  std::shared_ptr<const Model> m_model;
  const SearchText& m_text;
  Communicator* m_ranks;
  std::vector<std::vector<std::size_t>> m_batches;  // windows of similar length together
  mutable std::int64_t m_layersRun = 0;
};

}  // namespace strata
