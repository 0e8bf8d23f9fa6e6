#pragma once
// Jobs: runs that are processes of their own (design.md section 4). A job outlives whoever started it; the lock on its
// run says that it lives, and the lock's file which process holds it.
//
//   STRATA_TRY(const JobProcess job, startJob(program, project.folder(), id));
//   …
//   requestStop(runFolder);                  // a file; the job reads it every step
//   signalHolder(runFolder, SIGTERM);        // where that does not help

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/project.h"
#include "core/project/project_files.h"

namespace strata {

/// Starts `program job ID --project DIR` in a session of its own, with runs/<id>/log as its output, and waits until it
/// holds the run's lock and has begun, at most `begun` long once it holds it. What became of it by then: a run that
/// fails to begin says why in its `message`. The child is reaped by collectJobs(). With a launcher (launcher.h) a shell
/// runs LAUNCHER program job ID --project DIR --distributed, and the rank that leads holds the lock.
Result<RunInfo> startJob(const std::filesystem::path& program, const std::filesystem::path& project,
                         const std::string& id, std::chrono::milliseconds begun, const std::string& launcher = {});

/// Starts `program` with these arguments in a session of its own, with clean signals, `output` as its standard output
/// and error, and none of this process's files. Its process id; the caller waits for it.
Result<int> spawnProgram(const std::filesystem::path& program, std::vector<std::string> arguments,
                         const Descriptor& output);

/// Reaps jobs of this process that have ended.
void collectJobs();

/// The process that holds the run's lock, by the lock's file and by what that process has open; nothing where nobody
/// holds it, or the holder belongs to another machine or user.
std::optional<int> lockHolder(const std::filesystem::path& runFolder);

/// Makes runs/<id>/stop.
Result<void> requestStop(const std::filesystem::path& runFolder);
/// Since when the stop file is there.
std::optional<std::chrono::system_clock::time_point> stopRequestedAt(const std::filesystem::path& runFolder);

/// Sends a signal to the lock's holder; false where there is none, or it is this process.
bool signalHolder(const std::filesystem::path& runFolder, int signal);

/// Whether `id` can be the name of a run's folder: one part of a path, not hidden.
bool isPlainId(const std::string& id);
/// Moves a run from runs/ to trash/ of its project, or back; ErrorCode::busy where it is alive.
Result<void> trashRun(const Project& project, const std::string& id);
Result<void> restoreRun(const Project& project, const std::string& id);
/// Deletes a run of the trash for good.
Result<void> deleteTrashedRun(const Project& project, const std::string& id);

}  // namespace strata
