#include "widgets/session/run_table.h"

#include <gtest/gtest.h>

#include <QTest>

#include "fake_engine.h"
#include "support.h"

namespace strata {
namespace {

TEST(RunTable, HoldsAllRunsOfAProjectThoughTheEngineTellsThemByPages) {
  constexpr int kRuns = 1000, kTrashed = 450;
  const testing::TemporaryFolder folder;
  Json jobs = {{"kept", Json::array()}, {"trash", Json::array()}};
  for (int i = 0; i < kRuns + kTrashed; ++i) {
    jobs[i < kRuns ? "kept" : "trash"].push_back({{"id", "run-" + std::to_string(i)}, {"state", "done"}});
  }
  testing::writeText(folder.path() / "jobs.json", dumpLine(jobs));
  EngineClient engine;
  RunTable table(engine);
  engine.start(testing::fakeEngine(folder.path()));
  table.refresh();
  ASSERT_TRUE(QTest::qWaitFor([&] { return table.rowCount() > 0 && !table.trash().empty(); }, 10'000));
  EXPECT_EQ(table.rowCount(), kRuns);
  EXPECT_EQ(table.trash().size(), static_cast<std::size_t>(kTrashed));
  EXPECT_EQ(testing::requestsTo(folder.path(), "jobs/list").size(), 5u);
}

}  // namespace
}  // namespace strata
