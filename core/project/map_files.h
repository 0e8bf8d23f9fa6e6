#pragma once
// The sharing maps of a project: maps/*.json, and those that its evaluations measured (design.md section 4).
//
//   for (const KnownMap& map : knownMaps(project, finishedEvaluations)) …
//   STRATA_CHECK(writeMap(project, "quarter", map, {}));

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/routing/sharing_map.h"

namespace strata {

/// A score of a map, as an evaluation counted it.
struct MapMeasure {
  std::string metric;  // "f1", "em", "nll", …
  double value = 0;    // 0 to 1; of nll nats per token
  std::int64_t n = 0;  // questions or tokens; 0: unknown
};

struct KnownMap {
  std::string name;  // of a stored map; of a measured one as the evaluation was told
  SharingMap map = SharingMap::full(1);
  std::filesystem::path model;    // folder of the model or run that it is for or was measured on; empty: any model of
                                  // as many layers
  std::filesystem::path adapter;  // a LoRA folder over it
  std::string run;                // that measured it; empty: it is stored
  std::vector<MapMeasure> scores;
  std::string problem;  // why a file cannot be read; the map says nothing then
};

/// Stored ones by name, then measured ones in the order of `evaluations`: the ids of runs that are done. What one file
/// or run has wrong hides no other.
std::vector<KnownMap> knownMaps(const std::filesystem::path& project, const std::vector<std::string>& evaluations);

/// maps/<name>.json, whole or not at all. `name` has 1 to 100 characters, no slash, and begins with no dot. `extra`
/// members are added.
Result<void> writeMap(const std::filesystem::path& project, const std::string& name, const SharingMap& map,
                      const Json& extra);

}  // namespace strata
