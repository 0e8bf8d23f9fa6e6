#pragma once
// What one edit makes of a map, without changing anything: MapDocument takes the result as an undo step, and the editor
// shows it before the drop. Errors name the layer.

#include <QCoreApplication>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/routing/sharing_map.h"

namespace strata {

class MapEdits {
  Q_DECLARE_TR_FUNCTIONS(MapEdits)

 public:
  /// These layers read what `source` reads (its owner, where it is a follower). What reads one of them follows it.
  static Result<SharingMap> read(const SharingMap& map, const std::vector<int>& layers, int source);
  /// Makes a layer an owner, and gives it those below it in its bracket; or takes that from it: it and its followers
  /// read the owner above.
  static Result<SharingMap> setOwner(const SharingMap& map, int layer, bool owns);
  /// The owner's place in the map moves to another layer, between the owners before and after it. Layers that it passes
  /// change brackets, as at the cut between two clips.
  static Result<SharingMap> moveOwner(const SharingMap& map, int owner, int to);

  /// Why `layers` cannot read `source`; nothing: they can.
  static std::optional<Error> whyNot(const SharingMap& map, const std::vector<int>& layers, int source);
  /// The owner before a layer; the layer is not 0.
  static int ownerAbove(const SharingMap& map, int layer);
  /// Where moveOwner() can put an owner: the first and last layer.
  static std::pair<int, int> rangeOf(const SharingMap& map, int owner);
  /// Those that read an owner, in order, itself left out.
  static std::vector<int> followersOf(const SharingMap& map, int owner);

  /// "layer 7", "layers 5-7", "3 layers".
  static QString layersText(std::vector<int> layers);
  /// "layers 5-7 read 4": the name of the step.
  static QString readText(const std::vector<int>& layers, int owner);
};

}  // namespace strata
