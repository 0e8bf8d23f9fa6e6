// Runs that are moved or deleted. The run's lock is held meanwhile: a run that lives is refused, and none can begin to
// live in the middle.

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/project/job.h"
#include "core/project/project.h"
#include "core/project/project_files.h"
#include "core/project/run_file.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

Result<void> checkId(const std::string& id) {
  if (isPlainId(id)) return {};
  return fail(ErrorCode::usage, "\"" + id + "\" is no run's id; `strata runs list` shows them.", id);
}

/// Gives a run's folder another name in the project; the lock, still held.
Result<Descriptor> moveRun(const Project& project, const fs::path& from, const fs::path& to) {
  const fs::path whole = project.folder() / from;
  const std::string id = from.filename().string();
  if (const Result<void> there = requireFolder({project.folder(), from}); !there) {
    if (there.error().code != ErrorCode::notFound) return tl::unexpected(there.error());
    return fail(ErrorCode::notFound, "There is no run " + whole.string() + "; check the id.", id);
  }
  Result<Descriptor> lock = takeRunLock(whole);
  if (!lock && lock.error().code == ErrorCode::busy) {
    return namedError("run_alive", {{"run", id}},
                      fail(ErrorCode::busy, "The run " + id + " is still alive; stop it first.", id));
  }
  if (!lock) return tl::unexpected(lock.error());
  STRATA_CHECK(makeFolder({project.folder(), to.parent_path()}));
  std::error_code error;
  fs::rename(whole, project.folder() / to, error);
  if (error) return systemFailure(error.value(), "move", whole);
  STRATA_CHECK(syncFolder(whole.parent_path()));
  STRATA_CHECK(syncFolder((project.folder() / to).parent_path()));
  return lock;
}

/// The name goes first, so that a removal cut short leaves no half of a run.
Result<void> deleteRun(const Project& project, const fs::path& from) {
  const fs::path hidden = from.parent_path() / (".removed-" + from.filename().string());
  std::error_code error;
  if (requireFolder({project.folder(), from.parent_path()})) {
    fs::remove_all(project.folder() / hidden, error);  // of a removal that was cut short
  }
  STRATA_TRY(const Descriptor lock, moveRun(project, from, hidden));
  fs::remove_all(project.folder() / hidden, error);
  if (error) return systemFailure(error.value(), "remove", project.folder() / hidden);
  return {};
}

}  // namespace

bool isPlainId(const std::string& id) {
  return !id.empty() && id.find('/') == std::string::npos && !id.starts_with('.');
}

Result<void> removeRun(const Project& project, const std::string& id) {
  STRATA_CHECK(checkId(id));
  return deleteRun(project, fs::path("runs") / id);
}

Result<void> trashRun(const Project& project, const std::string& id) {
  STRATA_CHECK(checkId(id));
  return moveRun(project, fs::path("runs") / id, fs::path("trash") / id).map([](const Descriptor&) {});
}

Result<void> restoreRun(const Project& project, const std::string& id) {
  STRATA_CHECK(checkId(id));
  return moveRun(project, fs::path("trash") / id, fs::path("runs") / id).map([](const Descriptor&) {});
}

Result<void> deleteTrashedRun(const Project& project, const std::string& id) {
  STRATA_CHECK(checkId(id));
  return deleteRun(project, fs::path("trash") / id);
}

}  // namespace strata
