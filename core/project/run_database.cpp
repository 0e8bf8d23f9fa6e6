#include "core/project/run_database.h"

#include <sqlite3.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

namespace strata {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kVersion = 1;  // PRAGMA user_version
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

Error sqliteError(sqlite3* database, const fs::path& path, int code) {
  const int primary = code & 0xff;
  ErrorCode kind = ErrorCode::io;
  std::string advice;
  const bool noSpace = primary == SQLITE_IOERR && database != nullptr && sqlite3_system_errno(database) == ENOSPC;
  if (primary == SQLITE_FULL || noSpace) {
    kind = ErrorCode::diskFull;
    advice = "; free some disk space";
  } else if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    kind = ErrorCode::invalidData;
    advice = "; move it away to go on without the run's history";
  } else if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    kind = ErrorCode::busy;
    advice = "; another program holds it";
  } else if (primary == SQLITE_NOMEM) {
    kind = ErrorCode::outOfMemory;
  }
  const char* text = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  return Error{kind, "The database " + path.string() + " fails: " + text + advice + ".", path.string()};
}

/// A prepared statement; rows by step().
class Statement {
 public:
  Statement(sqlite3* database, const char* sql)
      : m_code(sqlite3_prepare_v2(database, sql, -1, &m_statement, nullptr)) {}
  ~Statement() { sqlite3_finalize(m_statement); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& bind(int at, std::int64_t value) { return note(sqlite3_bind_int64(m_statement, at, value)); }
  Statement& bind(int at, double value) { return note(sqlite3_bind_double(m_statement, at, value)); }
  Statement& bind(int at, const std::string& value) {
    return note(sqlite3_bind_text(m_statement, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC));
  }
  /// SQLITE_ROW, SQLITE_DONE or the first error.
  int step() { return m_code != SQLITE_OK ? m_code : sqlite3_step(m_statement); }
  void reset() { sqlite3_reset(m_statement); }
  sqlite3_stmt* get() const { return m_statement; }

 private:
  Statement& note(int code) {
    if (m_code == SQLITE_OK) m_code = code;
    return *this;
  }
  sqlite3_stmt* m_statement = nullptr;
  int m_code;
};

}  // namespace

const char* journalModeFor(std::int64_t fileSystemType) {
  // f_type of statfs(2); as 32 bits, because some are negative where it is an int.
  constexpr std::uint32_t kNetwork[] = {
      0x6969,      // NFS
      0x517b,      // SMB
      0xfe534d42,  // SMB2
      0xff534d42,  // CIFS
      0x65735546,  // FUSE: sshfs and others
      0x01021997,  // 9P
      0x00c36400,  // Ceph
      0x5346414f,  // AFS
      0x6b414653,  // kAFS
      0x73757245,  // Coda
      0x0bd00bd0,  // Lustre
      0x47504653,  // GPFS
      0x19830326,  // BeeGFS
      0x7461636f,  // OCFS2
      0x01161970,  // GFS2
  };
  const auto type = static_cast<std::uint32_t>(fileSystemType);
  return std::find(std::begin(kNetwork), std::end(kNetwork), type) != std::end(kNetwork) ? "DELETE" : "WAL";
}

struct RunDatabase::State {
  fs::path path;
  sqlite3* database = nullptr;
  std::vector<Metric> metrics;
  std::vector<Event> events;
  std::vector<Answer> answers;
  Clock::time_point lastFlush = Clock::now();

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { sqlite3_close(database); }

  Result<void> check(int code) const {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return {};
    return tl::unexpected(sqliteError(database, path, code));
  }
  Result<void> execute(const std::string& sql) const {
    return check(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr));
  }
  /// Commits what `body` did, or takes it back.
  template <class Body>
  Result<void> transaction(Body body) {
    STRATA_CHECK(execute("BEGIN IMMEDIATE"));
    Result<void> done = body();
    if (done) done = execute("COMMIT");
    if (!done) sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
    return done;
  }
  Result<void> writeBuffers();
  Result<void> flushIfDue() { return Clock::now() - lastFlush < kFlushInterval ? Result<void>() : flush(); }
  Result<void> flush();
};

Result<void> RunDatabase::State::writeBuffers() {
  Statement metric(database, "INSERT OR REPLACE INTO metrics(step, name, value) VALUES(?, ?, ?)");
  for (const Metric& each : metrics) {
    STRATA_CHECK(check(metric.bind(1, each.step).bind(2, each.name).bind(3, each.value).step()));
    metric.reset();
  }
  Statement event(database, "INSERT INTO events(step, time, kind, text) VALUES(?, ?, ?, ?)");
  for (const Event& each : events) {
    STRATA_CHECK(check(event.bind(1, each.step).bind(2, each.time).bind(3, each.kind).bind(4, each.text).step()));
    event.reset();
  }
  Statement answer(database, "INSERT OR REPLACE INTO answers(map, question, answer, exact, f1) VALUES(?, ?, ?, ?, ?)");
  for (const Answer& each : answers) {
    answer.bind(1, each.map).bind(2, each.question).bind(3, each.answer).bind(4, each.exact).bind(5, each.f1);
    STRATA_CHECK(check(answer.step()));
    answer.reset();
  }
  return {};
}

Result<void> RunDatabase::State::flush() {
  lastFlush = Clock::now();
  if (metrics.empty() && events.empty() && answers.empty()) return {};
  STRATA_CHECK(transaction([this] { return writeBuffers(); }));
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
  auto state = std::make_unique<State>();
  state->path = runFolder / "run.sqlite";
  const int opened = sqlite3_open_v2(state->path.c_str(), &state->database,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  STRATA_CHECK(state->check(opened));
  sqlite3_busy_timeout(state->database, 5000);
  struct statfs info = {};
  const bool known = ::statfs(runFolder.c_str(), &info) == 0;
  STRATA_CHECK(state->execute(std::string("PRAGMA journal_mode=") + journalModeFor(known ? info.f_type : 0)));
  STRATA_CHECK(state->execute("PRAGMA synchronous=NORMAL"));
  int version = 0;
  {
    Statement query(state->database, "PRAGMA user_version");
    STRATA_CHECK(state->check(query.step()));
    version = sqlite3_column_int(query.get(), 0);
  }
  if (version > kVersion) {
    return fail(ErrorCode::unsupported,
                state->path.string() + " was written by a newer Strata (version " + std::to_string(version) +
                    " of its tables); use that one.",
                state->path.string());
  }
  State& tables = *state;
  STRATA_CHECK(tables.transaction([&tables] { return tables.execute(kSchema); }));
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
  State& state = *m_state;
  return state.transaction([&]() -> Result<void> {
    for (const char* sql : {"DELETE FROM metrics WHERE step > ?", "DELETE FROM events WHERE step > ?"}) {
      Statement removal(state.database, sql);
      STRATA_CHECK(state.check(removal.bind(1, step).step()));
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
    const bool number = sqlite3_column_type(query.get(), 1) != SQLITE_NULL;
    found.push_back({sqlite3_column_int64(query.get(), 0), name,
                     number ? sqlite3_column_double(query.get(), 1) : std::numeric_limits<double>::quiet_NaN()});
  }
  STRATA_CHECK(m_state->check(code));
  return found;
}

}  // namespace strata
