#pragma once
// Maps that are best by the sum of the sensitivity matrix' cells: each follower reads its cheapest earlier owner.

#include <vector>

#include "core/routing/sharing_map.h"
#include "core/search/sensitivity.h"

namespace strata {

/// The `most` best owner sets of that size, the best first; equal ones in lexicographic order of owners. A dynamic
/// program over the layers keeps the 4,096 cheapest owner sets of each size: exact up to 14 layers. The matrix is
/// whole.
std::vector<SharingMap> bestAdditiveMaps(const DeltaMatrix& matrix, int owners, std::size_t most);

}  // namespace strata
