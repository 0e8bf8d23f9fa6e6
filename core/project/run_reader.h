#pragma once
// run.sqlite as another process reads it while the run's own writes: how far the run is, and its metrics as they come.
//
//   STRATA_TRY(RunReader reader, RunReader::open(runFolder));
//   STRATA_TRY(const std::vector<Metric> some, reader.next(4000));   // "" once all were read
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

namespace strata {

struct RunProgress {
  std::int64_t step = 0, steps = 0;  // training: steps; evaluation: questions or rows under all maps; steps 0: unknown
  double stepSeconds = -1;           // of one of them; -1: unknown
  std::optional<double> loss;        // the newest, of a training run
  /// -1: unknown
  double secondsLeft() const {
    return stepSeconds < 0 || steps == 0 ? -1 : stepSeconds * static_cast<double>(steps - step);
  }
};

class RunReader {
 public:
  /// ErrorCode::notFound while the run has none.
  static Result<RunReader> open(const std::filesystem::path& runFolder, std::int64_t fromStep = 0);
  Result<RunProgress> progress(const RunInfo& run) const;
  /// About `limit` metrics of each name that were not read before, by step; those of a run that went back behind a
  /// checkpoint come again.
  Result<std::vector<Metric>> next(std::size_t limit);

 private:
  explicit RunReader(Database database) : m_database(std::move(database)) {}
  Result<RunProgress> training(const RunInfo& run) const;
  Result<RunProgress> evaluation() const;
  Result<std::optional<Metric>> newest(const char* name) const;

  Database m_database;
  std::int64_t m_fromStep = 0;
  std::int64_t m_seen = -1;                    // data version at which all was read
  std::map<std::string, std::int64_t> m_last;  // name -> the last step read
};

}  // namespace strata
