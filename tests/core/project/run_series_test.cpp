// Buckets of a metric against a count of all its points.

#include "core/project/run_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include "core/project/run_reader.h"
#include "support.h"

namespace strata {
namespace {

using strata::testing::TemporaryFolder;
using ::testing::ElementsAre;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double coordinateOf(const Metric& metric, SeriesAxis axis) {
  return axis == SeriesAxis::step     ? static_cast<double>(metric.step)
         : axis == SeriesAxis::tokens ? static_cast<double>(metric.tokens)
                                      : metric.seconds;
}

/// By the definition, from all points.
SeriesColumns bruteForce(const std::vector<Metric>& points, const SeriesQuery& query) {
  std::vector<std::size_t> inside;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = coordinateOf(points[i], query.axis);
    if ((!query.from || x >= *query.from) && (!query.to || x <= *query.to)) inside.push_back(i);
  }
  SeriesColumns columns;
  if (inside.empty()) return columns;
  std::size_t size = 1;
  while (static_cast<std::int64_t>(inside.back() / size - inside.front() / size + 1) > query.buckets) size *= 2;
  for (std::size_t bucket = inside.front() / size; bucket <= inside.back() / size; ++bucket) {
    const std::size_t begin = bucket * size, end = std::min(begin + size, points.size());
    double min = kNaN, max = kNaN;
    for (std::size_t i = begin; i < end; ++i) {
      min = std::fmin(min, points[i].value);
      max = std::fmax(max, points[i].value);
    }
    columns.x.push_back(coordinateOf(points[end - 1], query.axis));
    columns.min.push_back(min);
    columns.max.push_back(max);
    columns.last.push_back(points[end - 1].value);
    columns.count.push_back(static_cast<double>(end - begin));
  }
  return columns;
}

/// Equal, not-a-number included.
void expectSame(const SeriesColumns& found, const SeriesColumns& wanted, const std::string& what) {
  const auto same = [](const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
  };
  ASSERT_EQ(found.x.size(), wanted.x.size()) << what;
  EXPECT_TRUE(same(found.x, wanted.x)) << what;
  EXPECT_TRUE(same(found.min, wanted.min)) << what;
  EXPECT_TRUE(same(found.max, wanted.max)) << what;
  EXPECT_TRUE(same(found.last, wanted.last)) << what;
  EXPECT_TRUE(same(found.count, wanted.count)) << what;
}

struct SeriesOfRuns : ::testing::Test {
  TemporaryFolder run;
  std::mt19937 random{7};

  double draw(double below) { return std::uniform_real_distribution<double>(0, below)(random); }
  RunReader reader() const { return std::move(*RunReader::open(run.path())); }
  SeriesColumns series(const SeriesQuery& query) const {
    const auto found = reader().series(query);
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : SeriesColumns();
  }
  /// Points with gaps in their steps, some of them not-a-number or infinite.
  std::vector<Metric> drawPoints(std::size_t count, const Metric& after = {}) {
    std::vector<Metric> points;
    Metric at = after;
    for (std::size_t i = 0; i < count; ++i) {
      const double kind = draw(1);
      at.step += kind < .9 ? 1 : static_cast<std::int64_t>(1 + draw(500));
      at.tokens += static_cast<std::int64_t>(draw(3));
      at.seconds += draw(2);
      const double value = draw(10);
      points.push_back({at.step, "loss", kind < .03 ? kNaN : kind < .04 ? kInfinity : value, at.tokens, at.seconds});
    }
    return points;
  }
  static void write(RunDatabase& database, const std::vector<Metric>& points) {
    for (const Metric& point : points) {
      ASSERT_TRUE(database.addMetric(point));
      ASSERT_TRUE(database.addMetric({point.step, "lr", 1, point.tokens, point.seconds}));  // a neighbour
    }
    ASSERT_TRUE(database.flush());
  }
  /// Stretches of all sizes on all axes.
  void compare(const std::vector<Metric>& points, const std::string& what) {
    std::vector<SeriesQuery> queries;
    for (const SeriesAxis axis : {SeriesAxis::step, SeriesAxis::tokens, SeriesAxis::seconds}) {
      const double end = points.empty() ? 10 : coordinateOf(points.back(), axis);
      for (const std::int64_t buckets : {1, 2, 7, 100, 4096}) {
        queries.push_back({"loss", axis, {}, {}, buckets});
        for (int i = 0; i < 6; ++i) {
          const double from = draw(end), to = from + draw(end * std::pow(.1, i));
          queries.push_back({"loss", axis, std::floor(from), i == 0 ? std::optional<double>() : to, buckets});
        }
        queries.push_back({"loss", axis, end + 1, {}, buckets});
      }
    }
    const RunReader open = reader();
    for (const SeriesQuery& query : queries) {
      const auto found = open.series(query);
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_LE(static_cast<std::int64_t>(found->x.size()), query.buckets);
      expectSame(*found, bruteForce(points, query),
                 what + ": " + std::to_string(points.size()) + " points, axis " +
                     std::to_string(static_cast<int>(query.axis)) + " from " + std::to_string(query.from.value_or(-1)) +
                     " to " + std::to_string(query.to.value_or(-1)) + " in " + std::to_string(query.buckets));
      if (HasFatalFailure() || HasFailure()) return;
    }
  }
};

TEST_F(SeriesOfRuns, AreWhatACountOfAllPointsGives) {
  for (const std::size_t count : {0, 1, 15, 16, 17, 255, 256, 257, 4095, 4096, 5000, 70000}) {
    const TemporaryFolder folder;
    auto database = *RunDatabase::open(folder.path());
    const std::vector<Metric> points = drawPoints(count);
    write(database, points);
    std::filesystem::remove_all(run.path());
    std::filesystem::copy(folder.path(), run.path(), std::filesystem::copy_options::recursive);
    compare(points, "written in one go");
    if (HasFailure()) return;
  }
}

TEST_F(SeriesOfRuns, StayRightThroughKillsResumesAndStepsThatComeAgain) {
  std::vector<Metric> points;
  std::optional<RunDatabase> database = *RunDatabase::open(run.path());
  for (int life = 0; life < 30; ++life) {
    const std::vector<Metric> more =
        drawPoints(static_cast<std::size_t>(draw(900)), points.empty() ? Metric() : points.back());
    write(*database, more);
    points.insert(points.end(), more.begin(), more.end());
    if (life % 3 == 0) database.emplace(*RunDatabase::open(run.path()));
    if (life % 2 == 0 && !points.empty()) {
      const std::int64_t checkpoint =
          points[static_cast<std::size_t>((1 - draw(.1)) * static_cast<double>(points.size() - 1))].step;
      ASSERT_TRUE(database->deleteAfter(checkpoint));
      std::erase_if(points, [&](const Metric& point) { return point.step > checkpoint; });
    }
    if (!points.empty()) {  // the last step once more, and one in the middle
      for (const std::size_t i :
           {points.size() - 1, static_cast<std::size_t>(draw(1) * static_cast<double>(points.size()))}) {
        points[i].value = draw(20);
        write(*database, {points[i]});
      }
    }
    compare(points, "life " + std::to_string(life));
    if (HasFailure()) return;
  }
  EXPECT_GT(points.size(), 4096u) << "three levels of buckets";
}

TEST_F(SeriesOfRuns, PointsThatWereTakenBackByAFullDiskAreCountedOnce) {
  std::vector<Metric> points = drawPoints(300);
  auto database = *RunDatabase::open(run.path());
  write(database, {points.begin(), points.begin() + 100});
  {
    auto other = Database::open({run.path(), "run.sqlite"}, Database::Mode::write);
    ASSERT_TRUE(other->execute("CREATE TRIGGER full BEFORE INSERT ON buckets BEGIN SELECT RAISE(ABORT, 'full'); END"));
    for (std::size_t i = 100; i < 200; ++i) ASSERT_TRUE(database.addMetric(points[i]));
    ASSERT_FALSE(database.flush());
    ASSERT_TRUE(other->execute("DROP TRIGGER full"));
  }
  write(database, {points.begin() + 200, points.end()});
  compare(points, "after a failed flush");
}

TEST_F(SeriesOfRuns, DoNotChangeWhileTheStretchMoves) {
  auto database = *RunDatabase::open(run.path());
  write(database, drawPoints(5000));
  const SeriesColumns whole = series({.name = "loss", .from = 0, .to = 2000, .buckets = 100});
  const SeriesColumns moved = series({.name = "loss", .from = 311, .to = 2311, .buckets = 100});
  ASSERT_GT(moved.x.size(), 2u);
  const auto same = std::find(whole.x.begin(), whole.x.end(), moved.x[1]);
  ASSERT_NE(same, whole.x.end());
  EXPECT_EQ(whole.max[static_cast<std::size_t>(same - whole.x.begin())], moved.max[1]);
}

TEST_F(SeriesOfRuns, AreThePointsThemselvesWhereTheyFit) {
  auto database = *RunDatabase::open(run.path());
  write(database, {{1, "loss", 4, 10, .5}, {3, "loss", kNaN, 20, 1}, {4, "loss", 2, 30, 1.5}});
  const SeriesColumns tokens = series({.name = "loss", .axis = SeriesAxis::tokens, .buckets = 3});
  EXPECT_THAT(tokens.x, ElementsAre(10, 20, 30));
  EXPECT_THAT(tokens.count, ElementsAre(1, 1, 1));
  EXPECT_TRUE(std::isnan(tokens.last[1]) && std::isnan(tokens.min[1]) && std::isnan(tokens.max[1]));
  EXPECT_TRUE(series({.name = "unknown"}).x.empty());
}

TEST_F(SeriesOfRuns, OfVersion04AreReadFromTheirPointsByStep) {
  const std::vector<Metric> points = drawPoints(600);
  {
    auto old = Database::open({run.path(), "run.sqlite"}, Database::Mode::write);
    ASSERT_TRUE(old->execute(
        "CREATE TABLE metrics(step INTEGER NOT NULL, name TEXT NOT NULL, value REAL, PRIMARY KEY(name, step))"
        " WITHOUT ROWID; CREATE TABLE events(id INTEGER PRIMARY KEY, step INTEGER NOT NULL, time REAL NOT NULL,"
        " kind TEXT NOT NULL, text TEXT NOT NULL); CREATE TABLE answers(map TEXT NOT NULL, question TEXT NOT NULL,"
        " answer TEXT NOT NULL, exact REAL, f1 REAL, PRIMARY KEY(map, question)) WITHOUT ROWID;"
        "INSERT INTO answers VALUES('full', 'q', 'a', 1, 0.5); PRAGMA user_version=1;"));
    Statement row(*old, "INSERT INTO metrics VALUES(?, 'loss', ?)");
    for (const Metric& point : points) {
      row.bind(1, point.step).bind(2, point.value);
      ASSERT_EQ(row.step(), SQLITE_DONE);
      row.reset();
    }
  }
  const std::map<std::string, double> scores = {{"em", 1}, {"f1", .5}};
  for (const std::int64_t buckets : {10, 1000}) {
    const SeriesQuery query{.name = "loss", .from = 20, .to = 3000, .buckets = buckets};
    expectSame(series(query), bruteForce(points, query), "0.4");
  }
  EXPECT_EQ(reader().answers("full", 0, 10)->front().scores, scores);
  EXPECT_EQ(reader().next(10000)->front().step.size(), points.size());
  RunInfo info;
  info.kind = "train";
  EXPECT_TRUE(reader().progress(info));
  const auto byTime = reader().series({.name = "loss", .axis = SeriesAxis::seconds});
  ASSERT_FALSE(byTime);
  EXPECT_EQ(byTime.error().code, ErrorCode::unsupported);

  // A resume makes it a file of today, also for who reads already.
  RunReader early = reader();
  auto database = *RunDatabase::open(run.path());
  ASSERT_TRUE(database.addMetric({points.back().step + 1, "loss", 3, 5, 2}));
  ASSERT_TRUE(database.flush());
  std::vector<Metric> all = points;
  for (Metric& point : all) point.tokens = 0, point.seconds = 0;
  all.push_back({points.back().step + 1, "loss", 3, 5, 2});
  compare(all, "resumed");
  EXPECT_EQ(early.next(10000)->front().tokens.back(), 5);
  EXPECT_EQ(reader().answers("full", 0, 10)->front().scores, scores);
}

TEST_F(SeriesOfRuns, OfAMillionPointsTakeNoLongerThanOfFewThousandPoints) {
  const auto secondsOf = [](std::int64_t points) {
    const TemporaryFolder folder;
    auto database = *RunDatabase::open(folder.path());
    for (std::int64_t step = 1; step <= points; ++step) {
      EXPECT_TRUE(database.addMetric({step, "loss", 1.0 / static_cast<double>(step)}));
    }
    EXPECT_TRUE(database.flush());
    const RunReader reader = std::move(*RunReader::open(folder.path()));
    double least = kInfinity;
    for (int round = 0; round < 5; ++round) {
      const auto started = std::chrono::steady_clock::now();
      EXPECT_TRUE(reader.series({.name = "loss", .from = 10, .buckets = 1000}));
      least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    }
    return least;
  };
  EXPECT_LT(secondsOf(1'000'000), 20 * secondsOf(8'000));
}

}  // namespace
}  // namespace strata
