#include "core/project/series_pyramid.h"

#include <cmath>
#include <utility>

namespace strata {
namespace {

double realOrNaN(const Statement& row, int column) {
  return row.isNull(column) ? std::numeric_limits<double>::quiet_NaN() : row.real(column);
}

}  // namespace

const char* const kSeriesSchema =
    "CREATE TABLE IF NOT EXISTS buckets(name TEXT NOT NULL, level INTEGER NOT NULL, number INTEGER NOT NULL,"
    " min REAL, max REAL, last REAL, first_step INTEGER NOT NULL, first_tokens INTEGER NOT NULL,"
    " first_seconds REAL NOT NULL, last_step INTEGER NOT NULL, last_tokens INTEGER NOT NULL,"
    " last_seconds REAL NOT NULL, PRIMARY KEY(name, level, number)) WITHOUT ROWID;";

void SeriesBucket::append(const SeriesBucket& next) {
  if (count == 0) {
    *this = next;
    return;
  }
  min = std::fmin(min, next.min);  // the number where one of the two is none
  max = std::fmax(max, next.max);
  lastValue = next.lastValue;
  last = next.last;
  count += next.count;
}

BucketRows::BucketRows(const Database& database, const std::string& name, int level, std::int64_t firstNumber)
    : m_database(database),
      m_name(name),
      m_level(level),
      m_rows(database,
             "SELECT number, min, max, last, first_step, first_tokens, first_seconds, last_step, last_tokens,"
             " last_seconds FROM buckets WHERE name = ? AND level = ? AND number >= ? ORDER BY number") {
  m_rows.bind(1, m_name).bind(2, std::int64_t{level}).bind(3, firstNumber);
}

SeriesBucket BucketRows::bucket() const {
  SeriesBucket bucket;
  bucket.min = realOrNaN(m_rows, 1);
  bucket.max = realOrNaN(m_rows, 2);
  bucket.lastValue = realOrNaN(m_rows, 3);
  bucket.first = {m_rows.integer(4), m_rows.integer(5), m_rows.real(6)};
  bucket.last = {m_rows.integer(7), m_rows.integer(8), m_rows.real(9)};
  bucket.count = std::int64_t{1} << (kSeriesLevelBits * m_level);
  return bucket;
}

PointRows::PointRows(const Database& database, const std::string& name, std::int64_t afterStep, bool timed)
    : m_database(database),
      m_name(name),
      m_rows(database,
             timed ? "SELECT step, value, tokens, seconds FROM metrics WHERE name = ? AND step > ? ORDER BY step"
                   : "SELECT step, value, 0, 0.0 FROM metrics WHERE name = ? AND step > ? ORDER BY step") {
  m_rows.bind(1, m_name).bind(2, afterStep);
}

SeriesBucket PointRows::point() const {
  SeriesBucket point;
  point.first = point.last = {m_rows.integer(0), m_rows.integer(2), m_rows.real(3)};
  point.min = point.max = point.lastValue = realOrNaN(m_rows, 1);
  point.count = 1;
  return point;
}

Result<std::vector<std::string>> metricNames(const Database& database) {
  // One by one through the index: a scan of all rows takes a second at a million of them.
  Statement rows(database,
                 "WITH RECURSIVE names(name) AS (SELECT MIN(name) FROM metrics UNION ALL"
                 " SELECT (SELECT MIN(name) FROM metrics WHERE name > names.name) FROM names WHERE name IS NOT NULL)"
                 " SELECT name FROM names WHERE name IS NOT NULL");
  std::vector<std::string> names;
  while (rows.step() == SQLITE_ROW) names.push_back(rows.text(0));
  STRATA_CHECK(database.check(rows.code()));
  return names;
}

Result<void> SeriesPyramid::add(const Metric& metric) {
  const auto found = m_series.find(metric.name);
  if (found != m_series.end() && metric.step > found->second.lastStep) {
    SeriesBucket point;
    point.first = point.last = {metric.step, metric.tokens, metric.seconds};
    point.min = point.max = point.lastValue = metric.value;
    point.count = 1;
    return append(metric.name, found->second, 0, point);
  }
  if (found != m_series.end()) m_series.erase(found);
  STRATA_CHECK(cut(metric.name, metric.step));  // of buckets that it would be in
  STRATA_TRY(Series series, read(metric.name));
  m_series.emplace(metric.name, std::move(series));
  return {};
}

Result<SeriesPyramid::Series> SeriesPyramid::read(const std::string& name) {
  Series series;
  std::int64_t afterStep = kBeforeAllSteps;
  Statement newest(m_database,
                   "SELECT number, last_step FROM buckets WHERE name = ? AND level = ? ORDER BY number DESC LIMIT 1");
  for (std::int64_t level = 1;; ++level) {
    newest.bind(1, name).bind(2, level);
    const int code = newest.step();
    STRATA_CHECK(m_database.check(code));
    if (code != SQLITE_ROW) break;
    if (level == 1) afterStep = newest.integer(1);
    series.levels.push_back({newest.integer(0) + 1, 0, {}});
    newest.reset();
  }
  series.lastStep = afterStep;
  // The parts of the buckets that grow, from the highest level down.
  for (std::size_t level = series.levels.size(); level > 0; --level) {
    const std::int64_t first = level < series.levels.size() ? series.levels[level].number * kSeriesFan : 0;
    BucketRows rows(m_database, name, static_cast<int>(level), first);
    while (rows.next()) STRATA_CHECK(append(name, series, level, rows.bucket()));
    STRATA_CHECK(rows.check());
  }
  PointRows points(m_database, name, afterStep);
  while (points.next()) STRATA_CHECK(append(name, series, 0, points.point()));
  STRATA_CHECK(points.check());
  return series;
}

Result<void> SeriesPyramid::append(const std::string& name, Series& series, std::size_t level,
                                   const SeriesBucket& child) {
  if (level == series.levels.size()) series.levels.emplace_back();
  Level& grows = series.levels[level];
  grows.open.append(child);
  if (level == 0) series.lastStep = child.last.step;
  if (++grows.children < kSeriesFan) return {};
  const SeriesBucket full = std::exchange(grows.open, {});
  grows.children = 0;
  const std::int64_t number = grows.number++;
  STRATA_CHECK(store(name, level, number, full));
  return append(name, series, level + 1, full);
}

Result<void> SeriesPyramid::store(const std::string& name, std::size_t level, std::int64_t number,
                                  const SeriesBucket& bucket) {
  if (!m_insert) {
    m_insert.emplace(m_database,
                     "INSERT OR REPLACE INTO buckets(name, level, number, min, max, last, first_step,"
                     " first_tokens, first_seconds, last_step, last_tokens, last_seconds)"
                     " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  }
  Statement& row = *m_insert;
  row.reset();
  row.bind(1, name).bind(2, static_cast<std::int64_t>(level + 1)).bind(3, number);
  row.bind(4, bucket.min).bind(5, bucket.max).bind(6, bucket.lastValue);
  row.bind(7, bucket.first.step).bind(8, bucket.first.tokens).bind(9, bucket.first.seconds);
  row.bind(10, bucket.last.step).bind(11, bucket.last.tokens).bind(12, bucket.last.seconds);
  Result<void> stored = m_database.check(row.step());
  row.reset();
  return stored;
}

Result<void> SeriesPyramid::cutAfter(std::int64_t step, const std::vector<std::string>& names) {
  forget();
  if (step == std::numeric_limits<std::int64_t>::max()) return {};
  for (const std::string& name : names) STRATA_CHECK(cut(name, step + 1));
  return {};
}

/// Deletes the buckets with a point at or past `firstStepGone`: the newest ones of each level.
Result<void> SeriesPyramid::cut(const std::string& name, std::int64_t firstStepGone) {
  Statement newest(m_database,
                   "SELECT number, last_step FROM buckets WHERE name = ? AND level = ? ORDER BY number DESC");
  Statement removal(m_database, "DELETE FROM buckets WHERE name = ? AND level = ? AND number >= ?");
  for (std::int64_t level = 1;; ++level) {
    newest.bind(1, name).bind(2, level);
    std::optional<std::int64_t> firstGone;
    bool any = false;
    while (newest.step() == SQLITE_ROW) {
      any = true;
      if (newest.integer(1) < firstStepGone) break;
      firstGone = newest.integer(0);
    }
    STRATA_CHECK(m_database.check(newest.code()));
    newest.reset();
    if (!any) return {};
    if (!firstGone) continue;
    STRATA_CHECK(m_database.check(removal.bind(1, name).bind(2, level).bind(3, *firstGone).step()));
    removal.reset();
  }
}

}  // namespace strata
