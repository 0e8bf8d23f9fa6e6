#include "core/project/map_files.h"
#include "core/service/project_state.h"

namespace strata {
namespace {

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
  for (const MapMeasure& score : known.scores) message.scores.push_back({score.metric, score.value, score.n});
  return message;
}

}  // namespace

void addMapMethods(MethodTable& methods, const ProjectAccess& project) {
  using namespace protocol;
  methods.add<ListMaps>([project](const ListMaps::Params&, RequestContext&) -> Result<ListMaps::Answer> {
    STRATA_TRY(const auto held, project());
    ListMaps::Answer answer;
    const std::vector<strata::KnownMap> maps = knownMaps(held->folder(), held->jobs().finishedEvaluations());
    for (const strata::KnownMap& known : maps) answer.maps.push_back(toMessage(known));
    return answer;
  });
  methods.add<PutMap>([project](const PutMap::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(const SharingMap map, mapFromJson(params.map, params.name));
    Json extra = params.map;
    for (const char* key : {"format", "version", "layers", "src", "retention"}) extra.erase(key);
    if (!params.model.empty()) extra["model"] = params.model;
    const std::lock_guard lock(held->fileMutex());
    STRATA_CHECK(writeMap(held->folder(), params.name, map, extra));
    return Nothing{};
  });
}

}  // namespace strata
