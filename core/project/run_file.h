#pragma once
// run.json: how a run is stored. For the files of this folder, and for whoever parses one from memory.

#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/project/project.h"
#include "core/project/project_files.h"

namespace strata {

constexpr const char* kRunFile = "run.json";

/// `where` names the file in errors. A stored `running` stays as it is, whoever lives.
Result<RunInfo> parseRun(std::string_view text, const std::string& where);
std::string printRun(const RunInfo& info);

/// The run.json of a folder; the folder's name is the id.
Result<RunInfo> readRunFile(const std::filesystem::path& runFolder);
Result<void> writeRunFile(const std::filesystem::path& runFolder, const RunInfo& info);

/// Holds runs/<id>/lock; ErrorCode::busy where another process does. The system drops it with the descriptor.
Result<Descriptor> takeRunLock(const std::filesystem::path& runFolder);
/// Writes this process's number into the lock's file, for whoever has to signal the holder.
void nameHolder(const Descriptor& lock);

}  // namespace strata
