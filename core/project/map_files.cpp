#include "core/project/map_files.h"

#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/project/model_name.h"
#include "core/project/project.h"
#include "core/project/project_files.h"
#include "core/project/run_file.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostName = 100;
constexpr std::uint64_t kMostBytes = 4u << 20;
constexpr const char* kMetrics[] = {"f1", "em", "rouge_l", "bleu_1", "nll"};

std::string textOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<double> numberOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

/// 0: unknown, or no number of questions or tokens.
std::int64_t countOf(const Json& object, const char* key) {
  constexpr double kMost = 1ll << 53;
  const double count = numberOf(object, key).value_or(0);
  return count > 0 && count < kMost ? static_cast<std::int64_t>(count) : 0;
}

/// "scores" of a map file: [{"metric", "value", "n", "half_width"?}]. Others are passed over: the map counts.
std::vector<MapMeasure> scoresOf(const Json& file) {
  std::vector<MapMeasure> scores;
  const auto list = file.find("scores");
  if (list == file.end() || !list->is_array()) return scores;
  for (const Json& score : *list) {
    if (!score.is_object()) continue;
    const auto value = numberOf(score, "value");
    if (!value) continue;
    scores.push_back({textOf(score, "metric"), *value, countOf(score, "n"), numberOf(score, "half_width")});
  }
  return scores;
}

Result<KnownMap> readStored(const fs::path& project, const fs::path& inside) {
  KnownMap known;
  const fs::path file = inside.filename();
  STRATA_TRY(const std::string bytes, readInProject({project, inside}, kMostBytes));
  STRATA_TRY(const Json json, parseJson(bytes, file.string()));
  STRATA_TRY(known.map, mapFromJson(json, file.string()));
  known.scores = scoresOf(json);
  known.text = textOf(json, "text");
  known.textHash = textOf(json, "text_hash");
  known.adapter = textOf(json, "adapter");
  if (const std::string model = textOf(json, "model"); !model.empty()) {
    STRATA_TRY(const ModelLocation location, locateModel(model, project, Locate::place));
    known.model = location.run.empty() ? location.folder : location.run;
  }
  return known;
}

std::vector<KnownMap> mapsIn(const fs::path& project, const fs::path& folder) {
  std::vector<KnownMap> maps;
  if (!requireFolder({project, folder})) return maps;
  std::error_code error;
  for (fs::directory_iterator entry(project / folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path name = entry->path().filename();
    if (name.extension() != ".json" || name.string().front() == '.') continue;
    Result<KnownMap> known = readStored(project, folder / name);
    if (!known) {
      KnownMap broken;
      broken.problem = known.error().message;
      known = std::move(broken);
    }
    known->name = name.stem().string();
    maps.push_back(std::move(*known));
  }
  std::sort(maps.begin(), maps.end(), [](const KnownMap& a, const KnownMap& b) { return a.name < b.name; });
  return maps;
}

/// What an evaluation or a search measured, of its results.json.
Result<void> addMeasured(const fs::path& project, const std::string& id, std::vector<KnownMap>& maps) {
  STRATA_TRY(const RunInfo run, readRunFile(project / "runs" / id));
  STRATA_TRY(const std::string bytes, readInProject(inRun(project / "runs" / run.id, "results.json"), kMostBytes));
  STRATA_TRY(const Json json, parseJson(bytes, "results.json"));
  STRATA_TRY(const ModelLocation location, locateModel(textOf(run.config, "model"), project, Locate::place));
  KnownMap measured;
  measured.model = location.run.empty() ? location.folder : location.run;
  measured.adapter = textOf(run.config, "adapter");
  measured.run = run.id;
  measured.text = textOf(run.config, run.config.contains("text") ? "text" : "data");
  return addMapsOfResults(json, measured, maps);
}

constexpr const char* kMaps = "maps";
constexpr const char* kTrash = "maps/trash";

Result<void> checkName(const std::string& name) {
  if (!name.empty() && name.size() <= kMostName && name.front() != '.' && name.find('/') == std::string::npos)
    return {};
  return fail(ErrorCode::usage,
              "\"" + name + "\" cannot be a map's name; use 1 to 100 characters, no slash, and no dot at the start.",
              "name");
}

fs::path fileOf(const char* folder, const std::string& name) {
  return fs::path(folder) / (name + ".json");
}

/// Moves a file; refused where there is none, and where one is in its place.
Result<void> moveMap(const fs::path& project, const fs::path& from, const fs::path& to) {
  STRATA_CHECK(openInProject({project, from}, O_RDONLY));  // a plain file
  std::error_code error;
  if (fs::exists(fs::symlink_status(project / to, error))) {
    const std::string name = to.stem().string();
    return fail(ErrorCode::usage, "The project has a map named \"" + name + "\" already; choose another name.", name);
  }
  fs::rename(project / from, project / to, error);
  if (error) return systemFailure(error.value(), "rename", project / from);
  STRATA_CHECK(syncFolder((project / from).parent_path()));
  return syncFolder((project / to).parent_path());
}

Result<void> requireMap(const fs::path& project, const char* folder, const std::string& name) {
  STRATA_CHECK(checkName(name));
  const auto file = openInProject({project, fileOf(folder, name)}, O_RDONLY);
  if (file) return {};
  if (file.error().code != ErrorCode::notFound) return tl::unexpected(file.error());
  return fail(ErrorCode::notFound, "There is no map \"" + name + "\".", name);
}

/// `name`, or with the first number behind it that no file of the folder has.
std::string freeName(const fs::path& project, const char* folder, const std::string& name) {
  std::error_code ignored;
  std::string free = name;
  for (int number = 2; fs::exists(fs::symlink_status(project / fileOf(folder, free), ignored)); ++number) {
    const std::string end = " " + std::to_string(number);
    free = name.substr(0, kMostName - end.size()) + end;
  }
  return free;
}

/// What a search measured is the same in every search of the same text, model and map.
std::string measureKey(const KnownMap& known) {
  std::string key = known.model.string() + "\n" + known.adapter.string() + "\n" + known.textHash;
  for (const MapMeasure& score : known.scores) key += "\n" + score.metric + " " + std::to_string(score.n);
  for (const int source : known.map.src()) key += " " + std::to_string(source);
  return key;
}

Result<std::string> moveBetween(const fs::path& project, const char* from, const char* to, const std::string& name) {
  STRATA_CHECK(requireMap(project, from, name));
  STRATA_CHECK(makeFolder({project, to}));
  const std::string free = freeName(project, to, name);
  STRATA_CHECK(moveMap(project, fileOf(from, name), fileOf(to, free)));
  return free;
}

}  // namespace

Result<void> addMapsOfResults(const Json& json, const KnownMap& measured, std::vector<KnownMap>& maps) {
  const auto results = json.find("results");
  if (results == json.end() || !results->is_array()) return {};
  for (const Json& result : *results) {
    const auto src = result.find("src");
    if (src == result.end()) continue;
    KnownMap known = measured;
    STRATA_TRY(known.map,
               mapFromJson({{"format", "strata-map"}, {"version", 1}, {"layers", src->size()}, {"src", *src}},
                           "results.json"));
    known.name = textOf(result, "map");
    known.textHash = textOf(json, "text_hash");
    for (const char* metric : kMetrics) {
      const auto value = numberOf(result, metric);
      if (!value) continue;
      known.scores.push_back({metric, *value, countOf(result, std::string_view(metric) == "nll" ? "tokens" : "n"),
                              textOf(json, "metric") == metric ? numberOf(result, "half_width") : std::nullopt});
    }
    maps.push_back(std::move(known));
  }
  return {};
}

std::vector<KnownMap> measuredMaps(const fs::path& project, const std::vector<std::string>& runs) {
  std::vector<KnownMap> maps;
  std::set<std::string> searched;
  for (const std::string& id : runs) {
    std::vector<KnownMap> some;
    (void)addMeasured(project, id, some);  // what is wrong with a run the list of runs says
    for (KnownMap& map : some) {
      const bool isOfSearch = !map.textHash.empty();
      if (isOfSearch && !searched.insert(measureKey(map)).second) continue;
      maps.push_back(std::move(map));
    }
  }
  return maps;
}

std::vector<KnownMap> knownMaps(const fs::path& project, const std::vector<std::string>& runs) {
  std::vector<KnownMap> maps = mapsIn(project, kMaps);
  for (KnownMap& map : measuredMaps(project, runs)) maps.push_back(std::move(map));
  return maps;
}

std::vector<KnownMap> trashedMaps(const fs::path& project) {
  return mapsIn(project, kTrash);
}

Result<void> writeMap(const fs::path& project, const std::string& name, const SharingMap& map, const Json& extra) {
  STRATA_CHECK(checkName(name));
  const ProjectPath folder{project, kMaps};
  STRATA_CHECK(makeFolder(folder));
  return writeFile(folder.whole() / (name + ".json"), mapToJson(map, extra).dump(2) + "\n");
}

Result<Json> readStoredMap(const fs::path& project, const std::string& name) {
  STRATA_CHECK(requireMap(project, kMaps, name));
  STRATA_TRY(const std::string bytes, readInProject({project, fileOf(kMaps, name)}, kMostBytes));
  STRATA_TRY(Json json, parseJson(bytes, name + ".json"));
  STRATA_CHECK(mapFromJson(json, name + ".json"));
  return json;
}

Result<Json> readMapFile(const fs::path& path, int layers) {
  const std::string name = path.filename().string();
  STRATA_TRY(const std::string bytes, readFile(path, kMostBytes));
  STRATA_TRY(Json json, parseJson(bytes, name));
  STRATA_TRY(const SharingMap map, mapFromJson(json, name));
  if (layers <= 0 || map.layers() == layers) return json;
  return fail(ErrorCode::invalidData,
              "The map " + name + " is made for " + std::to_string(map.layers()) + " layers; this model has " +
                  std::to_string(layers) + ".",
              name);
}

Result<void> renameMap(const fs::path& project, const std::string& name, const std::string& to) {
  STRATA_CHECK(requireMap(project, kMaps, name));
  STRATA_CHECK(checkName(to));
  if (name == to) return {};
  return moveMap(project, fileOf(kMaps, name), fileOf(kMaps, to));
}

Result<std::string> trashMap(const fs::path& project, const std::string& name) {
  return moveBetween(project, kMaps, kTrash, name);
}

Result<std::string> restoreMap(const fs::path& project, const std::string& name) {
  return moveBetween(project, kTrash, kMaps, name);
}

Result<void> deleteTrashedMap(const fs::path& project, const std::string& name) {
  STRATA_CHECK(requireMap(project, kTrash, name));
  std::error_code error;
  fs::remove(project / fileOf(kTrash, name), error);
  if (error) return systemFailure(error.value(), "remove", project / fileOf(kTrash, name));
  return syncFolder(project / kTrash);
}

}  // namespace strata
