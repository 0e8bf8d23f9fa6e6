#include "core/search/map_search.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "core/routing/sampler.h"
#include "core/search/additive.h"

namespace strata {
namespace {

constexpr std::size_t kMeasuredOfMatrix = 16;  // best maps by the matrix that dp measures
constexpr std::size_t kMeasuredPerGuidedStep = 16;
constexpr std::size_t kLeastScreened = 4, kScreenedShare = 5;  // of a list, what a sample leaves to measure
constexpr std::uint32_t kMostDraws = 100;  // per random map wanted: few maps differ where few layers are free
constexpr double kLeastGain = 1e-6;        // below it is rounding

/// The nearest owner at or below `layer`.
int nearestOwner(const std::vector<bool>& owners, int layer) {
  while (layer > 0 && !owners[static_cast<std::size_t>(layer)]) --layer;
  return layer;
}

std::vector<bool> ownersOf(const SharingMap& map) {
  std::vector<bool> owners;
  for (int l = 0; l < map.layers(); ++l) owners.push_back(map.owns(l));
  return owners;
}

std::vector<SharingMap> withOneMoreOwner(const SharingMap& map) {
  std::vector<SharingMap> maps;
  for (int l = 1; l < map.layers(); ++l) {
    if (map.owns(l)) continue;
    std::vector<bool> owners = ownersOf(map);
    owners[static_cast<std::size_t>(l)] = true;
    maps.push_back(mapFromOwners(owners));
  }
  return maps;
}

/// `from` with each follower that is better off re-pointed reading what is best for it alone.
SharingMap withBetterSources(const MeasuredMap& from, const std::vector<const MeasuredMap*>& neighbours) {
  std::vector<int> src = from.map.src();
  std::vector<double> best(src.size(), from.mean - kLeastGain);
  for (const MeasuredMap* one : neighbours) {
    std::vector<std::size_t> changed;
    for (std::size_t l = 0; l < src.size(); ++l) {
      if (one->map.src()[l] != from.map.src()[l]) changed.push_back(l);
    }
    if (changed.size() != 1 || one->map.owners() != from.map.owners() || one->mean >= best[changed[0]]) continue;
    best[changed[0]] = one->mean;
    src[changed[0]] = one->map.src()[changed[0]];
  }
  return *SharingMap::create(std::move(src));
}

}  // namespace

std::vector<SharingMap> repointed(const SharingMap& map) {
  std::vector<SharingMap> maps;
  for (int l = 1; l < map.layers(); ++l) {
    for (int owner = 0; owner < l && !map.owns(l); ++owner) {
      if (!map.owns(owner) || owner == map[l]) continue;
      std::vector<int> src = map.src();
      src[static_cast<std::size_t>(l)] = owner;
      maps.push_back(*SharingMap::create(std::move(src)));
    }
  }
  return maps;
}

std::vector<SharingMap> withOwnerMoved(const SharingMap& map) {
  const std::vector<bool> before = ownersOf(map);
  std::vector<SharingMap> maps;
  for (int from = 1; from < map.layers(); ++from) {
    for (int to = 1; map.owns(from) && to < map.layers(); ++to) {
      if (map.owns(to)) continue;
      std::vector<bool> after = before;
      after[static_cast<std::size_t>(from)] = false;
      after[static_cast<std::size_t>(to)] = true;
      std::vector<int> src;
      for (int l = 0; l < map.layers(); ++l) {
        const bool keeps = !after[static_cast<std::size_t>(l)] && map[l] != from && map[l] != nearestOwner(before, l);
        src.push_back(keeps ? map[l] : nearestOwner(after, l));
      }
      maps.push_back(*SharingMap::create(std::move(src)));
    }
  }
  return maps;
}

MapSearch::MapSearch(Objective& objective, int layers, SearchOptions options, SearchHooks hooks)
    : m_objective(objective), m_layers(layers), m_options(std::move(options)), m_hooks(std::move(hooks)) {}

void MapSearch::know(const SharingMap& map, Losses losses) {
  const double mean = meanOf(losses).mean;
  m_known.insert_or_assign(map.src(), MeasuredMap{map, std::move(losses), mean});
}

Result<MapSearch::Measured> MapSearch::measure(const std::vector<SharingMap>& maps) {
  std::vector<SharingMap> unknown;
  std::set<std::vector<int>> listed;
  for (const SharingMap& map : maps) {
    if (!m_known.contains(map.src()) && listed.insert(map.src()).second) unknown.push_back(map);
  }
  if (!unknown.empty()) {
    if (m_hooks.onPlan) m_hooks.onPlan(static_cast<std::int64_t>(unknown.size()));
    STRATA_TRY(std::vector<Losses> losses, m_objective.measure(unknown, m_hooks.measure));
    for (std::size_t i = 0; i < unknown.size(); ++i) know(unknown[i], std::move(losses[i]));
  }
  Measured measured;
  for (const SharingMap& map : maps) {
    const MeasuredMap& one = m_known.at(map.src());
    measured.push_back(&one);
    if (!m_told.emplace(map.src(), true).second) continue;
    const bool counts = m_options.method.name == "measure" || map.owners() == m_options.owners;
    if (counts && (m_best == nullptr || one.mean < m_best->mean)) m_best = &one;
    if (m_hooks.onMeasured) STRATA_CHECK(m_hooks.onMeasured(one, m_best));
  }
  return measured;
}

Result<const MeasuredMap*> MapSearch::bestOf(const std::vector<SharingMap>& maps) {
  STRATA_TRY(const Measured measured, measure(maps));
  return *std::min_element(measured.begin(), measured.end(),
                           [](const MeasuredMap* a, const MeasuredMap* b) { return a->mean < b->mean; });
}

std::vector<SharingMap> MapSearch::ranked(std::vector<SharingMap> maps, std::size_t most) const {
  if (!m_matrix || maps.size() <= most) return maps;
  const auto estimate = [this](const SharingMap& map) {
    return m_matrix->estimate(map).value_or(std::numeric_limits<double>::infinity());
  };
  std::stable_sort(maps.begin(), maps.end(),
                   [&](const SharingMap& a, const SharingMap& b) { return estimate(a) < estimate(b); });
  maps.resize(most, SharingMap::full(1));
  return maps;
}

Result<std::vector<SharingMap>> MapSearch::screened(std::vector<SharingMap> maps, std::size_t most) {
  if (!m_objective.screens()) return maps;
  std::vector<SharingMap> measured, others;
  for (SharingMap& map : maps) (m_told.contains(map.src()) ? measured : others).push_back(std::move(map));
  if (others.size() > most) {
    if (m_hooks.onPlan) m_hooks.onPlan(static_cast<std::int64_t>(most));
    STRATA_TRY(const std::vector<double> means, m_objective.screen(others, m_hooks.measure));
    std::vector<std::size_t> order(others.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return means[a] < means[b]; });
    for (std::size_t i = 0; i < most; ++i) measured.push_back(others[order[i]]);
    return measured;
  }
  for (SharingMap& map : others) measured.push_back(std::move(map));
  return measured;
}

Result<const MeasuredMap*> MapSearch::beam(int width) {
  std::vector<bool> first(static_cast<std::size_t>(m_layers), false);
  first[0] = true;
  STRATA_TRY(Measured kept, measure({mapFromOwners(first)}));
  for (int owners = 2; owners <= m_options.owners; ++owners) {
    std::vector<SharingMap> candidates;
    std::set<std::vector<int>> listed;
    for (const MeasuredMap* one : kept) {
      for (SharingMap& map : withOneMoreOwner(one->map)) {
        if (listed.insert(map.src()).second) candidates.push_back(std::move(map));
      }
    }
    const auto w = static_cast<std::size_t>(width);
    candidates = ranked(std::move(candidates), kMeasuredPerGuidedStep * w);
    const std::size_t most = std::max(kLeastScreened + w, candidates.size() / kScreenedShare);
    STRATA_TRY(candidates, screened(std::move(candidates), most));
    STRATA_TRY(kept, measure(candidates));
    std::stable_sort(kept.begin(), kept.end(),
                     [](const MeasuredMap* a, const MeasuredMap* b) { return a->mean < b->mean; });
    if (kept.size() > static_cast<std::size_t>(width)) kept.resize(static_cast<std::size_t>(width));
  }
  return kept.front();
}

Result<const MeasuredMap*> MapSearch::descend(const MeasuredMap* from, Neighbours which) {
  for (;;) {
    std::vector<SharingMap> neighbours = repointed(from->map);
    if (which == Neighbours::all) {
      for (SharingMap& map : withOwnerMoved(from->map)) neighbours.push_back(std::move(map));
    }
    if (neighbours.empty()) return from;
    neighbours = ranked(std::move(neighbours), kMeasuredPerGuidedStep);
    const std::size_t most = std::max(kLeastScreened, neighbours.size() / kScreenedShare);
    STRATA_TRY(neighbours, screened(std::move(neighbours), most));
    STRATA_TRY(const Measured measured, measure(neighbours));
    neighbours.push_back(withBetterSources(*from, measured));
    STRATA_TRY(const MeasuredMap* best, bestOf(neighbours));
    if (best->mean > from->mean - kLeastGain) return from;
    from = best;
  }
}

Result<const MeasuredMap*> MapSearch::random(int count) {
  STRATA_TRY(const RoutingSampler sampler,
             RoutingSampler::parse("strategy:" + std::to_string(static_cast<double>(m_options.owners) / m_layers)));
  std::vector<SharingMap> maps;
  std::set<std::vector<int>> listed;
  const std::uint32_t draws = kMostDraws * static_cast<std::uint32_t>(count);
  for (std::uint32_t draw = 0; draw < draws && maps.size() < static_cast<std::size_t>(count); ++draw) {
    SharingMap map = sampler.draw(m_layers, 1, m_options.seed, draw, 0);
    if (listed.insert(map.src()).second) maps.push_back(std::move(map));
  }
  return bestOf(maps);
}

Result<const MeasuredMap*> MapSearch::search() {
  const std::string& method = m_options.method.name;
  if (method == "measure") return bestOf(m_options.maps);
  if (m_options.owners == m_layers) return bestOf({SharingMap::full(m_layers)});
  STRATA_TRY(const SharingMap even, parseMap("even:" + std::to_string(m_options.owners), m_layers));
  if (method == "dp" || m_options.guided) {
    STRATA_TRY(m_matrix, m_hooks.matrix());
  }
  if (method == "dp") {
    std::vector<SharingMap> maps = bestAdditiveMaps(*m_matrix, m_options.owners, kMeasuredOfMatrix);
    maps.push_back(even);
    STRATA_TRY(const MeasuredMap* found, bestOf(maps));
    return descend(found, Neighbours::repointed);
  }
  if (method == "random") return random(m_options.method.number);
  if (method == "dissimilarity") {
    STRATA_TRY(const SharingMap map, m_hooks.dissimilar());
    return bestOf({map});
  }
  STRATA_TRY(const MeasuredMap* found, beam(method == "beam" ? m_options.method.number : 1));
  STRATA_TRY(found, bestOf({found->map, even}));
  return descend(found, method == "beam" ? Neighbours::repointed : Neighbours::all);
}

Result<SearchResult> MapSearch::run() {
  STRATA_TRY(const Measured full, measure({SharingMap::full(m_layers)}));
  STRATA_TRY(const MeasuredMap* best, search());
  STRATA_CHECK(measure(m_options.maps));
  return SearchResult{*best, *full.front(), static_cast<std::int64_t>(m_told.size())};
}

}  // namespace strata
