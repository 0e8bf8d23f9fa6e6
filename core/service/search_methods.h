#pragma once
// Sensitivity measurements and map searches: their runs, and what they found.

#include <filesystem>
#include <string>

#include "core/service/project_state.h"

namespace strata {

/// Checks what is asked for and makes the run in the state queued, or queues one again that stopped. Its id.
Result<std::string> queueMeasure(const std::filesystem::path& project, const protocol::StartJob::Params& params);

void addSearchMethods(MethodTable& methods, const ProjectAccess& project);

}  // namespace strata
