#include "core/project/run_database.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

namespace strata {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kRunDatabaseVersion = 1;  // PRAGMA user_version
constexpr auto kFlushInterval = std::chrono::seconds(1);

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS metrics(step INTEGER NOT NULL, name TEXT NOT NULL, value REAL,"
    " PRIMARY KEY(name, step)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS events(id INTEGER PRIMARY KEY, step INTEGER NOT NULL, time REAL NOT NULL,"
    " kind TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS answers(map TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL,"
    " exact REAL, f1 REAL, PRIMARY KEY(map, question)) WITHOUT ROWID;"
    "PRAGMA user_version=1;";

struct Event {
  std::int64_t step;
  double time;  // seconds since 1970, UTC
  std::string kind;
  std::string text;
};

struct Answer {
  std::string map;
  std::string question;
  std::string answer;
  double exact;
  double f1;
};

}  // namespace

struct RunDatabase::State {
  Database database;
  std::vector<Metric> metrics;
  std::vector<Event> events;
  std::vector<Answer> answers;
  Clock::time_point lastFlush = Clock::now();

  Result<void> writeBuffers();
  Result<void> flushIfDue() { return Clock::now() - lastFlush < kFlushInterval ? Result<void>() : flush(); }
  Result<void> flush();
};

Result<void> RunDatabase::State::writeBuffers() {
  Statement metric(database, "INSERT OR REPLACE INTO metrics(step, name, value) VALUES(?, ?, ?)");
  for (const Metric& each : metrics) {
    STRATA_CHECK(database.check(metric.bind(1, each.step).bind(2, each.name).bind(3, each.value).step()));
    metric.reset();
  }
  Statement event(database, "INSERT INTO events(step, time, kind, text) VALUES(?, ?, ?, ?)");
  for (const Event& each : events) {
    STRATA_CHECK(
        database.check(event.bind(1, each.step).bind(2, each.time).bind(3, each.kind).bind(4, each.text).step()));
    event.reset();
  }
  Statement answer(database, "INSERT OR REPLACE INTO answers(map, question, answer, exact, f1) VALUES(?, ?, ?, ?, ?)");
  for (const Answer& each : answers) {
    answer.bind(1, each.map).bind(2, each.question).bind(3, each.answer).bind(4, each.exact).bind(5, each.f1);
    STRATA_CHECK(database.check(answer.step()));
    answer.reset();
  }
  return {};
}

Result<void> RunDatabase::State::flush() {
  lastFlush = Clock::now();
  if (metrics.empty() && events.empty() && answers.empty()) return {};
  STRATA_CHECK(database.transaction([this] { return writeBuffers(); }));
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
  STRATA_CHECK(database.version(kRunDatabaseVersion));
  STRATA_CHECK(database.transaction([&database] { return database.execute(kSchema); }));
  auto state = std::make_unique<State>();
  state->database = std::move(database);
  return RunDatabase(std::move(state));
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

Result<void> RunDatabase::addAnswer(const std::string& map, const std::string& questionId, const std::string& answer,
                                    double exact, double f1) {
  m_state->answers.push_back({map, questionId, answer, exact, f1});
  return m_state->flushIfDue();
}

Result<void> RunDatabase::flush() {
  return m_state->flush();
}

Result<void> RunDatabase::deleteAfter(std::int64_t step) {
  STRATA_CHECK(m_state->flush());
  const Database& database = m_state->database;
  return database.transaction([&]() -> Result<void> {
    for (const char* sql : {"DELETE FROM metrics WHERE step > ?", "DELETE FROM events WHERE step > ?"}) {
      Statement removal(database, sql);
      STRATA_CHECK(database.check(removal.bind(1, step).step()));
    }
    return {};
  });
}

Result<std::vector<Metric>> RunDatabase::metrics(const std::string& name) const {
  STRATA_CHECK(m_state->flush());
  Statement query(m_state->database, "SELECT step, value FROM metrics WHERE name = ? ORDER BY step");
  query.bind(1, name);
  std::vector<Metric> found;
  int code = query.step();
  for (; code == SQLITE_ROW; code = query.step()) {
    found.push_back(
        {query.integer(0), name, query.isNull(1) ? std::numeric_limits<double>::quiet_NaN() : query.real(1)});
  }
  STRATA_CHECK(m_state->database.check(code));
  return found;
}

}  // namespace strata
