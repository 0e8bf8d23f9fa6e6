#include "core/service/search_reading.h"

#include <cmath>
#include <limits>

#include "core/base/files.h"
#include "core/project/map_files.h"
#include "core/project/project_files.h"
#include "core/protocol/columns.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using protocol::JobInfo;
using protocol::ReadSearch;
using protocol::ReadSensitivity;

constexpr std::size_t kPageNumbers = 12000;  // of a column: 128 KiB of base64
constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

std::string textIn(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<double> numberIn(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::int64_t countIn(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

/// ErrorCode::notFound while the run has none.
Result<Json> readRunJson(const fs::path& run, const char* name) {
  STRATA_TRY(const std::string bytes, readInProject(inRun(run, name)));
  STRATA_TRY(Json json, parseJson(bytes, name));
  if (json.is_object()) return json;
  return fail(ErrorCode::invalidData, std::string(name) + " of the run " + run.filename().string() + " is no object.",
              name);
}

fs::path placeOf(const ModelLocation& location) {
  return location.run.empty() ? location.folder : location.run;
}

/// Row l, column s of "delta" or "half_width"; NaN where it says nothing.
double cellOf(const Json& matrix, const char* table, std::size_t layer, std::size_t source) {
  const auto rows = matrix.find(table);
  if (rows == matrix.end() || !rows->is_array() || layer >= rows->size()) return kNotMeasured;
  const Json& row = (*rows)[layer];
  if (!row.is_array() || source >= row.size() || !row[source].is_number()) return kNotMeasured;
  return row[source].get<double>();
}

/// How far the sum of cells is from what was measured, on average, over maps of two followers or more.
void addError(HeldProject& project, const Json& matrix, const fs::path& model, ReadSensitivity::Answer& answer) {
  const std::optional<double> baseline = numberIn(matrix, "baseline_nll");
  if (!baseline) return;
  double sum = 0;
  for (const KnownMap& known : measuredMaps(project.folder(), project.jobs().runsThatMeasured())) {
    if (known.model != model || known.textHash != answer.textHash || known.map.layers() != answer.layers) continue;
    if (known.map.layers() - known.map.owners() < 2) continue;
    double estimate = *baseline;
    for (int layer = 0; layer < known.map.layers(); ++layer) {
      if (known.map.owns(layer)) continue;
      estimate += cellOf(matrix, "delta", static_cast<std::size_t>(layer), static_cast<std::size_t>(known.map[layer]));
    }
    for (const MapMeasure& score : known.scores) {
      if (score.metric != "nll" || score.n != answer.tokens || !std::isfinite(estimate)) continue;
      sum += std::abs(estimate - score.value);
      ++answer.errorMaps;
    }
  }
  if (answer.errorMaps > 0) answer.error = sum / static_cast<double>(answer.errorMaps);
}

}  // namespace

Result<std::string> SearchReading::hashOfText(const std::string& path) {
  std::error_code failed;
  const auto bytes = fs::file_size(path, failed);
  const auto written = failed ? fs::file_time_type() : fs::last_write_time(path, failed);
  if (failed) return fail(ErrorCode::notFound, "The text " + path + " is not there.", path);
  const std::string key = path + "|" + std::to_string(bytes) + "|" + std::to_string(written.time_since_epoch().count());
  const std::lock_guard lock(m_mutex);
  if (const auto known = m_texts.find(key); known != m_texts.end()) return known->second;
  STRATA_TRY(const std::string hash, sha256OfFile(path));
  return m_texts[key] = hash;
}

std::string SearchReading::staleness(const ModelLocation& model, const std::string& adapter, const Json& matrix) {
  const Result<Checkpoint> checkpoint = Checkpoint::open(model.folder);
  if (!checkpoint) return checkpoint.error().message;
  const Result<std::string> hash = m_models.of(*checkpoint, adapter.empty() ? model.adapter : fs::path(adapter));
  if (!hash) return hash.error().message;
  if (*hash != textIn(matrix, "model_hash")) return "The model has changed since.";
  const Result<std::string> text = hashOfText(textIn(matrix, "text"));
  if (!text) return text.error().message;
  return *text == textIn(matrix, "text_hash") ? "" : "The text has changed since.";
}

Result<ReadSensitivity::Answer> SearchReading::sensitivity(HeldProject& project,
                                                           const ReadSensitivity::Params& params) {
  ReadSensitivity::Answer answer;
  STRATA_TRY(const ModelLocation wanted, locateModel(params.model, project.folder(), Locate::place));
  Json matrix;
  for (const char* kind : {kSensitivityKind, kSearchKind}) {
    STRATA_TRY(const protocol::ListJobs::Answer runs, project.jobs().list({.kind = kind}));
    for (const JobInfo& run : runs.jobs) {
      if (!answer.run.empty() && run.created <= answer.created) break;
      const Result<Json> file = readRunJson(project.folder() / "runs" / run.id, "matrix.json");
      if (!file || textIn(*file, "adapter") != params.adapter) continue;
      const auto location = locateModel(textIn(*file, "model"), project.folder(), Locate::place);
      if (!location || placeOf(*location) != placeOf(wanted)) continue;
      answer.run = run.id;
      answer.created = run.created;
      answer.state = run.state;
      answer.message = run.message;
      matrix = *file;
      break;
    }
  }
  if (answer.run.empty()) return answer;
  answer.modelHash = textIn(matrix, "model_hash");
  answer.text = textIn(matrix, "text");
  answer.textHash = textIn(matrix, "text_hash");
  answer.texts = countIn(matrix, "texts");
  answer.windows = countIn(matrix, "windows");
  answer.tokens = countIn(matrix, "tokens");
  const auto rows = matrix.find("delta");
  answer.layers = rows != matrix.end() && rows->is_array() ? static_cast<std::int64_t>(rows->size()) : 0;
  answer.cells = countIn(matrix, "cells");
  answer.allCells = answer.layers * (answer.layers - 1) / 2;
  answer.baselineNll = numberIn(matrix, "baseline_nll");
  answer.stale = staleness(wanted, params.adapter, matrix);
  addError(project, matrix, placeOf(wanted), answer);
  const auto layers = static_cast<std::size_t>(answer.layers);
  std::vector<double> delta, halfWidth;
  std::size_t row = static_cast<std::size_t>(params.from);
  answer.from = params.from;
  for (; row < layers && (delta.empty() || delta.size() + layers <= kPageNumbers); ++row) {
    for (std::size_t source = 0; source < layers; ++source) {
      delta.push_back(cellOf(matrix, "delta", row, source));
      halfWidth.push_back(cellOf(matrix, "half_width", row, source));
    }
  }
  answer.next = row < layers ? static_cast<std::int64_t>(row) : 0;
  answer.delta = protocol::encodeColumn(delta);
  answer.halfWidth = protocol::encodeColumn(halfWidth);
  return answer;
}

Result<ReadSearch::Answer> SearchReading::search(HeldProject& project, const ReadSearch::Params& params) {
  STRATA_TRY(const fs::path folder, project.jobs().runFolder(params.run));
  STRATA_TRY(const RunInfo run, readRun(folder));
  if (run.kind != kSearchKind) {
    return fail(ErrorCode::usage, "The run " + run.id + " is no search.", "run");
  }
  ReadSearch::Answer answer;
  answer.state = toString(run.state);
  answer.message = run.message;
  answer.method = textIn(run.config, "method");
  const Result<Json> file = readRunJson(folder, "results.json");
  if (!file && file.error().code == ErrorCode::notFound) return answer;
  if (!file) return tl::unexpected(file.error());
  answer.metric = textIn(*file, "metric");
  answer.layers = countIn(*file, "layers");
  answer.owners = countIn(*file, "owners");
  answer.seconds = numberIn(*file, "seconds").value_or(0);
  answer.map = textIn(*file, "best");
  answer.name = textIn(*file, "name");
  const auto results = file->find("results");
  if (results == file->end() || !results->is_array()) return answer;
  answer.evaluated = static_cast<std::int64_t>(results->size());
  for (const Json& result : *results) {
    if (!result.is_object()) continue;
    const std::string map = textIn(result, "map");
    const std::optional<double> value = numberIn(result, answer.metric.c_str());
    if (map == "full") answer.full = value;
    if (map != answer.map) continue;
    answer.value = value;
    answer.halfWidth = numberIn(result, "half_width");
    answer.differenceHalfWidth = numberIn(result, "difference_half_width");
  }
  return answer;
}

}  // namespace strata
