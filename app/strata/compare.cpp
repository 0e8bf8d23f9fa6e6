// strata compare: two evaluations of the same questions, in pairs.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "core/report/numbers.h"
#include "core/report/paired_result.h"

namespace strata {
namespace {

struct CompareArguments {
  std::string a, b, project, metric, mapA, mapB;
};

/// One side as it was found.
struct ComparedSide {
  EvaluationRun run;
  std::vector<EvaluatedMap> maps;
};

/// `all`: several maps of an evaluation that none was chosen of are all taken.
Result<ComparedSide> findSide(const CompareArguments& arguments, const std::string& text, const std::string& option,
                              bool all) {
  const EvaluationName name = splitEvaluationName(text);
  if (!name.map.empty() && !option.empty() && name.map != option) {
    return fail(ErrorCode::usage,
                "Two maps are given for " + name.run + ": " + name.map + " and " + option + "; give one.", text);
  }
  const std::string& chosen = name.map.empty() ? option : name.map;
  ComparedSide side;
  STRATA_TRY(side.run, readEvaluation(arguments.project, name.run));
  if (chosen.empty() && all) {
    side.maps = side.run.maps;
    return side;
  }
  STRATA_TRY(EvaluatedMap map, findMap(side.run, chosen));
  side.maps.push_back(std::move(map));
  return side;
}

Json pairJson(const Interval& interval) {
  return Json::array({interval.low, interval.high});
}

Json sideJson(const EvaluationRun& run, const EvaluatedMap& map) {
  return {{"run", run.info.id},
          {"map", map.name},
          {"retention", map.map.retention()},
          {"kv_bytes_per_token", map.kvBytesPerToken}};
}

Json toJson(const PairedResult& result) {
  Json json = {{"metric", result.metric},
               {"n", result.n},
               {"mean_a", result.meanA},
               {"mean_b", result.meanB},
               {"difference", result.difference},
               {"interval", pairJson(result.interval)},
               {"interval_a", pairJson(result.intervalA)},
               {"interval_b", pairJson(result.intervalB)},
               {"clusters", result.clusters},
               {"only_in_a", result.inAAlone},
               {"only_in_b", result.inBAlone},
               {"mcnemar", nullptr},
               {"detectable", result.detectable},
               {"hint", powerSentence(result)}};
  if (!result.mcnemar) return json;
  json["mcnemar"] = {{"only_a", result.mcnemar->onlyA},
                     {"only_b", result.mcnemar->onlyB},
                     {"p", result.mcnemar->p},
                     {"holm_p", result.mcnemar->adjusted},
                     {"metric", result.mcnemar->metric}};
  return json;
}

std::string sideText(const char* side, const EvaluationRun& run, const EvaluatedMap& map, const PairedResult& result,
                     double mean, const Interval& interval) {
  return fmt::format("{}  {}@{}: {} (95 %: {} to {})\n", side, run.info.id, map.name, printScore(result.metric, mean),
                     printScore(result.metric, interval.low), printScore(result.metric, interval.high));
}

std::string toText(const ComparedSide& a, const ComparedSide& b, const std::vector<PairedResult>& results) {
  std::string text;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const PairedResult& result = results[i];
    if (i > 0) text += '\n';
    text += sideText("A", a.run, a.maps.front(), result, result.meanA, result.intervalA);
    text += sideText("B", b.run, b.maps[i], result, result.meanB, result.intervalB);
    text += fmt::format("B - A, {}: {} (95 %: {} to {}), paired over {} {}", metricLabel(result.metric),
                        printDifference(result.metric, result.difference),
                        printDifference(result.metric, result.interval.low),
                        printDifference(result.metric, result.interval.high), result.n, thingsOf(result));
    if (result.clusters != result.n)
      text += fmt::format(" of {} {}", result.clusters, result.clusters == 1 ? "article" : "articles");
    if (result.isOfFewClusters) text += "; few articles: the wider of the intervals by article and by question";
    text += '\n';
    if (result.mcnemar) {
      text += fmt::format("{}: only A right {}, only B right {}; McNemar's exact p = {}",
                          metricLabel(result.mcnemar->metric), result.mcnemar->onlyA, result.mcnemar->onlyB,
                          printP(result.mcnemar->p));
      if (results.size() > 1)
        text += fmt::format(" (Holm over {} maps: {})", results.size(), printP(result.mcnemar->adjusted));
      text += '\n';
    }
    if (result.inAAlone + result.inBAlone > 0) {
      text += fmt::format("{} were answered by A alone and {} by B alone; they are left out.\n", result.inAAlone,
                          result.inBAlone);
    }
    text += powerSentence(result) + "\n";
  }
  return text;
}

Result<int> run(const CompareArguments& arguments, const Output& out) {
  STRATA_TRY(const ComparedSide a, findSide(arguments, arguments.a, arguments.mapA, false));
  STRATA_TRY(const ComparedSide b, findSide(arguments, arguments.b, arguments.mapB, true));
  STRATA_CHECK(checkComparable(a.run, b.run));
  STRATA_TRY(const EvaluatedAnswers scoresA, readScores(a.run, a.maps.front()));
  std::vector<EvaluatedAnswers> scoresB;
  for (const EvaluatedMap& map : b.maps) {
    STRATA_TRY(EvaluatedAnswers scores, readScores(b.run, map));
    scoresB.push_back(std::move(scores));
  }
  std::vector<const EvaluatedAnswers*> others;
  for (const EvaluatedAnswers& each : scoresB) others.push_back(&each);
  const std::string metric = arguments.metric.empty() ? defaultMetric(scoresA) : arguments.metric;
  STRATA_TRY(const std::vector<PairedResult> results, compareAll(scoresA, others, metric));

  // The first comparison as the answer itself; all of them where B holds several maps.
  Json json = toJson(results.front());
  json["a"] = sideJson(a.run, a.maps.front());
  json["b"] = sideJson(b.run, b.maps.front());
  for (std::size_t i = 0; results.size() > 1 && i < results.size(); ++i) {
    Json one = toJson(results[i]);
    one["b"] = sideJson(b.run, b.maps[i]);
    json["comparisons"].push_back(std::move(one));
  }
  out.answer(json, toText(a, b, results));
  return 0;
}

}  // namespace

VerbAction addCompare(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<CompareArguments>();
  verb.add_option("a", arguments->a, "the evaluation to compare with: an id, or id@MAP")
      ->required()
      ->type_name("EVAL_A");
  verb.add_option("b", arguments->b, "the evaluation to judge; of several maps all are compared unless one is chosen")
      ->required()
      ->type_name("EVAL_B");
  verb.add_option("--project", arguments->project, "project folder")->required()->type_name("DIR");
  verb.add_option("--metric", arguments->metric,
                  "score to compare: f1, em, nll, … (default: what the task is known by)");
  verb.add_option("--map-a", arguments->mapA, "which map of EVAL_A, where it holds several")->type_name("MAP");
  verb.add_option("--map-b", arguments->mapB, "which map of EVAL_B")->type_name("MAP");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
