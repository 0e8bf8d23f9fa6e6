#include "core/report/evaluation_tables.h"

#include <algorithm>

#include "core/report/numbers.h"

namespace strata {
namespace {

/// A minus sign where a number is negative.
std::string withMinus(std::string number) {
  if (!number.empty() && number.front() == '-') number.replace(0, 1, "−");
  return number;
}

std::string intervalText(const std::string& low, const std::string& high) {
  return withMinus(low) + " to " + withMinus(high);
}

std::string differenceText(const std::string& metric, double value) {
  return withMinus(printDifference(metric, value));
}

/// Without " points", where a column's title says it.
std::string bareDifference(const std::string& metric, double value) {
  std::string text = printDifference(metric, value);
  if (const auto unit = text.find(' '); unit != std::string::npos) text.erase(unit);
  return withMinus(text);
}

std::string bareScore(const std::string& metric, double value) {
  std::string text = printScore(metric, value);
  if (const auto unit = text.find(' '); unit != std::string::npos) text.erase(unit);
  return text;
}

/// "F1, EM and NLL" of all rows, the evaluation's own first.
std::vector<std::string> metricsOf(const ReportEvaluation& evaluation) {
  std::vector<std::string> metrics = {evaluation.metric};
  for (const ReportRow& row : evaluation.rows) {
    for (const ReportScore& score : row.scores) {
      if (std::find(metrics.begin(), metrics.end(), score.metric) == metrics.end()) metrics.push_back(score.metric);
    }
  }
  return metrics;
}

}  // namespace

const ReportScore* scoreOf(const ReportRow& row, const std::string& metric) {
  const auto found = std::find_if(row.scores.begin(), row.scores.end(),
                                  [&](const ReportScore& score) { return score.metric == metric; });
  return found == row.scores.end() ? nullptr : &*found;
}

DocTable scoreTable(const ReportEvaluation& evaluation) {
  DocTable table;
  table.caption = "Scores with their 95 % intervals";
  table.columns = {{"Model and map", false, 2.9}, {"Cache", true, 0.8}, {"KV per token", true, 1.1}, {"n", true, 0.6}};
  const std::vector<std::string> metrics = metricsOf(evaluation);
  for (const std::string& metric : metrics)
    table.columns.push_back({metricLabel(metric) + (isLoss(metric) ? "" : " %"), true, isLoss(metric) ? 2.4 : 1.7});
  for (std::size_t i = 0; i < evaluation.rows.size(); ++i) {
    const ReportRow& row = evaluation.rows[i];
    std::vector<std::string> cells = {
        row.name + (i == evaluation.baseline ? " (baseline)" : ""), printPercent(row.src.retention()),
        row.kvBytesPerToken > 0 ? printSize(static_cast<double>(row.kvBytesPerToken)) : "", printCount(row.n)};
    for (const std::string& metric : metrics) {
      const ReportScore* score = scoreOf(row, metric);
      if (score == nullptr) {
        cells.emplace_back("not measured");
        continue;
      }
      std::string text = bareScore(metric, score->value);
      if (score->interval)
        text += " (" + intervalText(bareScore(metric, score->interval->low), bareScore(metric, score->interval->high)) +
                ")";
      cells.push_back(std::move(text));
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

DocTable pairedTable(const ReportEvaluation& evaluation) {
  const std::string& metric = evaluation.metric;
  DocTable table;
  table.caption = "Paired differences from " + evaluation.rows[evaluation.baseline].name + ", question by question";
  if (evaluation.exact.empty())
    table.caption = "Paired differences from " + evaluation.rows[evaluation.baseline].name + ", text by text";
  table.columns = {{"Model and map", false, 3.1},
                   {"n", true, 0.6},
                   {metricLabel(metric) + (isLoss(metric) ? " difference" : " difference, points"), true, 1.2},
                   {"95 % interval", true, 1.7}};
  if (!evaluation.exact.empty()) {
    const std::string exact = metricLabel(evaluation.exact);
    table.columns.push_back({"Only baseline right (" + exact + ")", true, 1.1});
    table.columns.push_back({"Only this right (" + exact + ")", true, 1.0});
    table.columns.push_back({"McNemar p", true, 1});
    table.columns.push_back({"p after Holm", true, 1});
  }
  for (const ReportRow& row : evaluation.rows) {
    if (!row.paired) continue;
    const PairedResult& paired = *row.paired;
    std::vector<std::string> cells = {
        row.name, printCount(paired.n), bareDifference(metric, paired.difference),
        intervalText(bareDifference(metric, paired.interval.low), bareDifference(metric, paired.interval.high))};
    if (!evaluation.exact.empty()) {
      if (paired.mcnemar) {
        cells.push_back(printCount(paired.mcnemar->onlyA));
        cells.push_back(printCount(paired.mcnemar->onlyB));
        cells.push_back(printP(paired.mcnemar->p));
        cells.push_back(printP(paired.mcnemar->adjusted));
      } else {
        cells.resize(table.columns.size(), "not measured");
      }
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Chart differenceChart(const ReportEvaluation& evaluation) {
  Chart chart;
  chart.kind = ChartKind::differences;
  chart.title = metricLabel(evaluation.metric) + " difference from the baseline";
  chart.xLabel = metricLabel(evaluation.metric) +
                 (isLoss(evaluation.metric) ? " difference, nats per token" : " difference, points");
  ChartSeries rows;
  const double scale = isLoss(evaluation.metric) ? 1 : 100;
  for (const ReportRow& row : evaluation.rows) {
    if (!row.paired) continue;
    const PairedResult& paired = *row.paired;
    rows.points.push_back(
        {scale * paired.difference, 0, Interval{scale * paired.interval.low, scale * paired.interval.high}, row.name});
    chart.description += row.name + ": " + differenceText(evaluation.metric, paired.difference) + ", 95 % " +
                         intervalText(printDifference(evaluation.metric, paired.interval.low),
                                      printDifference(evaluation.metric, paired.interval.high)) +
                         ". ";
  }
  chart.series.push_back(std::move(rows));
  return chart;
}

Chart paretoChart(const ReportEvaluation& evaluation, const Report& report) {
  Chart chart;
  const std::string& metric = evaluation.metric;
  chart.title = metricLabel(metric) + " against the size of the KV cache";
  chart.xLabel = "KV cache per token, KiB";
  chart.yLabel = metricLabel(metric) + ", " + unitLabel(metric);
  std::vector<std::size_t> runs = {evaluation.rows[evaluation.baseline].run};
  for (const ReportRow& row : evaluation.rows) {
    if (std::find(runs.begin(), runs.end(), row.run) == runs.end()) runs.push_back(row.run);
  }
  const double scale = isLoss(metric) ? 1 : 100;
  for (const std::size_t run : runs) {
    ChartSeries series;
    series.isLine = true;
    series.name = report.runs[run].model + (report.runs[run].adapter.empty() ? "" : " + " + report.runs[run].adapter);
    for (const ReportRow& row : evaluation.rows) {
      const ReportScore* score = scoreOf(row, metric);
      if (row.run != run || score == nullptr) continue;
      ChartPoint point{static_cast<double>(row.kvBytesPerToken) / 1024, scale * score->value, {}, row.label};
      if (score->interval) point.interval = Interval{scale * score->interval->low, scale * score->interval->high};
      series.points.push_back(std::move(point));
      chart.description += row.name + ": " + printSize(static_cast<double>(row.kvBytesPerToken)) + " per token, " +
                           printScore(metric, score->value) + ". ";
    }
    std::stable_sort(series.points.begin(), series.points.end(),
                     [](const ChartPoint& a, const ChartPoint& b) { return a.x < b.x; });
    // Of several maps of one size the best is what that size can do.
    for (ChartPoint& point : series.points) {
      point.joined = std::none_of(series.points.begin(), series.points.end(), [&](const ChartPoint& other) {
        return other.x == point.x && (isBetter(metric, other.y, point.y) || (other.y == point.y && &other < &point));
      });
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

}  // namespace strata
