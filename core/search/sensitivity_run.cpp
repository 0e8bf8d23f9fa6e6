#include "core/search/sensitivity_run.h"

#include "core/project/project_files.h"

namespace strata {
namespace {

constexpr const char* kBaselineKey = "full";

std::string keyOf(const Cell& cell) {
  return cell.isBaseline() ? kBaselineKey : std::to_string(cell.layer) + " reads " + std::to_string(cell.source);
}

/// The file's members beside the header.
Json contentsOf(const Sensitivity& matrix) {
  Json json = toJson(summaryOf(matrix));
  json["cells"] = matrix.measuredCells();
  const MeanLoss baseline = matrix.baseline();
  if (baseline.tokens == 0) json["baseline_nll"] = nullptr;
  json["baseline_half_width"] = baseline.halfWidth ? Json(*baseline.halfWidth) : Json(nullptr);
  return json;
}

std::vector<std::optional<double>> cellsOf(const Json& table, std::size_t layers) {
  std::vector<std::optional<double>> cells;
  if (!table.is_array() || table.size() != layers) return cells;
  for (const Json& row : table) {
    if (!row.is_array() || row.size() != layers) return {};
    for (const Json& cell : row) cells.push_back(cell.is_number() ? std::optional(cell.get<double>()) : std::nullopt);
  }
  return cells;
}

/// Nothing where the matrix is not whole.
std::optional<DeltaMatrix> wholeMatrix(const Json& file) {
  DeltaMatrix matrix;
  if (!file.contains("layers") || !file["layers"].is_number_integer() || !file.contains("delta")) return {};
  matrix.layers = file["layers"].get<int>();
  if (matrix.layers < 1) return {};
  matrix.delta = cellsOf(file["delta"], static_cast<std::size_t>(matrix.layers));
  if (matrix.delta.empty() || !file.contains("complete") || file["complete"] != true) return {};
  if (file.contains("baseline_nll") && file["baseline_nll"].is_number())
    matrix.baseline = file["baseline_nll"].get<double>();
  for (int layer = 1; layer < matrix.layers; ++layer) {
    for (int source = 0; source < layer; ++source) {
      if (!matrix.at(layer, source)) return {};
    }
  }
  return matrix;
}

}  // namespace

Json headerOf(const MeasureConfig& config, const OpenedForSearch& opened, const SearchText& text) {
  return {{"model", config.model},          {"adapter", config.adapter}, {"model_hash", opened.hash},
          {"text", text.path.string()},     {"text_hash", text.hash},    {"texts", text.documents},
          {"windows", text.windows.size()}, {"tokens", text.tokens}};
}

Result<Sensitivity> measureInto(MeasureRecord& record, const OpenedForSearch& opened, const SearchText& text,
                                const MapScorer::GoOn& goOn,
                                const std::function<Result<void>(std::int64_t done, std::int64_t all)>& onCell) {
  const int layers = opened.model->config().layers;
  Sensitivity matrix(layers, text.windows.size());
  const auto restore = [&](const Cell& cell) {
    const auto found = record.known().find(keyOf(cell));
    if (found == record.known().end()) return;
    for (std::size_t window = 0; window < found->second.size(); ++window) {
      if (found->second[window].tokens > 0) matrix.set(cell, window, found->second[window]);
    }
  };
  restore({});
  for (int layer = 1; layer < layers; ++layer) {
    for (int source = 0; source < layer; ++source) restore({layer, source});
  }
  const MapScorer scorer(opened.model, text, opened.ranks);
  const auto all = static_cast<std::int64_t>(scorer.batches()) * (matrix.cells() + 1);
  std::int64_t done = 0;
  for (std::size_t batch = 0; batch < scorer.batches(); ++batch) {
    const std::size_t window = scorer.windowsOf(batch).front();
    for (int layer = 0; layer < layers; ++layer) {
      for (int source = 0; source < std::max(1, layer); ++source) {
        if (layer == 0 || source < layer) done += matrix.losses({layer, source})[window].tokens > 0 ? 1 : 0;
      }
    }
  }
  const auto contents = [&] { return contentsOf(matrix); };
  SensitivityHooks hooks;
  hooks.goOn = goOn;
  hooks.onCell = [&](const Cell& cell, const std::vector<std::size_t>& windows) -> Result<void> {
    for (const std::size_t window : windows) STRATA_CHECK(record.add(keyOf(cell), window, matrix.losses(cell)[window]));
    STRATA_CHECK(record.write(kMatrixFile, contents, false));
    return onCell ? onCell(++done, all) : Result<void>();
  };
  const Result<void> measured = measureSensitivity(scorer, matrix, hooks);
  STRATA_CHECK(record.write(
      kMatrixFile,
      [&] {
        Json json = contents();
        json["complete"] = measured.has_value();
        return json;
      },
      true));
  STRATA_CHECK(measured);
  return matrix;
}

std::optional<DeltaMatrix> findMatrix(const std::filesystem::path& project, const Json& header) {
  const Result<Project> opened = Project::open(project);
  if (!opened) return {};
  const Result<std::vector<RunInfo>> runs = listRuns(*opened);
  if (!runs) return {};
  for (auto run = runs->rbegin(); run != runs->rend(); ++run) {
    const Result<std::string> bytes = readInProject(inRun(opened->runsFolder() / run->id, kMatrixFile));
    if (!bytes) continue;
    const Result<Json> file = parseJson(*bytes, kMatrixFile);
    if (!file || !file->is_object()) continue;
    bool same = true;
    for (const char* key : {"model_hash", "text_hash", "tokens", "windows"}) {
      same = same && file->contains(key) && (*file)[key] == header[key];
    }
    if (!same) continue;
    if (auto matrix = wholeMatrix(*file)) return matrix;
  }
  return {};
}

Result<Json> measureMatrix(const SensitivityConfig& config, const OpenedForSearch& opened, Run* run,
                           const MeasureProgress& progress) {
  const auto measure = [&]() -> Result<Json> {
    if (opened.model->config().layers < 2) {
      return fail(ErrorCode::usage, "A model of one layer has nothing to share.", config.model);
    }
    STRATA_TRY(const SearchText text, readSearchText(*opened.model, config.text, config.tokens));
    const Json header = headerOf(config, opened, text);
    if (run != nullptr) STRATA_CHECK(run->setState(RunState::running));
    STRATA_TRY(MeasureRecord record, MeasureRecord::open(run, kMatrixFile, header, text.windows.size()));
    const auto goOn = [&] { return (!progress.goOn || progress.goOn()) && record.goOn(); };
    const auto tell = [&](std::int64_t done, std::int64_t all) -> Result<void> {
      if (progress.onProgress) progress.onProgress(done, all, {});
      return record.tell(done, all);
    };
    STRATA_TRY(const Sensitivity matrix, measureInto(record, opened, text, goOn, tell));
    Json answer = header;
    answer.update(contentsOf(matrix));
    answer["seconds"] = record.seconds();
    return answer;
  };
  Result<Json> answer = measure();
  if (run == nullptr) return answer;
  if (answer) {
    answer->emplace("run", run->info().id);
    STRATA_CHECK(run->setState(RunState::done));
    return answer;
  }
  STRATA_CHECK(endUnfinished(*run, answer.error()));
  return answer;
}

}  // namespace strata
