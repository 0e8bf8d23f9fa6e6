#pragma once
// A verb that mpirun or srun started several times.

#include <functional>

#include "app/strata/output.h"
#include "core/base/error.h"
#include "core/distributed/communicator.h"

namespace strata {

inline constexpr const char* kDistributedHelp =
    "share the work with the other ranks that mpirun or srun started: mpirun -np 4 strata ...";

/// Opens the ranks; rank 0 leads, the others follow and say nothing. Where one fails, its sentence is said and all end.
Result<int> onRanks(const Output& out, const std::function<Result<int>(Communicator&)>& lead,
                    const std::function<Result<void>(Communicator&)>& follow);

/// A verb whose ranks all do the same, each with its share of what takes long; rank 0 alone has a run and answers.
Result<int> alike(const Output& out, const std::function<Result<int>(Communicator*)>& work);

}  // namespace strata
