#include "core/report/evaluation_run.h"

#include <algorithm>
#include <cmath>

#include "core/base/json.h"
#include "core/base/json_values.h"
#include "core/config/eval_config.h"
#include "core/project/project_files.h"
#include "core/project/run_reader.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEvaluationResults = "results.json";
constexpr std::int64_t kAllAnswers = 1'000'000'000;

/// To the nearest; 0 where the key is no number.
std::int64_t roundedIn(const Json& object, const char* key) {
  return std::llround(numberIn(object, key).value_or(0));
}

/// Scores are the numbers that are nothing else.
bool isScore(const std::string& key) {
  constexpr const char* kOthers[] = {"retention", "n", "tokens", "truncated", "kv_bytes_per_token", "seconds"};
  return std::find(std::begin(kOthers), std::end(kOthers), key) == std::end(kOthers);
}

Result<EvaluatedMap> readEvaluatedMap(const Json& json, const std::string& where) {
  EvaluatedMap map;
  const auto src = json.find("src");
  if (src == json.end() || !src->is_array())
    return fail(ErrorCode::invalidData, where + " has a result without a map; evaluate again.", where);
  STRATA_TRY(map.map,
             mapFromJson({{"format", "strata-map"}, {"version", 1}, {"layers", src->size()}, {"src", *src}}, where));
  map.name = textIn(json, "map");
  if (map.name.empty()) map.name = printMap(map.map);
  map.kvBytesPerToken = roundedIn(json, "kv_bytes_per_token");
  map.n = roundedIn(json, "n");
  map.tokens = roundedIn(json, "tokens");
  map.truncated = roundedIn(json, "truncated");
  const auto seconds = json.find("seconds");
  if (seconds != json.end() && seconds->is_number()) map.seconds = seconds->get<double>();
  for (const auto& [key, value] : json.items()) {
    if (value.is_number() && isScore(key)) map.metrics[key] = value.get<double>();
  }
  return map;
}

}  // namespace

std::string labelOf(const EvaluatedMap& map) {
  if (map.name.starts_with("file:")) return fs::path(map.name.substr(5)).stem().string();
  const bool isList = map.name.find(',') != std::string::npos && map.name.find(':') == std::string::npos;
  return isList ? "owners " + printOwners(map.map) : map.name;
}

Result<EvaluationRun> readEvaluation(const fs::path& project, const std::string& text) {
  const auto name = findRun(text, project);
  if (!name) {
    return fail(ErrorCode::notFound, "The project " + project.string() + " has no run " + text + ".", text);
  }
  EvaluationRun run;
  run.folder = name->folder;
  STRATA_TRY(run.info, readRun(run.folder));
  if (run.info.kind != kEvalKind) {
    return fail(ErrorCode::usage, "The run " + run.info.id + " is no evaluation but of the kind " + run.info.kind + ".",
                run.info.id);
  }
  const auto unfinished = [&] {
    return fail(ErrorCode::invalidData,
                "The evaluation " + run.info.id + " has no results (" + toString(run.info.state) +
                    "); let it finish, or start it again.",
                run.info.id);
  };
  const Result<std::string> bytes = readInProject(inRun(run.folder, kEvaluationResults));
  if (!bytes && bytes.error().code == ErrorCode::notFound) return unfinished();
  if (!bytes) return tl::unexpected(bytes.error());
  const std::string where = run.info.id + "/" + kEvaluationResults;
  STRATA_TRY(const Json json, parseJson(*bytes, where));
  const auto results = json.find("results");
  if (results == json.end() || !results->is_array() || results->empty()) return unfinished();
  for (const Json& each : *results) {
    STRATA_TRY(EvaluatedMap map, readEvaluatedMap(each, where));
    run.maps.push_back(std::move(map));
  }
  run.task = textIn(run.info.config, "task");
  run.data = textIn(run.info.config, "data");
  run.dataHash = textIn(json, "data_hash");
  run.modelHash = textIn(json, "model_hash");
  run.version = textIn(json, "strata");
  run.device = textIn(json, "hardware");
  if (json.contains("settings") && json["settings"].is_object()) run.settings = json["settings"];
  return run;
}

Result<EvaluatedMap> findMap(const EvaluationRun& run, const std::string& text) {
  std::string names;
  for (const EvaluatedMap& each : run.maps) {
    if (each.name == text || (text.empty() && run.maps.size() == 1)) return each;
    names += (names.empty() ? "" : "; ") + each.name;
  }
  if (text.empty()) {
    return fail(ErrorCode::usage,
                "The evaluation " + run.info.id + " holds several maps; choose one of: " + names + ".", run.info.id);
  }
  const Result<SharingMap> map = parseMap(text, run.maps.front().map.layers());
  for (const EvaluatedMap& each : run.maps) {
    if (map && each.map == *map) return each;
  }
  return fail(ErrorCode::notFound,
              "The evaluation " + run.info.id + " did not measure the map " + text + "; it has: " + names + ".", text);
}

EvaluationName splitEvaluationName(const std::string& text) {
  // A run's folder may have the sign in its path.
  const auto slash = text.rfind("/runs/");
  const auto at = text.find('@', slash == std::string::npos ? 0 : slash);
  if (at == std::string::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

bool EvaluatedAnswers::has(const std::string& metric) const {
  return std::any_of(answers.begin(), answers.end(),
                     [&](const RunAnswer& answer) { return answer.scores.contains(metric); });
}

Result<EvaluatedAnswers> readScores(const EvaluationRun& run, const EvaluatedMap& map) {
  STRATA_TRY(const RunReader reader, RunReader::open(run.folder));
  EvaluatedAnswers scores{run.task, {}};
  STRATA_TRY(scores.answers, reader.answers(map.name, 0, kAllAnswers));
  if (scores.answers.empty()) {
    return fail(ErrorCode::invalidData,
                "The evaluation " + run.info.id + " stored no answers under the map " + map.name + "; evaluate again.",
                run.info.id);
  }
  return scores;
}

std::string defaultMetric(const EvaluatedAnswers& scores) {
  const std::string primary = primaryMetric(scores.task);
  for (const std::string& metric : {primary, std::string("f1"), std::string("acc")}) {
    if (scores.has(metric)) return metric;
  }
  return "nll";
}

std::string exactMetric(const EvaluatedAnswers& scores) {
  for (const char* metric : {"em", "acc"}) {
    if (scores.has(metric)) return metric;
  }
  return {};
}

}  // namespace strata
