#pragma once
// What training runs of a project are started with on several devices or machines: "mpirun -np 8". It is run as a
// command, so it is the person's, kept on this machine, and never the project's: a folder that somebody else made
// cannot bring one along.

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/error.h"

namespace strata {

/// Of this project; empty where none is stored.
Result<std::string> launcherOf(const std::filesystem::path& project);

/// One line of at most 1,000 bytes; empty: none. Kept in $XDG_CONFIG_HOME/strata/launchers.json, or that of ~/.config.
Result<void> storeLauncher(const std::filesystem::path& project, const std::string& launcher);

/// The ranks that it starts, as its options say (mpirun -np 8, -n 8, -c 8; srun -n 8, --ntasks=8); 1 for an empty one;
/// nothing where it does not say.
std::optional<int> ranksOf(const std::string& launcher);

}  // namespace strata
