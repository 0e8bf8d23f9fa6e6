#pragma once
// What people write of single questions, in project.sqlite: by the data and the question's id, so that all evaluations
// of the same data show it.
//
//   STRATA_TRY(const SampleNotes notes, SampleNotes::open(project));
//   STRATA_CHECK(notes.store(dataHash, "q17", "The gold answer is wrong."));
// Storing is for the engine that holds the project's lock; one thread.

#include <filesystem>
#include <map>
#include <string>

#include "core/base/error.h"
#include "core/project/database.h"

namespace strata {

class SampleNotes {
 public:
  static Result<SampleNotes> open(const std::filesystem::path& projectFolder);
  /// By question.
  Result<std::map<std::string, std::string>> of(const std::string& data) const;
  /// An empty note is removed.
  Result<void> store(const std::string& data, const std::string& question, const std::string& note) const;

 private:
  explicit SampleNotes(Database database) : m_database(std::move(database)) {}
  Database m_database;
};

}  // namespace strata
