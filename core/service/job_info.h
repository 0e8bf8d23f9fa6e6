#pragma once
// What the table of runs shows of one: from its run.json and its database.

#include "core/project/run_reader.h"
#include "core/protocol/job_messages.h"

namespace strata {

/// What run.json says; `id` and `alive` are the caller's.
void tell(const RunInfo& run, protocol::JobInfo& info);
void tell(const RunProgress& progress, protocol::JobInfo& info);

/// By name.
std::vector<protocol::Score> toScores(const std::map<std::string, double>& scores);

}  // namespace strata
