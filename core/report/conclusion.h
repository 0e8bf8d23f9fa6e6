#pragma once
// What a reader should take away from a report, in sentences.

#include <string>
#include <vector>

#include "core/report/report.h"

namespace strata {

/// First what each model keeps as its cache shrinks, of the evaluations that have its full map; then each difference
/// from the baseline and whether it can be told from chance, each search's best map, and each training's loss.
std::vector<std::string> conclusionOf(const Report& report);

}  // namespace strata
