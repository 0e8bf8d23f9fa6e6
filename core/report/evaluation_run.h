#pragma once
// What an evaluation of a project stored: results.json and the answers of run.sqlite, as comparisons and reports read
// them.
//
//   STRATA_TRY(const EvaluationRun run, readEvaluation(project, "20261122-093000-eval-ab12"));
//   STRATA_TRY(const EvaluatedMap map, findMap(run, "stride:2"));
//   STRATA_TRY(const EvaluatedAnswers scores, readScores(run, map));

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/project/project.h"
#include "core/project/run_database.h"
#include "core/routing/sharing_map.h"

namespace strata {

/// One entry of results.json.
struct EvaluatedMap {
  std::string name;  // as the evaluation was told
  SharingMap map = SharingMap::full(1);
  std::int64_t kvBytesPerToken = 0;
  std::int64_t n = 0, tokens = 0, truncated = 0;
  double seconds = 0;
  std::map<std::string, double> metrics;  // finite ones: "f1", "em", "nll", …
};

/// Of the map, for people: "half" of "file:maps/half.json", "owners 0, 6, 9" of a list, else its name.
std::string labelOf(const EvaluatedMap& map);

struct EvaluationRun {
  RunInfo info;
  std::filesystem::path folder;
  std::string task, data;                                      // as told
  std::string dataHash, modelHash, version = {}, device = {};  // as recorded; empty in a run of an older Strata
  Json settings = {};                                          // how questions were asked; null where none is recorded
  std::vector<EvaluatedMap> maps;
};

/// `text`: an id of the project, or a run's folder. Refused: a run of another kind, and one that has no results yet.
Result<EvaluationRun> readEvaluation(const std::filesystem::path& project, const std::string& text);

/// By the name that the evaluation was told, or by any text of the same map. `text` empty: the only one; where there
/// are several the error lists them.
Result<EvaluatedMap> findMap(const EvaluationRun& run, const std::string& text);

/// "EVAL@MAP"
struct EvaluationName {
  std::string run, map;
};
EvaluationName splitEvaluationName(const std::string& text);

/// The answers under one map, by the questions' ids; texts have their numbers for ids.
struct EvaluatedAnswers {
  std::string task;
  std::vector<RunAnswer> answers;
  /// Whether each question has the score, if only for some.
  bool has(const std::string& metric) const;
};
Result<EvaluatedAnswers> readScores(const EvaluationRun& run, const EvaluatedMap& map);

/// "f1" of questions, or what else the task is known by.
std::string defaultMetric(const EvaluatedAnswers& scores);
/// The score that says right or wrong: "em", or "acc"; empty: the task has none.
std::string exactMetric(const EvaluatedAnswers& scores);

}  // namespace strata
