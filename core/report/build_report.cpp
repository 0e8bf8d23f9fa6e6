// A report from the folders of its runs.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/json_values.h"
#include "core/project/project_files.h"
#include "core/project/run_notes.h"
#include "core/project/run_reader.h"
#include "core/protocol/job_kinds.h"
#include "core/report/commands.h"
#include "core/report/conclusion.h"
#include "core/report/numbers.h"
#include "core/report/report.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kCurvePoints = 300;
constexpr std::size_t kMostRuns = 100;

/// "sample-routed" of a path, and a project's own name as it stands.
std::string shortName(const std::string& path) {
  fs::path place(path);
  if (!place.has_filename()) place = place.parent_path();
  return place.filename().string();
}

/// Nothing: the file is not there.
Result<std::optional<Json>> readRunJson(const fs::path& folder, const char* name) {
  const Result<std::string> bytes = readInProject(inRun(folder, name));
  if (!bytes && bytes.error().code == ErrorCode::notFound) return std::optional<Json>();
  if (!bytes) return tl::unexpected(bytes.error());
  STRATA_TRY(Json json, parseJson(*bytes, name));
  return std::optional(std::move(json));
}

class ReportBuilder {
 public:
  ReportBuilder(fs::path project, const ReportOptions& options) : m_project(std::move(project)), m_options(options) {}

  Result<Report> build(const std::vector<std::string>& runs);

 private:
  /// The answers of one row, kept until all are compared.
  struct Answered {
    std::size_t evaluation = 0, row = 0;
    EvaluatedAnswers scores;
  };

  Result<void> add(const std::string& text);
  Result<void> addEvaluation(const std::string& text, std::size_t run);
  Result<void> addTraining(const RunInfo& info, const fs::path& folder, std::size_t run);
  Result<void> addSearch(const fs::path& folder, std::size_t run);
  Result<void> addMatrix(const fs::path& folder, std::size_t run);
  std::string nameOf(const std::string& model) const;
  std::string runName(const RunInfo& info) const;
  Json portable(Json config) const;
  Result<void> scoreOne(std::size_t evaluation);
  Result<void> pair(ReportEvaluation& evaluation, const std::vector<const EvaluatedAnswers*>& sides);
  void addFlips(ReportEvaluation& evaluation, const std::vector<const EvaluatedAnswers*>& sides);
  void nameRows();
  std::string titleOf() const;

  fs::path m_project;
  const ReportOptions& m_options;
  std::map<fs::path, std::string> m_models;  // folder -> what the project calls it
  std::map<std::string, RunNote> m_notes;
  std::vector<Answered> m_answered;
  Report m_report;
};

std::string ReportBuilder::nameOf(const std::string& model) const {
  std::error_code ignored;
  const auto found = m_models.find(fs::weakly_canonical(model, ignored));
  if (found != m_models.end()) return found->second;
  if (const auto run = findRun(model, m_project)) {
    const Result<RunInfo> info = readRun(run->folder);
    const std::string name = info ? runName(*info) : "";
    if (!name.empty()) return run->step ? name + ", step " + std::to_string(*run->step) : name;
  }
  return shortName(model);
}

/// What people call the run, else what it was made as.
std::string ReportBuilder::runName(const RunInfo& info) const {
  const auto noted = m_notes.find(info.id);
  return noted != m_notes.end() && !noted->second.name.empty() ? noted->second.name : info.name;
}

/// Models by the project's names for them, and files of the project from the folder that holds it: as another machine
/// has them too.
Json ReportBuilder::portable(Json config) const {
  std::error_code ignored;
  const fs::path project = fs::weakly_canonical(m_project, ignored);
  for (const char* key : {"model", "adapter", "data", "text", "eval-data", "eval-questions", "shots-data"}) {
    const std::string given = textIn(config, key);
    if (given.empty() || !fs::path(given).is_absolute()) continue;
    const fs::path real = fs::weakly_canonical(given, ignored);
    const fs::path inside = real.lexically_relative(project);
    if (const auto found = m_models.find(real); found != m_models.end() && std::string_view(key) == "model") {
      config[key] = found->second;
    } else if (!inside.empty() && *inside.begin() != ".." && inside != ".") {
      config[key] = (fs::path(m_report.folder) / inside).string();
    }
  }
  return config;
}

Result<void> ReportBuilder::add(const std::string& text) {
  const auto name = findRun(text, m_project);
  if (!name) return fail(ErrorCode::notFound, "The project " + m_project.string() + " has no run " + text + ".", text);
  STRATA_TRY(const RunInfo info, readRun(name->folder));
  ReportRun run;
  run.id = info.id;
  run.name = runName(info);
  run.kind = info.kind;
  run.state = toString(info.state);
  run.created = info.created;
  run.model = nameOf(textIn(info.config, "model"));
  if (const std::string adapter = textIn(info.config, "adapter"); !adapter.empty()) run.adapter = nameOf(adapter);
  run.data = shortName(textIn(info.config, info.config.contains("data") ? "data" : "text"));
  run.task = textIn(info.config, "task");
  run.dtype = textIn(info.config, "dtype");
  if (const std::string weights = textIn(info.config, "weights"); !weights.empty()) {
    run.dtype += (run.dtype.empty() ? "weights " : ", weights ") + weights;
  }
  if (const std::string kv = textIn(info.config, "kv"); !kv.empty()) {
    run.dtype += (run.dtype.empty() ? "KV cache " : ", KV cache ") + kv;
  }
  run.device = textIn(info.config, "device");
  if (const auto seed = info.config.find("seed"); seed != info.config.end() && seed->is_number_integer())
    run.seed = seed->get<std::uint64_t>();
  run.command = commandOf(info.kind, portable(info.config), m_report.folder);
  if (const Result<RunReader> reader = RunReader::open(name->folder)) {
    if (const Result<RunProgress> progress = reader->progress(info)) run.seconds = progress->seconds;
  }
  const std::size_t place = m_report.runs.size();
  m_report.runs.push_back(std::move(run));
  if (info.kind == kEvalKind) return addEvaluation(text, place);
  if (info.kind == kTrainKind) return addTraining(info, name->folder, place);
  if (info.kind == kSearchKind) return addSearch(name->folder, place);
  if (info.kind == kSensitivityKind) return addMatrix(name->folder, place);
  return fail(ErrorCode::unsupported,
              "The run " + info.id + " is of the kind " + info.kind + ", which no report shows.", info.id);
}

Result<void> ReportBuilder::addEvaluation(const std::string& text, std::size_t run) {
  STRATA_TRY(const EvaluationRun stored, readEvaluation(m_project, text));
  ReportRun& about = m_report.runs[run];
  about.modelHash = stored.modelHash;
  about.dataHash = stored.dataHash;
  about.version = stored.version;
  about.hardware = stored.device;
  about.settings = stored.settings;
  const std::string key = stored.dataHash.empty() ? stored.data : stored.dataHash;
  auto place =
      std::find_if(m_report.evaluations.begin(), m_report.evaluations.end(), [&](const ReportEvaluation& each) {
        return each.task == stored.task && (each.dataHash.empty() ? each.data : each.dataHash) == key;
      });
  if (place == m_report.evaluations.end()) {
    ReportEvaluation fresh;
    fresh.task = stored.task;
    fresh.data = stored.data;
    fresh.dataHash = stored.dataHash;
    place = m_report.evaluations.insert(place, std::move(fresh));
  }
  const auto evaluation = static_cast<std::size_t>(place - m_report.evaluations.begin());
  for (const EvaluatedMap& map : stored.maps) {
    ReportRow row;
    row.run = run;
    row.map = map.name;
    row.label = labelOf(map);
    row.src = map.map;
    row.kvBytesPerToken = map.kvBytesPerToken;
    row.n = map.n;
    for (const auto& [metric, value] : map.metrics) row.scores.push_back({metric, value, std::nullopt});
    STRATA_TRY(EvaluatedAnswers scores, readScores(stored, map));
    m_answered.push_back({evaluation, place->rows.size(), std::move(scores)});
    place->rows.push_back(std::move(row));
  }
  return {};
}

Result<void> ReportBuilder::addTraining(const RunInfo& info, const fs::path& folder, std::size_t run) {
  Result<RunReader> reader = RunReader::open(folder);
  if (!reader && reader.error().code == ErrorCode::notFound) return {};  // it has not begun
  if (!reader) return tl::unexpected(reader.error());
  STRATA_TRY(const std::vector<std::string> names, reader->metricNames());
  for (const std::string& name : names) {
    const bool isCurve = name == "loss" || name.starts_with("nll/") || name.starts_with("f1/");
    if (!isCurve || name.ends_with("_low") || name.ends_with("_high")) continue;
    STRATA_TRY(const SeriesColumns series, reader->series({.name = name, .buckets = kCurvePoints}));
    ReportCurve curve{run, name, {}, {}};
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!std::isfinite(series.last[i])) continue;
      curve.step.push_back(series.x[i]);
      curve.value.push_back(series.last[i]);
    }
    if (!curve.step.empty()) m_report.curves.push_back(std::move(curve));
  }
  ReportMemory memory;
  memory.run = run;
  if (std::find(names.begin(), names.end(), "memory") != names.end()) {
    STRATA_TRY(const SeriesColumns series, reader->series({.name = "memory", .buckets = 1}));
    for (const double most : series.max) {
      if (std::isfinite(most)) memory.measured = std::max(memory.measured.value_or(0), most);
    }
  }
  if (m_options.predictedMemory) memory.predicted = m_options.predictedMemory(info);
  if (memory.measured || memory.predicted) m_report.memory.push_back(memory);
  return {};
}

Result<void> ReportBuilder::addSearch(const fs::path& folder, std::size_t run) {
  STRATA_TRY(const std::optional<Json> file, readRunJson(folder, "results.json"));
  if (!file) return {};
  ReportRun& about = m_report.runs[run];
  about.modelHash = textIn(*file, "model_hash");
  about.dataHash = textIn(*file, "text_hash");
  ReportSearch search;
  search.run = run;
  search.metric = textIn(*file, "metric");
  search.method = textIn(*file, "method");
  search.best = textIn(*file, "best");
  const auto results = file->find("results");
  if (results == file->end() || !results->is_array()) return {};
  for (const Json& result : *results) {
    const auto value = numberIn(result, search.metric.c_str());
    if (!value) continue;
    ReportSearch::Point point{textIn(result, "map"), numberIn(result, "retention").value_or(1), *value,
                              numberIn(result, "half_width")};
    if (point.map == search.best) search.bestValue = value;
    if (point.map == "full") search.fullValue = value;
    search.points.push_back(std::move(point));
  }
  m_report.searches.push_back(std::move(search));
  return {};
}

Result<void> ReportBuilder::addMatrix(const fs::path& folder, std::size_t run) {
  STRATA_TRY(const std::optional<Json> file, readRunJson(folder, "matrix.json"));
  if (!file) return {};
  ReportRun& about = m_report.runs[run];
  about.modelHash = textIn(*file, "model_hash");
  about.dataHash = textIn(*file, "text_hash");
  ReportMatrix matrix;
  matrix.run = run;
  matrix.baseline = numberIn(*file, "baseline_nll").value_or(0);
  const auto delta = file->find("delta");
  if (delta == file->end() || !delta->is_array()) return {};
  for (std::size_t layer = 0; layer < delta->size(); ++layer) {
    std::vector<std::optional<double>> cells;
    const Json& row = (*delta)[layer];
    for (std::size_t source = 0; row.is_array() && source < layer && source < row.size(); ++source)
      cells.push_back(row[source].is_number() ? std::optional(row[source].get<double>()) : std::nullopt);
    matrix.delta.push_back(std::move(cells));
  }
  m_report.matrices.push_back(std::move(matrix));
  return {};
}

/// The side as people call it; two runs of the same model are told apart by their numbers.
void ReportBuilder::nameRows() {
  for (ReportEvaluation& evaluation : m_report.evaluations) {
    std::map<std::string, std::set<std::size_t>> runsOf;
    const auto modelOf = [&](const ReportRow& row) {
      const ReportRun& run = m_report.runs[row.run];
      return run.adapter.empty() ? run.model : run.model + " + " + run.adapter;
    };
    std::map<std::string, std::set<std::string>> mapsOf;
    for (const ReportRow& row : evaluation.rows) mapsOf[row.label].insert(row.map);
    for (ReportRow& row : evaluation.rows) {
      if (mapsOf[row.label].size() > 1) row.label = row.map;
      runsOf[modelOf(row) + " @ " + row.label].insert(row.run);
    }
    for (ReportRow& row : evaluation.rows) {
      row.name = modelOf(row) + " @ " + row.label;
      if (runsOf[row.name].size() > 1) row.name += " (run " + std::to_string(row.run + 1) + ")";
    }
  }
}

Result<void> ReportBuilder::pair(ReportEvaluation& evaluation, const std::vector<const EvaluatedAnswers*>& sides) {
  std::vector<const EvaluatedAnswers*> others;
  std::vector<std::size_t> rows;
  const EvaluatedAnswers& base = *sides[evaluation.baseline];
  std::set<std::string_view> asked;
  for (const RunAnswer& answer : base.answers) asked.insert(answer.question);
  for (std::size_t row = 0; row < sides.size(); ++row) {
    if (row == evaluation.baseline) continue;
    const bool shares = std::any_of(sides[row]->answers.begin(), sides[row]->answers.end(),
                                    [&](const RunAnswer& answer) { return asked.contains(answer.question); });
    if (!shares || !sides[row]->has(evaluation.metric)) {
      evaluation.rows[row].unpaired = "no question in common with the baseline";
      continue;
    }
    others.push_back(sides[row]);
    rows.push_back(row);
  }
  if (others.empty()) return {};
  STRATA_TRY(const std::vector<PairedResult> results, compareAll(base, others, evaluation.metric));
  for (std::size_t i = 0; i < rows.size(); ++i) evaluation.rows[rows[i]].paired = results[i];
  return {};
}

void ReportBuilder::addFlips(ReportEvaluation& evaluation, const std::vector<const EvaluatedAnswers*>& sides) {
  if (evaluation.exact.empty()) return;
  constexpr double kRight = 0.5;
  const auto scoreOf = [&](const RunAnswer& answer) -> std::optional<double> {
    const auto found = answer.scores.find(evaluation.exact);
    return found == answer.scores.end() ? std::nullopt : std::optional(found->second);
  };
  std::map<std::string_view, const RunAnswer*> base;
  for (const RunAnswer& answer : sides[evaluation.baseline]->answers) base[answer.question] = &answer;
  for (std::size_t row = 0; row < sides.size(); ++row) {
    if (row == evaluation.baseline) continue;
    for (const RunAnswer& answer : sides[row]->answers) {
      const auto found = base.find(answer.question);
      if (found == base.end()) continue;
      const auto before = scoreOf(*found->second), after = scoreOf(answer);
      if (!before || !after || (*before > kRight) == (*after > kRight)) continue;
      evaluation.flips.push_back({row, *before > kRight, answer.question, answer.asked.text, answer.asked.expected,
                                  found->second->answer, answer.answer});
    }
  }
}

Result<void> ReportBuilder::scoreOne(std::size_t place) {
  ReportEvaluation& evaluation = m_report.evaluations[place];
  std::vector<const EvaluatedAnswers*> sides;
  for (const Answered& each : m_answered) {
    if (each.evaluation == place) sides.push_back(&each.scores);
  }
  const EvaluationName wanted = splitEvaluationName(m_options.baseline);
  const auto isWanted = [&](const ReportRow& row) {
    return m_report.runs[row.run].id == wanted.run && (wanted.map.empty() || row.map == wanted.map);
  };
  const auto first = [&](const auto& test) {
    return std::find_if(evaluation.rows.begin(), evaluation.rows.end(), test);
  };
  auto chosen = first(isWanted);
  if (chosen == evaluation.rows.end()) chosen = first([](const ReportRow& row) { return row.src.isFull(); });
  evaluation.baseline =
      chosen == evaluation.rows.end() ? 0 : static_cast<std::size_t>(chosen - evaluation.rows.begin());
  evaluation.metric = defaultMetric(*sides[evaluation.baseline]);
  evaluation.exact = exactMetric(*sides[evaluation.baseline]);
  std::set<std::string> metrics;
  for (ReportRow& row : evaluation.rows) {
    for (const ReportScore& score : row.scores) metrics.insert(score.metric);
    std::stable_partition(row.scores.begin(), row.scores.end(),
                          [&](const ReportScore& score) { return score.metric == evaluation.metric; });
  }
  for (const std::string& metric : metrics) {
    std::vector<const EvaluatedAnswers*> having;
    std::vector<ReportScore*> scores;
    for (std::size_t row = 0; row < sides.size(); ++row) {
      for (ReportScore& score : evaluation.rows[row].scores) {
        if (score.metric != metric || !sides[row]->has(metric)) continue;
        having.push_back(sides[row]);
        scores.push_back(&score);
      }
    }
    if (having.empty()) continue;
    STRATA_TRY(const std::vector<MeanResult> means, meansOf(having, metric));
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i]->interval = means[i].interval;
  }
  STRATA_CHECK(pair(evaluation, sides));
  addFlips(evaluation, sides);
  return {};
}

/// "base and routed", or the project's name where there are more.
std::string ReportBuilder::titleOf() const {
  constexpr std::size_t kMostNames = 3;
  std::vector<std::string> models;
  for (const ReportRun& run : m_report.runs) {
    if (!run.model.empty() && std::find(models.begin(), models.end(), run.model) == models.end())
      models.push_back(run.model);
  }
  if (models.empty() || models.size() > kMostNames)
    return m_report.project + ": " + std::to_string(m_report.runs.size()) + " runs";
  std::string title = models.front();
  for (std::size_t i = 1; i < models.size(); ++i) title += (i + 1 == models.size() ? " and " : ", ") + models[i];
  if (m_report.evaluations.size() == 1 && !m_report.evaluations.front().data.empty())
    title += " on " + m_report.evaluations.front().data;
  return title;
}

Result<Report> ReportBuilder::build(const std::vector<std::string>& runs) {
  if (runs.empty()) return fail(ErrorCode::usage, "A report needs runs; name at least one.", "runs");
  if (runs.size() > kMostRuns) return fail(ErrorCode::usage, "A report takes at most 100 runs; name fewer.", "runs");
  STRATA_TRY(const Project project, Project::open(m_project));
  STRATA_TRY(m_notes, readRunNotes(m_project));
  std::error_code ignored;
  for (const auto& [name, folder] : project.models()) {
    const fs::path whole = folder.is_relative() ? m_project / folder : folder;
    m_models.emplace(fs::weakly_canonical(whole, ignored), name);
  }
  m_report.project = project.name();
  m_report.folder = shortName(fs::absolute(m_project).lexically_normal().string());
  std::set<std::string> seen;
  for (const std::string& run : runs) {
    if (seen.insert(run).second) STRATA_CHECK(add(run));
  }
  nameRows();
  for (std::size_t i = 0; i < m_report.evaluations.size(); ++i) STRATA_CHECK(scoreOne(i));
  for (ReportEvaluation& each : m_report.evaluations) each.data = shortName(each.data);
  for (const ReportRun& run : m_report.runs) m_report.date = std::max(m_report.date, run.created);
  m_report.conclusion = conclusionOf(m_report);
  m_report.notes = m_options.notes;
  m_report.title = m_options.title.empty() ? titleOf() : m_options.title;
  return std::move(m_report);
}

}  // namespace

Result<Report> buildReport(const fs::path& project, const std::vector<std::string>& runs,
                           const ReportOptions& options) {
  return ReportBuilder(project, options).build(runs);
}

}  // namespace strata
