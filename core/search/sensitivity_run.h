#pragma once
// The matrix as a run measures and keeps it: of a sensitivity, or of a search that needs one.

#include <functional>

#include "core/search/measure_record.h"
#include "core/search/search_run.h"
#include "core/search/search_text.h"
#include "core/search/sensitivity.h"

namespace strata {

inline constexpr const char* kMatrixFile = "matrix.json";

/// What matrix.json and results.json say of what was measured.
Json headerOf(const MeasureConfig& config, const OpenedForSearch& opened, const SearchText& text);

/// Measures all that the record does not know; `onCell`: cells x batches done so far, and in all.
Result<Sensitivity> measureInto(MeasureRecord& record, const OpenedForSearch& opened, const SearchText& text,
                                const MapScorer::GoOn& goOn,
                                const std::function<Result<void>(std::int64_t done, std::int64_t all)>& onCell);

/// A whole matrix that some run of the project measured for the same model, text and sample; nothing: none did.
std::optional<DeltaMatrix> findMatrix(const std::filesystem::path& project, const Json& header);

}  // namespace strata
