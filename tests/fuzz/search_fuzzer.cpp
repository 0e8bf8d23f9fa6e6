// matrix.json and results.json, whoever wrote them: no crash, no message larger than the window takes, and maps that
// obey the map's rules.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/project/map_files.h"
#include "core/protocol/columns.h"
#include "core/service/search_files.h"

namespace {

constexpr std::size_t kMostNumbers = 12000;  // of a page, unless one row has more

void require(bool condition) {
  if (!condition) std::abort();
}

void readMatrix(const strata::Json& json) {
  strata::protocol::ReadSensitivity::Answer answer;
  if (const auto described = strata::describeMatrix(json, answer); !described) {
    require(!described.error().message.empty() && described.error().message.back() == '.');
    return;
  }
  require(answer.layers >= 0 && answer.allCells >= 0);
  const auto layers = static_cast<std::size_t>(answer.layers);
  std::int64_t from = 0;
  std::size_t numbers = 0;
  do {
    strata::addMatrixPage(json, from, answer);
    require(answer.from == from && (answer.next == 0 || answer.next > from));
    const auto delta = strata::protocol::decodeColumn(answer.delta);
    const auto halfWidth = strata::protocol::decodeColumn(answer.halfWidth);
    require(delta && halfWidth && delta->size() == halfWidth->size());
    require(delta->size() <= std::max(kMostNumbers, layers));
    numbers += delta->size();
    from = answer.next;
  } while (from != 0);
  require(numbers == layers * layers);
}

void readResults(const strata::Json& json) {
  strata::protocol::ReadSearch::Answer answer;
  strata::describeResults(json, answer);
  require(answer.evaluated >= 0);
  std::vector<strata::KnownMap> maps;
  const auto added = strata::addMapsOfResults(json, {}, maps);
  require(added || !added.error().message.empty());
  for (const strata::KnownMap& known : maps) {
    require(strata::SharingMap::create(known.map.src(), strata::MapKind::inference).has_value());
    for (const strata::MapMeasure& score : known.scores) require(score.n >= 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = strata::parseJson(text, "input");
  if (!json || !json->is_object()) return 0;
  readMatrix(*json);
  readResults(*json);
  return 0;
}
