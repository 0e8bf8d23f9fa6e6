#include "core/report/document.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/config/describe.h"
#include "core/protocol/job_kinds.h"
#include "core/report/evaluation_tables.h"
#include "core/report/notes.h"
#include "core/report/numbers.h"

namespace strata {
namespace {

constexpr std::size_t kShownHash = 12, kMostConclusions = 10, kMostMaps = 20;

const char* thingsOf(const ReportEvaluation& evaluation) {
  return evaluation.exact.empty() ? "texts" : "questions";
}

std::string taskLabel(const std::string& task) {
  static const std::map<std::string, std::string> kNames = {{"squad", "SQuAD"},
                                                            {"hotpotqa", "HotpotQA"},
                                                            {"triviaqa", "TriviaQA"},
                                                            {"msmarco", "MS MARCO"},
                                                            {"nq", "Natural Questions"},
                                                            {"boolq", "BoolQ"},
                                                            {"lambada", "LAMBADA"},
                                                            {"nll", "Loss"},
                                                            {"multiple-choice", "Multiple choice"},
                                                            {"kv-retrieval", "Key-value retrieval"}};
  const auto found = kNames.find(task);
  return found == kNames.end() ? task : found->second;
}

std::string titleOf(const ReportEvaluation& evaluation) {
  return taskLabel(evaluation.task) + (evaluation.data.empty() ? "" : " on " + evaluation.data);
}

std::string nameOfRun(const ReportRun& run) {
  return run.name.empty() ? run.id : run.name;
}

/// Minus signs before digits, and no line breaks before units.
std::string typeset(std::string text) {
  const auto isDigit = [&](std::size_t place) {
    return place < text.size() && text[place] >= '0' && text[place] <= '9';
  };
  for (std::size_t at = text.find(" -"); at != std::string::npos; at = text.find(" -", at + 1)) {
    if (isDigit(at + 2)) text.replace(at + 1, 1, "−");
  }
  for (const std::string unit : {" %", " points", " nats"}) {
    for (std::size_t at = text.find(unit); at != std::string::npos; at = text.find(unit, at + 1)) {
      if (at > 0 && isDigit(at - 1)) text.replace(at, 1, "\u00A0");
    }
  }
  return text;
}

/// "2 evaluations", or "3 runs" of several kinds.
std::string countOf(const std::vector<ReportRun>& runs) {
  const bool isEvaluations =
      std::all_of(runs.begin(), runs.end(), [](const ReportRun& run) { return run.kind == kEvalKind; });
  return printCount(static_cast<std::int64_t>(runs.size())) + (isEvaluations ? " evaluation" : " run") +
         (runs.size() == 1 ? "" : "s");
}

/// Of the paired table: how its intervals were drawn, and which differences it may miss.
std::string pairedNote(const ReportEvaluation& evaluation) {
  std::vector<const PairedResult*> all;
  for (const ReportRow& row : evaluation.rows) {
    if (row.paired) all.push_back(&*row.paired);
  }
  const PairedResult& first = *all.front();
  const std::string articles = printCount(first.clusters) + " articles";
  std::string note = "Intervals: percentile bootstrap, " + printCount(kPairedResamples) + " resamples";
  if (first.isOfFewClusters) {
    note += ". The questions come from " + (first.clusters == 1 ? "one article" : "only " + articles) +
            ", so each interval is the wider of two: resampled by article, and by question. They say little about "
            "other articles";
  } else if (first.clusters != first.n) {
    note += " of " + articles;
  }
  const PairedResult& largest = **std::max_element(
      all.begin(), all.end(), [](const auto* a, const auto* b) { return a->detectable < b->detectable; });
  note += ". " + powerSentence(largest);
  if (all.size() > 1)
    note += " This is the largest detection limit of the " + std::to_string(all.size()) + " comparisons.";
  return note;
}

class DocumentMaker {
 public:
  DocumentMaker(const Report& report, const DocumentLimits& limits) : m_report(report), m_limits(limits) {}

  Document make() {
    m_document.title = m_report.title;
    m_document.subtitle =
        "Project " + m_report.project + ", " + printTime(m_report.date) + ", " + countOf(m_report.runs);
    conclusion();
    notes();
    for (const ReportEvaluation& each : m_report.evaluations) evaluation(each);
    training();
    for (const ReportSearch& each : m_report.searches) search(each);
    for (const ReportMatrix& each : m_report.matrices) matrix(each);
    memory();
    for (const ReportEvaluation& each : m_report.evaluations) flips(each);
    runs();
    prompts();
    commands();
    return std::move(m_document);
  }

 private:
  void add(DocBlock block) { m_document.blocks.push_back(std::move(block)); }
  void heading(std::string text) { add(DocHeading{2, std::move(text)}); }
  void note(std::string text) { add(DocParagraph{typeset(std::move(text)), true}); }

  void conclusion() {
    if (m_report.conclusion.empty()) return;
    heading("Conclusion");
    DocList list{DocList::Kind::conclusion, m_report.conclusion};
    if (list.items.size() > kMostConclusions) {
      const std::size_t more = list.items.size() - kMostConclusions;
      list.items.resize(kMostConclusions);
      list.items.push_back("And " + std::to_string(more) + " more; the tables below have them.");
    }
    for (std::string& item : list.items) item = typeset(item);
    add(std::move(list));
  }

  void notes() {
    std::vector<DocBlock> blocks = blocksOfNotes(m_report.notes);
    if (blocks.empty()) return;
    heading("Notes");
    for (DocBlock& block : blocks) add(std::move(block));
  }

  void evaluation(const ReportEvaluation& evaluation) {
    heading(titleOf(evaluation));
    add(scoreTable(evaluation));
    const auto compared = std::count_if(evaluation.rows.begin(), evaluation.rows.end(),
                                        [](const ReportRow& row) { return row.paired.has_value(); });
    if (compared > 0) {
      add(DocChart{differenceChart(evaluation)});
      add(pairedTable(evaluation));
      note(pairedNote(evaluation));
    }
    const auto hasNoWidth = [](const ReportRow& row) {
      return !row.scores.empty() && row.scores.front().interval &&
             row.scores.front().interval->low == row.scores.front().interval->high;
    };
    if (std::any_of(evaluation.rows.begin(), evaluation.rows.end(), hasNoWidth)) {
      note("An interval without width means that all " + std::string(thingsOf(evaluation)) +
           " have the same score, not that others would have it too.");
    }
    const Json& settings = m_report.runs[evaluation.rows[evaluation.baseline].run].settings;
    std::size_t told = evaluation.rows[evaluation.baseline].run;
    for (const ReportRow& row : evaluation.rows) {
      if (row.run == told || m_report.runs[row.run].settings == settings) continue;
      told = row.run;
      note(m_report.runs[row.run].id + " asked in another way than the baseline: prompt, examples or decoding differ.");
    }
    for (const ReportRow& row : evaluation.rows) {
      if (!row.unpaired.empty()) note(row.name + " is not compared: " + row.unpaired + ".");
      if (row.paired && row.paired->inAAlone + row.paired->inBAlone > 0) {
        note(row.name + " is compared over the " + printCount(row.paired->n) + " " + thingsOf(evaluation) +
             " that it shares with the baseline; " + printCount(row.paired->inAAlone) +
             " were asked of the baseline alone and " + printCount(row.paired->inBAlone) + " of this side alone.");
      }
    }
    if (evaluation.rows.size() > 1) add(DocChart{paretoChart(evaluation, m_report)});
  }

  void training() {
    std::map<std::string, std::vector<const ReportCurve*>> charts;
    for (const ReportCurve& curve : m_report.curves) charts[curve.metric].push_back(&curve);
    if (charts.empty()) return;
    heading("Training");
    const auto draw = [&](const std::string& title, const std::string& unit,
                          const std::vector<const ReportCurve*>& curves, bool byMap) {
      if (curves.empty()) return;
      Chart chart;
      chart.title = title;
      chart.xLabel = "Step";
      chart.yLabel = unit;
      const double scale = unit == "%" ? 100 : 1;
      for (const ReportCurve* curve : curves) {
        ChartSeries series;
        series.isLine = true;
        series.hasMarks = curve->step.size() < 2;
        series.name = nameOfRun(m_report.runs[curve->run]);
        if (byMap) {
          const std::string map = curve->metric.substr(curve->metric.find('/') + 1);
          series.name = m_report.curves.size() > 1 && m_runs > 1 ? series.name + ", " + map : map;
        }
        for (std::size_t i = 0; i < curve->step.size(); ++i)
          series.points.push_back({curve->step[i], scale * curve->value[i], {}, {}});
        chart.description += series.name + ": from " + printNumber(series.points.front().y, 4) + " at step " +
                             printNumber(series.points.front().x, 0) + " to " + printNumber(series.points.back().y, 4) +
                             " at step " + printNumber(series.points.back().x, 0) + ". ";
        chart.series.push_back(std::move(series));
      }
      add(DocChart{std::move(chart)});
    };
    m_runs = 0;
    for (const ReportCurve& curve : m_report.curves) m_runs += curve.metric == "loss" ? 1 : 0;
    draw("Training loss", "Loss, nats per token", charts["loss"], false);
    std::vector<const ReportCurve*> held, scores;
    for (const auto& [metric, curves] : charts) {
      auto& into = metric.starts_with("nll/") ? held : scores;
      if (metric != "loss") into.insert(into.end(), curves.begin(), curves.end());
    }
    draw("Held-out loss under each map", "NLL, nats per token", held, true);
    draw("F1 while training", "%", scores, true);
  }

  void search(const ReportSearch& search) {
    const ReportRun& run = m_report.runs[search.run];
    heading(run.name.empty() ? "Search " + run.id : run.name);
    Chart chart;
    chart.title = "Maps that the search measured";
    chart.xLabel = "Share of the KV cache, %";
    chart.yLabel = metricLabel(search.metric) + ", " + unitLabel(search.metric);
    ChartSeries series;
    series.name = run.model;
    const double scale = isLoss(search.metric) ? 1 : 100;
    for (const ReportSearch::Point& point : search.points)
      series.points.push_back({100 * point.retention, scale * point.value, {}, point.map == search.best ? "best" : ""});
    chart.description =
        printCount(static_cast<std::int64_t>(search.points.size())) + " maps; the best is " + search.best + ".";
    chart.series.push_back(std::move(series));
    add(DocChart{std::move(chart)});
    DocTable table;
    table.caption = "The best maps, by " + metricLabel(search.metric);
    table.columns = {{"Map", false, 3}, {"Cache", true, 1}, {metricLabel(search.metric), true, 1}, {"±", true, 1}};
    std::vector<const ReportSearch::Point*> points;
    for (const ReportSearch::Point& point : search.points) points.push_back(&point);
    std::stable_sort(points.begin(), points.end(),
                     [&](const auto* a, const auto* b) { return isBetter(search.metric, a->value, b->value); });
    if (points.size() > kMostMaps) points.resize(kMostMaps);
    for (const ReportSearch::Point* point : points) {
      table.rows.push_back({point->map, printPercent(point->retention), printScore(search.metric, point->value),
                            point->halfWidth ? printWidth(search.metric, *point->halfWidth) : "not measured"});
    }
    add(std::move(table));
  }

  void matrix(const ReportMatrix& matrix) {
    const ReportRun& run = m_report.runs[matrix.run];
    heading(run.name.empty() ? "Sensitivity " + run.id : run.name);
    Chart chart;
    chart.kind = ChartKind::matrix;
    chart.title = "What it costs that one layer alone reads another";
    chart.yLabel = "Layer that reads";
    chart.xLabel =
        "Layer that is read; rise of the NLL in nats per token, full map " + printScore("nll", matrix.baseline);
    chart.cells = matrix.delta;
    double most = -INFINITY;
    std::size_t layer = 0, source = 0;
    for (std::size_t l = 0; l < matrix.delta.size(); ++l) {
      for (std::size_t s = 0; s < matrix.delta[l].size(); ++s) {
        if (!matrix.delta[l][s] || *matrix.delta[l][s] <= most) continue;
        most = *matrix.delta[l][s];
        layer = l;
        source = s;
      }
    }
    if (std::isfinite(most)) {
      chart.description = "Most: layer " + std::to_string(layer) + " reading layer " + std::to_string(source) + ", " +
                          printDifference("nll", most) + ".";
    }
    add(DocChart{std::move(chart)});
  }

  void memory() {
    if (m_report.memory.empty()) return;
    heading("Memory");
    DocTable table;
    table.caption = "Tensors of the training runs at their highest moment";
    table.columns = {
        {"Run", false, 2.4}, {"Predicted", true, 1}, {"Measured", true, 1}, {"Measured / predicted", true, 1}};
    for (const ReportMemory& memory : m_report.memory) {
      const auto size = [](const std::optional<double>& bytes) { return bytes ? printSize(*bytes) : "not measured"; };
      std::string ratio = "";
      if (memory.predicted && memory.measured && *memory.predicted > 0)
        ratio = printPercent(*memory.measured / *memory.predicted);
      table.rows.push_back({nameOfRun(m_report.runs[memory.run]),
                            memory.predicted ? printSize(*memory.predicted) : "unknown", size(memory.measured), ratio});
    }
    add(std::move(table));
  }

  void flips(const ReportEvaluation& evaluation) {
    if (evaluation.exact.empty() || evaluation.rows.size() < 2) return;
    heading(m_report.evaluations.size() > 1 ? "Changed answers: " + titleOf(evaluation) : "Changed answers");
    if (evaluation.flips.empty()) {
      add(DocParagraph{"No question is right on one side and wrong on the other.", false});
      return;
    }
    const std::size_t shown = std::min(m_limits.flips, evaluation.flips.size());
    std::string words = printCount(static_cast<std::int64_t>(evaluation.flips.size())) +
                        " answers are right on one side and wrong on the other, by " + metricLabel(evaluation.exact) +
                        ".";
    if (shown < evaluation.flips.size()) {
      words += " " + printCount(static_cast<std::int64_t>(shown)) + " are shown, " +
               printCount(static_cast<std::int64_t>(evaluation.flips.size() - shown)) +
               " more are in the CSV and JSON files.";
    }
    add(DocParagraph{words, false});
    DocTable table;
    table.caption = "Questions that one side alone has right; baseline: " + evaluation.rows[evaluation.baseline].name;
    table.columns = {{"Question", false, 2.2},      {"Expected", false, 1.1},   {"Baseline", false, 1.3},
                     {"Model and map", false, 1.4}, {"Its answer", false, 1.3}, {"Right", false, 0.7}};
    // The rows take turns, so that each has its share of what is shown.
    std::vector<std::vector<const ReportFlip*>> byRow(evaluation.rows.size());
    for (const ReportFlip& flip : evaluation.flips) byRow[flip.row].push_back(&flip);
    std::vector<const ReportFlip*> chosen;
    for (std::size_t turn = 0; chosen.size() < shown; ++turn) {
      for (const auto& own : byRow) {
        if (turn < own.size() && chosen.size() < shown) chosen.push_back(own[turn]);
      }
    }
    std::stable_sort(chosen.begin(), chosen.end(), [](const auto* a, const auto* b) { return a->row < b->row; });
    for (const ReportFlip* flip : chosen) {
      const auto cut = [&](const std::string& text) { return excerpt(text, m_limits.textBytes); };
      table.rows.push_back({flip->text.empty() ? flip->question : cut(flip->text),
                            flip->expected.empty() ? "no answer" : cut(flip->expected),
                            flip->baselineAnswer.empty() ? "(empty)" : cut(flip->baselineAnswer),
                            evaluation.rows[flip->row].name, flip->answer.empty() ? "(empty)" : cut(flip->answer),
                            flip->baselineRight ? "baseline" : "this"});
    }
    add(std::move(table));
  }

  void runs() {
    heading("What was run");
    DocTable table;
    table.caption = "Runs, in the order given";
    table.columns = {{"Run", false, 2},         {"Model", false, 1}, {"Model hash", false, 1.2}, {"Data", false, 1.1},
                     {"Data hash", false, 1.2}, {"Seed", true, 0.6}, {"Computed in", false, 1},  {"Time", true, 0.8}};
    for (const ReportRun& run : m_report.runs) {
      const auto hash = [](const std::string& whole) {
        return whole.empty() ? "not recorded" : whole.substr(0, kShownHash);
      };
      std::string place = run.dtype.empty() ? "stored dtype" : run.dtype;
      if (!run.device.empty()) place += ", " + run.device;
      if (!run.hardware.empty()) place += ", " + run.hardware;
      if (!run.version.empty()) place += ", Strata " + run.version;
      table.rows.push_back({run.id + " (" + run.kind + ", " + run.state + ")",
                            run.model + (run.adapter.empty() ? "" : " + " + run.adapter), hash(run.modelHash), run.data,
                            hash(run.dataHash), run.seed ? std::to_string(*run.seed) : "none", place,
                            run.seconds < 0 ? "unknown" : printSeconds(run.seconds)});
    }
    add(std::move(table));
    note(
        "Hashes are the first 12 digits of SHA-256: of the weights, and of the data's file. The JSON file has them "
        "whole.");
  }

  /// The templates that questions were asked with, each once.
  void prompts() {
    std::map<std::string, std::vector<std::string>> runsOf;
    for (const ReportRun& run : m_report.runs) {
      const auto prompt = run.settings.is_object() ? run.settings.find("prompt") : run.settings.end();
      if (prompt == run.settings.end() || !prompt->is_string() || prompt->get<std::string>().empty()) continue;
      runsOf[prompt->get<std::string>()].push_back(run.id);
    }
    for (const auto& [prompt, runs] : runsOf) {
      add(DocHeading{3, runsOf.size() == 1 ? "Prompt of each question" : "Prompt of " + runs.front()});
      add(DocCode{{prompt}});
    }
  }

  void commands() {
    DocCode code;
    for (const ReportRun& run : m_report.runs) {
      if (!run.command.empty()) code.lines.push_back(run.command);
    }
    std::string ids, command;
    for (const ReportRun& run : m_report.runs) ids += (ids.empty() ? "" : ",") + run.id;
    for (const std::string& word : {std::string("strata"), std::string("report"), std::string("--project"),
                                    shellQuoted(m_report.folder), std::string("--runs"), ids}) {
      command += (command.empty() ? "" : " ") + word;
    }
    code.lines.push_back(command);
    heading("Reproduce");
    add(DocParagraph{"These commands run the same again, from the folder that holds the project:", false});
    add(std::move(code));
  }

  const Report& m_report;
  const DocumentLimits m_limits;
  Document m_document;
  int m_runs = 0;  // that have curves
};

}  // namespace

Document documentOf(const Report& report, const DocumentLimits& limits) {
  return DocumentMaker(report, limits).make();
}

std::string excerpt(const std::string& text, std::size_t bytes) {
  std::string line;
  for (const char c : text) {
    const bool isSpace = c == '\n' || c == '\r' || c == '\t';
    if (isSpace && (line.empty() || line.back() == ' ')) continue;
    line += isSpace ? ' ' : c;
  }
  if (line.size() <= bytes) return line;
  std::size_t end = bytes;
  while (end > 0 && (line[end] & 0xC0) == 0x80) --end;
  return line.substr(0, end) + "…";
}

std::string printTime(const std::string& created) {
  constexpr std::size_t kDate = 10, kMinutes = 16;
  if (created.size() < kMinutes || created[kDate] != 'T') return created;
  return created.substr(0, kDate) + " " + created.substr(kDate + 1, kMinutes - kDate - 1) + " UTC";
}

}  // namespace strata
