#include "core/base/json.h"
#include "core/training/trainer.h"

namespace strata {

Result<RoutingScript> readRoutings(const std::filesystem::path& path, int layers, int groups, int steps) {
  STRATA_TRY(const Json json, readJson(path));
  const std::string where = path.string();
  const auto broken = [&](const std::string& at, const std::string& what) {
    return fail(ErrorCode::invalidData,
                "The routings " + where + " at " + at + ": " + what + "; they are a list [step][group][layer].", where);
  };
  if (!json.is_array() || static_cast<int>(json.size()) < steps) {
    return broken("the top", "there must be a list for each of the " + std::to_string(steps) + " steps");
  }
  RoutingScript script;
  for (std::size_t s = 0; s < static_cast<std::size_t>(steps); ++s) {
    const std::string atStep = std::string("[").append(std::to_string(s)).append("]");
    if (!json[s].is_array() || static_cast<int>(json[s].size()) != groups) {
      return broken(atStep, "there must be one routing for each of the " + std::to_string(groups) + " groups");
    }
    std::vector<SharingMap> step;
    for (std::size_t g = 0; g < json[s].size(); ++g) {
      const std::string at = std::string(atStep).append("[").append(std::to_string(g)).append("]");
      if (!json[s][g].is_array() || static_cast<int>(json[s][g].size()) != layers) {
        return broken(at, "a routing has one source for each of the " + std::to_string(layers) + " layers");
      }
      std::vector<int> src;
      for (const Json& source : json[s][g]) {
        if (!source.is_number_integer() || source.get<std::int64_t>() < 0 || source.get<std::int64_t>() >= layers) {
          return broken(at, "a source is a layer number from 0 to " + std::to_string(layers - 1));
        }
        src.push_back(source.get<int>());
      }
      auto routing = SharingMap::create(std::move(src), MapKind::training);
      if (!routing) return broken(at, routing.error().message);
      step.push_back(std::move(*routing));
    }
    script.push_back(std::move(step));
  }
  return script;
}

}  // namespace strata
