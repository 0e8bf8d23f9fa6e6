#pragma once
// run.sqlite as another process reads it while the run's own writes: how far the run is, and its metrics as they come.
//
//   STRATA_TRY(RunReader reader, RunReader::open(runFolder));
//   STRATA_TRY(const auto some, reader.next(4000));   // empty once all were read
//   STRATA_TRY(const SeriesColumns loss, reader.series({.name = "loss", .buckets = 800}));
// One thread.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/project.h"
#include "core/project/run_database.h"
#include "core/project/run_schema.h"
#include "core/project/run_series.h"

namespace strata {

struct RunProgress {
  std::int64_t step = 0, steps = 0;  // training: steps; evaluation: questions or rows under all maps; steps 0: unknown
  double stepSeconds = -1;           // of one of them; -1: unknown
  std::optional<double> loss;        // the newest, of a training run
  double seconds = -1;               // that the run has taken, over all its resumes; -1: unknown
  std::map<std::string, double> best;  // of each score under a map, "nll/full" or "f1/stride:2"
  /// -1: unknown
  double secondsLeft() const {
    return stepSeconds < 0 || steps == 0 ? -1 : stepSeconds * static_cast<double>(steps - step);
  }
};

/// New points of one metric, by step.
struct MetricPoints {
  std::string name;
  std::vector<double> step, tokens, seconds, value;
};

class RunReader {
 public:
  /// ErrorCode::notFound while the run has none.
  static Result<RunReader> open(const std::filesystem::path& runFolder, std::int64_t fromStep = 0);
  Result<RunProgress> progress(const RunInfo& run) const;
  /// About `most` points in all that were not read before; those of a run that went back behind a checkpoint come
  /// again.
  Result<std::vector<MetricPoints>> next(std::size_t most);
  Result<std::vector<std::string>> metricNames() const { return strata::metricNames(m_database); }
  Result<SeriesColumns> series(const SeriesQuery& query) const { return readSeries(m_database, query); }
  /// The maps that questions were answered under.
  Result<std::vector<std::string>> answerMaps() const;
  /// Those given at `fromStep` or later.
  Result<std::int64_t> answerCount(const std::string& map, std::int64_t fromStep = 0) const;
  /// By the questions' ids; contexts and references are left out.
  Result<std::vector<RunAnswer>> answers(const std::string& map, std::int64_t from, std::int64_t count,
                                         std::int64_t fromStep = 0) const;
  /// One question whole; nothing: the run did not ask it.
  Result<std::optional<RunQuestion>> question(const std::string& id) const;
  /// The newest first, at most `count`.
  Result<std::vector<RunEvent>> events(std::int64_t count) const;
  Result<std::int64_t> eventCount() const;

 private:
  explicit RunReader(Database database) : m_database(std::move(database)) {}
  /// False: of version 0.4, without tokens, seconds and pyramid. A resume may change it at any time.
  bool isTimed() const { return isFrom(kFirstTimedVersion); }
  bool isFrom(int version) const;
  Result<RunProgress> training(const RunInfo& run) const;
  Result<RunProgress> evaluation() const;
  Result<std::map<std::string, double>> bestScores() const;
  Result<std::optional<Metric>> newest(const char* name) const;

  Database m_database;
  std::int64_t m_fromStep = 0;
  std::int64_t m_seen = -1;                    // data version at which all was read
  std::map<std::string, std::int64_t> m_last;  // name -> the last step read
};

}  // namespace strata
