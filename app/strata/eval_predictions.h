#pragma once
// strata eval --predictions: the scores of answers made elsewhere.

#include <string>

#include "app/strata/output.h"
#include "core/base/error.h"
#include "core/data/questions.h"

namespace strata {

/// Whether answers to such questions can be given as a file.
bool hasPredictions(QaFormat format);

/// Scores `predictions` against the questions; only the first `limit` of them (0: all).
Result<int> scorePredictions(QuestionSet questions, const std::string& predictions, int limit, const Output& out);

}  // namespace strata
