#pragma once
// A verb that mpirun or srun started several times.

#include <functional>

#include "app/strata/output.h"
#include "core/base/error.h"
#include "core/distributed/communicator.h"

namespace strata {

/// Opens the ranks; rank 0 leads, the others follow and say nothing. Where one fails, its sentence is said and all end.
Result<int> onRanks(const Output& out, const std::function<Result<int>(Communicator&)>& lead,
                    const std::function<Result<void>(Communicator&)>& follow);

}  // namespace strata
