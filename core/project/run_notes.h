#pragma once
// What people write of a project's runs, in project.sqlite: a name in place of the one that a run was made with, tags
// and a note. By the run's id, so that it lasts while the run is in the trash.
//
//   STRATA_TRY(const RunNotes notes, RunNotes::open(project));
//   STRATA_CHECK(notes.store(id, {.name = "Best so far", .tags = {"paper"}}));
// Storing is for the engine that holds the project's lock; one thread.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/database.h"

namespace strata {

struct RunNote {
  std::string name;  // empty: as the run was made
  std::vector<std::string> tags = {};
  std::string note = {};
  bool operator==(const RunNote&) const = default;
};

class RunNotes {
 public:
  static Result<RunNotes> open(const std::filesystem::path& projectFolder);
  Result<std::map<std::string, RunNote>> all() const;
  /// An empty one is removed.
  Result<void> store(const std::string& id, const RunNote& note) const;

 private:
  explicit RunNotes(Database database) : m_database(std::move(database)) {}
  Database m_database;
};

/// Those of a project that an engine may hold; none where it has no database yet.
Result<std::map<std::string, RunNote>> readRunNotes(const std::filesystem::path& projectFolder);

}  // namespace strata
