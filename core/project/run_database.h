#pragma once
// runs/<id>/run.sqlite: metrics, answers and events of one run, written by its process alone (WAL; journal_mode=DELETE
// on network file systems).

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/database.h"

namespace strata {

struct Metric {
  std::int64_t step = 0;
  std::string name;  // "loss", "lr", "grad_norm", "tokens_s", "nll/full", …
  double value = 0;
};

class RunDatabase {
 public:
  /// Opens or makes run.sqlite. What was added and not yet flushed when the process is killed is lost: a second's
  /// worth.
  static Result<RunDatabase> open(const std::filesystem::path& runFolder);
  RunDatabase(RunDatabase&&) noexcept;
  RunDatabase& operator=(RunDatabase&&) noexcept;
  ~RunDatabase();

  /// Buffered; written in one transaction a second (checked here) and by flush().
  Result<void> addMetric(const Metric& metric);
  Result<void> addEvent(std::int64_t step, const std::string& kind, const std::string& text);
  /// One answered question of an evaluation.
  Result<void> addAnswer(const std::string& map, const std::string& questionId, const std::string& answer, double exact,
                         double f1);
  Result<void> flush();
  /// Deletes what lies past a checkpoint (a resumed run).
  Result<void> deleteAfter(std::int64_t step);
  /// All values of one metric by step, the unwritten ones included. Not-a-number survives (SQLite keeps it as NULL).
  Result<std::vector<Metric>> metrics(const std::string& name) const;

 private:
  struct State;
  explicit RunDatabase(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

}  // namespace strata
