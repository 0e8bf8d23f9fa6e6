// maps/*: stored maps and those that were measured.

#include <climits>

#include "core/base/files.h"
#include "core/project/map_files.h"
#include "core/project/project_files.h"
#include "core/service/project_state.h"
#include "core/service/search_methods.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

protocol::KnownMap toMessage(const KnownMap& known) {
  protocol::KnownMap message;
  message.name = known.name;
  message.problem = known.problem;
  message.source = known.run.empty() ? "stored" : "measured";
  message.run = known.run;
  if (!known.problem.empty()) return message;
  message.map = printMap(known.map);
  message.model = known.model.string();
  message.adapter = known.adapter.string();
  message.layers = known.map.layers();
  message.owners = known.map.owners();
  for (const MapMeasure& score : known.scores) {
    message.scores.push_back({score.metric, score.value, score.n, score.halfWidth});
  }
  message.text = known.text.string();
  message.textHash = known.textHash;
  return message;
}

/// A map's file as it is to be written: the map itself checked, the members that follow from it made anew.
struct MapToWrite {
  SharingMap map = SharingMap::full(1);
  Json extra;
};
Result<MapToWrite> mapToWrite(const Json& file, const std::string& where) {
  MapToWrite map;
  STRATA_TRY(map.map, mapFromJson(file, where));
  map.extra = file;
  for (const char* key : {"format", "version", "layers", "src", "retention"}) map.extra.erase(key);
  return map;
}

Result<protocol::RemoveMap::Answer> removeMap(const fs::path& project, const protocol::RemoveMap::Params& params) {
  protocol::RemoveMap::Answer answer{params.name};
  if (params.how == "trash") {
    STRATA_TRY(answer.name, trashMap(project, params.name));
  } else if (params.how == "restore") {
    STRATA_TRY(answer.name, restoreMap(project, params.name));
  } else if (params.how == "delete") {
    STRATA_CHECK(deleteTrashedMap(project, params.name));
  } else {
    return fail(ErrorCode::usage, "how is \"" + params.how + "\"; give trash, restore or delete.", "how");
  }
  return answer;
}

Result<protocol::ImportMap::Answer> importMap(const fs::path& project, const protocol::ImportMap::Params& params) {
  const fs::path path = project / params.path;
  protocol::ImportMap::Answer answer;
  STRATA_TRY(answer.file, readMapFile(path, static_cast<int>(std::min<std::int64_t>(params.layers, INT_MAX))));
  STRATA_TRY(const SharingMap map, mapFromJson(answer.file, path.filename().string()));
  answer.name = path.stem().string();
  answer.map = printMap(map);
  answer.src.assign(map.src().begin(), map.src().end());
  return answer;
}

Result<protocol::ExportMap::Answer> exportMap(const fs::path& project, const protocol::ExportMap::Params& params) {
  std::string name = "map";
  Json file = params.map;
  if (file.is_string()) {
    name = file.get<std::string>();
    STRATA_TRY(file, readStoredMap(project, name));
  }
  STRATA_TRY(const MapToWrite map, mapToWrite(file, name));
  fs::path path = project / params.path;
  if (params.path.empty()) {
    STRATA_CHECK(makeFolder({project, "exports"}));
    path = project / "exports" / (name + ".json");
  }
  STRATA_CHECK(writeFile(path, mapToJson(map.map, map.extra).dump(2) + "\n"));
  return protocol::ExportMap::Answer{path.string()};
}

}  // namespace

void addMapMethods(MethodTable& methods, const ProjectAccess& project) {
  using namespace protocol;
  methods.add<ListMaps>([project](const ListMaps::Params& params, RequestContext&) -> Result<ListMaps::Answer> {
    STRATA_TRY(const auto held, project());
    ListMaps::Answer answer;
    const std::vector<strata::KnownMap> maps =
        params.trash ? trashedMaps(held->folder()) : knownMaps(held->folder(), held->jobs().runsThatMeasured());
    for (const strata::KnownMap& known : maps) answer.maps.push_back(toMessage(known));
    return answer;
  });
  methods.add<PutMap>([project](const PutMap::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(MapToWrite map, mapToWrite(params.map, params.name));
    if (!params.model.empty()) map.extra["model"] = params.model;
    const std::lock_guard lock(held->fileMutex());
    STRATA_CHECK(writeMap(held->folder(), params.name, map.map, map.extra));
    return Nothing{};
  });
  methods.add<RenameMap>([project](const RenameMap::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    const std::lock_guard lock(held->fileMutex());
    STRATA_CHECK(renameMap(held->folder(), params.name, params.to));
    return Nothing{};
  });
  methods.add<RemoveMap>([project](const RemoveMap::Params& params, RequestContext&) -> Result<RemoveMap::Answer> {
    STRATA_TRY(const auto held, project());
    const std::lock_guard lock(held->fileMutex());
    return removeMap(held->folder(), params);
  });
  methods.add<ImportMap>([project](const ImportMap::Params& params, RequestContext&) -> Result<ImportMap::Answer> {
    STRATA_TRY(const auto held, project());
    return importMap(held->folder(), params);
  });
  methods.add<ExportMap>([project](const ExportMap::Params& params, RequestContext&) -> Result<ExportMap::Answer> {
    STRATA_TRY(const auto held, project());
    return exportMap(held->folder(), params);
  });
  addSearchMethods(methods, project);
}

}  // namespace strata
