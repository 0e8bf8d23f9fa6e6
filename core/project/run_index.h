#pragma once
// What the table of runs shows of those that have ended, in project.sqlite: so that an engine that opens a project of a
// thousand runs reads only those that have changed since. It can be rebuilt from the folders at any time.
//
//   STRATA_TRY(const RunIndex index, RunIndex::open(project));
//   for (const RunIndex::Row& row : index.rows()) …       // those whose run.json was stored at another time are stale
//   index.store(changed, gone);
// For the engine that holds the project's lock; one thread.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/database.h"
#include "core/protocol/job_messages.h"

namespace strata {

class RunIndex {
 public:
  struct Row {
    std::int64_t stored = 0;  // when its run.json was written, as its file system counts
    protocol::JobInfo info;
  };

  static Result<RunIndex> open(const std::filesystem::path& projectFolder);
  /// Rows of another version of this table are left out.
  std::vector<Row> rows() const;
  Result<void> store(const std::vector<Row>& changed, const std::vector<std::string>& gone) const;

 private:
  explicit RunIndex(Database database) : m_database(std::move(database)) {}
  Database m_database;
};

}  // namespace strata
