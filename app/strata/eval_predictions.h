#pragma once
// strata eval --predictions: the scores of answers made elsewhere.

#include <string>

#include "app/strata/output.h"
#include "core/base/error.h"
#include "core/data/questions.h"

namespace strata {

/// Scores `predictions` against the questions of `data`; only the first `limit` questions (0: all).
Result<int> scorePredictions(QaFormat task, const std::string& data, const std::string& predictions, int limit,
                             const Output& out);

}  // namespace strata
