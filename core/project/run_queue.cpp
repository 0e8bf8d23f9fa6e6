#include "core/project/run_queue.h"

namespace strata {

Result<RunQueue> RunQueue::open(const std::filesystem::path& projectFolder) {
  STRATA_TRY(Database database, Database::open({projectFolder, "project.sqlite"}, Database::Mode::write));
  STRATA_CHECK(
      database.execute("CREATE TABLE IF NOT EXISTS run_queue(place INTEGER PRIMARY KEY, id TEXT NOT NULL);"
                       "CREATE TABLE IF NOT EXISTS run_queue_state(only INTEGER PRIMARY KEY CHECK(only = 1),"
                       " paused INTEGER NOT NULL)"));
  return RunQueue(std::move(database));
}

Result<RunQueue::Contents> RunQueue::load() const {
  Contents contents;
  Statement rows(m_database, "SELECT id FROM run_queue ORDER BY place");
  while (rows.step() == SQLITE_ROW) contents.ids.push_back(rows.text(0));
  STRATA_CHECK(m_database.check(rows.code()));
  Statement state(m_database, "SELECT paused FROM run_queue_state");
  if (state.step() == SQLITE_ROW) contents.paused = state.integer(0) != 0;
  STRATA_CHECK(m_database.check(state.code()));
  return contents;
}

Result<void> RunQueue::store(const Contents& contents) const {
  return m_database.transaction([&]() -> Result<void> {
    STRATA_CHECK(m_database.execute("DELETE FROM run_queue"));
    Statement row(m_database, "INSERT INTO run_queue(place, id) VALUES(?, ?)");
    for (std::size_t i = 0; i < contents.ids.size(); ++i) {
      STRATA_CHECK(m_database.check(row.bind(1, static_cast<std::int64_t>(i)).bind(2, contents.ids[i]).step()));
      row.reset();
    }
    Statement state(m_database, "INSERT OR REPLACE INTO run_queue_state(only, paused) VALUES(1, ?)");
    return m_database.check(state.bind(1, std::int64_t{contents.paused}).step());
  });
}

}  // namespace strata
