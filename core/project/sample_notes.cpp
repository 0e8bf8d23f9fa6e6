#include "core/project/sample_notes.h"

namespace strata {

Result<SampleNotes> SampleNotes::open(const std::filesystem::path& projectFolder) {
  STRATA_TRY(Database database, Database::open({projectFolder, "project.sqlite"}, Database::Mode::write));
  STRATA_CHECK(
      database.execute("CREATE TABLE IF NOT EXISTS sample_notes(data TEXT NOT NULL, question TEXT NOT NULL,"
                       " note TEXT NOT NULL, PRIMARY KEY(data, question)) WITHOUT ROWID"));
  return SampleNotes(std::move(database));
}

Result<std::map<std::string, std::string>> SampleNotes::of(const std::string& data) const {
  std::map<std::string, std::string> notes;
  Statement query(m_database, "SELECT question, note FROM sample_notes WHERE data = ?");
  query.bind(1, data);
  while (query.step() == SQLITE_ROW) notes[query.text(0)] = query.text(1);
  STRATA_CHECK(m_database.check(query.code()));
  return notes;
}

Result<void> SampleNotes::store(const std::string& data, const std::string& question, const std::string& note) const {
  if (note.empty()) {
    Statement removal(m_database, "DELETE FROM sample_notes WHERE data = ? AND question = ?");
    return m_database.check(removal.bind(1, data).bind(2, question).step());
  }
  Statement row(m_database, "INSERT OR REPLACE INTO sample_notes(data, question, note) VALUES(?, ?, ?)");
  return m_database.check(row.bind(1, data).bind(2, question).bind(3, note).step());
}

}  // namespace strata
