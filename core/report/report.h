#pragma once
// A report: what some runs of a project found, the conclusion first. Built once, written in several forms.
//
//   STRATA_TRY(const Report report, buildReport(project, {"20261122-093000-eval-ab12"}, {}));
//   STRATA_CHECK(writeReport(report, ReportFormat::html, "report.html"));
// The same runs give the same bytes: no time but those of the runs is in it. Needs no LibTorch and no window.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/metrics/bootstrap.h"
#include "core/project/project.h"
#include "core/report/paired_result.h"
#include "core/routing/sharing_map.h"

namespace strata {

/// One run of the report: what it was told and with what it computed.
struct ReportRun {
  std::string id, name, kind, state, created;
  std::string model, modelHash, adapter, data, dataHash, task, dtype, device, version, hardware;
  std::optional<std::uint64_t> seed;
  Json settings = {};   // of an evaluation: prompt, examples, decoding; null: not recorded
  double seconds = -1;  // -1: unknown
  std::string command;  // that starts the same run again
};

struct ReportScore {
  std::string metric;
  double value = 0;
  std::optional<Interval> interval;  // nothing: a score of the whole, without one of each question
};

/// A model under a map.
struct ReportRow {
  std::size_t run = 0;  // in Report::runs
  std::string name;     // "routed @ retention:.5"
  std::string map;      // as the evaluation was told
  std::string label;    // labelOf() the map, or `map` where another has the same
  SharingMap src = SharingMap::full(1);
  std::int64_t kvBytesPerToken = 0, n = 0;
  std::vector<ReportScore> scores;     // the first is the one that the task is known by
  std::optional<PairedResult> paired;  // against the baseline; nothing: this is the baseline
  std::string unpaired;                // why there is no paired result
};

/// A question that one side has right and the other has wrong.
struct ReportFlip {
  std::size_t row = 0;  // the other side, in ReportEvaluation::rows
  bool baselineRight = false;
  std::string question, text, expected, baselineAnswer, answer;
};

/// Evaluations of one task on the same data.
struct ReportEvaluation {
  std::string task, data, dataHash;
  std::string metric;        // that the task is known by
  std::string exact;         // right or wrong: "em"; empty: the task has none
  std::size_t baseline = 0;  // in rows
  std::vector<ReportRow> rows;
  std::vector<ReportFlip> flips;
};

/// A search: what it measured.
struct ReportSearch {
  std::size_t run = 0;
  std::string metric, method, best;
  std::optional<double> bestValue, fullValue;
  struct Point {
    std::string map;
    double retention = 1, value = 0;
    std::optional<double> halfWidth;
  };
  std::vector<Point> points;
};

/// A sensitivity matrix: how much the loss rises when layer l alone reads layer s.
struct ReportMatrix {
  std::size_t run = 0;
  double baseline = 0;
  std::vector<std::vector<std::optional<double>>> delta;  // [l][s], s < l
};

/// A metric of a training run.
struct ReportCurve {
  std::size_t run = 0;
  std::string metric;
  std::vector<double> step, value;  // at most kCurvePoints
};

/// A training run's tensors at the highest moment, bytes.
struct ReportMemory {
  std::size_t run = 0;
  std::optional<double> predicted, measured;
};

struct Report {
  std::string title, project;
  std::string folder;  // of the project, its name alone, as commands give it
  std::string date;    // of the newest run
  std::vector<std::string> conclusion;
  std::string notes;  // a person's own words, Markdown; shown below the conclusion
  std::vector<ReportRun> runs;
  std::vector<ReportEvaluation> evaluations;
  std::vector<ReportSearch> searches;
  std::vector<ReportMatrix> matrices;
  std::vector<ReportCurve> curves;
  std::vector<ReportMemory> memory;
};

struct ReportOptions {
  std::string title;          // empty: from the project and its runs
  std::string baseline = {};  // RUN@MAP; empty: the first full map on the same data, or else the first map
  std::string notes = {};     // Markdown
  /// Bytes that a training run's tensors were predicted to take; nothing: unknown.
  std::function<std::optional<double>(const RunInfo& run)> predictedMemory = {};
};

/// Of evaluations, searches, sensitivities and training runs, in the order given. Each evaluation's questions are
/// compared with those of the first full map on the same data, or else with the first map.
Result<Report> buildReport(const std::filesystem::path& project, const std::vector<std::string>& runs,
                           const ReportOptions& options = {});

enum class ReportFormat { html, pdf, csv, json, markdown };
/// "html", "pdf", "csv", "json", "md"
const char* toString(ReportFormat format);
Result<std::vector<ReportFormat>> parseReportFormats(const std::string& list);

/// The file's bytes.
Result<std::string> printReport(const Report& report, ReportFormat format);
Result<void> writeReport(const Report& report, ReportFormat format, const std::filesystem::path& file);
/// "report-20261122-093000": after the newest run.
std::string reportFileName(const Report& report);

Json reportJson(const Report& report);
std::string reportCsv(const Report& report);
std::string reportHtml(const Report& report);
std::string reportMarkdown(const Report& report);
Result<std::string> reportPdf(const Report& report);

/// The README.md of an exported model, with the Hub's metadata, from a report's JSON. Refused: a file that is no
/// report, and one without an evaluation.
Result<std::string> modelCard(const Json& report, const SharingMap& map, const std::string& modelName);

struct ExportedModel {
  std::string name;
  SharingMap map;
  std::int64_t layerBytes;            // K and V of one token in one layer
  std::vector<std::int64_t> windows;  // [L], 0: none
  bool remoteCode;                    // modeling_strata.py is in the folder
};

/// How one program uses an export under its map. An export's README.md and the window show the same.
struct ServingUse {
  std::string program;       // "vLLM"
  std::string needs = {};    // "with Strata's package strata-serving"; empty: nothing
  std::string setup = {};    // a line before the command: Python's import; empty: none
  std::string command = {};  // empty: it cannot, and `problem` says why
  std::string check = {};    // how to tell that it shares, as Markdown
  std::string problem = {};  // what does not work or saves less under this map; empty: nothing
};
/// `place`: the folder as the commands name it.
std::vector<ServingUse> servingUses(const ExportedModel& model, const std::string& place);
/// The part of an export's README.md about serving it: how to tell whether a server shares, and what a map that crosses
/// sliding and full layers means for each.
std::string servingNotes(const ExportedModel& model);

struct ExportedAdapter {
  std::string base;       // a folder or a GGUF file
  std::string baseName;   // as a server names it
  bool gguf;              // the base is a GGUF file
  std::int64_t rank;      // the largest of its pairs
  ExportedModel adapter;  // its name, and the map that it is to be served under
};
std::vector<ServingUse> servingUses(const ExportedAdapter& adapter, const std::string& place);
/// The README.md of an adapter that is exported alone.
std::string servingNotes(const ExportedAdapter& adapter);

}  // namespace strata
