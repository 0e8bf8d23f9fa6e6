#pragma once
// What a sensitivity measurement or a search keeps in its run: the loss of each window under each map (run.sqlite, as
// answers), how far it is, and JSON files that others read meanwhile. Without a run it keeps nothing.
//
//   STRATA_TRY(MeasureRecord record, MeasureRecord::open(&run, "matrix.json", header, windows));
//   for (const auto& [key, losses] : record.known()) …       // of a run that goes on
//   STRATA_CHECK(record.add("5 reads 2", 7, loss));
// One thread.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/base/json.h"
#include "core/project/job_phase.h"
#include "core/project/project.h"
#include "core/project/run_database.h"
#include "core/search/losses.h"

namespace strata {

class MeasureRecord {
 public:
  /// `header`: the members of its files that say what is measured. Refused: a run whose `file` has others
  /// ("model_hash", "text_hash", "tokens").
  static Result<MeasureRecord> open(Run* run, const std::string& file, const Json& header, std::size_t windows);

  /// By key, what the run measured before.
  const std::map<std::string, Losses>& known() const { return m_known; }
  Result<void> add(const std::string& key, std::size_t window, const WindowLoss& loss);
  /// Whether the run's stop file is not there; asked at most 20 times a second.
  bool goOn();
  /// Progress: of `total`.
  Result<void> tell(std::int64_t done, std::int64_t total);
  /// "nll/MAP", so that the list of runs shows the best.
  Result<void> tellBest(const std::string& metric, const std::string& map, double value);
  /// Writes a file once a second, or at once: the header and what `rest` gives.
  Result<void> write(const std::string& file, const std::function<Json()>& rest, bool now);
  /// Seconds, over all the run's resumes.
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;

  Run* m_run = nullptr;
  Json m_header;
  std::unique_ptr<RunDatabase> m_database;
  std::unique_ptr<PhaseFile> m_phase;
  std::map<std::string, Losses> m_known;
  Clock::time_point m_started = Clock::now(), m_looked, m_told;
  std::map<std::string, Clock::time_point> m_written;  // by file
  double m_before = 0;                                 // seconds of the run's earlier lives
  std::int64_t m_step = 0;
  bool m_goOn = true;
};

/// The state of a run that ends by this error: stopped where it was cancelled, else failed; with its message.
Result<void> endUnfinished(Run& run, const Error& error);

}  // namespace strata
