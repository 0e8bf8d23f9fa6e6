#include "core/report/conclusion.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "core/report/evaluation_tables.h"
#include "core/report/numbers.h"

namespace strata {
namespace {

constexpr double kSignificance = 0.05;

/// "routed (run 2)" of "routed @ retention:.5 (run 2)".
std::string modelOf(const ReportRow& row) {
  std::string name = row.name;
  const std::string map = " @ " + row.label;
  if (const auto at = name.find(map); at != std::string::npos) name.erase(at, map.size());
  return name;
}

/// Of the KV cache of `full`.
double shareOf(const ReportRow& row, const ReportRow& full) {
  if (full.kvBytesPerToken <= 0) return row.src.retention();
  return static_cast<double>(row.kvBytesPerToken) / static_cast<double>(full.kvBytesPerToken);
}

/// "accuracy" of "Accuracy"; "F1" stays.
std::string withinSentence(std::string label) {
  constexpr auto isLower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (label.size() > 1 && isLower(label[1])) label[0] = static_cast<char>(label[0] | 0x20);
  return label;
}

/// A model's maps in one evaluation, asked in one way.
struct Maps {
  const ReportRow* full = nullptr;
  std::map<double, const ReportRow*, std::greater<>> best;  // by the share of the cache, of those that leave some of it
  bool several = false;                                     // of one size
};

/// "routed keeps 100 % of its F1 with 75 % of the KV cache, 102 % with 50 % and 96 % with 25 %."
std::string keptSentence(const ReportEvaluation& evaluation, const Maps& maps) {
  const std::string label = withinSentence(metricLabel(evaluation.metric));
  const double full = scoreOf(*maps.full, evaluation.metric)->value;
  const bool isALoss = isLoss(evaluation.metric);
  std::string sentence = modelOf(*maps.full) + (isALoss ? ": its " + label + " changes by " : " keeps ");
  std::size_t place = 0;
  for (const auto& [share, row] : maps.best) {
    if (place > 0) sentence += place + 1 == maps.best.size() ? " and " : ", ";
    const double score = scoreOf(*row, evaluation.metric)->value;
    sentence +=
        isALoss ? printDifference(evaluation.metric, score - full) : printPercent(std::round(100 * score / full) / 100);
    if (place == 0 && !isALoss) sentence += " of its " + label;
    sentence += " with " + printPercent(share) + (place == 0 ? " of the KV cache" : "");
    ++place;
  }
  return sentence + (maps.several ? ", under the map of each size that scores best here." : ".");
}

void addKept(const Report& report, const ReportEvaluation& evaluation, std::vector<std::string>& sentences) {
  std::vector<std::pair<std::string, Maps>> models;  // in the order of the rows
  const auto mapsOf = [&](const ReportRow& row) -> Maps& {
    const ReportRun& run = report.runs[row.run];
    const std::string key =
        run.model + '\n' + run.adapter + '\n' + run.modelHash + '\n' + run.dtype + '\n' + run.settings.dump();
    const auto found = std::find_if(models.begin(), models.end(), [&](const auto& each) { return each.first == key; });
    return found != models.end() ? found->second : models.emplace_back(key, Maps{}).second;
  };
  for (const ReportRow& row : evaluation.rows) {
    Maps& maps = mapsOf(row);
    if (row.src.isFull() && maps.full == nullptr && scoreOf(row, evaluation.metric) != nullptr) maps.full = &row;
  }
  for (const ReportRow& row : evaluation.rows) {
    Maps& maps = mapsOf(row);
    const ReportScore* score = scoreOf(row, evaluation.metric);
    if (maps.full == nullptr || row.src.isFull() || score == nullptr || row.n != maps.full->n) continue;
    const auto [place, isFirst] = maps.best.emplace(shareOf(row, *maps.full), &row);
    if (isFirst || row.src == place->second->src) continue;
    maps.several = true;
    const double best = scoreOf(*place->second, evaluation.metric)->value;
    if (isBetter(evaluation.metric, score->value, best)) place->second = &row;
  }
  for (const auto& [key, maps] : models) {
    if (maps.full == nullptr || maps.best.empty()) continue;
    if (!isLoss(evaluation.metric) && scoreOf(*maps.full, evaluation.metric)->value <= 0) continue;
    // What is compared with the baseline in the next sentence is not said twice.
    if (maps.full == &evaluation.rows[evaluation.baseline] && maps.best.size() == 1 && !maps.several) continue;
    sentences.push_back(keptSentence(evaluation, maps));
  }
}

/// Whether the difference can be told from chance; `comparisons` are those that Holm's method adjusted p for.
std::string verdictOf(const PairedResult& result, std::int64_t comparisons) {
  const std::string things = printCount(result.n) + " " + thingsOf(result);
  if (result.interval.low <= 0 && result.interval.high >= 0) return "not enough to tell in " + things;
  if (!result.mcnemar || result.mcnemar->adjusted < kSignificance) return "a clear difference in " + things;
  return "not certain in " + things + (comparisons > 1 ? " after " + printCount(comparisons) + " comparisons" : "") +
         " (McNemar's p = " + printP(result.mcnemar->adjusted) + ")";
}

}  // namespace

std::vector<std::string> conclusionOf(const Report& report) {
  std::vector<std::string> sentences;
  for (const ReportEvaluation& evaluation : report.evaluations) addKept(report, evaluation, sentences);
  for (const ReportEvaluation& evaluation : report.evaluations) {
    const ReportRow& base = evaluation.rows[evaluation.baseline];
    const auto comparisons = std::count_if(evaluation.rows.begin(), evaluation.rows.end(),
                                           [](const ReportRow& row) { return row.paired && row.paired->mcnemar; });
    for (const ReportRow& row : evaluation.rows) {
      if (!row.paired) continue;
      const PairedResult& result = *row.paired;
      const auto bare = [&](double difference) {  // the unit is said once
        const std::string text = printDifference(evaluation.metric, difference);
        return text.substr(0, text.find(' '));
      };
      std::string sentence = row.name + " ";
      sentence += row.kvBytesPerToken == base.kvBytesPerToken
                      ? "with the same KV cache"
                      : "with " + printPercent(shareOf(row, base)) + " of the KV cache";
      sentence += " scores " + printScore(evaluation.metric, result.meanB) + " " + metricLabel(evaluation.metric) +
                  " against " + printScore(evaluation.metric, result.meanA) + " of " + base.name + ": " +
                  printDifference(evaluation.metric, result.difference) + " (95 %: " + bare(result.interval.low) +
                  " to " + bare(result.interval.high) + "), " + verdictOf(result, comparisons) + ".";
      sentences.push_back(std::move(sentence));
    }
    if (evaluation.rows.size() > 1) continue;
    const ReportScore* score = base.scores.empty() ? nullptr : &base.scores.front();
    if (score == nullptr) continue;
    std::string sentence =
        base.name + " scores " + printScore(score->metric, score->value) + " " + metricLabel(score->metric);
    if (score->interval) {
      sentence += " (95 %: " + printScore(score->metric, score->interval->low) + " to " +
                  printScore(score->metric, score->interval->high) + ")";
    }
    sentences.push_back(sentence + " on " + printCount(base.n) + " questions; there is nothing to compare it with.");
  }
  for (const ReportSearch& search : report.searches) {
    if (search.best.empty() || !search.bestValue) continue;
    std::string sentence =
        "Of " + printCount(static_cast<std::int64_t>(search.points.size())) + " maps that the search measured, " +
        search.best + " is best: " + metricLabel(search.metric) + " " + printScore(search.metric, *search.bestValue);
    if (search.fullValue) sentence += ", full " + printScore(search.metric, *search.fullValue);
    sentences.push_back(sentence + ".");
  }
  for (const ReportCurve& curve : report.curves) {
    if (curve.metric != "loss") continue;
    const ReportRun& run = report.runs[curve.run];
    sentences.push_back((run.name.empty() ? run.id : run.name) + " trained to step " +
                        printCount(std::llround(curve.step.back())) + "; its loss went from " +
                        printScore("nll", curve.value.front()) + " to " + printScore("nll", curve.value.back()) + ".");
  }
  return sentences;
}

}  // namespace strata
