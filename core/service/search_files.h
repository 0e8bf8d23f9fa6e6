#pragma once
// What stands in matrix.json of a sensitivity measurement and in results.json of a search, whoever wrote them: a key
// that is missing or of another kind says nothing. Any thread.

#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/protocol/search_messages.h"

namespace strata {

/// Row l, column s of "delta" or "half_width"; NaN where it says nothing.
double matrixCell(const Json& matrix, const char* table, std::size_t layer, std::size_t source);
/// All but the cells. ErrorCode::invalidData: it has more layers than a model can have.
Result<void> describeMatrix(const Json& matrix, protocol::ReadSensitivity::Answer& answer);
/// Cells of the rows from `from` on, as many as one message holds.
void addMatrixPage(const Json& matrix, std::int64_t from, protocol::ReadSensitivity::Answer& answer);
void describeResults(const Json& results, protocol::ReadSearch::Answer& answer);

}  // namespace strata
