#pragma once
// Which layer's keys and values each layer reads (design words: sharing map, owner, follower, retention).
//
//   auto map = parseMap("stride:2", layers);        // Result<SharingMap>, at inference every source is an owner
//   map->src()        // {0, 0, 2, 2, 4}
//   map->retention()  // owners / layers
// Values; safe to share between threads.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

/// A map for inference has src[src[l]] == src[l]; a training routing may read any earlier layer.
enum class MapKind { inference, training };

class SharingMap {
 public:
  /// The full map: every layer owns.
  static SharingMap full(int layers);
  /// Checks src[0] == 0, 0 <= src[l] <= l, and for MapKind::inference src[src[l]] == src[l]; the error names the layer.
  static Result<SharingMap> create(std::vector<int> src, MapKind kind = MapKind::inference);

  const std::vector<int>& src() const { return m_src; }  // [L]
  int layers() const { return static_cast<int>(m_src.size()); }
  int operator[](int layer) const { return m_src[static_cast<std::size_t>(layer)]; }
  bool owns(int layer) const { return (*this)[layer] == layer; }
  bool isFull() const;
  bool isInference() const;
  /// Whether any layer (itself included) reads the keys and values of `layer`. At inference: the owners.
  bool isRead(int layer) const;
  int owners() const;  // number of layers l with src[l] == l
  int lastOwner() const;
  /// owners / layers: the share of the full KV cache that this map takes.
  double retention() const { return static_cast<double>(owners()) / layers(); }
  bool operator==(const SharingMap&) const = default;

 private:
  explicit SharingMap(std::vector<int> src) : m_src(std::move(src)) {}
  std::vector<int> m_src;
};

/// Patterns: full; even:m; retention:r (0 < r <= 1); stride:k; prefix:m; sandwich:a,b,k; a list "0,0,2,2"; file:PATH (a
/// map file {"format": "strata-map", "version": 1, "layers", "src", …}). One sentence names the offending layer or
/// parameter.
Result<SharingMap> parseMap(std::string_view text, int layers, MapKind kind = MapKind::inference);

/// The number of owners that a retention means: max(1, round(retention · layers)), halves rounded up.
int ownersForRetention(double retention, int layers);

/// The map in which every layer reads the nearest owner at or below it. owners: [L], layer 0 owns whatever owners[0]
/// says.
SharingMap mapFromOwners(const std::vector<bool>& owners);

/// The first of full, stride:k, even:m, prefix:m that gives this map, else the list; parseMap reads it back as the same
/// map.
std::string printMap(const SharingMap& map);

/// "0, 3, 6, 8-10" of layers in order.
std::string printLayers(const std::vector<int>& layers);
/// The layers that own, so.
std::string printOwners(const SharingMap& map);

struct NamedMap {
  std::string name;  // as the user wrote it
  SharingMap map;
};

/// Several maps: separated by ';', or by ',' where every part between commas is a pattern without commas, or one list.
/// "full,stride:2" are two, "0,0,2,2" and "sandwich:1,1,2" one each, "full;0,0,2,2" two.
Result<std::vector<NamedMap>> parseMaps(std::string_view text, int layers, MapKind kind = MapKind::inference);

/// strata_map.json and the answer of `strata search`. `extra` members are added behind those of the format.
Json mapToJson(const SharingMap& map, const Json& extra = Json::object());
/// Members beyond the format's are ignored; another version, or "layers" that is not the length of "src", is refused.
Result<SharingMap> mapFromJson(const Json& file, const std::string& where, MapKind kind = MapKind::inference);

/// What two layers must have in common to share keys and values.
struct KvGeometry {
  int kvHeads = 0;
  int headDim = 0;
  std::string rope;  // a description that differs exactly when the rotation differs
  bool operator==(const KvGeometry&) const = default;
};
/// Refuses a map in which a layer reads one of another geometry; the error names both layers.
Result<void> checkGeometry(const SharingMap& map, const std::vector<KvGeometry>& layers);

}  // namespace strata
