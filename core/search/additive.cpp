#include "core/search/additive.h"

#include <algorithm>

namespace strata {
namespace {

constexpr std::size_t kMostStates = 4096;  // of each number of owners

/// The layers so far: who owns, and what the followers among them cost.
struct Partial {
  double cost = 0;
  std::vector<int> owners;
  std::vector<int> src;
};

bool isBetter(const Partial& a, const Partial& b) {
  return a.cost != b.cost ? a.cost < b.cost : a.owners < b.owners;
}

void keepBest(std::vector<Partial>& states, std::size_t most) {
  if (states.size() > most) {
    std::nth_element(states.begin(), states.begin() + static_cast<std::ptrdiff_t>(most), states.end(), isBetter);
    states.resize(most);
  }
}

Partial following(Partial state, const DeltaMatrix& matrix, int layer) {
  const auto costOf = [&](int owner) { return matrix.at(layer, owner).value_or(0); };
  const int cheapest =
      *std::min_element(state.owners.begin(), state.owners.end(), [&](int a, int b) { return costOf(a) < costOf(b); });
  state.cost += costOf(cheapest);
  state.src.push_back(cheapest);
  return state;
}

Partial owning(Partial state, int layer) {
  state.owners.push_back(layer);
  state.src.push_back(layer);
  return state;
}

}  // namespace

std::vector<SharingMap> bestAdditiveMaps(const DeltaMatrix& matrix, int owners, std::size_t most) {
  const auto wanted = static_cast<std::size_t>(owners);
  std::vector<std::vector<Partial>> byOwners(wanted + 1);  // by their number
  byOwners[1].push_back({0, {0}, {0}});
  for (int layer = 1; layer < matrix.layers; ++layer) {
    std::vector<std::vector<Partial>> next(wanted + 1);
    const auto left = static_cast<std::size_t>(matrix.layers - layer - 1);
    for (std::size_t n = 1; n <= wanted; ++n) {
      for (Partial& state : byOwners[n]) {
        if (n + left >= wanted) next[n].push_back(following(state, matrix, layer));
        if (n < wanted) next[n + 1].push_back(owning(std::move(state), layer));
      }
    }
    for (std::vector<Partial>& states : next) keepBest(states, kMostStates);
    byOwners = std::move(next);
  }
  std::vector<Partial>& whole = byOwners[wanted];
  std::sort(whole.begin(), whole.end(), isBetter);
  if (whole.size() > most) whole.resize(most);
  std::vector<SharingMap> maps;
  for (Partial& state : whole) maps.push_back(*SharingMap::create(std::move(state.src)));
  return maps;
}

}  // namespace strata
