// The one parser and the one printer of maps.

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "core/routing/numbers.h"
#include "core/routing/sharing_map.h"

namespace strata {
namespace {

constexpr std::size_t kMaxMapBytes = 1 << 20;
constexpr std::size_t kMaxMapFileBytes = 16 << 20;
constexpr const char* kPatterns =
    "full, even:m, retention:r, stride:k, prefix:m, sandwich:a,b,k, a list such as 0,0,2,2, or file:PATH";

tl::unexpected<Error> badPattern(std::string message) {
  return fail(ErrorCode::usage, std::move(message), "map");
}

/// Owners at ceil(i·L/m), i = 0 … m-1.
SharingMap evenMap(int owners, int layers) {
  std::vector<bool> owns(static_cast<std::size_t>(layers));
  for (std::int64_t i = 0; i < owners; ++i) owns[static_cast<std::size_t>((i * layers + owners - 1) / owners)] = true;
  return mapFromOwners(owns);
}

SharingMap strideMap(int stride, int layers) {
  std::vector<bool> owns(static_cast<std::size_t>(layers));
  for (std::int64_t layer = 0; layer < layers; layer += stride) owns[static_cast<std::size_t>(layer)] = true;
  return mapFromOwners(owns);
}

SharingMap prefixMap(int owners, int layers) {
  std::vector<bool> owns(static_cast<std::size_t>(layers));
  std::fill_n(owns.begin(), owners, true);
  return mapFromOwners(owns);
}

SharingMap sandwichMap(int first, int last, int period, int layers) {
  std::vector<bool> owns(static_cast<std::size_t>(layers));
  for (int layer = 0; layer < layers; ++layer) {
    owns[static_cast<std::size_t>(layer)] =
        layer < first || layer >= layers - last || (layer - first + 1) % period == 0;
  }
  return mapFromOwners(owns);
}

Result<int> numberIn(std::string_view pattern, std::string_view parameter, std::string_view text, int low, int high) {
  const std::optional<int> value = parseDigits(trimmed(text));
  if (value && *value >= low && *value <= high) return *value;
  std::string range = "of " + std::to_string(low) + " or more";
  if (high < std::numeric_limits<int>::max()) range = std::to_string(low) + " … " + std::to_string(high);
  return badPattern("The map " + quoted(pattern) + " has " + quoted(text) + " for " + std::string(parameter) +
                    "; give a whole number " + range + ".");
}

Result<SharingMap> parseRetention(std::string_view pattern, std::string_view text, int layers) {
  const std::optional<double> retention = parseReal(trimmed(text));
  if (!retention || *retention <= 0 || *retention > 1) {
    return badPattern("The map " + quoted(pattern) + " has " + quoted(text) +
                      " for its retention; give a number above 0 and at most 1.");
  }
  return evenMap(ownersForRetention(*retention, layers), layers);
}

Result<SharingMap> parseSandwich(std::string_view pattern, std::string_view text, int layers) {
  const auto parts = split(text, ',');
  if (parts.size() != 3) {
    return badPattern("The map " + quoted(pattern) +
                      " does not have three numbers; write sandwich:a,b,k, and separate several maps with ';'.");
  }
  STRATA_TRY(const int first, numberIn(pattern, "a, the first owners", parts[0], 0, layers));
  STRATA_TRY(const int last, numberIn(pattern, "b, the last owners", parts[1], 0, layers));
  STRATA_TRY(const int period,
             numberIn(pattern, "k, the period between", parts[2], 1, std::numeric_limits<int>::max()));
  return sandwichMap(first, last, period, layers);
}

Result<SharingMap> parseFile(std::string_view path, int layers, MapKind kind) {
  if (path.empty()) return badPattern("The map \"file:\" names no file; write file:PATH.");
  const std::string name(path);
  STRATA_TRY(const Json json, readJson(name, kMaxMapFileBytes));
  STRATA_TRY(SharingMap map, mapFromJson(json, name, kind));
  if (map.layers() != layers) {
    return fail(ErrorCode::invalidData,
                "The map " + name + " is made for " + std::to_string(map.layers()) + " layers; this model has " +
                    std::to_string(layers) + ".",
                name);
  }
  return map;
}

Result<SharingMap> parseList(std::string_view text, int layers, MapKind kind) {
  std::vector<int> src;
  for (const std::string_view part : split(text, ',')) {
    const std::optional<int> source = parseDigits(trimmed(part));
    if (!source) {
      return badPattern("The map " + quoted(text) + " gives layer " + std::to_string(src.size()) + " the source " +
                        quoted(part) + ", which is not a layer number; give whole numbers from 0.");
    }
    src.push_back(*source);
  }
  if (src.size() != static_cast<std::size_t>(layers)) {
    return badPattern("The map " + quoted(text) + " is made for " + std::to_string(src.size()) +
                      " layers; this model has " + std::to_string(layers) + ".");
  }
  return SharingMap::create(std::move(src), kind);
}

Result<SharingMap> parseTrimmed(std::string_view text, int layers, MapKind kind) {
  constexpr int kNoLimit = std::numeric_limits<int>::max();
  if (text == "full") return SharingMap::full(layers);
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    const std::string_view word = text.substr(0, colon);
    const std::string_view rest = text.substr(colon + 1);
    if (word == "file") return parseFile(rest, layers, kind);
    if (word == "retention") return parseRetention(text, rest, layers);
    if (word == "sandwich") return parseSandwich(text, rest, layers);
    if (word == "even")
      return numberIn(text, "m, the owners", rest, 1, layers).map([&](int m) { return evenMap(m, layers); });
    if (word == "prefix") {
      return numberIn(text, "m, the owners", rest, 1, layers).map([&](int m) { return prefixMap(m, layers); });
    }
    if (word == "stride") {
      return numberIn(text, "k, the stride", rest, 1, kNoLimit).map([&](int k) { return strideMap(k, layers); });
    }
  } else if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    return parseList(text, layers, kind);
  }
  return badPattern("The map " + quoted(text) + " is not a pattern; give " + kPatterns + ".");
}

/// Whether a part between commas stands for a map by itself.
bool isPatternWithoutCommas(std::string_view part) {
  if (part == "full") return true;
  constexpr std::array<std::string_view, 5> kWords = {"even:", "retention:", "stride:", "prefix:", "file:"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) { return part.starts_with(word); });
}

Result<void> checkInput(std::string_view text, int layers) {
  if (layers < 1) return badPattern("A map needs a model with at least one layer.");
  if (text.size() > kMaxMapBytes)
    return badPattern("The map's text is longer than 1 MB; give a shorter one or a file.");
  return {};
}

/// Runs a parser; what it may throw is a full memory or a path that the file system cannot take.
template <class Parse>
auto caught(Parse parse) -> decltype(parse()) {
  try {
    return parse();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, "The map needs more memory than there is; close something.", "map");
  } catch (const std::exception& error) {
    return badPattern(std::string("The map cannot be read: ") + error.what() + ".");
  }
}

}  // namespace

Result<SharingMap> parseMap(std::string_view text, int layers, MapKind kind) {
  return caught([&]() -> Result<SharingMap> {
    STRATA_CHECK(checkInput(text, layers));
    return parseTrimmed(trimmed(text), layers, kind);
  });
}

std::string printLayers(const std::vector<int>& layers) {
  std::string text;
  for (std::size_t first = 0; first < layers.size();) {
    std::size_t last = first;
    while (last + 1 < layers.size() && layers[last + 1] == layers[last] + 1) ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(layers[first]);
    if (last > first) text += "-" + std::to_string(layers[last]);
    first = last + 1;
  }
  return text;
}

std::string printOwners(const SharingMap& map) {
  std::vector<int> owners;
  for (int layer = 0; layer < map.layers(); ++layer) {
    if (map.owns(layer)) owners.push_back(layer);
  }
  return printLayers(owners);
}

std::string printMap(const SharingMap& map) {
  const int layers = map.layers();
  const int owners = map.owners();
  if (map.isFull()) return "full";
  // A stride's first follower is layer 1, and its second owner stands at k.
  for (int second = 2; second < layers; ++second) {
    if (!map.owns(second)) continue;
    if (map == strideMap(second, layers)) return "stride:" + std::to_string(second);
    break;
  }
  if (map == evenMap(owners, layers)) return "even:" + std::to_string(owners);
  if (map == prefixMap(owners, layers)) return "prefix:" + std::to_string(owners);
  std::string list;
  for (const int source : map.src()) {
    if (!list.empty()) list += ',';
    list += std::to_string(source);
  }
  return list;
}

Result<std::vector<NamedMap>> parseMaps(std::string_view text, int layers, MapKind kind) {
  return caught([&]() -> Result<std::vector<NamedMap>> {
    STRATA_CHECK(checkInput(text, layers));
    std::vector<NamedMap> maps;
    const auto add = [&](std::string_view part) -> Result<void> {
      if (part.empty()) {
        return badPattern("Map " + std::to_string(maps.size() + 1) + " of the list " + quoted(text) +
                          " is empty; write one map between separators.");
      }
      STRATA_TRY(SharingMap map, parseTrimmed(part, layers, kind));
      maps.push_back({std::string(part), std::move(map)});
      return {};
    };
    for (const std::string_view group : split(text, ';')) {
      auto parts = split(group, ',');
      for (auto& part : parts) part = trimmed(part);
      if (!std::all_of(parts.begin(), parts.end(), isPatternWithoutCommas)) parts = {trimmed(group)};
      for (const std::string_view part : parts) STRATA_CHECK(add(part));
    }
    return maps;
  });
}

}  // namespace strata
