#include "core/service/search_files.h"

#include <limits>
#include <vector>

#include "core/base/json_values.h"
#include "core/protocol/columns.h"

namespace strata {
namespace {

constexpr std::size_t kPageNumbers = 12000;  // of a column: 128 KiB of base64
constexpr std::int64_t kMostLayers = 4096;   // of a model
constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double matrixCell(const Json& matrix, const char* table, std::size_t layer, std::size_t source) {
  const auto rows = matrix.find(table);
  if (rows == matrix.end() || !rows->is_array() || layer >= rows->size()) return kNotMeasured;
  const Json& row = (*rows)[layer];
  if (!row.is_array() || source >= row.size() || !row[source].is_number()) return kNotMeasured;
  return row[source].get<double>();
}

Result<void> describeMatrix(const Json& matrix, protocol::ReadSensitivity::Answer& answer) {
  answer.modelHash = textIn(matrix, "model_hash");
  answer.text = textIn(matrix, "text");
  answer.textHash = textIn(matrix, "text_hash");
  answer.texts = countIn(matrix, "texts");
  answer.windows = countIn(matrix, "windows");
  answer.tokens = countIn(matrix, "tokens");
  const auto rows = matrix.find("delta");
  answer.layers = rows != matrix.end() && rows->is_array() ? static_cast<std::int64_t>(rows->size()) : 0;
  if (answer.layers > kMostLayers) {
    return fail(ErrorCode::invalidData,
                "matrix.json has " + std::to_string(answer.layers) + " layers; a model has at most " +
                    std::to_string(kMostLayers) + ".",
                "matrix.json");
  }
  answer.cells = countIn(matrix, "cells");
  answer.allCells = answer.layers * (answer.layers - 1) / 2;
  answer.baselineNll = numberIn(matrix, "baseline_nll");
  return {};
}

void addMatrixPage(const Json& matrix, std::int64_t from, protocol::ReadSensitivity::Answer& answer) {
  const auto layers = static_cast<std::size_t>(answer.layers);
  std::vector<double> delta, halfWidth;
  std::size_t row = static_cast<std::size_t>(from);
  answer.from = from;
  for (; row < layers && (delta.empty() || delta.size() + layers <= kPageNumbers); ++row) {
    for (std::size_t source = 0; source < layers; ++source) {
      delta.push_back(matrixCell(matrix, "delta", row, source));
      halfWidth.push_back(matrixCell(matrix, "half_width", row, source));
    }
  }
  answer.next = row < layers ? static_cast<std::int64_t>(row) : 0;
  answer.delta = protocol::encodeColumn(delta);
  answer.halfWidth = protocol::encodeColumn(halfWidth);
}

void describeResults(const Json& results, protocol::ReadSearch::Answer& answer) {
  answer.metric = textIn(results, "metric");
  answer.layers = countIn(results, "layers");
  answer.owners = countIn(results, "owners");
  answer.seconds = numberIn(results, "seconds").value_or(0);
  answer.map = textIn(results, "best");
  answer.name = textIn(results, "name");
  const auto list = results.find("results");
  if (list == results.end() || !list->is_array()) return;
  answer.evaluated = static_cast<std::int64_t>(list->size());
  for (const Json& result : *list) {
    if (!result.is_object()) continue;
    const std::string map = textIn(result, "map");
    const std::optional<double> value = numberIn(result, answer.metric.c_str());
    if (map == "full") answer.full = value;
    if (map != answer.map) continue;
    answer.value = value;
    answer.halfWidth = numberIn(result, "half_width");
    answer.differenceHalfWidth = numberIn(result, "difference_half_width");
  }
}

}  // namespace strata
