#pragma once
// KVSharer (arXiv 2410.18517): layers whose averaged keys and values differ most share first, as long as the model's
// last hidden states stay similar.

#include <memory>

#include "core/base/error.h"
#include "core/model/model.h"
#include "core/routing/sharing_map.h"
#include "core/search/map_scorer.h"
#include "core/search/search_text.h"

namespace strata {

/// Keys and values of the full map at the first 64 positions of up to 64 windows, averaged over the windows; pairs of
/// layers by falling Euclidean distance: the later reads the earlier where the cosine of the last hidden states to the
/// full map's, averaged over the same positions, is at least .5. Where the pairs run out before `owners` is reached,
/// the bound falls by .1.
Result<SharingMap> mapByDissimilarity(const Model& model, const SearchText& text, int owners,
                                      const MapScorer::GoOn& goOn);

}  // namespace strata
