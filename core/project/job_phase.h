#pragma once
// runs/<id>/phase: what a job is doing and when it last got on, for whoever waits for it to stop.
//
//   PhaseFile phase(run.folder());                    // the job
//   phase.enter(JobPhase::evaluating);
//   for (…) phase.progress();
//   const auto seen = readPhase(runFolder);           // whoever waits
// The file is overwritten in place: that works on a full disk too. It goes with the PhaseFile. One thread.

#include <chrono>
#include <filesystem>
#include <optional>

#include "core/project/project_files.h"

namespace strata {

enum class JobPhase { stepping, evaluating, saving };
const char* toString(JobPhase phase);

class PhaseFile {
 public:
  /// Begins with stepping. Where the file cannot be written, the log says so once and the job goes on without.
  explicit PhaseFile(const std::filesystem::path& runFolder);
  ~PhaseFile();
  PhaseFile(const PhaseFile&) = delete;
  PhaseFile& operator=(const PhaseFile&) = delete;

  void enter(JobPhase phase);
  /// Something of the phase is done. Cheap: the file is written every 100 ms at most.
  void progress();

 private:
  void write();

  std::filesystem::path m_path;
  Descriptor m_file;
  JobPhase m_phase = JobPhase::stepping;
  std::chrono::steady_clock::time_point m_written;
};

struct PhaseReport {
  JobPhase phase = JobPhase::stepping;
  std::chrono::system_clock::time_point progress;  // the last
};
/// Nothing where the run has no such file, or it holds anything else.
std::optional<PhaseReport> readPhase(const std::filesystem::path& runFolder);

}  // namespace strata
