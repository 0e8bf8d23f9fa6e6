#include "core/project/run_series.h"

#include <limits>

#include "core/project/run_schema.h"
#include "core/project/series_pyramid.h"

namespace strata {
namespace {

/// What the statements see is one state of the file, whatever the run writes meanwhile.
class Snapshot {
 public:
  explicit Snapshot(const Database& database) : m_database(database), m_begun(database.execute("BEGIN")) {}
  ~Snapshot() {
    if (m_begun) (void)m_database.execute("COMMIT");
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  const Result<void>& begun() const { return m_begun; }

 private:
  const Database& m_database;
  Result<void> m_begun;
};

double coordinate(const SeriesBucket::At& at, SeriesAxis axis) {
  switch (axis) {
    case SeriesAxis::step:
      return static_cast<double>(at.step);
    case SeriesAxis::tokens:
      return static_cast<double>(at.tokens);
    case SeriesAxis::seconds:
      break;
  }
  return at.seconds;
}

std::int64_t pointsOf(int level) {
  return std::int64_t{1} << (kSeriesLevelBits * level);
}

/// One metric's points, counted from 0 by step, and the buckets over them.
class SeriesReader {
 public:
  SeriesReader(const Database& database, const SeriesQuery& query, bool hasPyramid)
      : m_database(database), m_query(query), m_hasPyramid(hasPyramid) {}

  /// How many levels have buckets.
  Result<void> open() {
    Statement any(m_database, "SELECT 1 FROM buckets WHERE name = ? AND level = ? LIMIT 1");
    for (; m_hasPyramid; ++m_levels) {
      const int code = any.bind(1, m_query.name).bind(2, std::int64_t{m_levels} + 1).step();
      STRATA_CHECK(m_database.check(code));
      if (code != SQLITE_ROW) break;
      any.reset();
    }
    return {};
  }

  /// How many of the first points `isBefore` (their coordinate) holds for. O(log points).
  template <class IsBefore>
  Result<std::int64_t> countBefore(IsBefore isBefore) const {
    std::int64_t number = 0;
    std::int64_t afterStep = kBeforeAllSteps;
    for (int level = m_levels; level > 0; --level) {
      number *= kSeriesFan;
      BucketRows rows(m_database, m_query.name, level, number);
      while (rows.next()) {
        const SeriesBucket bucket = rows.bucket();
        if (!isBefore(coordinate(bucket.last, m_query.axis))) break;
        number = rows.number() + 1;
        afterStep = bucket.last.step;
      }
      STRATA_CHECK(rows.check());
    }
    std::int64_t count = number * kSeriesFan;
    PointRows rows(m_database, m_query.name, afterStep, m_hasPyramid);
    while (rows.next() && isBefore(coordinate(rows.point().last, m_query.axis))) ++count;
    STRATA_CHECK(rows.check());
    return count;
  }

  /// Calls `take` (number of the first point, bucket) for buckets of `level`, and where those are not full yet for the
  /// ones below, from `begin`, where a bucket of that level begins, until `end`.
  template <class Take>
  Result<void> each(int level, std::int64_t begin, std::int64_t end, Take take) const {
    std::int64_t next = begin;
    for (level = std::min(level, m_levels); level > 0 && next < end; --level) {
      BucketRows rows(m_database, m_query.name, level, next / pointsOf(level));
      while (next < end && rows.next()) {
        take(next, rows.bucket());
        next += pointsOf(level);
      }
      STRATA_CHECK(rows.check());
    }
    if (next >= end) return {};
    STRATA_TRY(const Place place, placeOf(next));
    PointRows rows(m_database, m_query.name, place.afterStep, m_hasPyramid);
    std::int64_t at = place.number;
    for (; at < end && rows.next(); ++at) {
      if (at >= next) take(at, rows.point());
    }
    return rows.check();
  }

 private:
  struct Place {
    std::int64_t number = 0;                   // of the first point past
    std::int64_t afterStep = kBeforeAllSteps;  // this step
  };
  /// The begin of the bucket that a point is in.
  Result<Place> placeOf(std::int64_t point) const {
    if (m_levels == 0) return Place{};
    Statement row(m_database,
                  "SELECT number, last_step FROM buckets WHERE name = ? AND level = 1 AND number < ?"
                  " ORDER BY number DESC LIMIT 1");
    const int code = row.bind(1, m_query.name).bind(2, point / kSeriesFan).step();
    STRATA_CHECK(m_database.check(code));
    return code == SQLITE_ROW ? Place{(row.integer(0) + 1) * kSeriesFan, row.integer(1)} : Place{};
  }

  const Database& m_database;
  const SeriesQuery& m_query;
  bool m_hasPyramid;
  int m_levels = 0;
};

/// The least power of two of points a bucket, as its exponent, with which points begin to end - 1 are in at most so
/// many buckets.
int exponentFor(std::int64_t begin, std::int64_t end, std::int64_t buckets) {
  int exponent = 0;
  while (((end - 1) >> exponent) - (begin >> exponent) + 1 > buckets) ++exponent;
  return exponent;
}

void store(const SeriesBucket& bucket, SeriesAxis axis, bool isTimed, SeriesColumns& columns) {
  if (bucket.count == 0) return;
  columns.x.push_back(coordinate(bucket.last, axis));
  columns.step.push_back(coordinate(bucket.last, SeriesAxis::step));
  if (isTimed) columns.tokens.push_back(coordinate(bucket.last, SeriesAxis::tokens));
  if (isTimed) columns.seconds.push_back(coordinate(bucket.last, SeriesAxis::seconds));
  columns.min.push_back(bucket.min);
  columns.max.push_back(bucket.max);
  columns.last.push_back(bucket.lastValue);
  columns.count.push_back(static_cast<double>(bucket.count));
}

}  // namespace

std::optional<SeriesAxis> seriesAxisOf(const std::string& name) {
  if (name == "step") return SeriesAxis::step;
  if (name == "tokens") return SeriesAxis::tokens;
  if (name == "seconds") return SeriesAxis::seconds;
  return {};
}

Result<SeriesColumns> readSeries(const Database& database, const SeriesQuery& query) {
  const Snapshot snapshot(database);
  STRATA_CHECK(snapshot.begun());
  STRATA_TRY(const int version, database.version(kRunDatabaseVersion));
  const bool hasPyramid = version >= kFirstTimedVersion;
  if (!hasPyramid && query.axis != SeriesAxis::step) {
    return fail(ErrorCode::unsupported,
                "The run was made by Strata 0.4, which stored neither times nor tokens; show it by step.", "x");
  }
  SeriesReader reader(database, query, hasPyramid);
  STRATA_CHECK(reader.open());
  std::int64_t begin = 0;
  if (query.from) {
    STRATA_TRY(begin, reader.countBefore([&](double x) { return x < *query.from; }));
  }
  STRATA_TRY(const std::int64_t end, reader.countBefore([&](double x) { return !query.to || x <= *query.to; }));
  SeriesColumns columns;
  if (begin >= end) return columns;
  const int exponent = exponentFor(begin, end, query.buckets);
  SeriesBucket grows;
  std::int64_t current = begin >> exponent;
  STRATA_CHECK(reader.each(exponent / kSeriesLevelBits, current << exponent, (((end - 1) >> exponent) + 1) << exponent,
                           [&](std::int64_t first, const SeriesBucket& bucket) {
                             if (first >> exponent != current) {
                               store(grows, query.axis, hasPyramid, columns);
                               grows = {};
                               current = first >> exponent;
                             }
                             grows.append(bucket);
                           }));
  store(grows, query.axis, hasPyramid, columns);
  return columns;
}

}  // namespace strata
