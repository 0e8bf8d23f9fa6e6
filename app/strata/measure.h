#pragma once
// What `strata sensitivity`, `strata search` and their jobs share: the model opened and hashed, the configuration
// without open choices, progress.

#include <optional>
#include <string>

#include "app/strata/cli.h"
#include "app/strata/run_log.h"
#include "core/config/search_config.h"
#include "core/search/search_run.h"

namespace strata {

/// Names and paths resolved in the project, where there is one; the model opened and hashed.
struct PreparedMeasure {
  OpenedForSearch opened;
  ModelLocation location;
};
/// With ranks, all of them call it, and it fails on all where it does on one.
Result<PreparedMeasure> prepareMeasure(MeasureConfig& config, const std::string& project,
                                       Communicator* ranks = nullptr);

/// A bar or plain lines on stderr, and a run's log. It watches for SIGINT and SIGTERM.
class MeasureShown {
 public:
  explicit MeasureShown(std::string name);
  MeasureShown(const MeasureShown&) = delete;
  MeasureShown& operator=(const MeasureShown&) = delete;
  const MeasureProgress& progress() const { return m_progress; }
  /// Begins a run of the project, with its log, that lives as long as this object; without a project nullptr.
  Result<Run*> keepIn(const std::string& project, const char* kind, const Json& config);
  void end() { m_shown.reset(); }

 private:
  std::string m_name;
  std::optional<Run> m_run;
  std::optional<RunLog> m_log;
  std::int64_t m_total = -1;
  std::optional<Progress> m_shown;
  MeasureProgress m_progress;
};

/// A job of that kind; its state afterwards.
Result<RunState> measureJob(Run& run, const std::string& project);

}  // namespace strata
