#pragma once
// SQLite behind values: what run.sqlite and project.sqlite have in common. One connection, one thread at a time.
//
//   STRATA_TRY(const Database database, Database::open({project, "project.sqlite"}, Database::Mode::write));
//   Statement query(database, "SELECT title FROM chats WHERE id = ?");
//   query.bind(1, id);
//   while (query.step() == SQLITE_ROW) use(query.text(0));
//   STRATA_CHECK(database.check(query.code()));

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/project/project_files.h"

namespace strata {

/// "DELETE" on network file systems, where WAL's shared memory does not work, else "WAL". `fileSystemType`: statfs
/// f_type.
const char* journalModeFor(std::int64_t fileSystemType);

/// Refuses symbolic links in place of the file or of SQLite's own beside it (-wal, -shm, -journal).
Result<void> requirePlainFiles(const ProjectPath& database);

class Database {
 public:
  enum class Mode { write, read };
  /// Opens, and to write makes, the file. A database that another program keeps busy is waited for 5 s.
  static Result<Database> open(const ProjectPath& file, Mode mode);

  /// The error that a result code stands for: a full disk, a damaged file, another program that holds it.
  Result<void> check(int code) const;
  Result<void> execute(const std::string& sql) const;
  /// PRAGMA user_version: which tables it has; an error where that is more than `newest`.
  Result<int> version(int newest) const;
  /// A number that changes when another connection has committed.
  std::int64_t dataVersion() const;
  /// Commits what `body` did, or takes it back.
  template <class Body>
  Result<void> transaction(Body body) const {
    STRATA_CHECK(execute("BEGIN IMMEDIATE"));
    Result<void> done = body();
    if (done) done = execute("COMMIT");
    if (!done) sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    return done;
  }
  sqlite3* handle() const { return m_handle.get(); }
  const std::filesystem::path& path() const { return m_path; }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  std::filesystem::path m_path;
  std::unique_ptr<sqlite3, Close> m_handle;
};

/// A prepared statement; rows by step(). Texts that were bound must live until the step.
class Statement {
 public:
  Statement(const Database& database, const char* sql)
      : m_code(sqlite3_prepare_v2(database.handle(), sql, -1, &m_statement, nullptr)) {}
  ~Statement() { sqlite3_finalize(m_statement); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& bind(int at, std::int64_t value) { return note(sqlite3_bind_int64(m_statement, at, value)); }
  Statement& bind(int at, double value) { return note(sqlite3_bind_double(m_statement, at, value)); }
  Statement& bind(int at, const std::string& value) {
    return note(sqlite3_bind_text64(m_statement, at, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  Statement& bindNull(int at) { return note(sqlite3_bind_null(m_statement, at)); }
  /// SQLITE_ROW, SQLITE_DONE or the first error.
  int step() { return m_code = failed() ? m_code : sqlite3_step(m_statement); }
  /// What the last step gave.
  int code() const { return m_code; }
  void reset() {
    sqlite3_reset(m_statement);
    m_code = SQLITE_OK;
  }

  std::int64_t integer(int column) const { return sqlite3_column_int64(m_statement, column); }
  double real(int column) const { return sqlite3_column_double(m_statement, column); }
  bool isNull(int column) const { return sqlite3_column_type(m_statement, column) == SQLITE_NULL; }
  std::string text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(m_statement, column));
    return bytes == nullptr ? std::string()
                            : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_statement, column)));
  }

 private:
  bool failed() const { return m_code != SQLITE_OK && m_code != SQLITE_ROW && m_code != SQLITE_DONE; }
  Statement& note(int code) {
    if (m_code == SQLITE_OK) m_code = code;
    return *this;
  }
  sqlite3_stmt* m_statement = nullptr;
  int m_code;
};

}  // namespace strata
