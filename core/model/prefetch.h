#pragma once
// How far ahead a product with one row asks for its weights (kernels::setMatvecPrefetch). Processors differ: some run
// at memory's speed only so, others are slowed by it. So it is measured once for each and kept in a file.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace strata {

/// The distances that are tried, in bytes.
const std::vector<std::size_t>& prefetchDistances();

/// Of prefetchDistances() the one whose passes take least (medians of `rounds`, alternating, so that a slow stretch of
/// the machine hits all). seconds(distance): what a pass took.
std::size_t fastestPrefetch(int rounds, const std::function<double(std::size_t distance)>& seconds);

/// What `file` says of this processor; else measures (about .1 s) and writes it there. An empty path: nothing is kept.
std::size_t prefetchOf(const std::string& processor, const std::filesystem::path& file);

/// Sets the distance for this process at the first call, kept in the user's cache folder (prefetch.json).
void tunePrefetch();

}  // namespace strata
