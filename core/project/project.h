#pragma once
// A project is a folder: strata.json, maps/*.json, runs/<id>/, reports/ (design.md section 4).

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

/// One side of a comparison: a model (one of the project's names, a folder, or a run), how it is opened, and a map.
struct ProjectSide {
  std::string model;
  std::string map = "full";
  std::string adapter = {};
  std::string dtype = {};
  std::string device = "cpu";
  std::int64_t context = 0;  // 0: the model's
  bool operator==(const ProjectSide&) const = default;
};

/// A file or folder of data, and what its records' keys stand for; empty: recognised.
struct ProjectData {
  std::filesystem::path path;
  std::map<std::string, std::string> columns = {};
  bool operator==(const ProjectData&) const = default;
};

class Project {
 public:
  /// What a path or, in `folder` (nothing: no project), the name of a data set means. A name goes before a file.
  static Result<ProjectData> findData(const std::string& text, const std::optional<std::filesystem::path>& folder);
  /// Opens the folder, or makes a new project where nothing or an empty folder is. A folder with other things in it and
  /// no strata.json is refused.
  static Result<Project> openOrCreate(const std::filesystem::path& folder);
  static Result<Project> open(const std::filesystem::path& folder);
  const std::filesystem::path& folder() const { return m_folder; }
  const std::string& name() const { return m_name; }
  /// "models" of strata.json: what the project calls its models, and their folders. A relative one starts at the
  /// project's folder.
  const std::map<std::string, std::filesystem::path>& models() const { return m_models; }
  /// "data" of strata.json: what the project calls its data sets: {"name": {"path", "columns"?}}; paths as of models.
  const std::map<std::string, ProjectData>& data() const { return m_data; }
  /// "sides" of strata.json: {"a": {"model", "map", "adapter"?, "dtype"?, "device"?, "context"?}, "b": …}; nothing
  /// where the file does not say.
  const std::optional<ProjectSide>& sideA() const { return m_sideA; }
  const std::optional<ProjectSide>& sideB() const { return m_sideB; }
  std::filesystem::path runsFolder() const { return m_folder / "runs"; }

  // Changes of strata.json: read anew, written whole; members that this Strata does not know stay as they are.

  /// Both sides; nothing: the side is empty.
  Result<void> setSides(const std::optional<ProjectSide>& a, const std::optional<ProjectSide>& b);
  /// Under `name`, or where that is empty under the folder's own, made unlike the others; the name that it has. A
  /// folder that has a name keeps it.
  Result<std::string> addModel(const std::filesystem::path& folder, const std::string& name);
  Result<void> removeModel(const std::string& name);
  /// As addModel; a data set that the project has keeps its name and gets these columns.
  Result<std::string> addData(const ProjectData& data, const std::string& name);
  Result<void> removeData(const std::string& name);

 private:
  Result<void> change(const std::function<void(Json& file)>& edit);

  std::filesystem::path m_folder;
  std::string m_name;
  std::map<std::string, std::filesystem::path> m_models;
  std::map<std::string, ProjectData> m_data;
  std::optional<ProjectSide> m_sideA, m_sideB;
};

/// flock on <project>/lock, held as long as the object lives: the one engine that writes project.sqlite. The system
/// drops it with the process.
class ProjectLock {
 public:
  /// ErrorCode::busy where another process holds it and does not let go within `patience`.
  static Result<ProjectLock> take(const std::filesystem::path& projectFolder, std::chrono::milliseconds patience);
  ProjectLock(ProjectLock&& other) noexcept : m_lock(std::exchange(other.m_lock, -1)) {}
  ProjectLock& operator=(ProjectLock&& other) noexcept {
    std::swap(m_lock, other.m_lock);
    return *this;
  }
  ~ProjectLock();

 private:
  explicit ProjectLock(int lock) : m_lock(lock) {}
  int m_lock = -1;
};

/// The user's copy of a shipped project in `folder`, made where there is none: its files, with the models' folders
/// absolute. The shipped one is never written.
Result<void> copyProject(const std::filesystem::path& shipped, const std::filesystem::path& folder);

enum class RunState { queued, running, paused, stopped, failed, done };
const char* toString(RunState state);

/// runs/<id>/run.json, written by the run's own process.
struct RunInfo {
  std::string id;                     // "20261122-093000-train-ab12"
  std::string kind;                   // one of job_kinds.h
  std::string created;                // ISO 8601, UTC
  RunState state = RunState::queued;  // a stored `running` whose lock nobody holds reads as failed
  std::string message;                // why it failed or stopped
  std::string parent;                 // of an extended run
  std::string name;                   // "LoRA of base, p 0.5": plainRunName(); empty in a run of version 0.4
  std::string sweep;                  // what runs that were started together have in common; empty: alone
  Json config;                        // as told
};

/// A run's folder and, for its own process, the lock on it: flock on runs/<id>/lock, held as long as the object lives.
/// The system drops it with the process, so that the lock, not a process number, says whether a run is alive.
///
///   STRATA_TRY(Run run, Run::create(project, "train", configToJson(config)));
///   STRATA_CHECK(run.setState(RunState::running));
///   while (work && !run.stopRequested()) ...
/// For one thread. A fork shares the lock; a program started by exec does not.
class Run {
 public:
  static Result<Run> create(const Project& project, const std::string& kind, const Json& config,
                            const std::string& parent = {}, const std::string& sweep = {});
  enum class Purpose { work, change };
  /// Takes the lock of an existing run; ErrorCode::busy while another process holds it. Removes what a killed process
  /// left half-written beside run.json; a stop file stays (clearStop). The lock names this process as the holder only
  /// for `work`: who merely changes what is stored is no job that could be signalled.
  static Result<Run> reopen(const std::filesystem::path& folder, Purpose purpose = Purpose::work);
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;
  ~Run();

  const std::filesystem::path& folder() const { return m_folder; }
  const RunInfo& info() const { return m_info; }
  /// While it runs, the file `reserve` keeps the room that its last word takes on a full disk.
  Result<void> setState(RunState state, const std::string& message = {});
  /// What a resume may change of it lasts for the resumes after it.
  Result<void> setConfig(const Json& config);
  /// Whether runs/<id>/stop has appeared.
  bool stopRequested() const;
  void clearStop() const;

 private:
  Run(std::filesystem::path folder, RunInfo info, int lock);
  std::filesystem::path m_folder;
  RunInfo m_info;
  int m_lock = -1;
};

Result<RunInfo> readRun(const std::filesystem::path& folder);
/// By creation. A folder that cannot be read is listed as failed with the reason.
Result<std::vector<RunInfo>> listRuns(const Project& project);
/// Refuses a run that is alive, and an id that is not the plain name of a folder in runs/.
Result<void> removeRun(const Project& project, const std::string& id);

/// Whether a process holds the run's lock; unknown where the lock cannot be looked at (no descriptors left, no
/// permission).
enum class Life { alive, dead, unknown };
Life lifeOf(const std::filesystem::path& runFolder);
/// Not dead: what is unknown counts as alive, so that nothing is removed on a guess.
bool isAlive(const std::filesystem::path& runFolder);

/// "DIR/runs/<id>[@STEP]" or, with a project, "<id>[@STEP]": the run's folder and step; a slash at the end is allowed.
/// "@latest" in place of a step: the newest checkpoint that there is. Empty where `text` names no run. A run is a
/// folder with run.json.
struct RunName {
  std::filesystem::path folder;
  std::optional<std::int64_t> step;
  bool latest = false;
};
std::optional<RunName> findRun(const std::string& text, const std::optional<std::filesystem::path>& project);

}  // namespace strata
