#include "core/project/run_notes.h"

#include "core/base/json.h"

namespace strata {
namespace {

std::vector<std::string> parseTags(const std::string& text) {
  std::vector<std::string> tags;
  const Result<Json> json = parseJson(text, "The tags of a run");
  if (!json || !json->is_array()) return tags;
  for (const Json& tag : *json) {
    if (tag.is_string()) tags.push_back(tag.get<std::string>());
  }
  return tags;
}

Result<std::map<std::string, RunNote>> readAll(const Database& database) {
  std::map<std::string, RunNote> notes;
  Statement query(database, "SELECT id, name, tags, note FROM run_notes");
  while (query.step() == SQLITE_ROW) notes[query.text(0)] = {query.text(1), parseTags(query.text(2)), query.text(3)};
  STRATA_CHECK(database.check(query.code()));
  return notes;
}

}  // namespace

Result<RunNotes> RunNotes::open(const std::filesystem::path& projectFolder) {
  STRATA_TRY(Database database, Database::open({projectFolder, "project.sqlite"}, Database::Mode::write));
  STRATA_CHECK(
      database.execute("CREATE TABLE IF NOT EXISTS run_notes(id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL,"
                       " tags TEXT NOT NULL, note TEXT NOT NULL) WITHOUT ROWID"));
  return RunNotes(std::move(database));
}

Result<std::map<std::string, RunNote>> RunNotes::all() const {
  return readAll(m_database);
}

Result<void> RunNotes::store(const std::string& id, const RunNote& note) const {
  if (note == RunNote()) {
    Statement removal(m_database, "DELETE FROM run_notes WHERE id = ?");
    return m_database.check(removal.bind(1, id).step());
  }
  const std::string tags = dumpLine(note.tags);
  Statement row(m_database, "INSERT OR REPLACE INTO run_notes(id, name, tags, note) VALUES(?, ?, ?, ?)");
  return m_database.check(row.bind(1, id).bind(2, note.name).bind(3, tags).bind(4, note.note).step());
}

Result<std::map<std::string, RunNote>> readRunNotes(const std::filesystem::path& projectFolder) {
  std::error_code ignored;
  if (!std::filesystem::exists(projectFolder / "project.sqlite", ignored)) return std::map<std::string, RunNote>();
  STRATA_TRY(const Database database, Database::open({projectFolder, "project.sqlite"}, Database::Mode::read));
  Statement table(database, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'run_notes'");
  if (table.step() != SQLITE_ROW) return std::map<std::string, RunNote>();
  return readAll(database);
}

}  // namespace strata
