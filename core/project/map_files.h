#pragma once
// The sharing maps of a project: maps/*.json, and those that its evaluations and searches measured (design.md
// section 4).
//
//   for (const KnownMap& map : knownMaps(project, runs)) …
//   STRATA_CHECK(writeMap(project, "quarter", map, {}));

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/routing/sharing_map.h"

namespace strata {

/// A score of a map, as an evaluation or a search counted it.
struct MapMeasure {
  std::string metric;                    // "f1", "em", "nll", …
  double value = 0;                      // 0 to 1; of nll nats per token
  std::int64_t n = 0;                    // questions or tokens; 0: unknown
  std::optional<double> halfWidth = {};  // of the value's 95 % interval
};

struct KnownMap {
  std::string name;  // of a stored map; of a measured one as the evaluation was told
  SharingMap map = SharingMap::full(1);
  std::filesystem::path model;    // folder of the model or run that it is for or was measured on; empty: any model of
                                  // as many layers
  std::filesystem::path adapter;  // a LoRA folder over it
  std::string run;                // that measured it; empty: it is stored
  std::vector<MapMeasure> scores;
  std::string problem;         // why a file cannot be read; the map says nothing then
  std::filesystem::path text;  // that it was measured on, or the questions; empty: unknown
  std::string textHash;        // SHA-256 of the file, of a search
};

/// Stored ones by name, then measured ones in the order of `runs`: ids of evaluations that are done, and of searches.
/// What one file or run has wrong hides no other.
std::vector<KnownMap> knownMaps(const std::filesystem::path& project, const std::vector<std::string>& runs);
/// What those runs measured alone; what several searches measured, of the first of them.
std::vector<KnownMap> measuredMaps(const std::filesystem::path& project, const std::vector<std::string>& runs);
/// The maps of a results.json; `measured` says where and on what. Those before a bad one are added.
Result<void> addMapsOfResults(const Json& json, const KnownMap& measured, std::vector<KnownMap>& maps);
/// By name.
std::vector<KnownMap> trashedMaps(const std::filesystem::path& project);

/// maps/<name>.json, whole or not at all. `name` has 1 to 100 characters, no slash, and begins with no dot. `extra`
/// members are added.
Result<void> writeMap(const std::filesystem::path& project, const std::string& name, const SharingMap& map,
                      const Json& extra);

/// The file of a stored map, checked.
Result<Json> readStoredMap(const std::filesystem::path& project, const std::string& name);
/// A map file of any folder: {"format": "strata-map", …}. `layers` > 0: one for another number of layers is refused.
Result<Json> readMapFile(const std::filesystem::path& path, int layers);

/// Refused where another map has the name.
Result<void> renameMap(const std::filesystem::path& project, const std::string& name, const std::string& to);
/// To maps/trash; the name that it has there, unlike the others.
Result<std::string> trashMap(const std::filesystem::path& project, const std::string& name);
/// Back from there; the name that it has again, unlike the others.
Result<std::string> restoreMap(const std::filesystem::path& project, const std::string& name);
/// Deletes a map of the trash for good.
Result<void> deleteTrashedMap(const std::filesystem::path& project, const std::string& name);

}  // namespace strata
