#include "core/project/run_database.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/base/json.h"
#include "core/project/run_schema.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kFlushInterval = std::chrono::seconds(1);

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS metrics(step INTEGER NOT NULL, name TEXT NOT NULL, value REAL,"
    " tokens INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0, PRIMARY KEY(name, step)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS events(id INTEGER PRIMARY KEY, step INTEGER NOT NULL, time REAL NOT NULL,"
    " kind TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS answers(map TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL,"
    " scores TEXT, step INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(map, question)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS questions(id TEXT PRIMARY KEY, text TEXT NOT NULL, expected TEXT NOT NULL,"
    " context TEXT NOT NULL DEFAULT '', cluster TEXT NOT NULL DEFAULT '', refs TEXT NOT NULL DEFAULT '[]',"
    " answerable INTEGER NOT NULL DEFAULT 1) WITHOUT ROWID;";

/// From version 1, that of Strata 0.4.
constexpr const char* kUpgrade =
    "ALTER TABLE metrics ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE metrics ADD COLUMN seconds REAL NOT NULL DEFAULT 0;"
    "ALTER TABLE answers ADD COLUMN scores TEXT;"
    "UPDATE answers SET scores = json_object('em', exact, 'f1', f1);"
    "ALTER TABLE answers DROP COLUMN exact;"
    "ALTER TABLE answers DROP COLUMN f1;";

/// From versions 1 to 3.
constexpr const char* kAddStep = "ALTER TABLE answers ADD COLUMN step INTEGER NOT NULL DEFAULT 0;";

/// From versions 3 and 4.
constexpr const char* kAddContext =
    "ALTER TABLE questions ADD COLUMN context TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE questions ADD COLUMN cluster TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE questions ADD COLUMN refs TEXT NOT NULL DEFAULT '[]';"
    "ALTER TABLE questions ADD COLUMN answerable INTEGER NOT NULL DEFAULT 1;";

Result<void> prepareTables(const Database& database) {
  STRATA_TRY(const int version, database.version(kRunDatabaseVersion));
  if (version == kRunDatabaseVersion) return {};
  if (version == 1) STRATA_CHECK(database.execute(kUpgrade));
  if (version > 0 && version < kFirstSteppedVersion) STRATA_CHECK(database.execute(kAddStep));
  if (version >= kFirstAskedVersion && version < kFirstContextVersion) STRATA_CHECK(database.execute(kAddContext));
  STRATA_CHECK(database.execute(kSchema));
  STRATA_CHECK(database.execute(kSeriesSchema));
  return database.execute("PRAGMA user_version=" + std::to_string(kRunDatabaseVersion));
}

std::string printScores(const std::map<std::string, double>& scores) {
  Json json = Json::object();
  for (const auto& [name, score] : scores) {
    if (std::isfinite(score)) json[name] = score;
  }
  return dumpLine(json);
}

}  // namespace

struct RunDatabase::State {
  explicit State(Database opened) : database(std::move(opened)) {}

  Database database;
  SeriesPyramid pyramid{database};
  std::vector<Metric> metrics;
  std::vector<RunEvent> events;
  std::vector<RunAnswer> answers;
  Clock::time_point lastFlush = Clock::now();

  Result<void> writeBuffers();
  Result<void> flushIfDue() { return Clock::now() - lastFlush < kFlushInterval ? Result<void>() : flush(); }
  Result<void> flush();
};

Result<void> RunDatabase::State::writeBuffers() {
  Statement metric(database,
                   "INSERT OR REPLACE INTO metrics(step, name, value, tokens, seconds) VALUES(?, ?, ?, ?, ?)");
  for (const Metric& each : metrics) {
    metric.bind(1, each.step).bind(2, each.name).bind(3, each.value).bind(4, each.tokens).bind(5, each.seconds);
    STRATA_CHECK(database.check(metric.step()));
    metric.reset();
    STRATA_CHECK(pyramid.add(each));
  }
  Statement event(database, "INSERT INTO events(step, time, kind, text) VALUES(?, ?, ?, ?)");
  for (const RunEvent& each : events) {
    STRATA_CHECK(
        database.check(event.bind(1, each.step).bind(2, each.time).bind(3, each.kind).bind(4, each.text).step()));
    event.reset();
  }
  Statement answer(database,
                   "INSERT OR REPLACE INTO answers(map, question, answer, scores, step) VALUES(?, ?, ?, ?, ?)");
  // The first that is told of a question stays; what follows is the same question under another map.
  Statement question(database,
                     "INSERT OR IGNORE INTO questions(id, text, expected, context, cluster, refs, answerable)"
                     " VALUES(?, ?, ?, ?, ?, ?, ?)");
  for (const RunAnswer& each : answers) {
    const std::string scores = printScores(each.scores);
    answer.bind(1, each.map).bind(2, each.question).bind(3, each.answer).bind(4, scores).bind(5, each.step);
    STRATA_CHECK(database.check(answer.step()));
    answer.reset();
    const RunQuestion& asked = each.asked;
    if (asked.text.empty() && asked.cluster.empty()) continue;
    const std::string references = dumpLine(Json(asked.references));
    question.bind(1, each.question).bind(2, asked.text).bind(3, asked.expected).bind(4, asked.context);
    question.bind(5, asked.cluster).bind(6, references).bind(7, std::int64_t{asked.answerable ? 1 : 0});
    STRATA_CHECK(database.check(question.step()));
    question.reset();
  }
  return {};
}

Result<void> RunDatabase::State::flush() {
  lastFlush = Clock::now();
  if (metrics.empty() && events.empty() && answers.empty()) return {};
  if (Result<void> written = database.transaction([this] { return writeBuffers(); }); !written) {
    pyramid.forget();
    return written;
  }
  metrics.clear();
  events.clear();
  answers.clear();
  return {};
}

RunDatabase::RunDatabase(std::unique_ptr<State> state) : m_state(std::move(state)) {}
RunDatabase::RunDatabase(RunDatabase&&) noexcept = default;
RunDatabase& RunDatabase::operator=(RunDatabase&& other) noexcept {
  if (this != &other) {
    if (m_state) (void)m_state->flush();
    m_state = std::move(other.m_state);
  }
  return *this;
}
RunDatabase::~RunDatabase() {
  if (m_state) (void)m_state->flush();
}

Result<RunDatabase> RunDatabase::open(const fs::path& runFolder) {
  STRATA_TRY(Database database, Database::open(inRun(runFolder, "run.sqlite"), Database::Mode::write));
  STRATA_CHECK(database.execute("PRAGMA synchronous=NORMAL"));
  STRATA_CHECK(database.transaction([&database] { return prepareTables(database); }));
  return RunDatabase(std::make_unique<State>(std::move(database)));
}

Result<void> RunDatabase::addMetric(const Metric& metric) {
  m_state->metrics.push_back(metric);
  return m_state->flushIfDue();
}

Result<void> RunDatabase::addEvent(std::int64_t step, const std::string& kind, const std::string& text) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  m_state->events.push_back({step, std::chrono::duration<double>(now).count(), kind, text});
  return m_state->flushIfDue();
}

Result<void> RunDatabase::addAnswers(const std::vector<RunAnswer>& answers) {
  m_state->answers.insert(m_state->answers.end(), answers.begin(), answers.end());
  return m_state->flushIfDue();
}

Result<void> RunDatabase::flush() {
  return m_state->flush();
}

Result<void> RunDatabase::deleteAfter(std::int64_t step) {
  STRATA_CHECK(m_state->flush());
  const Database& database = m_state->database;
  Result<void> deleted = database.transaction([&]() -> Result<void> {
    STRATA_TRY(const std::vector<std::string> names, metricNames(database));
    for (const char* sql : {"DELETE FROM metrics WHERE step > ?", "DELETE FROM events WHERE step > ?",
                            "DELETE FROM answers WHERE step > ?"}) {
      Statement removal(database, sql);
      STRATA_CHECK(database.check(removal.bind(1, step).step()));
    }
    return m_state->pyramid.cutAfter(step, names);
  });
  m_state->pyramid.forget();
  return deleted;
}

Result<std::vector<Metric>> RunDatabase::metrics(const std::string& name) const {
  STRATA_CHECK(m_state->flush());
  PointRows rows(m_state->database, name, kBeforeAllSteps);
  std::vector<Metric> found;
  while (rows.next()) {
    const SeriesBucket point = rows.point();
    found.push_back({point.last.step, name, point.lastValue, point.last.tokens, point.last.seconds});
  }
  STRATA_CHECK(rows.check());
  return found;
}

Result<Metric> RunDatabase::newest() const {
  STRATA_CHECK(m_state->flush());
  const Database& database = m_state->database;
  STRATA_TRY(const std::vector<std::string> names, metricNames(database));
  Metric newest;
  Statement row(database, "SELECT step, tokens, seconds FROM metrics WHERE name = ? ORDER BY step DESC LIMIT 1");
  for (const std::string& name : names) {
    STRATA_CHECK(database.check(row.bind(1, name).step()));
    if (row.integer(0) >= newest.step) newest = {row.integer(0), name, 0, row.integer(1), row.real(2)};
    row.reset();
  }
  return newest;
}

}  // namespace strata
