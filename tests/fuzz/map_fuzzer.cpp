// Map texts and map files: no crash, and what is accepted obeys the map's rules and comes back from its print.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/routing/sampler.h"
#include "core/routing/sharing_map.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void checkMap(const strata::SharingMap& map, strata::MapKind kind) {
  require(strata::SharingMap::create(map.src(), kind).has_value());
  const auto printed = strata::parseMap(strata::printMap(map), map.layers(), kind);
  require(printed && *printed == map);
  const auto stored = strata::mapFromJson(strata::mapToJson(map), "map", kind);
  require(stored && *stored == map);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const int layers = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const auto kind : {strata::MapKind::inference, strata::MapKind::training}) {
    // "file:" would read whatever lies on this disk.
    if (text.find("file:") == std::string_view::npos) {
      if (const auto map = strata::parseMap(text, layers, kind)) checkMap(*map, kind);
      if (const auto maps = strata::parseMaps(text, layers, kind)) {
        for (const auto& named : *maps) checkMap(named.map, kind);
      }
    }
    if (const auto json = strata::parseJson(text, "input")) {
      if (const auto map = strata::mapFromJson(*json, "input", kind)) checkMap(*map, kind);
    }
  }
  if (const auto sampler = strata::RoutingSampler::parse(text)) {
    const auto again = strata::RoutingSampler::parse(sampler->print());
    require(again && again->print() == sampler->print());
    const auto routing = sampler->draw(layers % 16 + 1, 0.5, size, 0, 0);
    require(strata::SharingMap::create(routing.src(), strata::MapKind::training).has_value());
  }
  return 0;
}
