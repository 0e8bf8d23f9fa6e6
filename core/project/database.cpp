#include "core/project/database.h"

#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr int kBusyMilliseconds = 5000;

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
    advice = "; move it away to go on without what it holds";
  } else if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    kind = ErrorCode::busy;
    advice = "; another program holds it";
  } else if (primary == SQLITE_NOMEM) {
    kind = ErrorCode::outOfMemory;
  }
  const char* text = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  return Error{kind, "The database " + path.string() + " fails: " + text + advice + ".", path.string()};
}

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

Result<void> requirePlainFiles(const ProjectPath& database) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    STRATA_CHECK(plainPath({database.root, database.inside.string() + suffix}));
  }
  return {};
}

Result<void> Database::check(int code) const {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return {};
  return tl::unexpected(sqliteError(handle(), m_path, code));
}

Result<void> Database::execute(const std::string& sql) const {
  return check(sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr));
}

Result<int> Database::version(int newest) const {
  Statement query(*this, "PRAGMA user_version");
  STRATA_CHECK(check(query.step()));
  const auto version = static_cast<int>(query.integer(0));
  if (version <= newest) return version;
  return fail(ErrorCode::unsupported,
              m_path.string() + " was written by a newer Strata (version " + std::to_string(version) +
                  " of its tables); use that one.",
              m_path.string());
}

std::int64_t Database::dataVersion() const {
  Statement query(*this, "PRAGMA data_version");
  return query.step() == SQLITE_ROW ? query.integer(0) : 0;
}

Result<Database> Database::open(const ProjectPath& file, Mode mode) {
  Database database;
  database.m_path = file.whole();
  STRATA_CHECK(requirePlainFiles(file));
  // SQLITE_OPEN_NOFOLLOW refuses a link anywhere on the path, also those on the way to the user's own project.
  STRATA_TRY(const fs::path path, plainPath(file));
  const int flags =
      SQLITE_OPEN_NOFOLLOW | (mode == Mode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  database.m_handle.reset(handle);
  STRATA_CHECK(database.check(opened));
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  if (mode == Mode::read) return database;
  struct statfs info = {};
  const bool known = ::statfs(path.parent_path().c_str(), &info) == 0;
  STRATA_CHECK(database.execute(std::string("PRAGMA journal_mode=") + journalModeFor(known ? info.f_type : 0)));
  return database;
}

}  // namespace strata
