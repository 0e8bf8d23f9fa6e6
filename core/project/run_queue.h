#pragma once
// The runs of a project that wait to be started, in their order, in project.sqlite.
//
//   STRATA_TRY(const RunQueue queue, RunQueue::open(project));
//   STRATA_CHECK(queue.store({.ids = {"…"}, .paused = false}));
// For the engine that holds the project's lock; one thread.

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/database.h"

namespace strata {

class RunQueue {
 public:
  struct Contents {
    std::vector<std::string> ids;  // the next one first
    bool paused = false;
    bool operator==(const Contents&) const = default;
  };

  static Result<RunQueue> open(const std::filesystem::path& projectFolder);
  Result<Contents> load() const;
  Result<void> store(const Contents& contents) const;

 private:
  explicit RunQueue(Database database) : m_database(std::move(database)) {}
  Database m_database;
};

}  // namespace strata
