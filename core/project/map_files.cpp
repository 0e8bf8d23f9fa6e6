#include "core/project/map_files.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

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

/// "scores" of a map file: [{"metric", "value", "n"}]. Others are passed over: the map counts.
std::vector<MapMeasure> scoresOf(const Json& file) {
  std::vector<MapMeasure> scores;
  const auto list = file.find("scores");
  if (list == file.end() || !list->is_array()) return scores;
  for (const Json& score : *list) {
    if (!score.is_object()) continue;
    const auto value = numberOf(score, "value");
    if (value)
      scores.push_back({textOf(score, "metric"), *value, static_cast<std::int64_t>(numberOf(score, "n").value_or(0))});
  }
  return scores;
}

Result<KnownMap> readStored(const fs::path& project, const fs::path& file) {
  KnownMap known;
  STRATA_TRY(const std::string bytes, readInProject({project, fs::path("maps") / file}, kMostBytes));
  STRATA_TRY(const Json json, parseJson(bytes, file.string()));
  STRATA_TRY(known.map, mapFromJson(json, file.string()));
  known.scores = scoresOf(json);
  if (const std::string model = textOf(json, "model"); !model.empty()) {
    STRATA_TRY(const ModelLocation location, locateModel(model, project, Locate::place));
    known.model = location.run.empty() ? location.folder : location.run;
  }
  return known;
}

std::vector<KnownMap> storedMaps(const fs::path& project) {
  std::vector<KnownMap> maps;
  if (!requireFolder({project, "maps"})) return maps;
  std::error_code error;
  for (fs::directory_iterator entry(project / "maps", error), end; !error && entry != end; entry.increment(error)) {
    const fs::path name = entry->path().filename();
    if (name.extension() != ".json" || name.string().front() == '.') continue;
    Result<KnownMap> known = readStored(project, name);
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

/// What an evaluation that is done measured, of its results.json.
Result<void> addMeasured(const fs::path& project, const std::string& id, std::vector<KnownMap>& maps) {
  STRATA_TRY(const RunInfo run, readRunFile(project / "runs" / id));
  STRATA_TRY(const std::string bytes, readInProject(inRun(project / "runs" / run.id, "results.json"), kMostBytes));
  STRATA_TRY(const Json json, parseJson(bytes, "results.json"));
  STRATA_TRY(const ModelLocation location, locateModel(textOf(run.config, "model"), project, Locate::place));
  const std::string adapter = textOf(run.config, "adapter");
  const auto results = json.find("results");
  if (results == json.end() || !results->is_array()) return {};
  for (const Json& result : *results) {
    const auto src = result.find("src");
    if (src == result.end()) continue;
    KnownMap known;
    STRATA_TRY(known.map,
               mapFromJson({{"format", "strata-map"}, {"version", 1}, {"layers", src->size()}, {"src", *src}},
                           "results.json"));
    known.name = textOf(result, "map");
    known.model = location.run.empty() ? location.folder : location.run;
    known.adapter = adapter;
    known.run = run.id;
    for (const char* metric : kMetrics) {
      const auto value = numberOf(result, metric);
      const char* count = std::string_view(metric) == "nll" ? "tokens" : "n";
      if (value)
        known.scores.push_back({metric, *value, static_cast<std::int64_t>(numberOf(result, count).value_or(0))});
    }
    maps.push_back(std::move(known));
  }
  return {};
}

}  // namespace

std::vector<KnownMap> knownMaps(const fs::path& project, const std::vector<std::string>& evaluations) {
  std::vector<KnownMap> maps = storedMaps(project);
  for (const std::string& id : evaluations) {
    (void)addMeasured(project, id, maps);  // what is wrong with a run the list of runs says
  }
  return maps;
}

Result<void> writeMap(const fs::path& project, const std::string& name, const SharingMap& map, const Json& extra) {
  if (name.empty() || name.size() > kMostName || name.front() == '.' || name.find('/') != std::string::npos) {
    return fail(ErrorCode::usage,
                "\"" + name + "\" cannot be a map's name; use 1 to 100 characters, no slash, and no dot at the start.",
                "name");
  }
  const ProjectPath folder{project, "maps"};
  STRATA_CHECK(makeFolder(folder));
  return writeFile(folder.whole() / (name + ".json"), mapToJson(map, extra).dump(2) + "\n");
}

}  // namespace strata
