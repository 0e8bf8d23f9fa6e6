#include "widgets/mapeditor/map_edits.h"

#include <QString>
#include <algorithm>

namespace strata {
namespace {

int& at(std::vector<int>& src, int layer) {
  return src[static_cast<std::size_t>(layer)];
}

Error refusal(const QString& sentence) {
  return {ErrorCode::usage, sentence.toStdString(), {}};
}

bool holds(const std::vector<int>& layers, int layer) {
  return std::find(layers.begin(), layers.end(), layer) != layers.end();
}

}  // namespace

std::optional<Error> MapEdits::whyNot(const SharingMap& map, const std::vector<int>& layers, int source) {
  for (const int layer : layers) {
    if (layer < 0 || layer >= map.layers() || source < 0 || source >= map.layers()) {
      const int missing = layer < 0 || layer >= map.layers() ? layer : source;
      return refusal(tr("There is no layer %1; the model has %2.").arg(missing).arg(map.layers()));
    }
    if (layer == 0 && source != 0) return refusal(tr("Layer 0 keeps its own keys and values."));
    if (source > layer) {
      return refusal(tr("Layer %1 comes after %2; a layer reads only earlier ones.").arg(source).arg(layer));
    }
  }
  return {};
}

Result<SharingMap> MapEdits::read(const SharingMap& map, const std::vector<int>& layers, int source) {
  if (layers.empty()) return map;
  if (auto refused = whyNot(map, layers, source)) return tl::unexpected(std::move(*refused));
  std::vector<int> src = map.src();
  // What is dragged onto itself is no longer a follower.
  const int owner = holds(layers, source) ? source : map[source];
  for (const int layer : layers) at(src, layer) = owner;
  // An owner brings its followers along.
  for (int& reads : src) {
    if (at(src, reads) != reads) reads = at(src, reads);
  }
  return SharingMap::create(std::move(src));
}

Result<SharingMap> MapEdits::setOwner(const SharingMap& map, int layer, bool owns) {
  if (layer < 0 || layer >= map.layers()) {
    return tl::unexpected(refusal(tr("There is no layer %1; the model has %2.").arg(layer).arg(map.layers())));
  }
  if (map.owns(layer) == owns) return map;
  if (layer == 0) return tl::unexpected(refusal(tr("Layer 0 keeps its own keys and values.")));
  std::vector<int> src = map.src();
  const int before = owns ? map[layer] : layer;
  const int after = owns ? layer : ownerAbove(map, layer);
  for (int l = layer; l < map.layers(); ++l) {
    if (at(src, l) == before) at(src, l) = after;
  }
  return SharingMap::create(std::move(src));
}

Result<SharingMap> MapEdits::moveOwner(const SharingMap& map, int owner, int to) {
  if (owner <= 0 || owner >= map.layers() || !map.owns(owner)) {
    return tl::unexpected(refusal(tr("Layer %1 is no owner that can be moved.").arg(owner)));
  }
  const auto [first, last] = rangeOf(map, owner);
  if (to < first || to > last) {
    return tl::unexpected(refusal(tr("Owner %1 can move to the layers %2 to %3.").arg(owner).arg(first).arg(last)));
  }
  std::vector<int> src = map.src();
  const int above = ownerAbove(map, owner);
  for (int l = first; l < map.layers(); ++l) {
    if (map[l] == owner) at(src, l) = l < to ? above : to;
    // Those of the upper bracket that the cut has passed.
    if (map[l] == above && l >= to && l < owner) at(src, l) = to;
  }
  at(src, to) = to;
  return SharingMap::create(std::move(src));
}

int MapEdits::ownerAbove(const SharingMap& map, int layer) {
  int above = layer - 1;
  while (above > 0 && !map.owns(above)) --above;
  return std::max(above, 0);
}

std::pair<int, int> MapEdits::rangeOf(const SharingMap& map, int owner) {
  int after = owner + 1;
  while (after < map.layers() && !map.owns(after)) ++after;
  return {ownerAbove(map, owner) + 1, after - 1};
}

std::vector<int> MapEdits::followersOf(const SharingMap& map, int owner) {
  std::vector<int> followers;
  for (int l = owner + 1; l < map.layers(); ++l) {
    if (map[l] == owner) followers.push_back(l);
  }
  return followers;
}

QString MapEdits::layersText(std::vector<int> layers) {
  if (layers.size() == 1) return tr("layer %1").arg(layers[0]);
  std::sort(layers.begin(), layers.end());
  const bool inARow = !layers.empty() && layers.back() - layers.front() + 1 == static_cast<int>(layers.size());
  if (inARow) return tr("layers %1-%2").arg(layers.front()).arg(layers.back());
  return tr("%n layer(s)", nullptr, static_cast<int>(layers.size()));
}

QString MapEdits::readText(const std::vector<int>& layers, int owner) {
  if (layers.size() == 1 && layers[0] == owner) return tr("layer %1 keeps its own").arg(owner);
  return tr("%1 read(s) %2", nullptr, static_cast<int>(layers.size())).arg(layersText(layers)).arg(owner);
}

}  // namespace strata
