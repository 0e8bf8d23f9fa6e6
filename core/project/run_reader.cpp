#include "core/project/run_reader.h"

#include <algorithm>
#include <limits>

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr int kRecentSteps = 8;  // that a step's time is taken from

double valueOf(const Statement& row, int column) {
  return row.isNull(column) ? std::numeric_limits<double>::quiet_NaN() : row.real(column);
}

std::int64_t numberIn(const Json& config, const char* name) {
  const auto found = config.find(name);
  return found != config.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

Result<RunReader> RunReader::open(const fs::path& runFolder, std::int64_t fromStep) {
  const ProjectPath file = inRun(runFolder, "run.sqlite");
  const Result<fs::path> path = plainPath(file);
  if (!path && path.error().code != ErrorCode::notFound) return tl::unexpected(path.error());
  std::error_code ignored;
  if (!path || !fs::exists(*path, ignored)) {
    return fail(ErrorCode::notFound, "The run " + runFolder.filename().string() + " has no metrics yet.",
                file.whole().string());
  }
  STRATA_TRY(Database database, Database::open(file, Database::Mode::read));
  RunReader reader(std::move(database));
  reader.m_fromStep = fromStep;
  return reader;
}

Result<std::optional<Metric>> RunReader::newest(const char* name) const {
  Statement query(m_database, "SELECT step, value FROM metrics WHERE name = ? ORDER BY step DESC LIMIT 1");
  const std::string text = name;
  const int code = query.bind(1, text).step();
  STRATA_CHECK(m_database.check(code));
  if (code != SQLITE_ROW) return std::optional<Metric>();
  return std::optional(Metric{query.integer(0), text, valueOf(query, 1)});
}

Result<RunProgress> RunReader::progress(const RunInfo& run) const {
  return run.kind == "train" ? training(run) : evaluation();
}

Result<RunProgress> RunReader::training(const RunInfo& run) const {
  RunProgress progress;
  progress.steps = numberIn(run.config, "steps");
  STRATA_TRY(const std::optional<Metric> loss, newest("loss"));
  if (!loss) return progress;
  progress.step = loss->step;
  if (loss->value == loss->value) progress.loss = loss->value;
  Statement steps(
      m_database,
      "SELECT AVG(value) FROM (SELECT value FROM metrics WHERE name = 'step_s' ORDER BY step DESC LIMIT ?)");
  STRATA_CHECK(m_database.check(steps.bind(1, std::int64_t{kRecentSteps}).step()));
  if (!steps.isNull(0)) {
    progress.stepSeconds = steps.real(0);
    return progress;
  }
  // A run of version 0.4: its tokens_s counts padding.
  Statement speed(
      m_database,
      "SELECT AVG(value) FROM (SELECT value FROM metrics WHERE name = 'tokens_s' ORDER BY step DESC LIMIT ?)");
  STRATA_CHECK(m_database.check(speed.bind(1, std::int64_t{kRecentSteps}).step()));
  const auto tokens = static_cast<double>(numberIn(run.config, "batch") * numberIn(run.config, "length"));
  if (!speed.isNull(0) && speed.real(0) > 0) progress.stepSeconds = tokens / speed.real(0);
  return progress;
}

/// "done" at step n: the number in all; "seconds": what n took.
Result<RunProgress> RunReader::evaluation() const {
  RunProgress progress;
  STRATA_TRY(const std::optional<Metric> done, newest("done"));
  if (!done) return progress;
  progress.step = done->step;
  progress.steps = static_cast<std::int64_t>(done->value);
  STRATA_TRY(const std::optional<Metric> seconds, newest("seconds"));
  if (seconds && seconds->step > 0) progress.stepSeconds = seconds->value / static_cast<double>(seconds->step);
  return progress;
}

Result<std::vector<Metric>> RunReader::next(std::size_t limit) {
  std::vector<Metric> found;
  const std::int64_t version = m_database.dataVersion();
  if (version == m_seen) return found;
  // The names one by one through the index: a scan of all rows takes a second at a million of them.
  Statement names(m_database,
                  "WITH RECURSIVE names(name) AS (SELECT MIN(name) FROM metrics UNION ALL"
                  " SELECT (SELECT MIN(name) FROM metrics WHERE name > names.name) FROM names WHERE name IS NOT NULL)"
                  " SELECT name, (SELECT MAX(step) FROM metrics WHERE metrics.name = names.name) FROM names"
                  " WHERE name IS NOT NULL");
  Statement points(m_database, "SELECT step, value FROM metrics WHERE name = ? AND step > ? ORDER BY step LIMIT ?");
  bool all = true;
  while (names.step() == SQLITE_ROW) {
    const std::string name = names.text(0);
    std::int64_t& last = m_last.try_emplace(name, m_fromStep - 1).first->second;
    last = std::min(last, std::max(names.integer(1), m_fromStep - 1));
    points.bind(1, name).bind(2, last).bind(3, static_cast<std::int64_t>(limit));
    std::size_t count = 0;
    for (; points.step() == SQLITE_ROW; ++count) {
      last = points.integer(0);
      found.push_back({last, name, valueOf(points, 1)});
    }
    STRATA_CHECK(m_database.check(points.code()));
    points.reset();
    all = all && count < limit;
  }
  STRATA_CHECK(m_database.check(names.code()));
  if (all) m_seen = version;
  std::stable_sort(found.begin(), found.end(), [](const Metric& a, const Metric& b) { return a.step < b.step; });
  return found;
}

}  // namespace strata
