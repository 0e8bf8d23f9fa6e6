#pragma once
// The log of a run that was started on the command line: what the terminal shows of it, in runs/ID/log too. A job's log
// is its output, and needs none of this.
//
//   RunLog log(run.folder());
//   progress.logTo(&log);

#include <filesystem>
#include <mutex>
#include <string>

#include "core/project/project_files.h"

namespace strata {

/// Appends lines. Warnings of the log (core/base/log.h) go there as well while it lives; one at a time. A file that
/// cannot be written is warned of once: the run goes on. Thread-safe.
class RunLog {
 public:
  explicit RunLog(const std::filesystem::path& runFolder);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;
  void line(const std::string& text);

 private:
  std::mutex m_mutex;
  Descriptor m_file;
};

}  // namespace strata
