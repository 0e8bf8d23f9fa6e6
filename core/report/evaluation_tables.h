#pragma once
// What a report shows of one evaluation: scores, paired differences, and the score against the size of the cache.

#include "core/report/chart.h"
#include "core/report/document.h"
#include "core/report/report.h"

namespace strata {

/// Nothing: the row was not scored by it.
const ReportScore* scoreOf(const ReportRow& row, const std::string& metric);

DocTable scoreTable(const ReportEvaluation& evaluation);
DocTable pairedTable(const ReportEvaluation& evaluation);
Chart differenceChart(const ReportEvaluation& evaluation);
/// KV bytes per token against the score; the maps of one run are one series. The baseline's run comes first.
Chart paretoChart(const ReportEvaluation& evaluation, const Report& report);

}  // namespace strata
