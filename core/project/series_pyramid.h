#pragma once
// The min/max pyramid of a run's metrics in run.sqlite: bucket n of level k sums up the metric's points n * 16^k to
// (n + 1) * 16^k - 1, counted by step from 0. Only full buckets are stored; those that still grow are kept in memory by
// the one process that writes, and a reader takes their parts from the levels below.
//
//   pyramid.add(metric);       // in the transaction that stored it as a row; 1/15 of a bucket is stored for it
//   pyramid.cutAfter(step);    // in the transaction that deleted the rows
// One thread.

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/database.h"

namespace strata {

/// Points of a bucket of level k: 2^(4 k). With 16, levels cost 7 % more rows and a view reads at most 8 a bucket.
constexpr int kSeriesLevelBits = 4;
constexpr int kSeriesFan = 1 << kSeriesLevelBits;
constexpr std::int64_t kBeforeAllSteps = std::numeric_limits<std::int64_t>::min();

/// One value of a metric and where in the run it was measured.
struct Metric {
  std::int64_t step = 0;
  std::string name;  // "loss", "lr", "grad_norm", "tokens_s", "nll/full", …
  double value = 0;
  std::int64_t tokens = 0;  // trained until then
  double seconds = 0;       // the run's wall clock, which goes on where a resumed run goes on
};

/// A number of consecutive points. A value that is not a number counts, but is neither min nor max.
struct SeriesBucket {
  struct At {
    std::int64_t step = 0, tokens = 0;
    double seconds = 0;
  };
  At first, last;
  double min = std::numeric_limits<double>::quiet_NaN();
  double max = std::numeric_limits<double>::quiet_NaN();
  double lastValue = std::numeric_limits<double>::quiet_NaN();
  std::int64_t count = 0;

  /// Points that follow these.
  void append(const SeriesBucket& next);
};

/// The SQL that makes its table.
extern const char* const kSeriesSchema;

/// The names of a run's metrics, sorted.
Result<std::vector<std::string>> metricNames(const Database& database);

class SeriesPyramid {
 public:
  explicit SeriesPyramid(const Database& database) : m_database(database) {}

  /// A point that is in the table of metrics. One whose step is not past all others of its name costs as many points as
  /// come behind it.
  Result<void> add(const Metric& metric);
  /// Forgets what lies past a step, of metrics with these names.
  Result<void> cutAfter(std::int64_t step, const std::vector<std::string>& names);
  /// What is in memory is read again from the table: a transaction was taken back.
  void forget() { m_series.clear(); }

 private:
  struct Level {
    std::int64_t number = 0;  // of the bucket that grows
    int children = 0;
    SeriesBucket open;
  };
  struct Series {
    std::vector<Level> levels;  // [0] is level 1
    std::int64_t lastStep = std::numeric_limits<std::int64_t>::min();
  };
  /// From the stored buckets and the points behind them.
  Result<Series> read(const std::string& name);
  /// A full bucket of the level below, or a point for level 1.
  Result<void> append(const std::string& name, Series& series, std::size_t level, const SeriesBucket& child);
  Result<void> cut(const std::string& name, std::int64_t firstStepGone);
  Result<void> store(const std::string& name, std::size_t level, std::int64_t number, const SeriesBucket& bucket);

  const Database& m_database;
  std::map<std::string, Series> m_series;
  std::optional<Statement> m_insert;
};

/// Reads stored buckets and points in order.
///
///   BucketRows rows(database, "loss", 2, first);
///   while (rows.next()) use(rows.number(), rows.bucket());
///   STRATA_CHECK(rows.check());
class BucketRows {
 public:
  /// Level 1 and up, from a number on.
  BucketRows(const Database& database, const std::string& name, int level, std::int64_t firstNumber);
  bool next() { return m_rows.step() == SQLITE_ROW; }
  std::int64_t number() const { return m_rows.integer(0); }
  SeriesBucket bucket() const;
  Result<void> check() const { return m_database.check(m_rows.code()); }

 private:
  const Database& m_database;
  std::string m_name;
  int m_level;
  Statement m_rows;
};

/// A metric's points past a step.
class PointRows {
 public:
  /// `timed`: the table has tokens and seconds; a run of version 0.4 does not.
  PointRows(const Database& database, const std::string& name, std::int64_t afterStep, bool timed = true);
  bool next() { return m_rows.step() == SQLITE_ROW; }
  SeriesBucket point() const;
  Result<void> check() const { return m_database.check(m_rows.code()); }

 private:
  const Database& m_database;
  std::string m_name;
  Statement m_rows;
};

}  // namespace strata
