#include "core/routing/sharing_map.h"

#include <algorithm>
#include <cassert>
#include <climits>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

namespace strata {
namespace {

constexpr int kMapFileVersion = 1;

tl::unexpected<Error> badMap(std::string message) {
  return fail(ErrorCode::usage, std::move(message), "map");
}

std::string layerName(std::size_t layer) {
  return "layer " + std::to_string(layer);
}

/// A layer number in a map file; booleans, fractions and numbers beyond int are none.
std::optional<int> integerIn(const Json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT_MAX) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  if (number < INT_MIN || number > INT_MAX) return std::nullopt;
  return static_cast<int>(number);
}

std::string describe(const KvGeometry& geometry) {
  return std::to_string(geometry.kvHeads) + " KV heads of size " + std::to_string(geometry.headDim) + " with RoPE " +
         geometry.rope;
}

}  // namespace

SharingMap SharingMap::full(int layers) {
  assert(layers >= 1);
  std::vector<int> src(static_cast<std::size_t>(layers));
  std::iota(src.begin(), src.end(), 0);
  return SharingMap(std::move(src));
}

Result<SharingMap> SharingMap::create(std::vector<int> src, MapKind kind) {
  if (src.empty()) return badMap("The map names no layers; give one source for each layer.");
  for (std::size_t layer = 0; layer < src.size(); ++layer) {
    const int source = src[layer];
    if (source < 0) {
      return badMap("The map's " + layerName(layer) + " reads layer " + std::to_string(source) +
                    ", which does not exist; layers count from 0.");
    }
    if (static_cast<std::size_t>(source) > layer) {
      const std::string why = layer == 0 ? "; layer 0 always owns its keys and values: give it source 0."
                                         : ", which comes after it; a layer can read itself or an earlier one.";
      return badMap("The map's " + layerName(layer) + " reads layer " + std::to_string(source) + why);
    }
    const int owner = src[static_cast<std::size_t>(source)];
    if (kind == MapKind::inference && owner != source) {
      return badMap("The map's " + layerName(layer) + " reads layer " + std::to_string(source) +
                    ", which is itself a follower of layer " + std::to_string(owner) + "; point " + layerName(layer) +
                    " at an owner.");
    }
  }
  return SharingMap(std::move(src));
}

bool SharingMap::isFull() const {
  return owners() == layers();
}

bool SharingMap::isInference() const {
  return std::all_of(m_src.begin(), m_src.end(), [this](int source) { return owns(source); });
}

bool SharingMap::isRead(int layer) const {
  return std::find(m_src.begin() + layer, m_src.end(), layer) != m_src.end();
}

int SharingMap::owners() const {
  int count = 0;
  for (int layer = 0; layer < layers(); ++layer) count += owns(layer) ? 1 : 0;
  return count;
}

int SharingMap::lastOwner() const {
  int layer = layers() - 1;
  while (!owns(layer)) --layer;  // layer 0 owns
  return layer;
}

int ownersForRetention(double retention, int layers) {
  // The small term keeps decimal halves halves: .29 · 50 is 14.499999999999998 in binary.
  const double count = std::floor(retention * layers + 0.5 + 1e-9);
  return static_cast<int>(std::clamp(count, 1.0, static_cast<double>(layers)));
}

SharingMap mapFromOwners(const std::vector<bool>& owners) {
  std::vector<int> src(owners.size());
  int owner = 0;
  for (std::size_t layer = 0; layer < owners.size(); ++layer) {
    if (owners[layer]) owner = static_cast<int>(layer);
    src[layer] = owner;
  }
  auto map = SharingMap::create(std::move(src));
  assert(map);
  return *std::move(map);
}

Json mapToJson(const SharingMap& map, const Json& extra) {
  Json file = {{"format", "strata-map"},
               {"version", kMapFileVersion},
               {"layers", map.layers()},
               {"src", map.src()},
               {"retention", map.retention()}};
  for (const auto& [key, value] : extra.items()) {
    if (!file.contains(key)) file[key] = value;
  }
  return file;
}

Result<SharingMap> mapFromJson(const Json& file, const std::string& where, MapKind kind) {
  const auto refuse = [&](const std::string& message) {
    return fail(ErrorCode::invalidData, where + " " + message, where);
  };
  if (!file.is_object() || !file.contains("format") || file["format"] != "strata-map") {
    return refuse("is not a map file; it needs \"format\": \"strata-map\".");
  }
  if (!file.contains("version") || !file["version"].is_number_integer()) {
    return refuse("has no whole number under \"version\"; give \"version\": 1.");
  }
  if (file["version"] != kMapFileVersion) {
    return fail(ErrorCode::unsupported,
                where + " is a map file of version " + file["version"].dump() +
                    "; this program reads version 1, so use a newer program or save the map again.",
                where);
  }
  if (!file.contains("src") || !file["src"].is_array()) {
    return refuse("has no list under \"src\"; give one source for each layer.");
  }
  std::vector<int> src;
  for (const Json& element : file["src"]) {
    const std::optional<int> source = integerIn(element);
    if (!source) {
      return refuse("gives " + layerName(src.size()) +
                    " a source that is not a layer number; give whole numbers from 0.");
    }
    src.push_back(*source);
  }
  const std::optional<int> layers = file.contains("layers") ? integerIn(file["layers"]) : std::nullopt;
  if (!layers) return refuse("has no whole number under \"layers\"; give the length of \"src\".");
  if (*layers < 0 || static_cast<std::size_t>(*layers) != src.size()) {
    return refuse("says " + std::to_string(*layers) + " layers but its \"src\" has " + std::to_string(src.size()) +
                  "; correct one of them.");
  }
  auto map = SharingMap::create(std::move(src), kind);
  if (!map) return refuse("is refused: " + map.error().message);
  return map;
}

Result<void> checkGeometry(const SharingMap& map, const std::vector<KvGeometry>& layers) {
  if (layers.size() != static_cast<std::size_t>(map.layers())) {
    return badMap("The map is made for " + std::to_string(map.layers()) + " layers; this model has " +
                  std::to_string(layers.size()) + ".");
  }
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const auto source = static_cast<std::size_t>(map[static_cast<int>(layer)]);
    if (layers[layer] == layers[source]) continue;
    return badMap("The map's " + layerName(layer) + " cannot read " + layerName(source) + ": " + layerName(layer) +
                  " has " + describe(layers[layer]) + ", " + layerName(source) + " has " + describe(layers[source]) +
                  "; choose a source that is built alike.");
  }
  return {};
}

}  // namespace strata
