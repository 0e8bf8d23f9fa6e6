#pragma once
// runs/<id>/run.sqlite: metrics, answers and events of one run, written by its process alone (WAL; journal_mode=DELETE
// on network file systems).

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/database.h"
#include "core/project/series_pyramid.h"

namespace strata {

/// What was asked; kept once for all maps and steps.
struct RunQuestion {
  std::string text, expected;  // empty where nothing was asked
  std::string context = {};    // the passages that it was asked with
  std::string cluster = {};    // what it is drawn together with in a bootstrap: its article; empty: it stands alone
  std::vector<std::string> references = {};  // the answers that count
  bool answerable = true;
};

/// One answered question of an evaluation.
struct RunAnswer {
  std::string map, question;  // its id
  std::string answer;
  std::map<std::string, double> scores;  // "em", "f1", "rouge_l", …; only finite ones are stored
  RunQuestion asked;
  std::int64_t step = 0;  // of a training run: steps done when it was given
};

/// Something that happened in a run: "checkpoint", "skipped", "redrawn", "resumed", "early_stop", "alert".
struct RunEvent {
  std::int64_t step = 0;
  double time = 0;  // seconds since 1970, UTC
  std::string kind, text;
};

class RunDatabase {
 public:
  /// Opens or makes run.sqlite. What was added and not yet flushed when the process is killed is lost: a second's
  /// worth. A file of version 0.4 gets the tables of today; its metrics count as measured at 0 tokens and 0 seconds.
  static Result<RunDatabase> open(const std::filesystem::path& runFolder);
  RunDatabase(RunDatabase&&) noexcept;
  RunDatabase& operator=(RunDatabase&&) noexcept;
  ~RunDatabase();

  /// Buffered; written in one transaction a second (checked here) and by flush(), with the pyramid over the points. A
  /// step that the metric has already gets the new value.
  Result<void> addMetric(const Metric& metric);
  Result<void> addEvent(std::int64_t step, const std::string& kind, const std::string& text);
  Result<void> addAnswer(const RunAnswer& answer) { return addAnswers({answer}); }
  /// All of them are stored, or none.
  Result<void> addAnswers(const std::vector<RunAnswer>& answers);
  Result<void> flush();
  /// Deletes what lies past a checkpoint (a resumed run).
  Result<void> deleteAfter(std::int64_t step);
  /// All values of one metric by step, the unwritten ones included. Not-a-number survives (SQLite keeps it as NULL).
  Result<std::vector<Metric>> metrics(const std::string& name) const;
  /// Where the newest metric was measured (its step, tokens and seconds); all 0: there is none.
  Result<Metric> newest() const;

 private:
  struct State;
  explicit RunDatabase(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

}  // namespace strata
