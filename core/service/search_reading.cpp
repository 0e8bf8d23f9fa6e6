#include "core/service/search_reading.h"

#include <cmath>

#include "core/base/files.h"
#include "core/base/json_values.h"
#include "core/project/map_files.h"
#include "core/project/project_files.h"
#include "core/protocol/job_kinds.h"
#include "core/service/search_files.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using protocol::JobInfo;
using protocol::ReadSearch;
using protocol::ReadSensitivity;

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
      estimate +=
          matrixCell(matrix, "delta", static_cast<std::size_t>(layer), static_cast<std::size_t>(known.map[layer]));
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
  STRATA_CHECK(describeMatrix(matrix, answer));
  answer.stale = staleness(wanted, params.adapter, matrix);
  addError(project, matrix, placeOf(wanted), answer);
  addMatrixPage(matrix, params.from, answer);
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
  describeResults(*file, answer);
  return answer;
}

}  // namespace strata
