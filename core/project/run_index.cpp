#include "core/project/run_index.h"

#include "core/config/visit.h"

namespace strata {
namespace {

// To be raised where JobInfo gets a field, so that no row lacks it.
constexpr std::int64_t kForm = 2;

}  // namespace

Result<RunIndex> RunIndex::open(const std::filesystem::path& projectFolder) {
  STRATA_TRY(Database database, Database::open({projectFolder, "project.sqlite"}, Database::Mode::write));
  STRATA_CHECK(database.execute("PRAGMA synchronous=NORMAL"));  // what is lost is read again
  STRATA_CHECK(
      database.execute("CREATE TABLE IF NOT EXISTS run_index(id TEXT PRIMARY KEY NOT NULL,"
                       " form INTEGER NOT NULL, stored INTEGER NOT NULL, info TEXT NOT NULL) WITHOUT ROWID"));
  return RunIndex(std::move(database));
}

std::vector<RunIndex::Row> RunIndex::rows() const {
  std::vector<Row> rows;
  Statement query(m_database, "SELECT id, stored, info FROM run_index WHERE form = ?");
  query.bind(1, kForm);
  while (query.step() == SQLITE_ROW) {
    Row row;
    row.stored = query.integer(1);
    const Result<Json> json = parseJson(query.text(2), "The index of runs");
    if (json && configFromJson(*json, "The index of runs", row.info) && row.info.id == query.text(0)) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

Result<void> RunIndex::store(const std::vector<Row>& changed, const std::vector<std::string>& gone) const {
  return m_database.transaction([&]() -> Result<void> {
    Statement row(m_database, "INSERT OR REPLACE INTO run_index(id, form, stored, info) VALUES(?, ?, ?, ?)");
    for (const Row& each : changed) {
      const std::string info = dumpLine(configToJson(each.info));
      row.bind(1, each.info.id).bind(2, kForm).bind(3, each.stored).bind(4, info);
      STRATA_CHECK(m_database.check(row.step()));
      row.reset();
    }
    Statement removal(m_database, "DELETE FROM run_index WHERE id = ?");
    for (const std::string& id : gone) {
      STRATA_CHECK(m_database.check(removal.bind(1, id).step()));
      removal.reset();
    }
    return {};
  });
}

}  // namespace strata
